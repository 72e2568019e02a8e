//! Where rows come from: one [`Source`] trait, one table of formats.
//!
//! **`get_batch(start, end)` is repeatable**: after a restart the same offsets give the same rows.

pub mod file;
mod memory;
mod registry;
mod spec;

use std::collections::BTreeMap;
use std::fmt::Debug;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;

pub use file::table as batch_table;
pub use memory::{MemoryStream, MemoryStreamSource};
pub use registry::{SOURCE_FORMATS, SourceFormat, define_source, source_format};
pub use spec::SourceSpec;

use crate::error::Result;

/// A position in a source, as it stands in the offset log.
pub type Offset = serde_json::Value;

/// How much of what is available one batch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadLimit {
    /// What the source's own options say (`maxFilesPerTrigger`, …).
    Options,
    /// Everything, whatever the options say (`Trigger.Once`).
    AllAvailable,
}

/// A stream of rows with offsets.
pub trait Source: Send + Sync + Debug {
    /// e.g. `FileStreamSource[file:/data/in]`.
    fn description(&self) -> String;

    /// The columns of its rows.
    fn schema(&self) -> SchemaRef;

    /// The end of the next batch that starts after `start`; equal to `start` when there is nothing
    /// new, `None` when there never was anything. Called once per trigger, off the async threads.
    fn latest_offset(&mut self, start: Option<&Offset>, limit: ReadLimit)
    -> Result<Option<Offset>>;

    /// Rows after `start` up to and including `end`. Must work for any pair that stands in the
    /// offset log, also in a new process.
    fn get_batch(&mut self, start: Option<&Offset>, end: &Offset) -> Result<Box<dyn SourceBatch>>;

    /// Everything up to `end` is committed and will not be asked for again.
    fn commit(&mut self, end: &Offset) -> Result<()>;

    /// From now on offer only what is there now (`Trigger.AvailableNow`).
    fn prepare_for_trigger_available_now(&mut self) -> Result<()>;
}

/// The rows of one batch of one source, not yet read.
pub trait SourceBatch: Send + Sync + Debug {
    /// How many of `max_partitions` are worth using: 1 for little data.
    fn partitions(&self, max_partitions: usize) -> usize;

    /// Opens partition `partition` of `partitions`; together they give every row once.
    /// `projection` holds indices into the source's schema, in the order wanted.
    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream>;

    /// Counters for `SourceProgress.metrics`, asked for after all partitions were read.
    fn metrics(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
