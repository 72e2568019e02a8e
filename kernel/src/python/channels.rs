//! The client's side of the Jupyter protocol, spoken to the kernel that runs Python.
//!
//! Messages are read from their raw frames: what they say is passed on as it is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::messaging::JupyterMessage;
use jupyter_zmq_client::{
    Connection, RawMessage, create_client_iopub_connection,
    create_client_shell_connection_with_identity, create_client_stdin_connection_with_identity,
    peer_identity_for_session,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;
use zeromq::{SocketRecv, SocketSend};

/// How long to wait after a failure, which is that of a process that ends.
const AFTER_FAILURE: Duration = Duration::from_millis(10);

/// A message of Python's kernel.
pub(super) struct Said {
    /// `stream`, `execute_reply`, ….
    pub msg_type: String,
    /// The id of the request that caused it.
    pub parent: String,
    /// What it says.
    pub content: Value,
}

/// Who waits for the reply to a request, by the request's id.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<Value>>>>;

/// Connected channels; they end with this.
pub(super) struct Channels {
    requests: mpsc::UnboundedSender<JupyterMessage>,
    waiting: Waiting,
    tasks: Vec<JoinHandle<()>>,
}

impl Channels {
    /// Connects to a kernel that has bound its sockets. What it broadcasts goes to `hear`, what it asks
    /// of the user to `asked`; `answers` are its answers.
    pub(super) async fn connect(
        info: &ConnectionInfo,
        hear: impl Fn(Said) + Send + 'static,
        asked: impl Fn(Said) + Send + 'static,
        answers: mpsc::UnboundedReceiver<JupyterMessage>,
    ) -> anyhow::Result<Self> {
        let session = Uuid::new_v4().to_string();
        let identity = peer_identity_for_session(&session)?;
        let iopub = create_client_iopub_connection(info, "", &session);
        let iopub = iopub.await.context("connect to iopub")?;
        let shell = create_client_shell_connection_with_identity(info, &session, identity.clone());
        let shell = shell.await.context("connect to shell")?;
        let stdin = create_client_stdin_connection_with_identity(info, &session, identity);
        let stdin = stdin.await.context("connect to stdin")?;
        let (to_shell, from_shell) = shell.split();
        let (to_stdin, from_stdin) = stdin.split();
        let waiting = Waiting::default();
        let (requests, sent) = mpsc::unbounded_channel();
        let replied = {
            let waiting = Arc::clone(&waiting);
            move |said: Said| {
                if let Some(waits) = waiting.lock().remove(&said.parent) {
                    let _ = waits.send(said.content);
                }
            }
        };
        let tasks = vec![
            tokio::spawn(receive(iopub, hear)),
            tokio::spawn(receive(from_shell, replied)),
            tokio::spawn(receive(from_stdin, asked)),
            tokio::spawn(send(to_shell, sent)),
            tokio::spawn(send(to_stdin, answers)),
        ];
        Ok(Self {
            requests,
            waiting,
            tasks,
        })
    }

    /// Sends a request; gives the content of its reply.
    pub(super) fn request(&self, request: JupyterMessage) -> oneshot::Receiver<Value> {
        let (waits, reply) = oneshot::channel();
        let id = request.header.msg_id.clone();
        self.waiting.lock().insert(id, waits);
        // Without a sender the kernel has ended, which the caller sees by itself.
        let _ = self.requests.send(request);
        reply
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn receive<S: SocketRecv>(mut from: Connection<S>, hear: impl Fn(Said)) {
    loop {
        let frames = match from.socket.recv().await {
            Ok(frames) => frames,
            Err(error) => {
                tracing::debug!(%error, "Python's kernel: receive failed");
                tokio::time::sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        match RawMessage::from_multipart(frames, &from.mac).map(|raw| said(&raw)) {
            Ok(Some(said)) => hear(said),
            Ok(None) => tracing::warn!("Python's kernel: a message without a header"),
            Err(error) => tracing::warn!(%error, "Python's kernel: a message is not signed"),
        }
    }
}

async fn send<S: SocketSend>(
    mut to: Connection<S>,
    mut messages: mpsc::UnboundedReceiver<JupyterMessage>,
) {
    while let Some(message) = messages.recv().await {
        if let Err(error) = to.send(message).await {
            tracing::debug!(%error, "Python's kernel: send failed");
        }
    }
}

fn said(raw: &RawMessage) -> Option<Said> {
    let [header, parent, _, content, ..] = raw.jparts.as_slice() else {
        return None;
    };
    let text = |part: &[u8], name: &str| -> Option<String> {
        let part: Value = serde_json::from_slice(part).ok()?;
        Some(part.get(name)?.as_str()?.to_owned())
    };
    Some(Said {
        msg_type: text(header, "msg_type")?,
        parent: text(parent, "msg_id").unwrap_or_default(),
        content: serde_json::from_slice(content).ok()?,
    })
}
