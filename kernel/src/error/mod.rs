//! The one error type that a cell ends with: exactly one per cell, with a stable name.

mod wording;

use std::any::Any;
use std::fmt;

use tidebook_engine::Hint;

pub(crate) use wording::{Magics, RustCalls};

/// `Result` of everything a cell does.
pub(crate) type Result<T, E = CellError> = std::result::Result<T, E>;

/// Why a cell is red.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellError {
    /// The stable name: `AnalysisException`, `UsageError`, ….
    pub ename: String,
    /// The sentence, with Spark's condition name in front where Spark has one.
    pub evalue: String,
    /// Lines that show more than the sentence can say, coloured with ANSI codes.
    pub details: Box<[String]>,
    /// How the language of the cell shows it; if there is any, that is all of it.
    pub own_traceback: Vec<String>,
    /// One action the user can paste, in magics.
    pub hint: Option<String>,
    /// What only those need who word the error otherwise.
    parts: Option<Box<Parts>>,
}

/// The parts of an error that is told in one sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Parts {
    /// Spark's condition name.
    condition: Option<String>,
    /// The hint as data, if it is the engine's.
    advice: Option<Hint>,
}

impl CellError {
    /// An error of this name.
    pub(crate) fn new(ename: impl Into<String>, evalue: impl Into<String>) -> Self {
        Self {
            ename: ename.into(),
            evalue: evalue.into(),
            details: Box::default(),
            own_traceback: Vec::new(),
            hint: None,
            parts: None,
        }
    }

    /// A cell that was typed wrongly: an unknown magic, flag or value.
    pub(crate) fn usage(evalue: impl Into<String>) -> Self {
        Self::new("UsageError", evalue)
    }

    /// A cell that the user cancelled.
    pub(crate) fn interrupted() -> Self {
        Self::new(
            "KeyboardInterrupt",
            "the cell was interrupted; running queries go on",
        )
    }

    /// A mistake of the kernel's own.
    pub(crate) fn internal(evalue: impl std::fmt::Display) -> Self {
        Self::new("InternalException", evalue.to_string())
    }

    /// The same, with what a panic says.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::internal(format!("the kernel panicked in this cell: {message}"))
    }

    /// Adds one action the user can paste.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error for a Rust cell: with what there is to do in calls.
    pub(crate) fn in_rust(mut self) -> Self {
        if let Some(advice) = self.parts.as_mut().and_then(|parts| parts.advice.take()) {
            self.hint = Some(advice.worded(&RustCalls));
        }
        self
    }

    /// Spark's condition name, when Spark has one.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.parts.as_ref()?.condition.as_deref()
    }

    /// The sentence without the condition.
    pub(crate) fn sentence(&self) -> &str {
        let condition = self.condition();
        let prefix = condition.map(|condition| format!("[{condition}] "));
        let sentence = prefix.and_then(|prefix| self.evalue.strip_prefix(&prefix));
        sentence.unwrap_or(&self.evalue)
    }

    /// Adds lines that show more than the sentence can say.
    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details.into_boxed_slice();
        self
    }

    /// Shown as the language of the cell shows it.
    pub(crate) fn shown_as(mut self, lines: Vec<String>) -> Self {
        self.own_traceback = lines;
        self
    }

    /// The error without its name, as user code prints it.
    pub(crate) fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}\nhint: {hint}", self.evalue),
            None => self.evalue.clone(),
        }
    }

    /// What the notebook shows, line by line: name and sentence first, then the hint.
    pub(crate) fn traceback(&self) -> Vec<String> {
        let mut lines = vec![format!("{}: {}", self.ename, self.evalue)];
        lines.extend(self.details.iter().cloned());
        lines.extend(self.hint.as_ref().map(|hint| format!("hint: {hint}")));
        lines
    }
}

impl From<tidebook_engine::Error> for CellError {
    fn from(error: tidebook_engine::Error) -> Self {
        let condition = error.condition().map(|name| format!("[{name}] "));
        Self {
            ename: error.ename().to_owned(),
            evalue: format!("{}{}", condition.unwrap_or_default(), error.message()),
            details: Box::default(),
            own_traceback: Vec::new(),
            hint: error.advice().map(|hint| hint.worded(&Magics)),
            parts: Some(Box::new(Parts {
                condition: error.condition().map(str::to_owned),
                advice: error.advice().cloned(),
            })),
        }
    }
}

impl From<tidebook_remote::Error> for CellError {
    fn from(error: tidebook_remote::Error) -> Self {
        use tidebook_remote::Kind;
        let hint = match error.kind {
            Kind::Lost => Some(
                "when the server is there again, %connect as before: its queries go on meanwhile and are found again",
            ),
            Kind::SessionGone => {
                Some("%connect as before begins a new session; views have to be made again")
            }
            Kind::Unauthenticated => Some("%connect \"sc://HOST:PORT/;use_ssl=true;token=TOKEN\""),
            Kind::Refused => None,
        };
        Self {
            hint: hint.map(str::to_owned),
            parts: Some(Box::new(Parts {
                condition: error.condition.clone(),
                advice: None,
            })),
            ..Self::new(error.ename.clone(), error.to_string())
        }
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceback().join("\n"))
    }
}

impl std::error::Error for CellError {}

#[cfg(test)]
mod tests {
    use tidebook_engine::Error;

    use super::*;

    #[test]
    fn engine_errors_keep_condition_and_hint() {
        let error = Error::analysis("append needs a watermark")
            .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION")
            .with_hint("use --mode update");
        assert_eq!(
            CellError::from(error).traceback(),
            [
                "AnalysisException: [STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] \
                 append needs a watermark",
                "hint: use --mode update",
            ]
        );
    }

    #[test]
    fn panics_keep_their_message() {
        let error = CellError::panicked(&"index out of bounds");
        assert!(error.evalue.ends_with("index out of bounds"), "{error}");
    }
}
