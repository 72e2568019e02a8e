//! The task behind the broadcast channel: gathers text, signs messages, hands them to the clients'
//! queues.
//!
//! Order is kept. Stream text is gathered for [`STREAM_BATCH`] and goes out before any other
//! message, so that a loop that prints does not flood the client. Each subscription is answered by
//! `iopub_welcome`, and subscriptions are read before every message, so that a client that has just
//! subscribed misses nothing.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::messaging::JupyterMessage;
use jupyter_zmq_client::Connection;
use serde_json::json;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use zeromq::{Socket as _, SocketSend, XPubSocket, ZmqMessage, ZmqResult};

use super::iopub::{Command, Text};
use super::message::{child, orphan};
use super::subscriber::{self, Event, Reports, Subscriber, Wish};
use super::zmtp;

/// How long stream text is gathered before it goes out as one message.
const STREAM_BATCH: Duration = Duration::from_millis(50);
/// Stream text beyond this many bytes goes out at once.
const STREAM_BATCH_BYTES: usize = 256 * 1024;

/// See the module.
pub(super) struct Publisher {
    signer: Connection<Encoded>,
    events: mpsc::UnboundedReceiver<Event>,
    taken: Arc<Notify>,
    subscribers: Vec<Arc<Subscriber>>,
    gathered: Option<(Text, Instant)>,
    published: u64,
    waiting: Vec<(Wish, oneshot::Sender<()>)>,
}

/// In the place of a socket: keeps what it is to send, in the form that goes over the wire.
#[derive(Default)]
struct Encoded(Bytes);

#[async_trait]
impl SocketSend for Encoded {
    async fn send(&mut self, message: ZmqMessage) -> ZmqResult<()> {
        self.0 = zmtp::encode(&message);
        Ok(())
    }
}

impl Publisher {
    /// Binds to the address; clients can come from now on.
    pub(super) async fn bind(info: &ConnectionInfo, session: &str) -> io::Result<Self> {
        let (reported, events) = mpsc::unbounded_channel();
        let taken = Arc::new(Notify::new());
        let reports = Reports {
            events: reported,
            taken: Arc::clone(&taken),
        };
        subscriber::listen(info, reports).await?;
        // The connection knows how to sign; its socket is not used.
        let unbound = Connection::new(XPubSocket::new(), &info.key, session);
        Ok(Self {
            signer: Connection {
                socket: Encoded::default(),
                mac: unbound.mac,
                session_id: unbound.session_id,
            },
            events,
            taken,
            subscribers: Vec::new(),
            gathered: None,
            published: 0,
            waiting: Vec::new(),
        })
    }

