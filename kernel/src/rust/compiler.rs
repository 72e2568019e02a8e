//! The thread that owns evcxr: it compiles cells, one after the other, and has them run.
//!
//! Everything in evcxr wants `&mut self`, so whoever asks while a cell is worked on waits, or goes
//! without an answer.

use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use evcxr::{CommandContext, Completions, Error, EvalContext, EvalOutputs};
use tidebook::wire::SOCKET;
use tokio::sync::oneshot;

use super::home::Home;

/// What a cell's `use` of the prelude and the kernel's own functions need. Named macros win over
/// those of std, a glob alone would be ambiguous.
const USE_PRELUDE: &str =
    "#[allow(unused_imports)] use tidebook::prelude::*; use tidebook::{eprintln, print};";
/// The macros among them.
pub const MACROS: [&str; 2] = ["eprintln", "print"];
/// Runs first in every new process.
const START: &str = "tidebook::start();";

/// A handle on the thread. Dropping it ends the thread once it has nothing to do.
#[derive(Debug, Clone)]
pub struct Compiler {
    work: mpsc::Sender<Work>,
}

enum Work {
    Execute {
        code: String,
        done: oneshot::Sender<Finished>,
    },
    Complete {
        code: String,
        position: usize,
        done: oneshot::Sender<Option<Completions>>,
    },
    Inspect {
        code: String,
        position: usize,
        done: oneshot::Sender<Option<(String, String)>>,
    },
}

/// What came of a cell, as evcxr sees it: `Ok` says nothing on how its code ended.
#[derive(Debug)]
pub struct Finished {
    /// What commands showed, or why the cell did not compile or its process ended.
    pub result: Result<EvalOutputs, Error>,
    /// The variables that are there now: name and type, by name.
    pub variables: Vec<(String, String)>,
    /// Functions, types and other items defined by cells, by name.
    pub items: Vec<String>,
    /// The program that the cell was compiled as.
    pub source: String,
}

impl Compiler {
    /// Starts evcxr on a thread of its own; returns when cells can be compiled. Blocks for seconds.
    pub fn start(home: &Home, socket: PathBuf) -> Result<Self, Error> {
        let (work, received) = mpsc::channel();
        let (started, ready) = mpsc::channel();
        let home = home.clone();
        let spawned = thread::Builder::new()
            .name("evcxr".to_owned())
            // rust-analyzer recurses along the user's expressions.
            .stack_size(16 * 1024 * 1024)
            .spawn(move || match Thread::start(&home, &socket) {
                Ok(mut evcxr) => {
                    let _ = started.send(Ok(()));
                    evcxr.run(&received);
                }
                Err(error) => drop(started.send(Err(error))),
            });
        spawned.map_err(|error| Error::Message(error.to_string()))?;
        match ready.recv() {
            Ok(started) => started.map(|()| Self { work }),
            Err(_) => Err(Error::Message("evcxr panicked while it started".to_owned())),
        }
    }

    /// Compiles and runs a cell. `None`: evcxr itself has panicked, and the thread is gone.
    pub async fn execute(&self, code: String) -> Option<Finished> {
        self.ask(|done| Work::Execute { code, done }).await
    }

    /// Completions at a byte position.
    pub async fn complete(&self, code: String, position: usize) -> Option<Completions> {
        let work = |done| Work::Complete {
            code,
            position,
            done,
        };
        self.ask(work).await.flatten()
    }

    /// What rust-analyzer knows of the expression that ends at a byte position: text and HTML.
    pub async fn inspect(&self, code: String, position: usize) -> Option<(String, String)> {
        let work = |done| Work::Inspect {
            code,
            position,
            done,
        };
        self.ask(work).await.flatten()
    }

    async fn ask<T>(&self, work: impl FnOnce(oneshot::Sender<T>) -> Work) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.work.send(work(done)).ok()?;
        answer.await.ok()
    }
}

struct Thread {
    evcxr: CommandContext,
    /// The process of user code is new and has not run [`START`].
    is_new: bool,
}

impl Thread {
    fn start(home: &Home, socket: &PathBuf) -> Result<Self, Error> {
        home.prepare()
            .map_err(|error| Error::Message(format!("{error:#}")))?;
        let program = std::env::current_exe()?;
        let mut relay = Command::new(program);
        relay.env(SOCKET, socket);
        let others = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
        let libraries = [others.as_str(), home.libraries()];
        let libraries = libraries.into_iter().filter(|path| !path.is_empty());
        relay.env("LD_LIBRARY_PATH", libraries.collect::<Vec<_>>().join(":"));
        let (evcxr, outputs) = EvalContext::with_subprocess_command(relay)?;
        home.show_library()?;
        // The relay prints nothing but its own failures; evcxr waits until both are read.
        thread::spawn(move || outputs.stdout.into_iter().for_each(drop));
        thread::spawn(move || {
            for line in outputs.stderr {
                tracing::warn!("rust cells: {line}");
            }
        });
        let mut this = Self {
            evcxr: CommandContext::with_eval_context(evcxr),
            is_new: true,
        };
        let prepare = |offline: u8| {
            let dependencies = home.dependencies();
            format!(":offline {offline}\n{dependencies}:offline 0\n{USE_PRELUDE}\n{START}")
        };
        let mut started = this.evcxr.execute(&prepare(home.is_warm().into()));
        if started.is_err() && home.is_warm() {
            // What was built is there, but cargo has lost the sources.
            started = this.evcxr.execute(&prepare(0));
        }
        started?;
        this.is_new = false;
        home.keep_warm();
        Ok(this)
    }

    fn run(&mut self, work: &mpsc::Receiver<Work>) {
        while let Ok(work) = work.recv() {
            match work {
                Work::Execute { code, done } => drop(done.send(self.execute(&code))),
                Work::Complete {
                    code,
                    position,
                    done,
                } => drop(done.send(self.evcxr.completions(&code, position).ok())),
                Work::Inspect {
                    code,
                    position,
                    done,
                } => drop(done.send(self.evcxr.hover_at(&code, position).ok())),
            }
        }
    }

    fn execute(&mut self, code: &str) -> Finished {
        let result = self.start_process().and_then(|()| self.evcxr.execute(code));
        if let Err(Error::SubprocessTerminated(_)) = &result {
            self.is_new = true;
        }
        let variables = self.evcxr.variables_and_types();
        let mut variables: Vec<(String, String)> = variables
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .collect();
        variables.sort();
        let items = self.evcxr.defined_item_names();
        let mut items: Vec<String> = items.map(str::to_owned).collect();
        items.sort();
        Finished {
            result,
            variables,
            items,
            source: self.evcxr.last_source().unwrap_or_default(),
        }
    }

    fn start_process(&mut self) -> Result<(), Error> {
        if self.is_new {
            self.evcxr.execute(START)?;
            self.is_new = false;
        }
        Ok(())
    }
}
