//! Where rows go: one [`Sink`] trait, one table of formats.
//!
//! **A sink gets the batch id and is idempotent**: a batch it has already taken is skipped. With the
//! triggers whose rows leave as they come it gets a batch in parts, and after a crash the parts of the
//! last batch may come again, divided in another way: at least once.

mod batch_sink;
mod console;
mod file;
mod foreach;
mod foreach_batch;
mod format;
mod kafka;
mod memory;
mod noop;
mod registry;
#[cfg(test)]
mod testing;

use std::fmt::Debug;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use uuid::Uuid;

pub use batch_sink::{BatchSink, SaveMode};
pub use console::{ConsoleSink, ConsoleWriter};
pub(crate) use foreach::EachRow;
pub use foreach::{ForeachWriter, MakeForeachWriter};
pub use foreach_batch::{ForeachBatch, ForeachBatchSink};
pub use format::{BatchRequest, CreatedSink, SinkFormat, SinkRequest, Target};
pub use memory::{MemorySink, MemoryTable};
pub use noop::NoopSink;
pub use registry::{SINK_FORMATS, create_batch_sink, create_sink, sink_format};

use crate::error::{Error, Result};
use crate::output_mode::OutputMode;

/// A part of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The batch's number.
    pub batch_id: i64,
    /// Its own, in one run of the batch: 0 for the first.
    pub number: i64,
}

/// A taker of batches.
#[async_trait]
pub trait Sink: Send + Sync + Debug {
    /// e.g. `FileSink[file:/data/out]`, `MemorySink`.
    fn description(&self) -> String;

    /// A run of a query begins; nothing else is called before. What an earlier run has left
    /// unsettled is settled now.
    async fn open(&self, _query_id: Uuid, _run_id: Uuid) -> Result<()> {
        Ok(())
    }

    /// The last batch that the output holds, if it keeps account of them beyond this run.
    fn latest_batch_id(&self) -> Option<i64> {
        None
    }

    /// Takes one batch. Returns how many rows were written, or `None` where Spark reports -1.
    /// `rows` must be drained also when the batch is skipped: reading it updates the state.
    async fn add_batch(
        &self,
        batch_id: i64,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>>;

    /// Whether it takes batches in parts, and shows each part at once.
    fn takes_parts(&self) -> bool {
        false
    }

    /// Takes the rows that came since the last part of the same batch. Otherwise as
    /// [`Sink::add_batch`], which is what it is for a sink that keeps no account of batches.
    async fn add_part(
        &self,
        part: Part,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        self.add_batch(part.batch_id, output_mode, rows).await
    }

    /// The batch is in the commit log: it will not come again.
    async fn commit(&self, _batch_id: i64) -> Result<()> {
        Ok(())
    }

    /// The batch has failed and the run ends; what was written of it should not show.
    async fn abort(&self, _batch_id: i64) {}

    /// The run has ended, however it did. Not called after a crash.
    async fn close(&self) {}
}

/// Reads the rows to their end and counts them. What reading them does to the state is done then,
/// also if nobody wants the rows.
async fn drain(rows: SendableRecordBatchStream) -> Result<i64> {
    let count = rows.try_fold(0, async |count, batch| Ok(count + batch.num_rows() as i64));
    count.await.map_err(failed)
}

/// All rows of a batch, and how many there are.
async fn collect(rows: SendableRecordBatchStream) -> Result<(Vec<RecordBatch>, i64)> {
    let batches: Vec<RecordBatch> = rows.try_collect().await.map_err(failed)?;
    let count: usize = batches.iter().map(RecordBatch::num_rows).sum();
    Ok((batches, count as i64))
}

/// A batch could not be computed.
fn failed(error: DataFusionError) -> Error {
    crate::error::from_datafusion(error)
}
