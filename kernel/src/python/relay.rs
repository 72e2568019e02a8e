//! Passes on what Python's kernel says: to the cell that runs, or, said after its cell, to what goes on
//! in the background.

use std::sync::Arc;

use jupyter_protocol::messaging::JupyterMessage;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

use super::Cell;
use super::channels::Said;
use crate::display::MimeBundle;
use crate::error::CellError;
use crate::live::Live;
use crate::outputs::Outputs;
use crate::sockets::{Stdin, message};

/// Where what is said goes.
pub(super) struct Relay {
    live: Live,
    running: Mutex<Option<Running>>,
    answers: mpsc::UnboundedSender<JupyterMessage>,
    /// Told with every message.
    pub heard: Notify,
}

/// The request that runs.
struct Running {
    id: String,
    outputs: Outputs,
    stdin: Arc<Stdin>,
    error: Option<CellError>,
    idle: Option<oneshot::Sender<()>>,
    question: Option<AbortHandle>,
}

impl Relay {
    /// Nothing runs; what the user answers goes to `answers`.
    pub(super) fn new(live: Live, answers: mpsc::UnboundedSender<JupyterMessage>) -> Self {
        Self {
            live,
            running: Mutex::default(),
            answers,
            heard: Notify::new(),
        }
    }

    /// A request is about to be sent; gives when it is over.
    pub(super) fn begin(&self, id: &str, cell: Cell<'_>) -> oneshot::Receiver<()> {
        let (idle, is_idle) = oneshot::channel();
        *self.running.lock() = Some(Running {
            id: id.to_owned(),
            outputs: cell.outputs.clone(),
            stdin: Arc::clone(cell.stdin),
            error: None,
            idle: Some(idle),
            question: None,
        });
        is_idle
    }

    /// The request is over; gives the error that it ended with.
    pub(super) fn end(&self) -> Option<CellError> {
        let ended = self.running.lock().take()?;
        if let Some(question) = ended.question {
            question.abort();
        }
        ended.error
    }

    /// Something was broadcast.
    pub(super) fn hear(&self, said: Said) {
        self.heard.notify_one();
        let outputs = {
            let mut running = self.running.lock();
            let running = running.as_mut().filter(|running| running.id == said.parent);
            match (said.msg_type.as_str(), running) {
                ("status", Some(running)) if text(&said.content, "execution_state") == "idle" => {
                    if let Some(idle) = running.idle.take() {
                        let _ = idle.send(());
                    }
                    return;
                }
                ("error", Some(running)) => {
                    running.error = Some(error_of(&said.content));
                    return;
                }
                (_, running) => running.map(|running| running.outputs.clone()),
            }
        };
        // Showing may wait for the clients, so not under the lock.
        self.show(&said, outputs.as_ref());
    }

    fn show(&self, said: &Said, outputs: Option<&Outputs>) {
        let content = &said.content;
        match (said.msg_type.as_str(), outputs) {
            ("stream", Some(outputs)) if text(content, "name") == "stderr" => {
                outputs.stderr(text(content, "text"));
            }
            ("stream", Some(outputs)) => outputs.stdout(text(content, "text")),
            ("stream", None) => self.live.print(text(content, "text")),
            ("display_data", _) => match (outputs, display_id(content)) {
                (Some(outputs), Some(id)) => outputs.display_with_id(bundle(content), id),
                (Some(outputs), None) => outputs.display(bundle(content)),
                (None, Some(id)) => self.live.display_with_id(id, bundle(content)),
                (None, None) => self.live.display(bundle(content)),
            },
            ("update_display_data", _) => {
                if let Some(id) = display_id(content) {
                    self.live.update_display(id, bundle(content));
                }
            }
            ("execute_result", Some(outputs)) => outputs.result(bundle(content)),
            ("execute_result", None) => self.live.display(bundle(content)),
            ("clear_output", Some(outputs)) => {
                outputs.clear(content.get("wait").and_then(Value::as_bool) == Some(true));
            }
            _ => {}
        }
    }

    /// Code asks something of the user.
    pub(super) fn ask(&self, said: &Said) {
        let mut running = self.running.lock();
        let Some(running) = running.as_mut().filter(|running| running.id == said.parent) else {
            return self.answer(String::new());
        };
        let (stdin, outputs) = (Arc::clone(&running.stdin), running.outputs.clone());
        let answers = self.answers.clone();
        let prompt = text(&said.content, "prompt").to_owned();
        let is_password = said.content.get("password").and_then(Value::as_bool) == Some(true);
        let asked = tokio::spawn(async move {
            let answer = stdin.ask(outputs.parent(), &prompt, is_password).await;
            let _ = answers.send(input_reply(answer.unwrap_or_default()));
        });
        running.question = Some(asked.abort_handle());
    }

    fn answer(&self, value: String) {
        let _ = self.answers.send(input_reply(value));
    }
}

fn input_reply(value: String) -> JupyterMessage {
    message("input_reply", json!({ "value": value }))
}

fn text<'a>(content: &'a Value, name: &str) -> &'a str {
    content
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn display_id(content: &Value) -> Option<&str> {
    content.get("transient")?.get("display_id")?.as_str()
}

/// Data and metadata of a message.
pub(super) fn bundle(content: &Value) -> MimeBundle {
    let object = |name: &str| -> Map<String, Value> {
        let part = content.get(name).and_then(Value::as_object);
        part.cloned().unwrap_or_default()
    };
    MimeBundle {
        data: object("data"),
        metadata: object("metadata"),
    }
}

fn error_of(content: &Value) -> CellError {
    let lines = content.get("traceback").and_then(Value::as_array);
    let lines = lines.into_iter().flatten().filter_map(Value::as_str);
    let error = CellError::new(text(content, "ename"), text(content, "evalue"));
    error.shown_as(lines.map(str::to_owned).collect())
}