    /// Obeys until nobody can send a command any more.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            let due = self.gathered.as_ref().map(|(_, due)| *due);
            let patience = self.patience_ends();
            tokio::select! {
                Some(event) = self.events.recv() => self.note(event).await,
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break self.publish_text().await,
                },
                () = sleep_until(due) => self.publish_text().await,
                () = self.taken.notified(), if !self.waiting.is_empty() => {}
                () = sleep_until(patience) => {}
            }
            self.answer_waiting();
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Message(message) => {
                self.publish_text().await;
                self.publish(*message).await;
            }
            Command::Text(text) => self.gather(text).await,
            Command::Flush(done) => {
                self.publish_text().await;
                self.waiting.push((Wish::Taken(self.published), done));
            }
            Command::Room(done) => self.waiting.push((Wish::Room, done)),
        }
    }

    async fn gather(&mut self, text: Text) {
        let joins = self.gathered.as_ref().is_some_and(|(gathered, _)| {
            gathered.stream == text.stream
                && gathered.parent.header.msg_id == text.parent.header.msg_id
        });
        match &mut self.gathered {
            Some((gathered, _)) if joins => gathered.text.push_str(&text.text),
            _ => {
                self.publish_text().await;
                self.gathered = Some((text, Instant::now() + STREAM_BATCH));
            }
        }
        let length = self
            .gathered
            .as_ref()
            .map_or(0, |(text, _)| text.text.len());
        if length >= STREAM_BATCH_BYTES {
            self.publish_text().await;
        }
    }

    async fn publish_text(&mut self) {
        let Some((text, _)) = self.gathered.take() else {
            return;
        };
        let content = json!({"name": text.stream.name(), "text": text.text});
        let mut message = child(&text.parent, "stream", content);
        message.zmq_identities = vec![b"stream".to_vec().into()];
        self.publish(message).await;
    }

    /// Hands one message to all who have subscribed by now.
    async fn publish(&mut self, message: JupyterMessage) {
        // Lets the runtime look for what has arrived, and the connections read it.
        tokio::task::yield_now().await;
        while let Ok(event) = self.events.try_recv() {
            self.note(event).await;
        }
        let topic = message.zmq_identities.first().cloned().unwrap_or_default();
        if let Some(encoded) = self.encode(message).await {
            for subscriber in &self.subscribers {
                if subscriber.wants(&topic) {
                    subscriber.push(self.published, encoded.clone());
                }
            }
        }
    }

    async fn note(&mut self, event: Event) {
        match event {
            Event::Subscribed(subscriber, topic) => {
                if let Some(welcome) = self.encode(welcome(topic)).await {
                    subscriber.push(self.published, welcome);
                }
                let known = |other| Arc::ptr_eq(other, &subscriber);
                if !self.subscribers.iter().any(known) {
                    self.subscribers.push(subscriber);
                }
            }
            Event::Left(subscriber) => self
                .subscribers
                .retain(|other| !Arc::ptr_eq(other, &subscriber)),
        }
    }

    /// Numbers and signs a message.
    async fn encode(&mut self, message: JupyterMessage) -> Option<Bytes> {
        let msg_type = message.header.msg_type.clone();
        self.published += 1;
        match self.signer.send(message).await {
            Ok(()) => Some(std::mem::take(&mut self.signer.socket.0)),
            Err(error) => {
                tracing::error!(msg_type, %error, "iopub: message cannot be written");
                None
            }
        }
    }

    fn answer_waiting(&mut self) {
        let now = Instant::now();
        for (wish, done) in std::mem::take(&mut self.waiting) {
            let held_up = |subscriber: &Arc<Subscriber>| subscriber.holds_up(wish, now);
            if self.subscribers.iter().any(held_up) {
                self.waiting.push((wish, done));
            } else {
                // Who asked may have given up.
                let _ = done.send(());
            }
        }
    }

    /// When the next client is late, and so need not be waited for.
    fn patience_ends(&self) -> Option<Instant> {
        if self.waiting.is_empty() {
            return None;
        }
        let now = Instant::now();
        let late = self.subscribers.iter().filter_map(|one| one.late_at());
        late.filter(|late| *late > now).min()
    }
}

fn welcome(topic: Vec<u8>) -> JupyterMessage {
    let subscription = String::from_utf8_lossy(&topic).into_owned();
    let mut welcome = orphan("iopub_welcome", json!({"subscription": subscription}));
    welcome.zmq_identities = vec![topic.into()];
    welcome
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use jupyter_zmq_client::{ClientIoPubConnection, create_client_iopub_connection};
    use tokio::net::TcpListener;

    use super::*;
    use crate::sockets::{IoPub, Stream, parent};

    async fn free_address() -> ConnectionInfo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut info: ConnectionInfo = serde_json::from_value(json!({
            "ip": "127.0.0.1", "transport": "tcp", "key": "k", "signature_scheme": "hmac-sha256",
            "shell_port": 0, "iopub_port": 0, "stdin_port": 0, "control_port": 0, "hb_port": 0,
        }))
        .unwrap();
        info.iopub_port = listener.local_addr().unwrap().port();
        info
    }

    /// A client that has been welcomed.
    async fn client(info: &ConnectionInfo) -> ClientIoPubConnection {
        let mut client = create_client_iopub_connection(info, "", "c").await.unwrap();
        let first = client.read().await.unwrap();
        assert_eq!(first.header.msg_type, "iopub_welcome");
        client
    }

    #[tokio::test]
    async fn every_client_is_welcomed_and_gets_everything_in_order() {
        let info = free_address().await;
        let iopub = IoPub::spawn(&info, "s").await.unwrap();
        let mut clients = [client(&info).await, client(&info).await];
        let parent = parent();
        iopub.status(&parent, "busy");
        iopub.stream(&parent, Stream::Stdout, "a".repeat(100_000));
        iopub.stream(&parent, Stream::Stdout, "b");
        iopub.status(&parent, "idle");
        iopub.flushed().await;
        for client in &mut clients {
            let mut read = Vec::new();
            for _ in 0..3 {
                read.push(client.read().await.unwrap().header.msg_type);
            }
            assert_eq!(read, ["status", "stream", "status"]);
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_is_not_waited_for() {
        let info = free_address().await;
        let iopub = IoPub::spawn(&info, "s").await.unwrap();
        let (stays, goes) = (client(&info).await, client(&info).await);
        drop(goes);
        iopub.status(&parent(), "busy");
        iopub.flushed().await;
        drop(stays);
    }
}
