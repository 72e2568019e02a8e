//! When batches run, and which rows they write.

use crate::protobuf::Message;

/// When batches run.
///
/// ```
/// use tidebook::prelude::*;
///
/// let every_second = Trigger::processing_time("1 second");
/// let all_there_is = Trigger::AvailableNow;
/// # let _ = (every_second, all_there_is);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// At this interval, e.g. `10 seconds`; without a trigger, one batch after the other.
    ProcessingTime(String),
    /// One batch of what is there; [`AvailableNow`](Self::AvailableNow) is better.
    Once,
    /// What is there, in as many batches as the options of the source make of it; then it ends.
    AvailableNow,
    /// Rows leave as they come, at least once, with a commit at this interval. For filters and
    /// projections.
    Continuous(String),
    /// Rows leave as they come, at least once, in batches that last so long. For every query.
    RealTime(String),
}

impl Trigger {
    /// At this interval, e.g. `10 seconds`.
    pub fn processing_time(interval: impl Into<String>) -> Self {
        Self::ProcessingTime(interval.into())
    }

    /// Rows leave as they come, with a commit at this interval.
    pub fn continuous(interval: impl Into<String>) -> Self {
        Self::Continuous(interval.into())
    }

    /// Rows leave as they come, in batches that last so long.
    pub fn real_time(batch_duration: impl Into<String>) -> Self {
        Self::RealTime(batch_duration.into())
    }

    /// Writes the field of `WriteStreamOperationStart`.
    pub(super) fn write(&self, start: Message) -> Message {
        match self {
            Self::ProcessingTime(interval) => start.string(5, interval),
            Self::AvailableNow => start.bool(6, true),
            Self::Once => start.bool(7, true),
            Self::Continuous(interval) => start.string(8, interval),
            Self::RealTime(duration) => start.string(100, duration),
        }
    }
}

/// Which rows of the result a batch writes. Methods also take the names `append`, `update` and
/// `complete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputMode {
    /// Rows that will not change any more.
    Append,
    /// Rows that have changed.
    Update,
    /// All rows.
    Complete,
}

impl AsRef<str> for OutputMode {
    fn as_ref(&self) -> &str {
        match self {
            Self::Append => "append",
            Self::Update => "update",
            Self::Complete => "complete",
        }
    }
}
