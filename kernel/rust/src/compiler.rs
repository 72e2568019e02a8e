//! The thread that owns evcxr: it compiles cells, one after the other, and has them run.
//!
//! Everything in evcxr wants `&mut self`, so whoever asks while a cell is worked on waits.

use std::collections::{BTreeMap, HashMap};
use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::thread;

use evcxr::{CommandContext, Error, EvalContext};
use tidebook_rust_protocol::{Answer, Completions, Finished, Outcome, Toolchain, Work};

use crate::diagnostics::diagnostic;
use crate::home::Home;

/// What a cell's `use` of the prelude and the kernel's own functions need. Named macros win over
/// those of std, a glob alone would be ambiguous.
const USE_PRELUDE: &str =
    "#[allow(unused_imports)] use tidebook::prelude::*; use tidebook::{eprintln, print};";
/// The macros among them.
const MACROS: [&str; 2] = ["eprintln", "print"];
/// Runs first in every new process.
const START: &str = "tidebook::start();";
/// evcxr learns from a cell that does not compile without it that cells may use `?`. If that were one
/// that ends in `…?`, it would show the value by its fields and not as what it is.
const QUESTION_MARK: &str = "Ok::<(), std::fmt::Error>(())?;";

/// Works until nobody sends work any more.
pub(crate) fn serve(work: &Receiver<Work>, mut answer: impl FnMut(&Answer)) {
    let mut evcxr = None;
    while let Ok(work) = work.recv() {
        let done = match (work, &mut evcxr) {
            (Work::Start(toolchain), _) => match Evcxr::start(toolchain, &mut answer) {
                Ok(started) => {
                    evcxr = Some(started);
                    Answer::Started(Ok(()))
                }
                Err(error) => Answer::Started(Err(error.to_string())),
            },
            (Work::Execute { code }, Some(evcxr)) => Answer::Finished(evcxr.execute(&code)),
            (Work::Complete { code, position }, Some(evcxr)) => {
                Answer::Completed(evcxr.complete(&code, position))
            }
            (Work::Inspect { code, position }, Some(evcxr)) => {
                Answer::Inspected(evcxr.context.hover_at(&code, position).ok())
            }
            (_, None) => Answer::Started(Err("it was not started".to_owned())),
        };
        answer(&done);
    }
}

struct Evcxr {
    context: CommandContext,
    /// The process of user code is new and has not run [`START`].
    is_new: bool,
}

impl Evcxr {
    /// Takes seconds.
    fn start(toolchain: Toolchain, answer: &mut impl FnMut(&Answer)) -> Result<Self, Error> {
        let whole = |error: anyhow::Error| Error::Message(format!("{error:#}"));
        let home = Home::new(toolchain).map_err(whole)?;
        if !home.is_warm() {
            answer(&Answer::Building);
        }
        home.prepare().map_err(whole)?;
        let mut relay = Command::new(env::current_exe()?);
        let others = env::var("LD_LIBRARY_PATH").unwrap_or_default();
        let libraries = [others.as_str(), home.libraries()];
        let libraries = libraries.into_iter().filter(|path| !path.is_empty());
        relay.env("LD_LIBRARY_PATH", libraries.collect::<Vec<_>>().join(":"));
        // What interrupts the compilers is not for user code.
        relay.process_group(0);
        let (evcxr, outputs) = EvalContext::with_subprocess_command(relay)?;
        home.show_library()?;
        // The relay prints nothing but its own failures; evcxr waits until both are read.
        thread::spawn(move || outputs.stdout.into_iter().for_each(drop));
        thread::spawn(move || {
            for line in outputs.stderr {
                eprintln!("rust cells: {line}");
            }
        });
        let mut this = Self {
            context: CommandContext::with_eval_context(evcxr),
            is_new: true,
        };
        let prepare = |offline: u8| {
            let dependencies = home.dependencies();
            format!(
                ":offline {offline}\n{dependencies}:offline 0\n{USE_PRELUDE}\n{START}\n{QUESTION_MARK}"
            )
        };
        let mut started = this.context.execute(&prepare(home.is_warm().into()));
        if started.is_err() && home.is_warm() {
            // What was built is there, but cargo has lost the sources.
            started = this.context.execute(&prepare(0));
        }
        started?;
        this.is_new = false;
        home.keep_warm();
        Ok(this)
    }

    fn execute(&mut self, code: &str) -> Finished {
        let result = self
            .start_process()
            .and_then(|()| self.context.execute(code));
        if let Err(Error::SubprocessTerminated(_)) = &result {
            self.is_new = true;
        }
        let outcome = match result {
            Ok(shown) => Outcome::Ran(content(shown.content_by_mime_type)),
            Err(Error::CompilationErrors(errors)) => {
                Outcome::DoesNotCompile(errors.iter().map(diagnostic).collect())
            }
            Err(Error::SubprocessTerminated(how)) => Outcome::ProcessEnded(how.trim().to_owned()),
            Err(error) => Outcome::Refused(error.to_string()),
        };
        let variables = self.context.variables_and_types();
        let mut variables: Vec<(String, String)> = variables
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .collect();
        variables.sort();
        let items = self.context.defined_item_names();
        let items = items.filter(|item| !MACROS.contains(item));
        let mut items: Vec<String> = items.map(str::to_owned).collect();
        items.sort();
        Finished {
            outcome,
            variables,
            items,
            source: self.context.last_source().unwrap_or_default(),
        }
    }

    fn complete(&mut self, code: &str, position: usize) -> Option<Completions> {
        let found = self.context.completions(code, position).ok()?;
        let texts = found.completions.into_iter();
        Some(Completions {
            texts: texts.map(|completion| completion.code).collect(),
            start: found.start_offset,
            end: found.end_offset,
        })
    }

    fn start_process(&mut self) -> Result<(), Error> {
        if self.is_new {
            self.context.execute(START)?;
            self.is_new = false;
        }
        Ok(())
    }
}

/// What a cell shows, by kind. evcxr passes off the text of `:type` as HTML too, where `Vec<i32>` would
/// be read as a `Vec`.
fn content(shown: HashMap<String, String>) -> BTreeMap<String, String> {
    let text = shown.get("text/plain").cloned();
    let is_html =
        |mime: &str, content: &String| mime != "text/html" || Some(content) != text.as_ref();
    let shown = shown.into_iter();
    shown
        .filter(|(mime, content)| is_html(mime, content))
        .collect()
}
