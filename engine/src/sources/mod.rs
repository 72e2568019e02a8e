//! Where rows come from: one [`Source`] trait, one table of formats.
//!
//! **`get_batch(start, end)` is repeatable**: after a restart the same offsets give the same rows.

pub mod file;
mod format;
mod kafka;
mod memory;
mod rate;
mod registry;
mod socket;
mod state;
mod tasks;
#[cfg(test)]
mod testing;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::SendableRecordBatchStream;
use futures::future::BoxFuture;

pub use format::{Columns, SourceContext, SourceFormat, StreamRequest, TableRequest};
pub use memory::{MemoryStream, MemoryStreamSource};
pub use registry::{SOURCE_FORMATS, define_stream, open_table, source_format};
pub use state::{CheckpointState, StateOfStore, StoreSelection};

use crate::error::Result;
use crate::why::InputWhy;

/// A position in a source, as it stands in the offset log.
pub type Offset = serde_json::Value;

/// A table that a query reads.
pub type TableProviderRef = Arc<dyn TableProvider>;

/// How much of what is available one batch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadLimit {
    /// What the source's own options say (`maxFilesPerTrigger`, …).
    Options,
    /// Everything, whatever the options say (`Trigger.Once`).
    AllAvailable,
}

/// What Spark calls a source that its continuous processing does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotContinuous {
    /// An operation that a plan may not have.
    Operation(&'static str),
    /// A format.
    Format(&'static str),
}

/// What a stream reads, before any query reads it. Every query that does makes a [`Source`] of its
/// own from it.
pub trait SourceDefinition: Any + Send + Sync + Debug {
    /// The columns of its rows.
    fn schema(&self) -> SchemaRef;

    /// e.g. `FileStreamSource[file:/data/in]`.
    fn description(&self) -> String;

    /// What a restart must find unchanged; by default all that the description says.
    fn identity(&self) -> String {
        self.description()
    }

    /// Why Spark's continuous processing does not read it, if it does not.
    fn not_continuous(&self) -> Option<NotContinuous> {
        None
    }

    /// The same with a column `_metadata` that says which file a row is of, if it is one of files.
    fn with_metadata(&self) -> Option<Arc<dyn SourceDefinition>> {
        None
    }

    /// A source for one run of one query. Reads its part of the checkpoint, and waits for nothing.
    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>>;
}

/// A stream of rows with offsets.
///
/// Its methods may wait for whatever the rows come from. When the query is asked to stop, the future
/// is dropped where it waits; what runs on a thread of its own looks at the context's cancellation.
#[async_trait]
pub trait Source: Send + Debug {
    /// e.g. `FileStreamSource[file:/data/in]`.
    fn description(&self) -> String;

    /// The columns of its rows.
    fn schema(&self) -> SchemaRef;

    /// The end of the next batch that starts after `start`; equal to `start` when there is nothing
    /// new, `None` when there never was anything. Called once per trigger; all sources of a query
    /// are asked at once.
    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        limit: ReadLimit,
    ) -> Result<Option<Offset>>;

    /// Rows after `start` up to and including `end`. Must work for any pair that stands in the
    /// offset log, also in a new process.
    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>>;

    /// Everything up to `end` is committed and will not be asked for again.
    async fn commit(&mut self, end: &Offset) -> Result<()>;

    /// From now on offer only what is there now (`Trigger.AvailableNow`).
    async fn prepare_for_trigger_available_now(&mut self) -> Result<()>;

    /// Is done once [`Source::latest_offset`] may have more to offer than it did last, or fails;
    /// `None` if the source cannot tell, so that it has to be asked.
    fn new_data(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// The newest offset there is, whatever a batch may take: `latestOffset` in the progress. As of
    /// the last call of [`Source::latest_offset`]; `None` if the source does not know.
    fn report_latest_offset(&self) -> Option<Offset> {
        None
    }

    /// What people should know while nothing new comes; part of the status of the query. As of the
    /// last call of [`Source::latest_offset`].
    fn remark(&self) -> Option<String> {
        None
    }

    /// Says what the source has and what it leaves out, to whoever asks why nothing comes. It is asked
    /// from elsewhere while the query runs.
    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        None
    }

    /// Counters for `SourceProgress.metrics` that depend on how far the query has read.
    fn metrics(&self, _consumed: Option<&Offset>) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// Looks at a source from beside the query that reads it.
pub trait SourceInspector: Send + Sync + Debug {
    /// What it has now. May read folders.
    fn inspect(&self) -> Result<InputWhy>;
}

/// What a source of which nothing more is to be known says of itself.
#[derive(Debug)]
pub(crate) struct Said(pub InputWhy);

impl SourceInspector for Said {
    fn inspect(&self) -> Result<InputWhy> {
        Ok(self.0.clone())
    }
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
