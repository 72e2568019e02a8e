//! A request as it came in, and the messages that answer it.
//!
//! Requests are read from their raw frames, and contents are built as JSON where the typed messages
//! of `jupyter-protocol` leave out what the specification asks for (`user_expressions: {}`,
//! `transient: {}`, optional fields of `history_request`, `supported_features`).

use std::sync::Arc;

use jupyter_protocol::messaging::{Header, JupyterMessage, JupyterMessageContent, UnknownMessage};
use jupyter_zmq_client::RawMessage;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value, json};

/// The version of the Jupyter messaging protocol that we speak.
pub(super) const PROTOCOL_VERSION: &str = "5.5";

/// The message that another one answers: its header and where it came from, without its content.
pub(crate) type Parent = Arc<JupyterMessage>;

/// One request of a client.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Header and routing, for the replies.
    pub parent: Parent,
    /// The content; an empty object if it was not JSON.
    pub content: Value,
}

impl Request {
    /// Reads a verified message. Fails only without a readable header: then nobody can be answered.
    pub(crate) fn from_raw(raw: RawMessage) -> serde_json::Result<Self> {
        let [header, _, metadata, content, ..] = raw.jparts.as_slice() else {
            return Err(serde_json::Error::custom("a message has four parts"));
        };
        let header: Header = serde_json::from_slice(header)?;
        let object = |part: &[u8]| -> Value {
            serde_json::from_slice(part).unwrap_or_else(|error| {
                tracing::warn!(msg_type = header.msg_type, %error, "part of a message is not JSON");
                json!({})
            })
        };
        let (metadata, content) = (object(metadata), object(content));
        let parent = JupyterMessage {
            zmq_identities: raw.zmq_identities,
            parent_header: None,
            metadata,
            content: empty(&header.msg_type),
            buffers: Vec::new(),
            channel: None,
            header,
        };
        Ok(Self {
            parent: Arc::new(parent),
            content,
        })
    }

    /// `execute_request`, `complete_request`, ….
    pub(crate) fn msg_type(&self) -> &str {
        &self.parent.header.msg_type
    }

    /// The content as what its type promises.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.content)
    }

    /// The answer to this request: same route, type `…_reply`.
    pub(crate) fn reply(&self, content: Value) -> JupyterMessage {
        reply(&self.parent, content)
    }

    /// The answer to a request whose content makes no sense.
    pub(crate) fn refuse(&self, why: &dyn std::fmt::Display) -> JupyterMessage {
        tracing::warn!(msg_type = self.msg_type(), %why, "request refused");
        self.reply(json!({
            "status": "error",
            "ename": "InvalidRequest",
            "evalue": why.to_string(),
            "traceback": [],
        }))
    }
}

/// The answer to `parent`: same route, type `…_reply`.
pub(super) fn reply(parent: &JupyterMessage, content: Value) -> JupyterMessage {
    let msg_type = parent.header.msg_type.replace("_request", "_reply");
    child(parent, &msg_type, content)
}

/// A message caused by `parent`, on the route of `parent`.
pub(super) fn child(parent: &JupyterMessage, msg_type: &str, content: Value) -> JupyterMessage {
    stamped(JupyterMessage::new(
        unknown(msg_type, content),
        Some(parent),
    ))
}

/// A message that nobody asked for.
pub(crate) fn orphan(msg_type: &str, content: Value) -> JupyterMessage {
    stamped(JupyterMessage::new(unknown(msg_type, content), None))
}

fn unknown(msg_type: &str, content: Value) -> JupyterMessageContent {
    JupyterMessageContent::UnknownMessage(UnknownMessage {
        msg_type: msg_type.to_owned(),
        content,
    })
}

fn empty(msg_type: &str) -> JupyterMessageContent {
    unknown(msg_type, Value::Object(Map::new()))
}

fn stamped(mut message: JupyterMessage) -> JupyterMessage {
    message.header.version = PROTOCOL_VERSION.to_owned();
    message.header.username = "tidebook".to_owned();
    message
}

/// Some request to answer.
#[cfg(test)]
pub(crate) fn parent() -> Parent {
    Arc::new(orphan("execute_request", json!({})))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn raw(header: &str, content: &str) -> RawMessage {
        RawMessage {
            zmq_identities: vec![Bytes::from_static(b"client")],
            jparts: [header, "{}", "{}", content]
                .map(|part| Bytes::copy_from_slice(part.as_bytes()))
                .to_vec(),
        }
    }

    const HEADER: &str = r#"{"msg_id":"1","username":"u","session":"s","date":"2026-01-01T00:00:00Z",
        "msg_type":"history_request","version":"5.3"}"#;

    #[test]
    fn replies_take_route_and_type_of_their_request() {
        let request = Request::from_raw(raw(HEADER, r#"{"n":3}"#)).unwrap();
        let reply = request.reply(json!({"status": "ok"}));
        assert_eq!(reply.header.msg_type, "history_reply");
        assert_eq!(reply.header.version, "5.5");
        assert_eq!(reply.zmq_identities, vec![Bytes::from_static(b"client")]);
        assert_eq!(reply.parent_header.unwrap().msg_id, "1");
        assert_eq!(request.content["n"], 3);
    }

    #[test]
    fn broken_content_can_still_be_answered() {
        let request = Request::from_raw(raw(HEADER, "not json")).unwrap();
        assert_eq!(request.content, json!({}));
    }

    #[test]
    fn without_a_header_nobody_can_be_answered() {
        assert!(Request::from_raw(raw("{}", "{}")).is_err());
    }
}
