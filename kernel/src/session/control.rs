//! Interrupt and shutdown: they wait behind no cell.

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::messaging::JupyterMessage;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::{Kernel, requests};
use crate::sockets::{Channel, Request};

/// How long the queries have to end at shutdown. Jupyter sends SIGTERM after 2.5 seconds.
const STOP_QUERIES: Duration = Duration::from_secs(2);
/// How long the displays have to show how their queries ended.
const FAREWELL: Duration = Duration::from_millis(200);
/// How long the sockets have to deliver what was said last: they do not linger by themselves.
const GRACE: Duration = Duration::from_millis(100);
/// How often we look whether the process that started us is still there.
const PARENT_POLL: Duration = Duration::from_secs(1);

/// Serves the control channel until the kernel is to end, then ends it in order.
pub(super) async fn run(
    kernel: &Arc<Kernel>,
    mut control: Channel,
    shell_replies: mpsc::UnboundedSender<JupyterMessage>,
    mut shell_stop: mpsc::UnboundedReceiver<Request>,
) {
    let mut terminated = listen(SignalKind::terminate());
    let mut interrupted = listen(SignalKind::interrupt());
    let orphaned = orphaned();
    tokio::pin!(orphaned);
    loop {
        tokio::select! {
            Some(request) = control.requests.recv() => match request.msg_type() {
                "shutdown_request" => {
                    break kernel.shut_down(Some((&request, &control.replies))).await;
                }
                "interrupt_request" => {
                    kernel.iopub.status(&request.parent, "busy");
                    kernel.interrupt();
                    let _ = control.replies.send(request.reply(json!({"status": "ok"})));
                    kernel.iopub.status(&request.parent, "idle");
                }
                _ => requests::answer(kernel, &request, &control.replies).await,
            },
            Some(request) = shell_stop.recv() => {
                break kernel.shut_down(Some((&request, &shell_replies))).await;
            }
            () = received(&mut interrupted) => kernel.interrupt(),
            () = received(&mut terminated) => break kernel.shut_down(None).await,
            () = &mut orphaned => {
                tracing::warn!("the process that started this kernel is gone");
                break kernel.shut_down(None).await;
            }
        }
    }
}

impl Kernel {
    /// Ends the running cell, and what is produced in the background; without either, nothing
    /// happens.
    fn interrupt(&self) {
        self.interrupt.notify_waiters();
        drop(self.kafka.stop_producing());
    }

    async fn shut_down(
        self: &Arc<Self>,
        asked: Option<(&Request, &mpsc::UnboundedSender<JupyterMessage>)>,
    ) {
        self.interrupt();
        self.stop_queries().await;
        self.rust.shut_down().await;
        self.python.shut_down().await;
        self.scratch.clear();
        if let Some((request, replies)) = asked {
            let restart = request.content.get("restart");
            let restart = restart.and_then(|restart| restart.as_bool());
            let restart = restart.unwrap_or(false);
            let content = json!({"status": "ok", "restart": restart});
            self.iopub.status(&request.parent, "busy");
            let _ = replies.send(request.reply(content.clone()));
            // Other clients of the same kernel learn of the end from the broadcast.
            self.iopub.send(&request.parent, "shutdown_reply", content);
            self.iopub.status(&request.parent, "idle");
        }
        // A client that no longer reads must not keep us alive.
        let _ = tokio::time::timeout(GRACE, self.iopub.flushed()).await;
        tokio::time::sleep(GRACE).await;
    }

    async fn stop_queries(self: &Arc<Self>) {
        let Some(session) = self.engine.session().cloned() else {
            return;
        };
        for query in session.streams().active() {
            let name = query.name().unwrap_or("without a name").to_owned();
            tracing::warn!(
                "query '{name}' was still running when the kernel ended, and was stopped; \
                 to run it to its end, add '%await {name}' or start it with --until available-now"
            );
        }
        let stopping = self
            .engine
            .spawn(async move { session.streams().stop_all().await });
        match tokio::time::timeout(STOP_QUERIES, stopping).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "a query could not be stopped"),
            Ok(Err(error)) => tracing::error!(%error, "stopping the queries failed"),
            Err(_) => tracing::warn!("not all queries ended in time; their checkpoints stay valid"),
        }
        // Cards and charts must not look alive when nobody keeps them up to date any more.
        let live = self.live.clone();
        let farewell = self.engine.spawn(async move { live.farewell().await });
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind)
        .inspect_err(|error| tracing::warn!(%error, "no signal handler"))
        .ok()
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Returns when the Jupyter process that started this kernel has gone. Jupyter names itself in
/// `JPY_PARENT_PID`; started by anybody else, a kernel lives on its own.
async fn orphaned() {
    let parent = std::os::unix::process::parent_id();
    let named = std::env::var("JPY_PARENT_PID").ok();
    if named.and_then(|pid| pid.parse().ok()) != Some(parent) {
        std::future::pending::<()>().await;
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(PARENT_POLL).await;
    }
}
