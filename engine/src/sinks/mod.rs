//! Where rows go: one [`Sink`] trait, one table of formats.
//!
//! **A sink gets the batch id and is idempotent**: a batch it has already taken is skipped.

use std::fmt::Debug;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use crate::error::Result;
use crate::output_mode::OutputMode;

/// A taker of batches.
#[async_trait]
pub trait Sink: Send + Sync + Debug {
    /// e.g. `FileSink[file:/data/out]`, `MemorySink`.
    fn description(&self) -> String;

    /// Takes one batch. Returns how many rows were written, or `None` where Spark reports -1.
    /// `rows` must be drained also when the batch is skipped: reading it updates the state.
    async fn add_batch(
        &self,
        batch_id: i64,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>>;
}
