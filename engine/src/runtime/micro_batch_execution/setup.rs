//! What a run is made with, and what makes a query the query of its checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checkpointing::{CheckpointFileManager, CheckpointLock};
use crate::clock::Clock;
use crate::plan::IncrementalExecution;
use crate::runtime::fault::FaultHook;
use crate::runtime::watermark_tracker::WatermarkPolicy;
use crate::sinks::Sink;
use crate::sources::Source;
use crate::state::StateStoreKind;
use crate::trigger::Trigger;

/// The setting that says how several watermarks become one.
pub(crate) const WATERMARK_POLICY: &str = "spark.sql.streaming.multipleWatermarkPolicy";

/// The entry of the logged settings that lists the sources of the query.
pub(crate) const SOURCES: &str = "tidebook.query.sources";

/// The entry of the logged settings that lists its stateful operators.
pub(crate) use crate::checkpointing::STATEFUL_OPERATORS;

/// When a query ends by itself, whatever its trigger; the first that is reached counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunEnd {
    /// After this many batches of the run, those without data included.
    pub batches: Option<u64>,
    /// After the batch that brings the rows read by the run to this many.
    pub rows: Option<u64>,
}

/// Everything a run needs.
pub(crate) struct QuerySetup {
    /// The planned query.
    pub execution: IncrementalExecution,
    /// Its sources, by source number.
    pub sources: Vec<Box<dyn Source>>,
    /// Where its rows go.
    pub sink: Arc<dyn Sink>,
    /// Its checkpoint.
    pub checkpoint: CheckpointFileManager,
    /// Keeps other queries away from it.
    pub lock: Option<CheckpointLock>,
    /// How many batches stay in its logs.
    pub batches_to_retain: i64,
    /// The checkpoint's folder, if nobody named one.
    pub temporary: Option<Arc<tempfile::TempDir>>,
    /// Whether every batch is forced to disk.
    pub durable: bool,
    /// Where the state is held.
    pub state_store: StateStoreKind,
    /// When batches run.
    pub trigger: Trigger,
    /// When there are to be no more.
    pub end: RunEnd,
    /// How several watermarks become one.
    pub watermark_policy: WatermarkPolicy,
    /// Whether a batch without new rows runs when only the watermark has moved.
    pub no_data_batches: bool,
    /// How many partitions large batches use.
    pub partitions: usize,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// For tests: ends the query at chosen places.
    pub fault: Option<FaultHook>,
    /// Settings that are logged with the offsets.
    pub conf: BTreeMap<String, String>,
}
