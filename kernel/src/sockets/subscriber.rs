//! One client of the broadcast channel: what it has subscribed to, and what it has not taken yet.
//!
//! **Invariant: a client that does not read holds up nobody.** [`Subscriber::push`] never waits. A
//! client whose oldest message has been waiting for [`PATIENCE`] is late, and nobody waits for it
//! until it has caught up; of what it does not take the newest [`KEPT_BYTES`] are kept.

use std::collections::VecDeque;
use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jupyter_protocol::{ConnectionInfo, Transport};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::zmtp::{self, Subscription};

/// How long a message may wait for a client before nobody waits for that client.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// How far a client may be behind before those who make output wait for it.
const BEHIND_BYTES: usize = 1024 * 1024;
/// How much is kept for a client that does not read.
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// How long a client may take to introduce itself.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait before the next client when the last one could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// A client that has introduced itself.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    state: Mutex<State>,
    pushed: Notify,
}

#[derive(Debug, Default)]
struct State {
    topics: Vec<Vec<u8>>,
    /// The first of them is being written.
    queue: VecDeque<Queued>,
    bytes: usize,
    lost: bool,
}

#[derive(Debug)]
struct Queued {
    number: u64,
    since: Instant,
    message: Bytes,
}

/// What somebody waits for a client to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    /// To have taken the message of this number and all before it.
    Taken(u64),
    /// To be not far behind.
    Room,
}

/// Something that happened at a client.
#[derive(Debug)]
pub(super) enum Event {
    /// It has subscribed to this topic.
    Subscribed(Arc<Subscriber>, Vec<u8>),
    /// It has gone.
    Left(Arc<Subscriber>),
}

/// Where the clients' connections report to.
#[derive(Debug, Clone)]
pub(super) struct Reports {
    /// What happened, in order.
    pub events: mpsc::UnboundedSender<Event>,
    /// Told whenever a client has taken a message.
    pub taken: Arc<Notify>,
}

/// Binds to the address of the broadcast channel and serves every client that comes.
pub(super) async fn listen(info: &ConnectionInfo, reports: Reports) -> Result<()> {
    match info.transport {
        Transport::TCP => {
            let listener = TcpListener::bind((info.ip.as_str(), info.iopub_port)).await?;
            tokio::spawn(async move {
                loop {
                    let accepted = listener.accept().await.and_then(|(stream, _)| {
                        stream.set_nodelay(true)?;
                        Ok(stream)
                    });
                    serve_accepted(accepted, &reports).await;
                }
            });
        }
        Transport::IPC => {
            let listener = UnixListener::bind(format!("{}-{}", info.ip, info.iopub_port))?;
            tokio::spawn(async move {
                loop {
                    let accepted = listener.accept().await.map(|(stream, _)| stream);
                    serve_accepted(accepted, &reports).await;
                }
            });
        }
    }
    Ok(())
}

async fn serve_accepted<S>(accepted: Result<S>, reports: &Reports)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    match accepted {
        Ok(stream) => drop(tokio::spawn(serve(stream, reports.clone()))),
        Err(error) => {
            tracing::warn!(%error, "iopub: a client could not be accepted");
            tokio::time::sleep(ACCEPT_AGAIN).await;
        }
    }
}

/// Serves one connection until the client goes.
async fn serve(stream: impl AsyncRead + AsyncWrite, reports: Reports) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    let handshake = zmtp::handshake(&mut reader, &mut writer);
    match tokio::time::timeout(HANDSHAKE, handshake).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return tracing::debug!(%error, "iopub: no handshake"),
        Err(_) => return tracing::debug!("iopub: no handshake in time"),
    }
    let subscriber = Arc::new(Subscriber::default());
    let ended = tokio::select! {
        ended = subscriber.listen(&mut reader, &reports) => ended,
        ended = subscriber.deliver(&mut writer, &reports) => ended,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "iopub: client lost");
    }
    // Without a publisher there is nobody left to tell.
    let _ = reports.events.send(Event::Left(subscriber));
    reports.taken.notify_one();
}

impl Subscriber {
    /// Whether a message whose first frame is `topic` is for this client.
    pub(super) fn wants(&self, topic: &[u8]) -> bool {
        let state = self.state.lock();
        state.topics.iter().any(|wanted| topic.starts_with(wanted))
    }

    /// Queues a message.
    pub(super) fn push(&self, number: u64, message: Bytes) {
        let mut state = self.state.lock();
        state.bytes += message.len();
        state.queue.push_back(Queued {
            number,
            since: Instant::now(),
            message,
        });
        let lost = state.forget_oldest();
        if lost && !state.lost {
            tracing::warn!("a client does not read; it will miss the older part of the output");
        }
        state.lost |= lost;
        self.pushed.notify_one();
    }

