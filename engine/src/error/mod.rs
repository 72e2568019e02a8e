//! The one error type that crosses the engine's boundary.
//!
//! An error names the thing that is wrong, carries Spark's condition name where Spark has one,
//! and, wherever one is known, a hint that each front end words so that it can be pasted.

pub(crate) mod hint;
mod sql_state;
mod translate;

use std::fmt;
use std::sync::Arc;

use datafusion::error::DataFusionError;

pub use hint::{Act, Hint, Part, Streams, Wording};
pub(crate) use translate::{ANSI_SETTING, SEARCH_PATH, quoted};
pub use translate::{check_unique_columns, from_datafusion, syntax_error, unresolved_column};

/// `Result` with the engine's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error; also decides the exception name a notebook shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The query's meaning is wrong: a missing column, an unsupported combination.
    Analysis,
    /// The text could not be parsed.
    Parse,
    /// An argument or option is wrong.
    IllegalArgument,
    /// A value could not be computed: division by zero, overflow, a failed cast.
    Runtime,
    /// A running query died.
    StreamingQuery,
    /// Reading or writing failed outside the engine.
    Io,
    /// A mistake of the engine's own.
    Internal,
}

/// Whether an error, or what it came from, is that there is no room, or no more for this user.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let own = error.downcast_ref::<std::io::Error>();
    let own = own.map(std::io::Error::kind);
    matches!(own, Some(StorageFull | QuotaExceeded | FileTooLarge))
        || error.source().is_some_and(is_full)
}

/// Spark's condition for work that was cancelled.
const CANCELLED: &str = "OPERATION_CANCELED";

/// Where in a text something stands, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// An error with everything a notebook needs to show it.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    condition: Option<String>,
    parameters: Box<[(&'static str, String)]>,
    message: String,
    hint: Option<Box<Hint>>,
    place: Option<Place>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` is lower case, without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            condition: None,
            parameters: Box::default(),
            message: message.into(),
            hint: None,
            place: None,
            source: None,
        }
    }

    /// Shorthand for [`ErrorKind::Analysis`].
    pub fn analysis(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Analysis, message)
    }

    /// Shorthand for [`ErrorKind::IllegalArgument`].
    pub fn illegal_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::IllegalArgument, message)
    }

    /// Shorthand for [`ErrorKind::Runtime`].
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Runtime, message)
    }

    /// The work was not wanted any more.
    pub fn cancelled() -> Self {
        Self::runtime("the query was asked to stop").with_condition(CANCELLED)
    }

    /// Whether it is [`Self::cancelled`].
    pub fn is_cancelled(&self) -> bool {
        self.condition() == Some(CANCELLED)
    }

    /// Shorthand for [`ErrorKind::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// An I/O failure while doing `what` ("read offset log batch 7").
    pub fn io(what: impl fmt::Display, source: std::io::Error) -> Self {
        let error = Self::new(ErrorKind::Io, format!("{what}: {source}"));
        error.with_hint_if_full(&source).with_source(source)
    }

    /// Says what to do if `cause` is that there is no room on a disk; otherwise leaves the error as
    /// it is.
    pub fn with_hint_if_full(self, cause: &(dyn std::error::Error + 'static)) -> Self {
        match is_full(cause) {
            true => {
                self.with_hint("make room there and start the query again: it goes on where it was")
            }
            false => self,
        }
    }

    /// Adds a hint if there is none.
    pub fn or_hint(self, hint: impl Into<Hint>) -> Self {
        match self.hint {
            Some(_) => self,
            None => self.with_hint(hint),
        }
    }

    /// Adds Spark's condition name, e.g. `STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION`.
    pub fn with_condition(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// Adds a parameter of the condition's message, by Spark's name.
    pub fn with_parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let mut parameters = self.parameters.into_vec();
        parameters.push((name, value.into()));
        self.parameters = parameters.into_boxed_slice();
        self
    }

    /// Says what the user can do.
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(Box::new(hint.into()));
        self
    }

    /// Keeps the error this one came from.
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Says where in the query it is, if that is known and not said yet.
    pub fn with_place(mut self, place: Option<Place>) -> Self {
        self.place = self.place.or(place);
        self
    }

    /// Shows the place in the text of the query, with a mark under it.
    pub fn shown_in(mut self, text: &str) -> Self {
        if let Some(Place { line, column }) = self.place.take() {
            self.message
                .push_str(&translate::shown_place(text, line, column));
        }
        self
    }

    /// The same of a function that is known by another name.
    pub fn renamed(mut self, own: &str, shown: &str) -> Self {
        self.message = self.message.replace(own, shown);
        self.hint = self.hint.map(|hint| Box::new(hint.renamed(own, shown)));
        self
    }

    /// Puts verb and object in front of the message: `start query 'q': …`.
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Turns the error into the failure of a running query, keeping condition and hint.
    pub fn into_streaming_query(mut self) -> Self {
        self.kind = ErrorKind::StreamingQuery;
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Spark's condition name, when Spark has one.
    pub fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// The parameters of the condition's message that are known: Spark's name and value of each.
    pub fn parameters(&self) -> &[(&'static str, String)] {
        &self.parameters
    }

    /// The SQLSTATE of the condition, when Spark has one.
    pub fn sql_state(&self) -> Option<&'static str> {
        sql_state::of(self.condition()?)
    }

    /// The sentence, without condition and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the user can do, in Spark's names.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref().map(Hint::as_str)
    }

    /// What the user can do, for a front end to word.
    pub fn advice(&self) -> Option<&Hint> {
        self.hint.as_deref()
    }

    /// The stable exception name: `AnalysisException`, `ParseException`, ….
    pub fn ename(&self) -> &'static str {
        match self.kind {
            ErrorKind::Analysis => "AnalysisException",
            ErrorKind::Parse => "ParseException",
            ErrorKind::IllegalArgument => "IllegalArgumentException",
            ErrorKind::Runtime => "SparkRuntimeException",
            ErrorKind::StreamingQuery => "StreamingQueryException",
            ErrorKind::Io => "IOException",
            ErrorKind::Internal => "InternalException",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(condition) = &self.condition {
            write!(f, "[{condition}] ")?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}
