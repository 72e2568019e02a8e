//! Why something that a cell asked for was not done.

use std::fmt;
use std::io;

use crate::wire::Failure;

/// What can fail, fails with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The name that the official client gives to [`Error`].
pub type SparkError = Error;

/// Why something failed: Spark's condition, a sentence, and what to do about it.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    failure: Box<Failure>,
}

impl Error {
    /// An error of user code, for example to return from [`foreach_batch`].
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// fn check(rows: i64) -> Result<()> {
    ///     if rows < 0 {
    ///         return Err(Error::new(format!("{rows} rows cannot be")));
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// [`foreach_batch`]: crate::streaming::DataStreamWriter::foreach_batch
    pub fn new(message: impl Into<String>) -> Self {
        Self::of("RustError", message.into())
    }

    pub(crate) fn of(ename: &str, message: String) -> Self {
        Failure {
            ename: ename.to_string(),
            condition: None,
            message,
            hint: None,
        }
        .into()
    }

    pub(crate) fn with_condition(mut self, condition: impl Into<String>) -> Self {
        self.failure.condition = Some(condition.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.failure.hint = Some(hint.into());
        self
    }

    /// The kind of error, as the notebook shows it: `AnalysisException`, `ParseException`,
    /// `StreamingQueryException`, `RustPanic`, …
    pub fn ename(&self) -> &str {
        &self.failure.ename
    }

    /// Spark's name of the condition, e.g. `UNRESOLVED_COLUMN.WITH_SUGGESTION`, where it has one.
    pub fn condition(&self) -> Option<&str> {
        self.failure.condition.as_deref()
    }

    /// The sentence, without condition and hint.
    pub fn message(&self) -> &str {
        &self.failure.message
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.failure.hint.as_deref()
    }

    pub(crate) fn into_failure(self) -> Failure {
        *self.failure
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self {
            failure: Box::new(failure),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::of("RustError", error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::of("RustError", error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(condition) = self.condition() {
            write!(f, "[{condition}] ")?;
        }
        f.write_str(self.message())?;
        match self.hint() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// `unwrap` and `expect` print this, so it reads like the error itself.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.ename())
    }
}

impl std::error::Error for Error {}
