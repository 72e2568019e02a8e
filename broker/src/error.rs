//! The two kinds of errors: [`Error`] for whoever runs a broker, `Failure` for whoever talks to one.

use std::fmt;

use kafka_protocol::ResponseError;

/// `Result` with a broker's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Something that a broker could not do, and the way out where one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    hint: Option<String>,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What was wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Kafka's code for what went wrong, and words for those versions of the protocol that carry them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: ResponseError,
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: ResponseError, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<ResponseError> for Failure {
    fn from(code: ResponseError) -> Self {
        Self::new(code, code.to_string())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::new(failure.message)
    }
}
