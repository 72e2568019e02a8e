//! What the nodes of a physical plan learn about the batch they execute.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use parking_lot::RwLock;

use crate::sources::SourceBatch;

/// Shared by all nodes of one query's physical plan.
#[derive(Debug, Default)]
pub(crate) struct BatchContext {
    batch: RwLock<Batch>,
    timestamp_ms: AtomicI64,
    state_partitions: AtomicUsize,
}

/// One batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// What `current_timestamp()` gives throughout the batch.
    pub timestamp_ms: i64,
    /// What each source gives; `None` where it has nothing new.
    pub inputs: Vec<Option<Arc<InputPart>>>,
}

/// The rows of one source in one batch.
#[derive(Debug)]
pub(crate) struct InputPart {
    /// The rows, not yet read.
    pub rows: Box<dyn SourceBatch>,
    /// How many partitions are worth using for them.
    pub partitions: usize,
    /// How many rows were read so far.
    pub num_rows: AtomicI64,
}

impl BatchContext {
    /// Sets the batch that is executed next.
    pub(crate) fn set(&self, batch: Batch) {
        self.timestamp_ms
            .store(batch.timestamp_ms, Ordering::Release);
        *self.batch.write() = batch;
    }

    /// The batch that is being executed.
    pub(crate) fn batch(&self) -> Batch {
        self.batch.read().clone()
    }

    /// `current_timestamp()` of the batch that is being executed.
    pub(crate) fn timestamp_ms(&self) -> i64 {
        self.timestamp_ms.load(Ordering::Acquire)
    }

    /// The rows of source `source`, if it has any.
    pub(crate) fn input(&self, source: usize) -> Option<Arc<InputPart>> {
        self.batch.read().inputs.get(source).cloned().flatten()
    }

    /// Whether any source uses more than one partition.
    pub(crate) fn is_parallel(&self) -> bool {
        let batch = self.batch.read();
        batch
            .inputs
            .iter()
            .flatten()
            .any(|input| input.partitions > 1)
    }

    /// Has states that can be divided be so from the first batch on, not only from a large one.
    pub(crate) fn divide_states(&self, partitions: usize) {
        self.state_partitions.store(partitions, Ordering::Release);
    }

    /// Into how many parts states are divided, however small the batch; 0 if that is left to the batch.
    pub(crate) fn state_partitions(&self) -> usize {
        self.state_partitions.load(Ordering::Acquire)
    }

    /// Forgets the inputs, so that what they hold is freed between batches.
    pub(crate) fn clear_inputs(&self) {
        self.batch.write().inputs.clear();
    }
}
