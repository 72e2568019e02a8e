//! The socket: takes connections, reads requests from each, one after the other, and writes the answers.
//! What is wrong in a connection ends that connection and nothing else.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::debug;

use crate::apis::{self, Peer};
use crate::housekeeping;
use crate::memory::{Full, Reservation};
use crate::state::State;

const MOST_CONNECTIONS: usize = 1000;
/// A request that claims to be longer is none: the largest batch, and what else a request may be.
const BYTES_BESIDE_THE_BATCH: usize = 32 << 20;
/// A buffer grows by so much when that has come, not when it is announced.
const STEP: usize = 256 << 10;
/// Before a connection is taken again after that failed: there may be no more files to open.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is told to stop; then all connections are closed.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, stop: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(listener, &state, &mut connections) => {}
        () = housekeeping::run(&state) => {}
        // Also when nobody is left to tell.
        _ = stop => {}
    }
    connections.shutdown().await;
}

async fn accept(listener: TcpListener, state: &Arc<State>, connections: &mut JoinSet<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok(_) if connections.len() >= MOST_CONNECTIONS => {
                debug!("more than {MOST_CONNECTIONS} connections");
            }
            Ok((socket, peer)) => {
                let peer = Peer {
                    host: peer.ip().to_string(),
                };
                connections.spawn(connection(socket, peer, Arc::clone(state)));
            }
            Err(error) => {
                debug!(%error, "accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(mut socket: TcpStream, peer: Peer, state: Arc<State>) {
    if let Err(error) = answer_all(&mut socket, &peer, &state).await {
        debug!(%error, host = peer.host, "connection closed");
    }
}

async fn answer_all(socket: &mut TcpStream, peer: &Peer, state: &State) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (reader, mut writer) = socket.split();
    let mut reader = BufReader::new(reader);
    while let Some((request, held)) = read_request(&mut reader, state).await? {
        let answer = tokio::select! {
            answer = apis::answer(state, peer, request) => answer,
            () = gone(&mut reader) => return Ok(()),
        };
        drop(held);
        // A request that cannot be read, or an answer that cannot be written, has no answer.
        if let Some(answer) = answer.map_err(io::Error::other)? {
            writer.write_all(&answer).await?;
        }
    }
    Ok(())
}

/// The next request without its length; nothing when there is no more.
async fn read_request(
    reader: &mut (impl AsyncRead + Unpin),
    state: &State,
) -> io::Result<Option<(Bytes, Reservation)>> {
    let length = match reader.read_i32().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let longest = state
        .options
        .max_message_bytes
        .saturating_add(BYTES_BESIDE_THE_BATCH);
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| length <= longest);
    let length = length.ok_or_else(|| io::Error::other("not a request's length"))?;
    let full = |Full| io::Error::other("too many large requests at once");
    let mut held = state.requests.reserve(0).map_err(full)?;
    let mut request = BytesMut::new();
    while request.len() < length {
        let step = STEP.min(length - request.len());
        held.grow(step).map_err(full)?;
        request.reserve(step);
        read_more(reader, &mut request, step).await?;
    }
    Ok(Some((request.freeze(), held)))
}

async fn read_more(
    reader: &mut (impl AsyncRead + Unpin),
    request: &mut BytesMut,
    count: usize,
) -> io::Result<()> {
    let until = request.len() + count;
    while request.len() < until {
        let left = u64::try_from(until - request.len()).unwrap_or(0);
        if (&mut *reader).take(left).read_buf(request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Ends when the other side has gone, and not when it has sent something more.
async fn gone(reader: &mut (impl AsyncBufReadExt + Unpin)) {
    match reader.fill_buf().await {
        Ok([]) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}
