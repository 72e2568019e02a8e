//! From how a cell ended to what the notebook shows.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use tidebook_rust_protocol::{Finished, Outcome as Compiled};

use super::child::{Outcome, Panic};
use super::compile_error::compile_error;
use super::program::Program;
use super::{RustCells, sentence};
use crate::context::Known;
use crate::display::MimeBundle;
use crate::error::{CellError, Result};
use crate::outputs::Outputs;

impl RustCells {
    /// The one result of a cell, from what the compiler says and what the relay told.
    pub(super) fn conclude(
        &self,
        code: &str,
        finished: Finished,
        outcome: Option<Outcome>,
        before: &Known,
        outputs: &Outputs,
    ) -> Result<()> {
        if self.interrupted.load(Ordering::Acquire) {
            return Err(match outcome {
                Some(Outcome::Died(_)) => killed(before),
                _ => CellError::interrupted(),
            });
        }
        match (finished.outcome, outcome) {
            (Compiled::DoesNotCompile(errors), _) => Err(compile_error(&errors, code)),
            (Compiled::ProcessEnded(_), Some(Outcome::Died(how)))
            | (Compiled::ProcessEnded(how), _) => Err(died(&how, before)),
            (Compiled::Refused(why), _) => Err(CellError::new("RustCompileError", why)),
            (Compiled::Ran(_), Some(Outcome::Panicked(panic))) => {
                let program = Program::new("the cell", code, finished.source);
                Err(panicked(panic.as_ref(), &program))
            }
            (Compiled::Ran(_), Some(Outcome::Error(text))) => Err(self.returned(&text)),
            (Compiled::Ran(shown), _) => {
                show(&shown, outputs);
                self.not_shown.lock().take().map_or(Ok(()), Err)
            }
        }
    }

    /// An error that `?` has passed on: the engine's own comes back as it was.
    fn returned(&self, text: &str) -> CellError {
        let text = text.trim_end();
        match self.last_failure.lock().take() {
            Some(failure) if failure.text() == text => failure,
            _ => CellError::new("RustError", text),
        }
    }
}

/// What commands (`:vars`, `:dep`) have shown.
fn show(shown: &BTreeMap<String, String>, outputs: &Outputs) {
    if shown.is_empty() {
        return;
    }
    let mut bundle = MimeBundle::default();
    for (mime, content) in shown {
        bundle = bundle.with(mime, content.trim_end());
    }
    outputs.result(bundle);
}

fn panicked(panic: Option<&Panic>, program: &Program) -> CellError {
    let Some(panic) = panic else {
        return CellError::new("RustPanic", "the cell panicked, and no message was told");
    };
    let place = program.place(&panic.location);
    CellError::new("RustPanic", format!("{} ({place})", panic.message))
}

fn died(how: &str, before: &Known) -> CellError {
    let lost = sentence(before);
    CellError::new(
        "RustProcessDied",
        format!("the cell's process ended with {how}{lost}"),
    )
    .hint("run the cells that define them again; functions and types are kept, queries go on")
}

fn killed(before: &Known) -> CellError {
    let lost = sentence(before);
    CellError::new(
        "KeyboardInterrupt",
        format!(
            "the cell did not stop by itself, so its process was ended{lost}; running queries go on"
        ),
    )
}
