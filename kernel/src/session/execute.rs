//! Runs cells, one after the other, each on the engine's threads.
//!
//! A cell is broadcast as `busy … execute_input … outputs … error?` and answered by one reply,
//! then `idle`. Whatever happens inside (an error, a panic, an interrupt) becomes that one error.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::messaging::JupyterMessage;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::{Kernel, interpret};
use crate::context::Context;
use crate::display;
use crate::error::{CellError, Result};
use crate::outputs::Outputs;
use crate::sockets::Request;

/// How long requests that were sent together with a failing cell may take to arrive. The reply is
/// held back that long, so no client that waits for it can be affected.
const ABORT_WINDOW: Duration = Duration::from_millis(10);
/// How long an interrupted cell has for an orderly end before it is left behind.
const INTERRUPT_GRACE: Duration = Duration::from_millis(200);

#[derive(Debug, Deserialize)]
struct ExecuteRequest {
    code: String,
    #[serde(default)]
    silent: bool,
    #[serde(default = "yes")]
    store_history: bool,
    #[serde(default)]
    user_expressions: Option<Map<String, Value>>,
    #[serde(default = "yes")]
    allow_stdin: bool,
    #[serde(default = "yes")]
    stop_on_error: bool,
}

fn yes() -> bool {
    true
}

/// Executes requests until the queue is closed.
pub(super) async fn run(
    kernel: Arc<Kernel>,
    replies: mpsc::UnboundedSender<JupyterMessage>,
    mut queue: mpsc::UnboundedReceiver<Request>,
) {
    while let Some(request) = queue.recv().await {
        kernel.iopub.status(&request.parent, "busy");
        let content = match request.parse::<ExecuteRequest>() {
            Ok(content) => content,
            Err(error) => {
                let _ = replies.send(request.refuse(&error));
                kernel.iopub.status(&request.parent, "idle");
                continue;
            }
        };
        kernel.live.begin(&request.parent, !content.allow_stdin);
        let (reply, failed) = kernel.execute(&request, &content).await;
        let mut aborted = Vec::new();
        if failed && content.stop_on_error {
            tokio::time::sleep(ABORT_WINDOW).await;
            while let Ok(queued) = queue.try_recv() {
                aborted.push(queued);
            }
        }
        let _ = replies.send(request.reply(reply));
        kernel.live.end();
        for queued in aborted {
            kernel.iopub.status(&queued.parent, "busy");
            let _ = replies.send(queued.reply(json!({"status": "aborted"})));
            kernel.iopub.status(&queued.parent, "idle");
        }
    }
}

impl Kernel {
    /// Runs one cell; gives the content of its reply and whether it failed.
    async fn execute(
        self: &Arc<Self>,
        request: &Request,
        content: &ExecuteRequest,
    ) -> (Value, bool) {
        let stored = content.store_history && !content.silent;
        let count = match stored {
            true => self.count_execution(),
            false => self.execution_count(),
        };
        let parent = &request.parent;
        if !content.silent {
            let input = json!({"code": content.code, "execution_count": count});
            self.iopub.send(parent, "execute_input", input);
        }
        let outputs = Outputs::new(
            self.iopub.clone(),
            Arc::clone(parent),
            count,
            content.silent,
        );
        let outcome = self.run_cell(content, &outputs).await;
        outputs.close();
        self.settle_displays().await;
        let kept = outputs.kept();
        if stored {
            self.history.lock().add(count, &content.code, kept.result);
        }
        match outcome {
            Ok(()) => {
                let reply = json!({
                    "status": "ok",
                    "execution_count": count,
                    "payload": kept.payload,
                    "user_expressions": refused_expressions(content),
                });
                (reply, false)
            }
            Err(error) => {
                let shown = error_content(&error);
                if !content.silent {
                    self.iopub.send(parent, "error", shown.clone());
                }
                let reply = json!({
                    "status": "error",
                    "execution_count": count,
                    "payload": [],
                    "user_expressions": {},
                });
                (with_fields(shown, reply), true)
            }
        }
    }

    async fn run_cell(self: &Arc<Self>, content: &ExecuteRequest, outputs: &Outputs) -> Result<()> {
        let interrupted = self.interrupt.notified();
        tokio::pin!(interrupted);
        interrupted.as_mut().enable();
        let kernel = Arc::clone(self);
        let (code, outputs) = (content.code.clone(), outputs.clone());
        let (batch, silent) = (!content.allow_stdin, content.silent);
        let mut cell = self.engine.spawn(async move {
            let ready = kernel.engine.ready(&kernel.live).await?;
            let context = Context {
                session: ready.session.clone(),
                connections: Arc::clone(&kernel.connections),
                tally: Arc::clone(&ready.tally),
                live: kernel.live.clone(),
                failures: Arc::clone(&kernel.failures),
                kafka: Arc::clone(&kernel.kafka),
                door: Arc::clone(&kernel.door),
                python: Arc::clone(&kernel.python),
                stdin: Arc::clone(&kernel.stdin),
                scratch: Arc::clone(&kernel.scratch),
                known: Arc::clone(&kernel.known),
                outputs,
                batch,
            };
            interpret::run(&code, &context, &kernel.rust, silent).await
        });
        tokio::select! {
            ended = &mut cell => ended.unwrap_or_else(|error| Err(broken(error))),
            () = interrupted => {
                if self.rust.is_busy() {
                    self.rust.interrupt().await;
                    return cell.await.unwrap_or_else(|error| Err(broken(error)));
                }
                if self.python.is_busy() {
                    self.python.interrupt().await;
                    return cell.await.unwrap_or_else(|error| Err(broken(error)));
                }
                cell.abort();
                let _ = tokio::time::timeout(INTERRUPT_GRACE, cell).await;
                Err(CellError::interrupted())
            }
        }
    }

    /// Draws on the engine's threads, where a panic of a display harms nobody.
    async fn settle_displays(&self) {
        let live = self.live.clone();
        let settled = self.engine.spawn(async move { live.settle().await });
        if let Err(error) = settled.await {
            tracing::error!(%error, "a live display could not be drawn");
        }
    }
}

fn broken(error: JoinError) -> CellError {
    match error.try_into_panic() {
        Ok(panic) => CellError::panicked(panic.as_ref()),
        Err(_) => CellError::interrupted(),
    }
}

fn error_content(error: &CellError) -> Value {
    let traceback = match error.own_traceback.as_slice() {
        [] => display::error_traceback(
            &error.ename,
            &error.evalue,
            &error.details,
            error.hint.as_deref(),
        ),
        lines => lines.to_vec(),
    };
    json!({"ename": error.ename, "evalue": error.evalue, "traceback": traceback})
}

/// An object with the fields of another behind its own.
fn with_fields(mut content: Value, more: Value) -> Value {
    if let (Value::Object(content), Value::Object(more)) = (&mut content, more) {
        content.extend(more);
    }
    content
}

/// There is no expression language outside cells; every expression is answered by an error.
fn refused_expressions(content: &ExecuteRequest) -> Value {
    let names = content.user_expressions.iter().flat_map(Map::keys);
    let error = CellError::usage("user expressions are not supported");
    let refused = names.map(|name| {
        let answer = with_fields(error_content(&error), json!({"status": "error"}));
        (name.clone(), answer)
    });
    Value::Object(refused.collect())
}
