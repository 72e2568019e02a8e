//! The requests that are answered at once, also while a cell runs.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::messaging::JupyterMessage;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidebook_engine::Session;
use tokio::sync::mpsc;

use super::Kernel;
use super::history::HistoryRequest;
use crate::language::python_body::in_python;
use crate::language::{complete, inspect, is_complete};
use crate::rust::RustCells;
use crate::sockets::Request;

/// How long a completion may take; the engine may be busy planning.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long rust-analyzer may take; its first answer needs longer than those that follow.
const RUST_PATIENCE: Duration = Duration::from_secs(1);

/// How long Python may take, which looks into modules.
const PYTHON_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Deserialize)]
struct Position {
    code: String,
    cursor_pos: usize,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

/// Answers a request of any type but `execute`, `interrupt` and `shutdown`.
pub(super) async fn answer(
    kernel: &Arc<Kernel>,
    request: &Request,
    replies: &mpsc::UnboundedSender<JupyterMessage>,
) {
    kernel.iopub.status(&request.parent, "busy");
    match content(kernel, request).await {
        Ok(Some(content)) => drop(replies.send(request.reply(content))),
        Ok(None) => {}
        Err(error) => drop(replies.send(request.refuse(&error))),
    }
    kernel.iopub.status(&request.parent, "idle");
    // Front ends show the state they heard last, whatever caused it.
    if let Some(running) = kernel.live.running() {
        kernel.iopub.status(&running, "busy");
    }
}

/// The content of the reply; none for messages that take none.
async fn content(kernel: &Arc<Kernel>, request: &Request) -> anyhow::Result<Option<Value>> {
    let content = match request.msg_type() {
        "kernel_info_request" => kernel_info(),
        "complete_request" => {
            let position: Position = parse(request)?;
            let end = position.cursor_pos;
            if let Some(place) = in_python(&position.code, end) {
                let asked = kernel.ask_python("complete_request", place.request(0));
                return Ok(Some(asked.await.map_or_else(
                    || complete::nothing(end),
                    |reply| place.completed(reply),
                )));
            }
            if complete::is_rust(&position.code, end) {
                let asked = kernel.ask_rust(position, |rust, asked, session| async move {
                    rust.complete(&asked.code, asked.cursor_pos, session.as_ref())
                        .await
                });
                return Ok(Some(asked.await.map_or_else(
                    || complete::nothing(end),
                    complete::Completion::into_content,
                )));
            }
            let topics = kernel.kafka.known_topics();
            let queries = kernel.connections.known_queries();
            let queries = queries
                .iter()
                .filter_map(|query| query.name().map(str::to_owned));
            let queries = queries.collect();
            let completed = kernel.ask(move |session| {
                complete::complete(
                    &position.code,
                    position.cursor_pos,
                    session,
                    topics,
                    queries,
                )
            });
            completed.await.map_or_else(
                || complete::nothing(end),
                complete::Completion::into_content,
            )
        }
        "inspect_request" => {
            let position: Position = parse(request)?;
            if let Some(place) = in_python(&position.code, position.cursor_pos) {
                let level = request.content.get("detail_level").and_then(Value::as_u64);
                let level = level.unwrap_or(0);
                let asked = kernel.ask_python("inspect_request", place.request(level));
                let nothing = json!({"status": "ok", "found": false, "data": {}, "metadata": {}});
                return Ok(Some(asked.await.unwrap_or(nothing)));
            }
            let asked = position.clone();
            let inspected = kernel
                .ask(move |session| inspect::position(&asked.code, asked.cursor_pos, session));
            let mut found = inspected.await.flatten();
            if found.is_none() && complete::is_rust(&position.code, position.cursor_pos) {
                let asked = kernel.ask_rust(position, |rust, asked, _| async move {
                    rust.inspect(&asked.code, asked.cursor_pos).await
                });
                found = asked.await.flatten();
            }
            json!({
                "status": "ok",
                "found": found.is_some(),
                "data": found.as_ref().map_or_else(|| json!({}), |bundle| json!(bundle.data)),
                "metadata": {},
            })
        }
        "is_complete_request" => is_complete::content(&parse::<Code>(request)?.code),
        "history_request" => {
            let asked: HistoryRequest = parse(request)?;
            json!({"status": "ok", "history": kernel.history.lock().answer(&asked)})
        }
        "comm_info_request" => json!({"status": "ok", "comms": {}}),
        "comm_open" => {
            // No comm target is known; the specification asks to close such a comm at once.
            let close = json!({"comm_id": request.content.get("comm_id"), "data": {}});
            kernel.iopub.send(&request.parent, "comm_close", close);
            return Ok(None);
        }
        "comm_msg" | "comm_close" => return Ok(None),
        unknown if unknown.ends_with("_request") => {
            anyhow::bail!("'{unknown}' is not supported by this kernel")
        }
        unknown => {
            tracing::debug!(msg_type = unknown, "message ignored");
            return Ok(None);
        }
    };
    Ok(Some(content))
}

impl Kernel {
    /// Asks about Rust code, but not for longer than a person would wait.
    async fn ask_rust<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        self: &Arc<Self>,
        position: Position,
        question: impl FnOnce(Arc<RustCells>, Position, Option<Session>) -> F,
    ) -> Option<T> {
        let session = self.engine.session().cloned();
        let answer = self
            .engine
            .spawn(question(Arc::clone(&self.rust), position, session));
        match tokio::time::timeout(RUST_PATIENCE, answer).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "a question about Rust code failed");
                None
            }
            Err(_) => None,
        }
    }

    /// Asks Python, but not for longer than a person would wait: it answers nothing while a cell runs.
    async fn ask_python(&self, msg_type: &str, content: Value) -> Option<Value> {
        let answer = self.python.ask(msg_type, content);
        tokio::time::timeout(PYTHON_PATIENCE, answer).await.ok()?
    }

    /// Asks about the session, but not for longer than a person would wait.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(Option<&Session>) -> T + Send + 'static,
    ) -> Option<T> {
        let kernel = Arc::clone(self);
        let answer = self
            .engine
            .handle()
            .spawn_blocking(move || question(kernel.engine.session()));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "a question about the session failed");
                None
            }
            Err(_) => None,
        }
    }
}

fn parse<T: DeserializeOwned>(request: &Request) -> anyhow::Result<T> {
    Ok(request.parse()?)
}

fn kernel_info() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "status": "ok",
        "protocol_version": "5.5",
        "implementation": "tidebook",
        "implementation_version": version,
        "language_info": {
            "name": "rust",
            "version": env!("CARGO_PKG_RUST_VERSION"),
            // Magics, SQL and Rust stand in one notebook: the colours of one language would be wrong
            // for the cells of the others.
            "mimetype": "text/plain",
            "file_extension": ".rs",
            "pygments_lexer": "text",
            "codemirror_mode": "text/plain",
            "nbconvert_exporter": "script",
        },
        "banner": format!(
            "Tidebook {version}: Structured Streaming in a notebook. \
             %lsmagic lists what a cell can start with."
        ),
        "debugger": false,
        "help_links": [
            {
                "text": "Structured Streaming guide",
                "url": "https://spark.apache.org/docs/latest/streaming/index.html",
            },
            {
                "text": "SQL functions",
                "url": "https://spark.apache.org/docs/latest/api/sql/index.html",
            },
        ],
        "supported_features": [],
    })
}
