//! Versioned state of stateful operators.
//!
//! **Batch N reads version N and commits version N+1.** In memory the newest version is changed in
//! place while a batch runs; when the batch fails its query ends, and a restart loads version N
//! from the checkpoint, which only [`StateStore::commit`] writes.

mod columnar;
mod files;
#[cfg(test)]
mod tests;

use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::Rows;

use crate::error::Result;
use columnar::ColumnarState;
use files::StateFiles;

/// Where a key's row is; valid until the next change of the store.
pub type Slot = u32;

/// The state of one operator in one partition: rows of key columns followed by value columns, at
/// most one per key, each with an optional expiry.
#[derive(Debug)]
pub struct StateStore {
    memory: ColumnarState,
    files: StateFiles,
    version: i64,
    written: Vec<RecordBatch>,
    evicted_through: Option<i64>,
}

/// Key columns in the store's own encoding.
pub struct EncodedKeys {
    rows: Rows,
    hashes: Vec<u64>,
}

impl EncodedKeys {
    /// The encoded key of row `row`.
    pub fn key(&self, row: usize) -> &[u8] {
        self.rows.row(row).data()
    }

    /// The hash of the key of row `row`.
    pub fn hash(&self, row: usize) -> u64 {
        self.hashes[row]
    }

    /// How many keys.
    pub fn num_keys(&self) -> usize {
        self.hashes.len()
    }
}

impl StateStore {
    /// Opens version `version` of the state in `directory` (0: empty). `schema` holds the
    /// `key_columns` key columns, then the value columns. A state that was written with other
    /// columns is refused.
    pub fn open(
        directory: &Path,
        durable: bool,
        schema: SchemaRef,
        key_columns: usize,
        version: i64,
    ) -> Result<Self> {
        let files = StateFiles::new(directory, durable, key_columns);
        let mut memory = ColumnarState::new(schema.clone(), key_columns)?;
        for delta in files.load(version, &schema)? {
            for rows in &delta.rows {
                let (rows, expiry) = files::split_expiry(rows, &schema)?;
                let keys = memory.encode(&rows.columns()[..key_columns])?;
                memory.upsert(rows, keys, Some(&expiry))?;
            }
            if let Some(through) = delta.evicted_through {
                memory.evict(through);
            }
        }
        memory.compact()?;
        Ok(Self {
            memory,
            files,
            version,
            written: Vec::new(),
            evicted_through: None,
        })
    }

    /// Key columns and value columns of the rows.
    pub fn schema(&self) -> &SchemaRef {
        self.memory.schema()
    }

    /// Encodes key columns for [`Self::find`] and [`Self::upsert`].
    pub fn encode(&self, keys: &[ArrayRef]) -> Result<EncodedKeys> {
        self.memory.encode(keys)
    }

    /// The slot of a key, if the key is held.
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Slot> {
        self.memory.find(hash, key)
    }

    /// The rows at `slots`, in that order, all columns.
    pub fn rows(&self, slots: &[Slot]) -> Result<RecordBatch> {
        self.memory.rows(slots)
    }

    /// All rows.
    pub fn all_rows(&self) -> Result<RecordBatch> {
        self.memory.rows(&self.memory.live_slots())
    }

    /// Adds rows or replaces those of the same key. `keys` are the encoded keys of `rows`, each
    /// once; `expiry`, if given, says at which watermark (in the operator's unit) each row expires.
    pub fn upsert(
        &mut self,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.written.push(files::with_expiry(&rows, expiry)?);
        self.memory.upsert(rows, keys, expiry)
    }

    /// Slots of the rows whose expiry is at or before `through`, by expiry.
    pub fn expired(&self, through: i64) -> Vec<Slot> {
        self.memory.expired(through)
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub fn evict(&mut self, through: i64) -> usize {
        let evicted = self.memory.evict(through);
        if evicted > 0 {
            self.evicted_through = self.evicted_through.max(Some(through));
        }
        evicted
    }

    /// Whether any row expires at or before `through`.
    pub fn has_expired(&self, through: i64) -> bool {
        self.memory.has_expired(through)
    }

    /// Removes rows, whatever their expiry.
    pub fn remove(&mut self, slots: &[Slot]) -> Result<()> {
        if slots.is_empty() {
            return Ok(());
        }
        // In the delta, too, a removed row is one that expires before all others.
        let rows = self.rows(slots)?;
        let keys = self.encode(&rows.columns()[..self.memory.key_columns()])?;
        self.upsert(rows, keys, Some(&vec![Some(i64::MIN); slots.len()]))?;
        self.evict(i64::MIN);
        Ok(())
    }

    /// Writes what changed as the next version; returns that version.
    pub fn commit(&mut self) -> Result<i64> {
        let next = self.version + 1;
        self.files
            .write_delta(next, self.schema(), &self.written, self.evicted_through)?;
        self.written.clear();
        self.evicted_through = None;
        self.version = next;
        self.memory.compact()?;
        if self.files.wants_snapshot(next) {
            let rows = self.memory.rows_with_expiry()?;
            self.files.write_snapshot(next, self.schema(), rows);
        }
        Ok(next)
    }

    /// How many keys are held.
    pub fn num_keys(&self) -> usize {
        self.memory.len()
    }

    /// Bytes held in memory.
    pub fn memory_bytes(&self) -> usize {
        self.memory.memory_bytes()
    }
}
