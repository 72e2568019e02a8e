//! Rust cells: the only place that knows where user code runs.
//!
//! ```text
//!  cell ─► compiler ── work, answers ─► tidebook-rust (process: evcxr, rust-analyzer, cargo, rustc)
//!                                            │
//!           child ◄── what is printed, ── relay (process)
//!             │       how it ended           │
//!             ▼                           runtime (process): user code + the prelude
//!          outputs                           │ unix socket: requests ─► answers ─► engine
//!                                            ▼            calls ◄── functions ◄── engine
//!                                          server
//! ```
//! Everything starts with the first Rust cell: magics and SQL never wait for a compiler.
//!
//! **Invariants.** That a cell has run says nothing: how it ended is what the relay told. · The death
//! of the runtime, or of the compiler, loses variables and nothing else. · An interrupt ends a cell
//! within a second, unless the compiler hangs: then it is ended after ten.

mod answers;
mod ask;
mod child;
mod columns;
mod compile_error;
mod compiler;
mod frames;
mod functions;
mod outcome;
mod process;
mod processors;
mod program;
mod server;
mod toolchain;
mod user_code;
mod values;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tidebook_engine::Session;
use tidebook_rust_protocol::{Toolchain, VERSION};
use tokio::net::UnixStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::backend::Connections;
use crate::context::{Context, Known};
use crate::error::{CellError, Result};
use crate::live::{Failures, Live};
use crate::outputs::Outputs;
use crate::process_group::ProcessGroup;
use child::Child;
use compiler::Compiler;
use functions::Functions;
use server::Server;
use user_code::Listener;

pub(crate) use process::describe as program;
pub(crate) use toolchain::describe as toolchain;

/// What an unmarked cell is told where it cannot be compiled.
const NOT_AVAILABLE: &str = "RustCellsNotAvailable";

/// How long compiled code has to end by itself after an interrupt.
const GRACE: Duration = Duration::from_millis(400);
/// How long the compiler has to take note of an interrupt. The variables go with it, so this is longer
/// than it thinks between two programs that it starts, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an interrupt is repeated: the cell may be between two steps.
const REPEAT: Duration = Duration::from_millis(50);
/// How long a cell may hold on to the compiler at the end of the kernel.
const LAST_CELL: Duration = Duration::from_millis(500);

/// The Rust side of a kernel.
pub(crate) struct RustCells {
    child: Arc<Child>,
    functions: Arc<Functions>,
    /// By the id under which user code registered them.
    listeners: Mutex<HashMap<String, Arc<Listener>>>,
    compiler: tokio::sync::Mutex<Slot>,
    /// That of the compiler that runs or starts.
    process: Mutex<Option<ProcessGroup>>,
    /// Who waits for the compiler's connection.
    connecting: Mutex<Option<oneshot::Sender<Connection>>>,
    /// The compiler is being started, which an interrupt does not end: the next cell needs it too.
    starts: AtomicBool,
    known: Arc<Mutex<Known>>,
    /// What requests of user code work on: that of the cell which ran last.
    scene: Mutex<Option<Scene>>,
    /// The last error that user code was told of.
    last_failure: Mutex<Option<CellError>>,
    /// Why the value of the running cell could not be shown.
    not_shown: Mutex<Option<CellError>>,
    runs: AtomicBool,
    interrupted: AtomicBool,
    interrupts: watch::Sender<u64>,
}

/// Where the compiler is, or will be.
#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Starting(JoinHandle<Result<Started>>),
    Started(Started),
}

#[derive(Clone)]
struct Started {
    compiler: Compiler,
    process: ProcessGroup,
    _server: Arc<Server>,
}

/// A connection of the compiler, and the version of what it says.
type Connection = (UnixStream, u32);

/// What user code's requests work on.
#[derive(Clone)]
struct Scene {
    session: Session,
    connections: Arc<Connections>,
    live: Live,
    failures: Arc<Failures>,
    outputs: Outputs,
    /// The cell's own text.
    code: Arc<str>,
}

/// Set while it lives, also if what it is set for panics or is given up.
struct Busy<'a>(&'a AtomicBool);

