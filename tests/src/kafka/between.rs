//! What stands between clients and a broker and sees every request before the broker does: something
//! can be done at exactly that moment which else is a matter of luck.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};
use bytes::{Buf as _, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, FindCoordinatorResponse, MetadataResponse, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// Is called with each request's kind before the broker gets it, and may take its time.
pub type Before = Arc<dyn Fn(ApiKey) + Send + Sync>;

/// Passes on what clients and one broker say to each other. It listens until the program ends.
pub struct Between {
    address: String,
}

/// The requests of a connection that are not answered yet: what they are, by their numbers.
type Asked = Arc<Mutex<HashMap<i32, (ApiKey, i16)>>>;

impl Between {
    /// Begins to listen in front of the broker at `broker`.
    pub fn start(broker: &str, before: Before) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let broker = broker.to_owned();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (broker, before) = (broker.clone(), Arc::clone(&before));
                // A connection that breaks off is a matter between the client and the broker.
                thread::spawn(move || connect(client, &broker, port, &before));
            }
        });
        Ok(Self {
            address: format!("127.0.0.1:{port}"),
        })
    }

    /// Where clients find it, as `kafka.bootstrap.servers` wants it.
    pub fn address(&self) -> &str {
        &self.address
    }
}

fn connect(client: TcpStream, broker: &str, port: u16, before: &Before) -> Result<()> {
    let server = TcpStream::connect(broker)?;
    let asked = Asked::default();
    let (answers, answered) = (server.try_clone()?, client.try_clone()?);
    let asking = Arc::clone(&asked);
    thread::spawn(move || pass_answers(answers, answered, port, &asking));
    pass_requests(client, server, before, &asked)
}

fn pass_requests(
    mut client: TcpStream,
    mut server: TcpStream,
    before: &Before,
    asked: &Asked,
) -> Result<()> {
    while let Some(frame) = read_frame(&mut client) {
        let mut head = frame.clone();
        let (key, version, number) = match head.remaining() {
            8.. => (head.get_i16(), head.get_i16(), head.get_i32()),
            _ => bail!("that is no request"),
        };
        let key = ApiKey::try_from(key).map_err(|()| anyhow::anyhow!("no request {key}"))?;
        before(key);
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(number, (key, version));
        drop(asked);
        write_frame(&mut server, &frame)?;
    }
    Ok(server.shutdown(Shutdown::Both)?)
}

fn pass_answers(mut server: TcpStream, mut client: TcpStream, port: u16, asked: &Asked) {
    while let Some(frame) = read_frame(&mut server) {
        let answer = match readdressed(frame, port, asked) {
            Ok(answer) => answer,
            Err(error) => {
                eprintln!("an answer that cannot be passed on: {error:#}");
                break;
            }
        };
        if write_frame(&mut client, &answer).is_err() {
            break;
        }
    }
    // Closed by one of them already, perhaps.
    let _ = client.shutdown(Shutdown::Both);
}

/// Where the broker says where it is, it says that it is here.
fn readdressed(frame: Bytes, port: u16, asked: &Asked) -> Result<Bytes> {
    let number = frame.clone().try_get_i32().context("that is no answer")?;
    let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let (key, version) = asked.remove(&number).context("nobody has asked")?;
    drop(asked);
    let (host, port) = (StrBytes::from_static_str("127.0.0.1"), i32::from(port));
    match key {
        ApiKey::Metadata => changed(frame, key, version, |answer: &mut MetadataResponse| {
            for broker in &mut answer.brokers {
                (broker.host, broker.port) = (host.clone(), port);
            }
        }),
        ApiKey::FindCoordinator => {
            changed(
                frame,
                key,
                version,
                |answer: &mut FindCoordinatorResponse| {
                    // Older versions have one coordinator, newer ones some.
                    if version < 4 {
                        (answer.host, answer.port) = (host.clone(), port);
                    }
                    for coordinator in &mut answer.coordinators {
                        (coordinator.host, coordinator.port) = (host.clone(), port);
                    }
                },
            )
        }
        _ => Ok(frame),
    }
}

fn changed<R: Decodable + Encodable>(
    mut frame: Bytes,
    key: ApiKey,
    version: i16,
    change: impl FnOnce(&mut R),
) -> Result<Bytes> {
    let header_version = key.response_header_version(version);
    let header = ResponseHeader::decode(&mut frame, header_version)?;
    let mut answer = R::decode(&mut frame, version)?;
    change(&mut answer);
    let mut bytes = BytesMut::new();
    header.encode(&mut bytes, header_version)?;
    answer.encode(&mut bytes, version)?;
    Ok(bytes.freeze())
}

/// The next message; none when the connection has ended.
fn read_frame(stream: &mut TcpStream) -> Option<Bytes> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).ok()?];
    stream.read_exact(&mut frame).ok()?;
    Some(frame.into())
}

fn write_frame(stream: &mut TcpStream, frame: &[u8]) -> Result<()> {
    stream.write_all(&i32::try_from(frame.len())?.to_be_bytes())?;
    Ok(stream.write_all(frame)?)
}
