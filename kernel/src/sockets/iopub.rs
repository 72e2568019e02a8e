//! The broadcast channel, as everybody sees it: a cheap handle on the task that publishes.

use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::messaging::JupyterMessage;
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};

use super::message::{Parent, child};
use super::publisher::Publisher;

/// After how many bytes of output its maker waits for the clients to catch up.
const CATCH_UP_BYTES: usize = 256 * 1024;

/// Which stream a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Ordinary output.
    Stdout,
    /// Warnings and notes.
    Stderr,
}

impl Stream {
    /// As the protocol calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A handle on the broadcast channel. Sending never waits; who sends much calls
/// [`IoPub::catch_up`] after it.
#[derive(Debug, Clone)]
pub(crate) struct IoPub {
    commands: mpsc::UnboundedSender<Command>,
    /// Bytes of output since somebody last waited for the clients.
    output: Arc<AtomicUsize>,
}

/// What the publishing task is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Broadcast a message.
    Message(Box<JupyterMessage>),
    /// Broadcast text, with what comes next if that is soon.
    Text(Text),
    /// Answer when the clients have taken everything before this.
    Flush(oneshot::Sender<()>),
    /// Answer when no client is far behind.
    Room(oneshot::Sender<()>),
}

/// Text of one stream, caused by one request.
#[derive(Debug)]
pub(super) struct Text {
    /// The request.
    pub parent: Parent,
    /// The stream.
    pub stream: Stream,
    /// What is said.
    pub text: String,
}

impl IoPub {
    /// Binds to the address and publishes on a task of its own.
    pub(crate) async fn spawn(info: &ConnectionInfo, session: &str) -> Result<Self> {
        let publisher = Publisher::bind(info, session).await?;
        let (iopub, received) = Self::channel();
        tokio::spawn(publisher.run(received));
        Ok(iopub)
    }

    fn channel() -> (Self, mpsc::UnboundedReceiver<Command>) {
        let (commands, received) = mpsc::unbounded_channel();
        let output = Arc::default();
        (Self { commands, output }, received)
    }

    /// A handle that nobody listens to.
    pub(crate) fn closed() -> Self {
        Self::channel().0
    }

    /// Broadcasts a message of this type, caused by `parent`.
    pub(crate) fn send(&self, parent: &Parent, msg_type: &str, content: Value) {
        let mut message = child(parent, msg_type, content);
        message.zmq_identities = vec![msg_type.as_bytes().to_vec().into()];
        self.command(Command::Message(Box::new(message)));
    }

    /// Broadcasts that `parent` is now being worked on (`busy`) or done (`idle`).
    pub(crate) fn status(&self, parent: &Parent, execution_state: &str) {
        self.send(
            parent,
            "status",
            json!({"execution_state": execution_state}),
        );
    }

    /// Broadcasts text; several in a row become one message.
    pub(crate) fn stream(&self, parent: &Parent, stream: Stream, text: impl Into<String>) {
        let (parent, text) = (Parent::clone(parent), text.into());
        if !text.is_empty() {
            self.command(Command::Text(Text {
                parent,
                stream,
                text,
            }));
        }
    }

    /// Waits until the clients have taken everything sent before, but for no client that is late.
    pub(crate) async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        self.command(Command::Flush(done));
        // An error means that the publisher is gone, and with it everything there was to send.
        let _ = flushed.await;
    }

    /// To be called after so many bytes of output: blocks now and then until no client that reads
    /// is far behind, so that output cannot pile up. Takes no lock, and must be called under none
    /// that the sockets' thread takes; on that thread itself it does not wait.
    pub(crate) fn catch_up(&self, bytes: usize) {
        if self.output.fetch_add(bytes, Ordering::Relaxed) + bytes < CATCH_UP_BYTES {
            return;
        }
        self.output.store(0, Ordering::Relaxed);
        let (done, room) = oneshot::channel();
        self.command(Command::Room(done));
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::CurrentThread) => {}
            Ok(_) => tokio::task::block_in_place(|| drop(room.blocking_recv())),
            Err(_) => drop(room.blocking_recv()),
        }
    }

    fn command(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::debug!("iopub is closed, message dropped");
        }
    }

    /// A handle without sockets, and what is said through it.
    #[cfg(test)]
    pub(crate) fn recorded() -> (Self, Recorded) {
        let (iopub, received) = Self::channel();
        (iopub, Recorded(received))
    }
}

/// What was said through a handle without sockets.
#[cfg(test)]
pub(crate) struct Recorded(mpsc::UnboundedReceiver<Command>);

#[cfg(test)]
impl Recorded {
    /// Since the last call: texts as they are, other messages as `<type>`.
    pub(crate) fn said(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(command) = self.0.try_recv() {
            match command {
                Command::Message(message) => said.push(format!("<{}>", message.header.msg_type)),
                Command::Text(text) => said.push(text.text),
                Command::Flush(done) | Command::Room(done) => drop(done.send(())),
            }
        }
        said
    }
}
