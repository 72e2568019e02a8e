//! Rust cells: the only place that knows where user code runs.
//!
//! ```text
//!  cell ─► compiler (thread: evcxr, rust-analyzer) ── cargo, rustc
//!              │ lines on stdin and stdout
//!           relay (process) ── what is printed, how it ended ─► child ─► outputs
//!              │ pipes
//!           runtime (process): user code + the prelude
//!              │ unix socket: requests ─► answers ─► engine
//!              ▼            calls ◄── functions ◄── engine
//!            server
//! ```
//! Everything starts with the first Rust cell: magics and SQL never wait for a compiler.
//!
//! **Invariants.** evcxr's `Ok` says nothing: how a cell ended is what the relay told. · The death
//! of the runtime loses its variables and nothing else. · An interrupt ends a cell within a second.

mod answers;
mod ask;
mod child;
mod columns;
mod compile_error;
mod compiler;
mod frames;
mod functions;
mod home;
mod outcome;
mod processes;
mod program;
mod relay;
mod server;
mod std_source;
mod toolchain;
mod user_code;
mod values;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tidebook_engine::Session;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::{CellError, Result};
use crate::live::{Failures, Live};
use crate::magic::Context;
use crate::outputs::Outputs;
use child::Child;
use compiler::Compiler;
use functions::Functions;
use home::Home;
use server::Server;
use user_code::Listener;

pub use home::choose as choose_folder;
pub use toolchain::describe as toolchain;

/// How long compiled code has to end by itself after an interrupt.
const GRACE: Duration = Duration::from_millis(400);
/// How often an interrupt is repeated: the cell may be between two steps.
const REPEAT: Duration = Duration::from_millis(50);

/// The Rust side of a kernel.
pub struct RustCells {
    child: Arc<Child>,
    functions: Arc<Functions>,
    /// By the id under which user code registered them.
    listeners: Mutex<HashMap<String, Arc<Listener>>>,
    compiler: tokio::sync::Mutex<Slot>,
    /// The compiler is being started, which an interrupt does not end: the next cell needs it too.
    starts: AtomicBool,
    known: Mutex<Known>,
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
    _server: Arc<Server>,
}

/// What user code's requests work on.
#[derive(Clone)]
struct Scene {
    session: Session,
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

/// What there was after the last cell; for questions that come while one runs.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Name and type of every variable, by name.
    pub variables: Vec<(String, String)>,
    /// Names of functions, types and other items.
    pub items: Vec<String>,
}

impl Known {
    /// The type of a variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.variables.iter();
        let found = variables.find(|(other, _)| other == name)?;
        Some(&found.1)
    }
}

/// If this process was started to run user code, or beside the compiler, it does that and gives
/// its exit status. Must be called before anything else.
pub fn other_role() -> Option<i32> {
    const IS_RUNTIME: &str = "EVCXR_IS_RUNTIME";
    if std::env::var_os(IS_RUNTIME).is_some() && std::env::var_os(relay::RUNTIME).is_none() {
        return Some(relay::run().unwrap_or_else(|error| {
            eprintln!("{error:#}");
            1
        }));
    }
    // Does not return if this is the runtime or stands in for rustc.
    evcxr::runtime_hook();
    None
}

impl RustCells {
    /// Nothing runs yet.
    pub fn new(live: Live) -> Self {
        Self {
            child: Arc::new(Child::new(live)),
            functions: Arc::default(),
            listeners: Mutex::default(),
            compiler: tokio::sync::Mutex::default(),
            starts: AtomicBool::new(false),
            known: Mutex::default(),
            scene: Mutex::new(None),
            last_failure: Mutex::new(None),
            not_shown: Mutex::new(None),
            runs: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            interrupts: watch::Sender::new(0),
        }
    }

    /// Compiles and runs a cell. Dropping the future does not stop it: interrupt it.
    pub async fn execute(self: &Arc<Self>, code: &str, context: &Context) -> Result<()> {
        self.interrupted.store(false, Ordering::Release);
        let _runs = Busy::set(&self.runs);
        self.run(code, context).await
    }