impl<'a> Busy<'a> {
    fn set(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::Release);
        Self(flag)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl RustCells {
    /// Nothing runs yet; what cells define is written to `known`.
    pub(crate) fn new(live: Live, known: Arc<Mutex<Known>>) -> Self {
        Self {
            child: Arc::new(Child::new(live)),
            functions: Arc::default(),
            listeners: Mutex::default(),
            compiler: tokio::sync::Mutex::default(),
            process: Mutex::new(None),
            connecting: Mutex::new(None),
            starts: AtomicBool::new(false),
            known,
            scene: Mutex::new(None),
            last_failure: Mutex::new(None),
            not_shown: Mutex::new(None),
            runs: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            interrupts: watch::Sender::new(0),
        }
    }

    /// Compiles and runs a cell. Dropping the future does not stop it: interrupt it.
    pub(crate) async fn execute(self: &Arc<Self>, code: &str, context: &Context) -> Result<()> {
        self.interrupted.store(false, Ordering::Release);
        let _runs = Busy::set(&self.runs);
        self.run(code, context).await
    }

    /// Whether a Rust cell is being compiled or run.
    pub(crate) fn is_busy(&self) -> bool {
        self.runs.load(Ordering::Acquire)
    }

    /// The compiler, if it has nothing to do: it does one thing at a time.
    fn idle_compiler(&self) -> Option<Compiler> {
        let slot = self.compiler.try_lock().ok()?;
        match &*slot {
            Slot::Started(started) if !self.is_busy() => Some(started.compiler.clone()),
            _ => None,
        }
    }

    /// Names that cells have defined so far.
    pub(crate) fn known(&self) -> Known {
        self.known.lock().clone()
    }

    /// Ends the cell that is being compiled or run: a compiler is ended; code that waits for the
    /// kernel unwinds and keeps its variables; code that does not even then is ended with its
    /// process. Returns when it is over.
    pub(crate) async fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        let mut ran = Duration::ZERO;
        let mut compiled = Duration::ZERO;
        while self.is_busy() {
            if self.child.is_running() {
                self.interrupts.send_modify(|count| *count += 1);
                if ran >= GRACE {
                    self.child.kill();
                }
                ran += REPEAT;
            } else if !self.starts.load(Ordering::Acquire)
                && let Some(process) = self.process.lock().clone()
            {
                match compiled >= PATIENCE {
                    true => process.kill(),
                    false => process.interrupt(),
                }
                compiled += REPEAT;
            }
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// Builds what Rust cells need, so that the first cell of a kernel does not have to.
    pub(crate) async fn warm_up(self: &Arc<Self>) -> Result<()> {
        let started = self.started(|_| {}).await;
        started.map(drop)
    }

    /// Ends user code and the compiler, and removes what was built.
    pub(crate) async fn shut_down(&self) {
        self.child.kill();
        if let Ok(mut slot) = tokio::time::timeout(LAST_CELL, self.compiler.lock()).await {
            match std::mem::take(&mut *slot) {
                Slot::Empty => {}
                Slot::Starting(starting) => starting.abort(),
                Slot::Started(started) => started.compiler.close(),
            }
        }
        let process = self.process.lock().take();
        if let Some(process) = process {
            let _ = process.finish().await;
        }
    }

    /// The program that compiles cells has connected.
    fn connected(&self, stream: UnixStream, protocol: u32) {
        if let Some(connecting) = self.connecting.lock().take() {
            let _ = connecting.send((stream, protocol));
        }
    }

    async fn run(self: &Arc<Self>, code: &str, context: &Context) -> Result<()> {
        *self.scene.lock() = Some(Scene {
            session: context.session.clone(),
            connections: Arc::clone(&context.connections),
            live: context.live.clone(),
            failures: Arc::clone(&context.failures),
            outputs: context.outputs.clone(),
            code: code.into(),
        });
        let outputs = context.outputs.clone();
        let started = self.started(move |note| outputs.stderr(note)).await?;
        *self.not_shown.lock() = None;
        self.child.begin(&context.outputs);
        let finished = started.compiler.execute(code.to_owned()).await;
        let outcome = self.child.end();
        let Some(finished) = finished else {
            *self.compiler.lock().await = Slot::Empty;
            started.compiler.close();
            return Err(self.compiler_has_ended(&started.process).await);
        };
        let lost = std::mem::replace(
            &mut *self.known.lock(),
            Known {
                variables: finished.variables.clone(),
                items: finished.items.clone(),
            },
        );
        self.conclude(code, finished, outcome, &lost, &context.outputs)
    }

    /// The compiler, started if it does not run yet. An interrupt ends the waiting, not the start;
    /// that of a second cell ends the start too.
    async fn started(
        self: &Arc<Self>,
        say: impl Fn(&'static str) + Send + Sync + 'static,
    ) -> Result<Started> {
        let mut slot = self.compiler.lock().await;
        let is_first = matches!(&*slot, Slot::Empty);
        if is_first {
            self.starts.store(true, Ordering::Release);
            let starting = self.start(say).await;
            self.starts.store(starting.is_ok(), Ordering::Release);
            *slot = Slot::Starting(starting?);
        }
        let starting = match &mut *slot {
            Slot::Starting(starting) => starting,
            Slot::Started(started) => return Ok(started.clone()),
            Slot::Empty => return Err(not_started("it was not started")),
        };
        let started = tokio::select! {
            started = &mut *starting => started,
            () = self.until_interrupted() => {
                // Whoever interrupts twice does not believe in this start any more.
                if !is_first {
                    starting.abort();
                    self.give_up_start();
                    *slot = Slot::Empty;
                }
                return Err(CellError::interrupted());
            }
        };
        self.starts.store(false, Ordering::Release);
        *slot = Slot::Empty;
        let started = started.map_err(|error| CellError::panicked(&error.to_string()))??;
        *slot = Slot::Started(started.clone());
        Ok(started)
    }

    async fn start(
        self: &Arc<Self>,
        say: impl Fn(&'static str) + Send + Sync + 'static,
    ) -> Result<JoinHandle<Result<Started>>> {
        process::program()?;
        let toolchain = tokio::task::spawn_blocking(toolchain::find);
        let toolchain = toolchain
            .await
            .map_err(|error| CellError::panicked(&error.to_string()))??;
        let server = Server::start(self).map_err(|error| not_started(&format!("{error:#}")))?;
        let (connecting, connection) = oneshot::channel();
        *self.connecting.lock() = Some(connecting);
        let process = process::start(&server.path())?;
        *self.process.lock() = Some(process.clone());
        Ok(tokio::spawn(async move {
            let compiler = connect(connection, &process, toolchain, say).await;
            if compiler.is_err() {
                process.kill();
            }
            Ok(Started {
                compiler: compiler?,
                process,
                _server: Arc::new(server),
            })
        }))
    }

    fn give_up_start(&self) {
        if let Some(process) = self.process.lock().take() {
            process.kill();
        }
        self.starts.store(false, Ordering::Release);
    }

    async fn until_interrupted(&self) {
        while !self.interrupted.load(Ordering::Acquire) {
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// The error of a cell whose compiler has ended.
    async fn compiler_has_ended(&self, process: &ProcessGroup) -> CellError {
        let lost = std::mem::take(&mut *self.known.lock());
        self.child.kill();
        let how = process.finish().await;
        let lost = sentence(&lost);
        let error = match self.interrupted.load(Ordering::Acquire) {
            true => CellError::new(
                "KeyboardInterrupt",
                format!("the compiler of the Rust cells did not stop, so it was ended{lost}"),
            ),
            false => CellError::new(
                "RustProcessDied",
                format!("the compiler of the Rust cells ended with {how}{lost}"),
            ),
        };
        error.hint("run the cell again: the compiler starts anew; running queries go on")
    }
}

/// Waits until the program that compiles cells has connected and started evcxr.
async fn connect(
    connection: oneshot::Receiver<Connection>,
    process: &ProcessGroup,
    toolchain: Toolchain,
    say: impl Fn(&'static str) + Send + Sync,
) -> Result<Compiler> {
    let has_ended = |how: String| not_started(&format!("it ended with {how}"));
    let (stream, protocol) = tokio::select! {
        Ok(connection) = connection => connection,
        how = process.ended() => return Err(has_ended(how)),
    };
    if protocol != VERSION {
        let error = not_started("it is of another version than the kernel");
        return Err(error.hint("run ./install.sh, which builds it again"));
    }
    let compiler = Compiler::new(stream);
    let building =
        || say("building what Rust cells need; this takes a minute, once on this machine\n");
    match compiler.start(toolchain, building).await {
        Some(Ok(())) => Ok(compiler),
        Some(Err(why)) => Err(not_started(&why)),
        None => Err(has_ended(process.ended().await)),
    }
}

/// `: the variables a and b are lost`, if there were any.
fn sentence(lost: &Known) -> String {
    let names: Vec<&str> = lost
        .variables
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [name] => format!(": the variable {name} is lost"),
        [names @ .., last] => {
            format!(": the variables {} and {last} are lost", names.join(", "))
        }
    }
}

fn not_started(why: &str) -> CellError {
    CellError::new(
        NOT_AVAILABLE,
        format!("the compiler of the Rust cells does not start: {why}"),
    )
    .hint("'tidebook doctor' says what is missing; all magics work without it")
}
