//! One kernel session: who answers which request, in which order, and how it ends.
//!
//! Three loops share one [`Kernel`]: the *executor* runs cells one after the other; the *shell*
//! loop queues them and answers everything else at once, also while a cell runs; the *control* loop
//! interrupts and shuts down and waits behind nobody.

mod control;
mod execute;
mod history;
mod interpret;
mod requests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use jupyter_protocol::ConnectionInfo;
use jupyter_protocol::messaging::JupyterMessage;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc};

use crate::backend::Connections;
use crate::context::Known;
use crate::door::NotebookDoor;
use crate::engine::Engine;
use crate::kafka::Kafka;
use crate::live::{Failures, Live};
use crate::python::PythonCells;
use crate::rust::RustCells;
use crate::scratch::Scratch;
use crate::sockets::{self, IoPub, Request, Sockets, Stdin};
use history::History;

/// What all loops of a session share.
pub(crate) struct Kernel {
    iopub: IoPub,
    engine: Engine,
    live: Live,
    failures: Arc<Failures>,
    connections: Arc<Connections>,
    kafka: Arc<Kafka>,
    door: Arc<NotebookDoor>,
    python: Arc<PythonCells>,
    stdin: Arc<Stdin>,
    scratch: Arc<Scratch>,
    rust: Arc<RustCells>,
    known: Arc<Mutex<Known>>,
    history: Mutex<History>,
    executions: AtomicU32,
    /// Wakes the running cell, if there is one, to end it.
    interrupt: Notify,
}

/// Serves one connection file until a client asks for shutdown or the process is told to end; queries
/// run where `connect` says.
pub(crate) async fn run(connection_file: &Path, connect: Option<String>) -> anyhow::Result<()> {
    let info = read_connection_file(connection_file)?;
    let sockets = Sockets::bind(&info).await?;
    let live = Live::new(sockets.iopub.clone());
    let known = Arc::<Mutex<Known>>::default();
    let kernel = Arc::new(Kernel {
        rust: Arc::new(RustCells::new(live.clone(), Arc::clone(&known))),
        known,
        python: Arc::new(PythonCells::new(live.clone())),
        stdin: Arc::new(sockets.stdin),
        live,
        iopub: sockets.iopub,
        engine: Engine::new().context("start the engine's threads")?,
        failures: Arc::default(),
        connections: Arc::new(Connections::new(connect)),
        kafka: Arc::default(),
        door: Arc::default(),
        scratch: Arc::default(),
        history: Mutex::default(),
        executions: AtomicU32::new(0),
        interrupt: Notify::new(),
    });
    kernel.warm_up();
    let (cells, queue) = mpsc::unbounded_channel();
    let (asked_to_stop, stop) = mpsc::unbounded_channel();
    let shell_replies = sockets.shell.replies.clone();
    tokio::spawn(execute::run(Arc::clone(&kernel), shell_replies, queue));
    tokio::spawn(serve_shell(
        Arc::clone(&kernel),
        sockets.shell.requests,
        sockets.shell.replies.clone(),
        cells,
        asked_to_stop,
    ));
    control::run(&kernel, sockets.control, sockets.shell.replies, stop).await;
    sockets::clean_up(&info);
    Ok(())
}

impl Kernel {
    /// How many cells were executed.
    fn execution_count(&self) -> u32 {
        self.executions.load(Ordering::Relaxed)
    }

    fn count_execution(&self) -> u32 {
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Makes the session while the client is still connecting.
    fn warm_up(self: &Arc<Self>) {
        let kernel = Arc::clone(self);
        self.engine.spawn(async move {
            if let Err(error) = kernel.engine.ready(&kernel.live).await {
                tracing::error!(%error, "the engine has no session");
            }
        });
    }
}

async fn serve_shell(
    kernel: Arc<Kernel>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    replies: mpsc::UnboundedSender<JupyterMessage>,
    cells: mpsc::UnboundedSender<Request>,
    asked_to_stop: mpsc::UnboundedSender<Request>,
) {
    while let Some(request) = requests.recv().await {
        // The receivers live as long as the kernel does.
        match request.msg_type() {
            "execute_request" => drop(cells.send(request)),
            "shutdown_request" => drop(asked_to_stop.send(request)),
            // What the compiler has to think about must hold up no cell.
            "complete_request" | "inspect_request" => {
                let (kernel, replies) = (Arc::clone(&kernel), replies.clone());
                tokio::spawn(async move { requests::answer(&kernel, &request, &replies).await });
            }
            _ => requests::answer(&kernel, &request, &replies).await,
        }
    }
}

fn read_connection_file(path: &Path) -> anyhow::Result<ConnectionInfo> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("read connection file '{shown}'"))?;
    serde_json::from_str(&text).with_context(|| format!("read connection file '{shown}'"))
}
