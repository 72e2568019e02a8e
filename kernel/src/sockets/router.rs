//! A request channel (shell, control, stdin): requests come out of a queue, replies go into one.

use std::time::Duration;

use anyhow::Context as _;
use jupyter_protocol::messaging::JupyterMessage;
use jupyter_zmq_client::{Connection, RawMessage, RouterRecvConnection, RouterSendConnection};
use tokio::sync::mpsc;
use zeromq::{RouterSocket, Socket as _, SocketRecv as _};

use super::message::Request;

/// Both ends of one request channel.
pub(crate) struct Channel {
    /// Verified requests in the order in which they came.
    pub requests: mpsc::UnboundedReceiver<Request>,
    /// Replies, sent in order.
    pub replies: mpsc::UnboundedSender<JupyterMessage>,
}

impl Channel {
    /// Binds a router socket and serves it on two tasks of its own.
    pub(crate) async fn spawn(
        name: &'static str,
        url: &str,
        key: &str,
        session: &str,
    ) -> anyhow::Result<Self> {
        let mut socket = RouterSocket::new();
        socket
            .bind(url)
            .await
            .with_context(|| format!("bind {name} to '{url}'"))?;
        let (sending, receiving) = Connection::new(socket, key, session).split();
        let (requests_in, requests) = mpsc::unbounded_channel();
        let (replies, replies_out) = mpsc::unbounded_channel();
        tokio::spawn(receive(name, receiving, requests_in));
        tokio::spawn(send(name, sending, replies_out));
        Ok(Self { requests, replies })
    }
}

async fn receive(
    name: &'static str,
    mut connection: RouterRecvConnection,
    requests: mpsc::UnboundedSender<Request>,
) {
    while !requests.is_closed() {
        let frames = match connection.socket.recv().await {
            Ok(frames) => frames,
            Err(error) => {
                tracing::warn!(channel = name, %error, "receive failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let raw = match RawMessage::from_multipart(frames, &connection.mac) {
            Ok(raw) => raw,
            Err(error) => {
                tracing::warn!(channel = name, %error, "message dropped: not signed by our client");
                continue;
            }
        };
        match Request::from_raw(raw) {
            Ok(request) => drop(requests.send(request)),
            Err(error) => tracing::warn!(channel = name, %error, "message dropped: bad header"),
        }
    }
}

async fn send(
    name: &'static str,
    mut connection: RouterSendConnection,
    mut replies: mpsc::UnboundedReceiver<JupyterMessage>,
) {
    while let Some(reply) = replies.recv().await {
        let msg_type = reply.header.msg_type.clone();
        if let Err(error) = connection.send(reply).await {
            tracing::warn!(channel = name, msg_type, %error, "reply not delivered");
        }
    }
}
