//! The broadcast channel: one task owns the socket, everyone else holds a cheap handle.
//!
//! Order is kept. Stream text is gathered for [`STREAM_BATCH`] and goes out before any other
//! message, so that a loop that prints does not flood the client. The socket is an XPUB: each
//! subscription is answered by `iopub_welcome`, and it is read before every send, so that a client
//! that has just subscribed misses nothing. One client that does not read would hold up all others
//! for ever; then every connection is closed, and those who are alive connect anew by themselves.

use std::time::Duration;

use futures::FutureExt as _;
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::messaging::JupyterMessage;
use jupyter_zmq_client::{
    Connection, KernelIoPubXPubConnection, Result, SubscriptionEvent,
    create_kernel_iopub_xpub_connection,
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use zeromq::{Socket as _, XPubSocket};

use super::message::{Parent, child, orphan};

/// How long stream text is gathered before it goes out as one message.
const STREAM_BATCH: Duration = Duration::from_millis(50);
/// Stream text beyond this many bytes goes out at once.
const STREAM_BATCH_BYTES: usize = 256 * 1024;
/// How long one client may hold up the others before all have to connect anew.
const STALLED: Duration = Duration::from_secs(2);
/// How long the living clients have to connect anew before the next message goes out.
const RECONNECT: Duration = Duration::from_secs(1);

/// Which stream a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Ordinary output.
    Stdout,
    /// Warnings and notes.
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A handle on the broadcast channel. Sending never waits.
#[derive(Debug, Clone)]
pub struct IoPub {
    commands: mpsc::UnboundedSender<Command>,
}

#[derive(Debug)]
enum Command {
    Message(Box<JupyterMessage>),
    Text(Text),
    Flush(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Text {
    parent: Parent,
    stream: Stream,
    text: String,
}

impl IoPub {
    /// Binds the socket and serves it on a task of its own.
    pub async fn spawn(info: &ConnectionInfo, session: &str) -> Result<Self> {
        let connection = create_kernel_iopub_xpub_connection(info, session).await?;
        let (commands, received) = mpsc::unbounded_channel();
        let publisher = Publisher {
            connection,
            info: info.clone(),
            session: session.to_owned(),
            gathered: None,
        };
        tokio::spawn(publisher.run(received));
        Ok(Self { commands })
    }

    /// Broadcasts a message of this type, caused by `parent`.
    pub fn send(&self, parent: &Parent, msg_type: &str, content: Value) {
        let mut message = child(parent, msg_type, content);
        message.zmq_identities = vec![msg_type.as_bytes().to_vec().into()];
        self.command(Command::Message(Box::new(message)));
    }

    /// Broadcasts that `parent` is now being worked on (`busy`) or done (`idle`).
    pub fn status(&self, parent: &Parent, execution_state: &str) {
        self.send(
            parent,
            "status",
            json!({"execution_state": execution_state}),
        );
    }

    /// Broadcasts text; several in a row become one message.
    pub fn stream(&self, parent: &Parent, stream: Stream, text: impl Into<String>) {
        let (parent, text) = (Parent::clone(parent), text.into());
        if !text.is_empty() {
            self.command(Command::Text(Text {
                parent,
                stream,
                text,
            }));
        }
    }

    /// Waits until everything sent before has been handed to the clients' connections.
    pub async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        self.command(Command::Flush(done));
        // An error means that the publisher is gone, and with it everything there was to send.
        let _ = flushed.await;
    }

    fn command(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("iopub is closed, message dropped");
        }
    }

    /// A handle without sockets, and what is said through it.
    #[cfg(test)]
    pub fn recorded() -> (Self, Recorded) {
        let (commands, received) = mpsc::unbounded_channel();
        (Self { commands }, Recorded(received))
    }
}

/// What was said through a handle without sockets.
#[cfg(test)]
pub struct Recorded(mpsc::UnboundedReceiver<Command>);

#[cfg(test)]
impl Recorded {
    /// Since the last call: texts as they are, other messages as `<type>`.
    pub fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(command) = self.0.try_recv() {
            match command {
                Command::Message(message) => said.push(format!("<{}>", message.header.msg_type)),
                Command::Text(text) => said.push(text.text),
                Command::Flush(done) => drop(done.send(())),
            }
        }
        said
    }
}

struct Publisher {
    connection: KernelIoPubXPubConnection,
    info: ConnectionInfo,
    session: String,
    gathered: Option<(Text, Instant)>,
}

impl Publisher {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            let due = self.gathered.as_ref().map(|(_, due)| *due);
            tokio::select! {
                subscription = self.connection.recv_subscription() => self.welcome(subscription).await,
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break self.publish_text().await,
                },
                () = sleep_until(due) => self.publish_text().await,
            }
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
                let _ = done.send(());
            }
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

    /// Sends one message to all who have subscribed by now.
    async fn publish(&mut self, message: JupyterMessage) {
        while let Some(subscription) = self.connection.recv_subscription().now_or_never() {
            self.welcome(subscription).await;
        }
        self.send(message).await;
    }

    async fn welcome(&mut self, subscription: Result<SubscriptionEvent>) {
        match subscription {
            Ok(SubscriptionEvent::Subscribe(topic)) => {
                self.send(welcome_message(topic)).await;
            }
            Ok(SubscriptionEvent::Unsubscribe(_)) => {}
            Err(error) => tracing::debug!(%error, "iopub: client lost"),
        }
    }

    async fn send(&mut self, message: JupyterMessage) {
        if self.sent(message.clone()).await {
            return;
        }
        tracing::warn!("iopub: a client does not read; all clients have to connect anew");
        self.bind_anew().await;
        // Who had got it before gets it twice; lost, it could leave a client waiting for ever.
        self.sent(message).await;
    }

    /// Whether everybody has taken the message in time.
    async fn sent(&mut self, message: JupyterMessage) -> bool {
        let msg_type = message.header.msg_type.clone();
        match tokio::time::timeout(STALLED, self.connection.send(message)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(msg_type, %error, "iopub: message not delivered");
                true
            }
            Err(_) => false,
        }
    }

    /// Closes all connections and waits until the first client is back.
    async fn bind_anew(&mut self) {
        let unbound = Connection::new(XPubSocket::new(), &self.info.key, &self.session);
        let stalled = std::mem::replace(&mut self.connection, unbound);
        for error in stalled.socket.close().await {
            tracing::warn!(%error, "iopub: not closed");
        }
        match create_kernel_iopub_xpub_connection(&self.info, &self.session).await {
            Ok(connection) => self.connection = connection,
            Err(error) => {
                tracing::error!(%error, "iopub: the port is lost, nothing more will be shown");
                return;
            }
        }
        let back = self.connection.recv_subscription();
        if let Ok(Ok(SubscriptionEvent::Subscribe(topic))) =
            tokio::time::timeout(RECONNECT, back).await
        {
            let welcome = welcome_message(topic);
            self.sent(welcome).await;
        }
    }
}

fn welcome_message(topic: String) -> JupyterMessage {
    let mut welcome = orphan("iopub_welcome", json!({"subscription": topic}));
    welcome.zmq_identities = vec![topic.into_bytes().into()];
    welcome
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
