//! What a cell asks of its user, one question at a time.

use jupyter_protocol::messaging::JupyterMessage;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::message::{Parent, Request, child};
use super::router::Channel;

/// The channel for questions.
pub(crate) struct Stdin {
    questions: mpsc::UnboundedSender<JupyterMessage>,
    answers: Mutex<mpsc::UnboundedReceiver<Request>>,
}

impl Stdin {
    /// Asks over a bound channel.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            questions: channel.replies,
            answers: Mutex::new(channel.requests),
        }
    }

    /// Asks the client that sent `parent`, and waits for its answer; none if the channel is closed.
    pub(crate) async fn ask(
        &self,
        parent: &Parent,
        prompt: &str,
        is_password: bool,
    ) -> Option<String> {
        let mut answers = self.answers.lock().await;
        // Answers to questions that were given up.
        while answers.try_recv().is_ok() {}
        let content = json!({"prompt": prompt, "password": is_password});
        let question = child(parent, "input_request", content);
        self.questions.send(question).ok()?;
        loop {
            let answer = answers.recv().await?;
            if answer.msg_type() == "input_reply" {
                let value = answer.content.get("value").and_then(Value::as_str);
                return Some(value.unwrap_or_default().to_owned());
            }
        }
    }
}
