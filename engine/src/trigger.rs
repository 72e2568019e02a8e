//! When a query runs its next batch.

use std::time::Duration;

/// Spark's triggers that this engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A batch per interval, aligned to the epoch; zero means as soon as there is data.
    ProcessingTime(Duration),
    /// One batch over everything there is, without rate limits, then the query ends.
    Once,
    /// Batches, within rate limits, over everything there was at the start; then the query ends.
    AvailableNow,
    /// Rows leave as they come, and what was read is committed once per interval: at least once. Only
    /// projections and filters, as in Spark. Zero commits as soon as rows have left.
    Continuous(Duration),
    /// The same for every query: a batch lasts so long, and its rows leave as they come.
    RealTime(Duration),
}

impl Trigger {
    /// How long a batch takes in rows, if they leave as they come.
    pub(crate) fn follows(self) -> Option<Duration> {
        match self {
            Self::Continuous(interval) | Self::RealTime(interval) => Some(interval),
            Self::ProcessingTime(_) | Self::Once | Self::AvailableNow => None,
        }
    }
}

impl Default for Trigger {
    fn default() -> Self {
        Self::ProcessingTime(Duration::ZERO)
    }
}