    /// Whether a Rust cell is being compiled or run.
    pub fn is_busy(&self) -> bool {
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
    pub fn known(&self) -> Known {
        self.known.lock().clone()
    }

    /// Ends the cell that is being compiled or run: a compiler is ended; code that waits for the
    /// kernel unwinds and keeps its variables; code that does not even then is ended with its
    /// process. Returns when it is over.
    pub async fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Release);
        let mut ran = Duration::ZERO;
        while self.is_busy() {
            if self.child.is_running() {
                self.interrupts.send_modify(|count| *count += 1);
                if ran >= GRACE {
                    self.child.kill();
                }
                ran += REPEAT;
            } else if !self.starts.load(Ordering::Acquire) {
                let _ = tokio::task::spawn_blocking(processes::kill_compilers).await;
            }
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// Builds what Rust cells need, so that the first cell of a kernel does not have to.
    pub async fn warm_up(self: &Arc<Self>) -> Result<()> {
        let started = self.started(&|_| {}).await;
        started.map(drop)
    }

    /// Ends user code and removes what was built.
    pub fn shut_down(&self) {
        self.child.kill();
        processes::kill_compilers();
        Home::clean_up();
    }

    async fn run(self: &Arc<Self>, code: &str, context: &Context) -> Result<()> {
        *self.scene.lock() = Some(Scene {
            session: context.session.clone(),
            live: context.live.clone(),
            failures: Arc::clone(&context.failures),
            outputs: context.outputs.clone(),
            code: code.into(),
        });
        let outputs = context.outputs.clone();
        let compiler = self.started(&|note| outputs.stderr(note)).await?;
        *self.not_shown.lock() = None;
        self.child.begin(&context.outputs);
        let finished = compiler.execute(code.to_owned()).await;
        let outcome = self.child.end();
        let Some(finished) = finished else {
            *self.compiler.lock().await = Slot::Empty;
            return Err(self.compiler_is_gone());
        };
        let lost = std::mem::replace(
            &mut *self.known.lock(),
            Known {
                variables: finished.variables.clone(),
                items: own_items(&finished.items),
            },
        );
        self.conclude(code, finished, outcome, &lost, &context.outputs)
    }

    /// The compiler, started if it does not run yet. An interrupt ends the waiting, not the start.
    async fn started(
        self: &Arc<Self>,
        say: &(dyn Fn(&'static str) + Send + Sync),
    ) -> Result<Compiler> {
        let mut slot = self.compiler.lock().await;
        if let Slot::Empty = &*slot {
            self.starts.store(true, Ordering::Release);
            let starting = self.start(say).await;
            self.starts.store(starting.is_ok(), Ordering::Release);
            *slot = Slot::Starting(starting?);
        }
        let starting = match &mut *slot {
            Slot::Starting(starting) => starting,
            Slot::Started(started) => return Ok(started.compiler.clone()),
            Slot::Empty => return Err(not_started("it was not started")),
        };
        let started = tokio::select! {
            started = starting => started,
            () = self.until_interrupted() => return Err(CellError::interrupted()),
        };
        self.starts.store(false, Ordering::Release);
        *slot = Slot::Empty;
        let started = started.map_err(|error| CellError::panicked(&error.to_string()))??;
        *slot = Slot::Started(started.clone());
        Ok(started.compiler)
    }

    async fn start(
        self: &Arc<Self>,
        say: &(dyn Fn(&'static str) + Send + Sync),
    ) -> Result<JoinHandle<Result<Started>>> {
        let toolchain = tokio::task::spawn_blocking(toolchain::find);
        let toolchain = toolchain
            .await
            .map_err(|error| CellError::panicked(&error.to_string()))??;
        let home = Home::new(&toolchain).map_err(|error| not_started(&format!("{error:#}")))?;
        if !home.is_warm() {
            say("building what Rust cells need; this takes a minute, once on this machine\n");
        }
        let server = Server::start(self).map_err(|error| not_started(&format!("{error:#}")))?;
        Ok(tokio::task::spawn_blocking(move || {
            let compiler = Compiler::start(&home, server.path());
            Ok(Started {
                compiler: compiler.map_err(|error| not_started(&error.to_string()))?,
                _server: Arc::new(server),
            })
        }))
    }

    async fn until_interrupted(&self) {
        while !self.interrupted.load(Ordering::Acquire) {
            tokio::time::sleep(REPEAT).await;
        }
    }

    fn compiler_is_gone(&self) -> CellError {
        let lost = std::mem::take(&mut *self.known.lock());
        self.child.kill();
        let error = CellError::internal(format!(
            "the compiler of the Rust cells panicked and was ended{}",
            lost.sentence()
        ));
        error.hint("run the cell again: the compiler starts anew; running queries go on")
    }
}

impl Known {
    /// `: the variables a and b are lost`, if there were any.
    fn sentence(&self) -> String {
        let names: Vec<&str> = self
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
}

/// Names that cells have defined, without the macros that the kernel puts before them.
fn own_items(items: &[String]) -> Vec<String> {
    let own = items
        .iter()
        .filter(|item| !compiler::MACROS.contains(&item.as_str()));
    own.cloned().collect()
}

fn not_started(why: &str) -> CellError {
    CellError::new(
        "RustCellsNotAvailable",
        format!("the compiler of the Rust cells does not start: {why}"),
    )
    .hint("'tidebook doctor' says what is missing; all magics work without it")
}
