//! Python cells: PySpark on the notebook's own session.
//!
//! ```text
//!  cell ─► channels ── execute, complete, … ─► ipykernel (process): the cells, PySpark's client
//!  outputs ◄── relay ◄── iopub, stdin ──┘              │ Spark Connect, with a token
//!                                       engine ◄── door
//! ```
//! Everything starts with the first cell. What Python's kernel says goes out as if this kernel had
//! said it; nothing of Python is understood here.
//!
//! **Invariants.** The process dies with this kernel. · Its death loses variables and nothing else. ·
//! An interrupt ends a cell within ten seconds, whatever it does.

mod channels;
mod relay;
mod running;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tidebook_engine::Session;
use uuid::Uuid;

use crate::door::NotebookDoor;
use crate::error::{CellError, Result};
use crate::interpreter;
use crate::live::Live;
use crate::outputs::Outputs;
use crate::process_group::ProcessGroup;
use crate::sockets::Stdin;
use running::Python;

/// How long a cell has to end by itself after an interrupt.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// What a cell of Python works on, and where it speaks.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// Views and queries.
    pub session: &'a Session,
    /// What the cell says.
    pub outputs: &'a Outputs,
    /// Where the user is asked.
    pub stdin: &'a Arc<Stdin>,
    /// Whether there is a user to ask.
    pub may_ask: bool,
}

/// The Python side of a kernel.
pub(crate) struct PythonCells {
    live: Live,
    /// A door of its own: what `%serve` opens and closes is the user's.
    door: NotebookDoor,
    /// The address of that door with its token, once it is open: it stays open, because functions that
    /// queries call go on asking there when Python has started anew.
    address: tokio::sync::Mutex<Option<String>>,
    python: tokio::sync::Mutex<Option<Arc<Python>>>,
    /// That of the Python that runs or starts.
    process: Mutex<Option<ProcessGroup>>,
    /// The code of a cell runs, and can be interrupted.
    runs: AtomicBool,
    busy: AtomicBool,
    interrupted: AtomicBool,
}

/// Set while it lives, also if what it is set for is given up.
struct While<'a>(&'a AtomicBool);

impl<'a> While<'a> {
    fn set(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Release);
        Self(flag)
    }
}

impl Drop for While<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl PythonCells {
    /// Nothing runs yet; what is said after its cell goes to `live`.
    pub(crate) fn new(live: Live) -> Self {
        Self {
            live,
            door: NotebookDoor::default(),
            address: tokio::sync::Mutex::default(),
            python: tokio::sync::Mutex::default(),
            process: Mutex::default(),
            runs: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
        }
    }

    /// Runs a cell. Dropping the future does not stop it: interrupt it.
    pub(crate) async fn execute(&self, code: &str, cell: Cell<'_>) -> Result<()> {
        self.interrupted.store(false, Ordering::Release);
        let _busy = While::set(&self.busy);
        let python = self.started(cell).await.map_err(|error| self.told(error))?;
        let _runs = While::set(&self.runs);
        let ran = python.execute(code, false, cell).await;
        if python.has_ended() {
            // This cell tells of it.
            *self.python.lock().await = None;
        }
        ran.map_err(|error| self.told(error))
    }

    /// Whether a cell runs, or waits for Python to start.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Ends the cell that runs, as Python does it: by an exception. Code that does not end even then
    /// is ended with its process, and so is a Python that is still starting. Returns when it is over.
    pub(crate) async fn interrupt(&self) {
        let process = self.process.lock().clone();
        if self.runs.load(Ordering::Acquire) {
            if let Some(process) = &process {
                process.interrupt();
            }
            let mut waited = Duration::ZERO;
            while self.is_busy() && waited < PATIENCE {
                tokio::time::sleep(LOOK).await;
                waited += LOOK;
            }
        }
        while self.is_busy() {
            self.interrupted.store(true, Ordering::Release);
            if let Some(process) = self.process.lock().clone() {
                process.kill();
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Python's answer to a question about the text of a cell, `complete_request` or
    /// `inspect_request`; none while nothing has run yet.
    pub(crate) async fn ask(&self, msg_type: &str, content: Value) -> Option<Value> {
        let python = self.python.try_lock().ok()?.clone()?;
        python.ask(msg_type, content).await
    }

    /// Ends Python and all that it has started.
    pub(crate) async fn shut_down(&self) {
        let process = self.process.lock().take();
        if let Some(process) = process {
            process.kill();
            process.ended().await;
        }
        // Its sockets' folder goes with it.
        if let Ok(mut python) = self.python.try_lock() {
            python.take();
        }
        self.address.lock().await.take();
        self.door.close().await;
    }

    /// What the user is told of an error: an interrupt of theirs is one.
    fn told(&self, error: CellError) -> CellError {
        match self.interrupted.load(Ordering::Acquire) {
            true => CellError::interrupted()
                .hint("Python did not end by itself and was ended: its variables are gone"),
            false => error,
        }
    }

    /// Python, started if it does not run.
    async fn started(&self, cell: Cell<'_>) -> Result<Arc<Python>> {
        let mut slot = self.python.lock().await;
        if let Some(python) = slot.take() {
            if !python.has_ended() {
                *slot = Some(Arc::clone(&python));
                return Ok(python);
            }
            cell.outputs.stderr(format!(
                "Python has ended since its last cell ({}); a new one starts, without variables\n",
                python.ended().await
            ));
        }
        let interpreter =
            tokio::task::spawn_blocking(|| interpreter::find(interpreter::FOR_CELLS)).await;
        let interpreter = interpreter.map_err(CellError::internal)??;
        let remote = self.remote(cell.session).await?;
        let start = |process: &ProcessGroup| *self.process.lock() = Some(process.clone());
        let python = Python::start(&interpreter, &remote, self.live.clone(), start).await?;
        let python = Arc::new(python);
        python.execute(SET_UP, true, cell).await?;
        *slot = Some(Arc::clone(&python));
        Ok(python)
    }

    /// The address of the notebook's session, with the token that opens it.
    async fn remote(&self, session: &Session) -> Result<String> {
        let mut known = self.address.lock().await;
        if let Some(address) = &*known {
            return Ok(address.clone());
        }
        let token = Uuid::new_v4().simple().to_string();
        let (address, _) = self.door.open(session, 0, Some(&token)).await?;
        let address = format!("{address}/;token={token}");
        Ok(known.insert(address).clone())
    }
}

/// Gives the cells `spark`.
const SET_UP: &str = include_str!("set_up.py");

/// What the request to run code says.
fn execute_request(code: &str, silent: bool, may_ask: bool) -> Value {
    json!({
        "code": code,
        "silent": silent,
        "store_history": !silent,
        "user_expressions": {},
        "allow_stdin": may_ask,
        "stop_on_error": true,
    })
}
