//! The rows of a state on disk as they were at some moment, read only when they are asked for.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use redb::{Range, ReadTransaction};

use super::codec::{Codec, StoredRow};
use super::{ROWS, disk_error, read_error};
use crate::error::Result;

/// Reads what was committed when it was made: what is written later does not show.
#[derive(Clone)]
pub(in crate::state) struct DiskRows {
    reading: Arc<ReadTransaction>,
    codec: Arc<Codec>,
}

impl DiskRows {
    pub(super) fn new(reading: Arc<ReadTransaction>, codec: Arc<Codec>) -> Self {
        Self { reading, codec }
    }

    /// The rows with their expiry, at most `at_once` in a batch, by key.
    pub(in crate::state) fn batches(
        &self,
        at_once: usize,
    ) -> Result<impl Iterator<Item = Result<(RecordBatch, Int64Array)>> + use<>> {
        let rows = self.reading.open_table(ROWS);
        let rows = rows.map_err(|error| disk_error("open", error))?;
        let range = rows.range::<&[u8]>(..).map_err(read_error)?;
        Ok(Batches {
            range,
            codec: Arc::clone(&self.codec),
            at_once,
        })
    }
}

struct Batches {
    range: Range<'static, &'static [u8], &'static [u8]>,
    codec: Arc<Codec>,
    at_once: usize,
}

impl Batches {
    fn read(&mut self) -> Result<Option<(RecordBatch, Int64Array)>> {
        let mut found = Vec::new();
        for row in self.range.by_ref().take(self.at_once) {
            let (key, stored) = row.map_err(read_error)?;
            found.push(StoredRow::new(key.value(), stored.value()));
        }
        if found.is_empty() {
            return Ok(None);
        }
        let expiry = found.iter().map(StoredRow::expiry).collect();
        Ok(Some((self.codec.decode(&found)?, expiry)))
    }
}

impl Iterator for Batches {
    type Item = Result<(RecordBatch, Int64Array)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
