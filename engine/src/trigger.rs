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
}

impl Default for Trigger {
    fn default() -> Self {
        Self::ProcessingTime(Duration::ZERO)
    }
}
