//! Which rows a batch hands to its sink.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Spark's output modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OutputMode {
    /// Only rows that will never change.
    #[default]
    Append,
    /// Only rows that changed in this batch.
    Update,
    /// The whole result table, every batch.
    Complete,
}

impl OutputMode {
    /// All modes, in the order Spark lists them.
    pub const ALL: [OutputMode; 3] = [Self::Append, Self::Update, Self::Complete];

    /// Spark's lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Update => "update",
            Self::Complete => "complete",
        }
    }
}

impl fmt::Display for OutputMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OutputMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| {
                Error::illegal_argument(format!("unknown output mode '{text}'"))
                    .with_condition("STREAMING_OUTPUT_MODE.INVALID")
                    .with_parameter("outputMode", text)
                    .with_hint("use one of append, update, complete")
            })
    }
}