    /// Whether the wish has yet to be waited for.
    pub(super) fn holds_up(&self, wish: Wish, now: Instant) -> bool {
        let state = self.state.lock();
        let Some(oldest) = state.queue.front() else {
            return false;
        };
        let in_time = now < oldest.since + PATIENCE;
        in_time
            && match wish {
                Wish::Taken(number) => oldest.number <= number,
                Wish::Room => state.bytes > BEHIND_BYTES,
            }
    }

    /// When it is late, if it takes nothing until then.
    pub(super) fn late_at(&self) -> Option<Instant> {
        let state = self.state.lock();
        state.queue.front().map(|oldest| oldest.since + PATIENCE)
    }

    async fn listen(
        self: &Arc<Self>,
        reader: &mut (impl AsyncRead + Unpin),
        reports: &Reports,
    ) -> Result<()> {
        loop {
            match zmtp::next_subscription(reader).await? {
                Subscription::To(topic) => {
                    self.state.lock().topics.push(topic.clone());
                    let event = Event::Subscribed(Arc::clone(self), topic);
                    if reports.events.send(event).is_err() {
                        return Ok(());
                    }
                }
                Subscription::Cancelled(topic) => {
                    let topics = &mut self.state.lock().topics;
                    if let Some(index) = topics.iter().position(|known| *known == topic) {
                        topics.remove(index);
                    }
                }
            }
        }
    }

    async fn deliver(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
        reports: &Reports,
    ) -> Result<()> {
        loop {
            let Some(message) = self.oldest() else {
                self.pushed.notified().await;
                continue;
            };
            writer.write_all(&message).await?;
            writer.flush().await?;
            self.state.lock().pop();
            reports.taken.notify_one();
        }
    }

    fn oldest(&self) -> Option<Bytes> {
        let state = self.state.lock();
        state.queue.front().map(|oldest| oldest.message.clone())
    }
}

impl State {
    fn pop(&mut self) {
        if let Some(taken) = self.queue.pop_front() {
            self.bytes -= taken.message.len();
        }
        self.lost &= !self.queue.is_empty();
    }

    /// Drops what is too much, except for the message that is being written and the newest one.
    fn forget_oldest(&mut self) -> bool {
        let mut forgotten = false;
        while self.bytes > KEPT_BYTES && self.queue.len() > 2 {
            if let Some(oldest) = self.queue.remove(1) {
                self.bytes -= oldest.message.len();
                forgotten = true;
            }
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Bytes {
        Bytes::from(vec![0; bytes])
    }

    fn numbers(subscriber: &Subscriber) -> Vec<u64> {
        let state = subscriber.state.lock();
        state.queue.iter().map(|queued| queued.number).collect()
    }

    #[test]
    fn a_client_in_time_is_waited_for_and_a_late_one_is_not() {
        let subscriber = Subscriber::default();
        let now = Instant::now();
        assert!(!subscriber.holds_up(Wish::Taken(9), now));
        subscriber.push(4, message(10));
        assert!(subscriber.holds_up(Wish::Taken(4), now));
        assert!(!subscriber.holds_up(Wish::Taken(3), now));
        assert!(!subscriber.holds_up(Wish::Room, now));
        subscriber.push(5, message(BEHIND_BYTES));
        assert!(subscriber.holds_up(Wish::Room, now));
        let late = subscriber.late_at().unwrap();
        assert!(late >= now + PATIENCE);
        assert!(!subscriber.holds_up(Wish::Room, late));
        assert!(!subscriber.holds_up(Wish::Taken(5), late));
    }

    #[test]
    fn of_what_is_not_taken_the_newest_is_kept() {
        let subscriber = Subscriber::default();
        for number in 0..100 {
            subscriber.push(number, message(KEPT_BYTES / 10));
        }
        // The first one is on its way and cannot be taken back.
        let kept: Vec<u64> = [0].into_iter().chain(91..100).collect();
        assert_eq!(numbers(&subscriber), kept);
        assert!(subscriber.state.lock().bytes <= KEPT_BYTES);
        subscriber.push(100, message(3 * KEPT_BYTES));
        assert_eq!(
            numbers(&subscriber),
            [0, 100],
            "the newest goes out, however large"
        );
    }

    #[tokio::test]
    async fn messages_go_out_in_order_and_count_as_taken() {
        let subscriber = Subscriber::default();
        subscriber.push(1, Bytes::from_static(b"one"));
        subscriber.push(2, Bytes::from_static(b"two"));
        let (events, _) = mpsc::unbounded_channel();
        let taken = Arc::new(Notify::new());
        let reports = Reports { events, taken };
        let (mut writer, mut reader) = tokio::io::duplex(64);
        let read = async {
            let mut read = [0; 6];
            tokio::io::AsyncReadExt::read_exact(&mut reader, &mut read)
                .await
                .map(|_| read)
        };
        let read = tokio::select! {
            ended = subscriber.deliver(&mut writer, &reports) => unreachable!("{ended:?}"),
            read = read => read.unwrap(),
        };
        assert_eq!(&read, b"onetwo");
    }
}
