//! Rows of a state as they were at some moment, copied only when they are asked for.

use arrow::array::{Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;

use super::{arrow_error, files};
use crate::error::Result;

/// Some rows of one batch, each with its expiry. As the batch never changes, they stay what they are
/// whatever becomes of the state.
#[derive(Debug)]
pub(super) struct LiveRows {
    batch: RecordBatch,
    rows: UInt32Array,
    expiry: Int64Array,
}

impl LiveRows {
    /// The rows of `batch` that `rows` says; `expiry` has one value for each of those.
    pub(super) fn new(batch: RecordBatch, rows: UInt32Array, expiry: Int64Array) -> Self {
        Self {
            batch,
            rows,
            expiry,
        }
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// At most `count` of the rows behind the first `from`, and their expiry.
    pub(super) fn taken(&self, from: usize, count: usize) -> Result<(RecordBatch, Int64Array)> {
        let count = count.min(self.rows.len().saturating_sub(from));
        let rows = take_record_batch(&self.batch, &self.rows.slice(from, count));
        Ok((rows.map_err(arrow_error)?, self.expiry.slice(from, count)))
    }

    /// The rows as the files hold them, at most `at_once` in a batch.
    pub(super) fn stored(
        &self,
        at_once: usize,
    ) -> impl Iterator<Item = Result<RecordBatch>> + Clone {
        (0..self.rows.len()).step_by(at_once).map(move |from| {
            let (rows, expiry) = self.taken(from, at_once)?;
            files::stored(&rows, expiry)
        })
    }
}
