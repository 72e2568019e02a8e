//! The rows of some keys of a state, and what changed among them since the last commit.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::columnar::{Claim, ColumnarState};
use super::files;
use super::table::{HeldStill, NewRows, StateTable, one_row_per_key, stays_whole};
use super::{EncodedKeys, KeyEncoder, split_columns};
use crate::error::Result;

/// Rows of a state that were asked for by key.
#[derive(Debug)]
pub(crate) struct HeldRows {
    /// For each row, the number of the key it was asked for by; in the order of the keys.
    pub numbers: Vec<u32>,
    /// The rows, all columns.
    pub rows: RecordBatch,
}

/// A part of a state that can be worked on while others work on other parts: rows of key columns
/// followed by value columns, at most one per key, each with an optional expiry.
#[derive(Debug)]
pub(crate) struct StateShard {
    table: StateTable,
    written: Vec<RecordBatch>,
    evicted_through: Option<i64>,
}

impl StateShard {
    /// A part of a state whose rows are in `table`.
    pub(super) fn new(table: StateTable) -> Self {
        Self {
            table,
            written: Vec::new(),
            evicted_through: None,
        }
    }

    /// Key columns and value columns of the rows.
    pub(crate) fn schema(&self) -> &SchemaRef {
        self.table.schema()
    }

    /// Encodes key columns for the other methods.
    pub(crate) fn encode(&self, keys: &[ArrayRef]) -> Result<EncodedKeys> {
        self.encoder().encode(keys)
    }

    /// What encodes key columns.
    pub(crate) fn encoder(&self) -> &Arc<KeyEncoder> {
        self.table.encoder()
    }

    /// What encodes the key by which a state is divided: rows that share one stay together.
    pub(crate) fn dividing_encoder(&self) -> &Arc<KeyEncoder> {
        self.table
            .prefix_encoder()
            .unwrap_or_else(|| self.encoder())
    }

    /// What encodes the key that many rows share, in a table that has many rows per key.
    pub(crate) fn shared_encoder(&self) -> Result<&Arc<KeyEncoder>> {
        let encoder = self.table.prefix_encoder();
        encoder.ok_or_else(one_row_per_key)
    }

    /// The highest order that a row has or has had, in a table that has many rows per key.
    pub(crate) fn highest_order(&self) -> Option<i64> {
        let prefix = self.table.prefix_encoder()?;
        self.table.highest(prefix.columns())
    }

    /// Whether it holds no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.num_keys() == 0
    }

    /// Whether it cannot be divided.
    pub(super) fn stays_whole(&self) -> bool {
        stays_whole(&self.table)
    }

    /// The rows of those of `keys` that are held.
    pub(crate) fn held(&self, keys: &EncodedKeys) -> Result<HeldRows> {
        let (numbers, rows) = self.table.held(keys)?;
        Ok(HeldRows { numbers, rows })
    }

    /// All rows that share one of `keys`, in a table that has many rows per key.
    pub(crate) fn sharing(&self, keys: &EncodedKeys) -> Result<HeldRows> {
        let (numbers, rows) = self.table.sharing(keys)?;
        Ok(HeldRows { numbers, rows })
    }

    /// Adds rows of those of `keys` that are not held. `rows_at` makes them, given which of `keys` these
    /// are, each once: the first where it comes more than once.
    pub(crate) fn insert_new(
        &mut self,
        keys: EncodedKeys,
        rows_at: impl FnOnce(&[u32]) -> Result<NewRows>,
    ) -> Result<()> {
        if let Some(new) = self.table.insert_new(keys, rows_at)? {
            let expiry = new.expiry.as_deref();
            self.written.push(files::with_expiry(&new.rows, expiry)?);
        }
        Ok(())
    }

    /// All rows.
    pub(crate) fn all_rows(&self) -> Result<RecordBatch> {
        self.table.all_rows()
    }

    /// Groups rows by key and finds which of the keys are held. [`Self::write`] must follow.
    pub(crate) fn claim(&mut self, keys: &EncodedKeys) -> Result<Claim> {
        self.table.claim(keys)
    }

    /// The rows of the held keys of `claim`, which was made of `keys`, all columns.
    pub(crate) fn held_rows(&self, claim: &Claim, keys: &EncodedKeys) -> Result<RecordBatch> {
        self.table.held_rows(claim, keys)
    }

    /// Writes one row per group of `claim`, which was made of `keys`; `expiry`, if given, says at
    /// which watermark (in the operator's unit) each row expires.
    pub(crate) fn write(
        &mut self,
        claim: Claim,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        if rows.num_rows() > 0 {
            self.written.push(files::with_expiry(&rows, expiry)?);
        }
        self.table.write(claim, rows, keys, expiry)
    }

    /// Adds rows or replaces those of the same key. `keys` are the encoded keys of `rows`, each
    /// once; `expiry` as in [`Self::write`].
    pub(crate) fn upsert(
        &mut self,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        let claim = self.claim(&keys)?;
        self.write(claim, rows, keys, expiry)
    }

    /// The rows whose expiry is at or before `through`, by expiry, but for those of `keys`.
    pub(crate) fn expired(&self, through: i64, keys: Option<&EncodedKeys>) -> Result<RecordBatch> {
        self.table.expired(through, keys)
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub(crate) fn evict(&mut self, through: i64) -> Result<usize> {
        let evicted = self.table.evict(through)?;
        if evicted > 0 {
            self.evicted_through = self.evicted_through.max(Some(through));
        }
        Ok(evicted)
    }

    /// Removes the rows of those of `keys` that are held, whatever their expiry; returns how many.
    pub(crate) fn remove(&mut self, keys: &EncodedKeys) -> Result<usize> {
        let (numbers, rows) = self.table.held(keys)?;
        if numbers.is_empty() {
            return Ok(0);
        }
        // In the delta, too, a removed row is one that expires before all others.
        let keys = self.encoder().take(keys, &numbers);
        self.upsert(rows, keys, Some(&vec![Some(i64::MIN); numbers.len()]))?;
        self.evict(i64::MIN)
    }

    pub(super) fn has_expired(&self, through: i64) -> bool {
        self.table.has_expired(through)
    }

    /// The times at which rows expire, in order.
    pub(super) fn expiries(&self) -> Vec<i64> {
        self.table.expiries()
    }

    /// As [`super::StateStore::expire_by`].
    pub(super) fn expire_by(
        &mut self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<()> {
        for stored in self.table.expiring_otherwise(expiry)? {
            self.add(&stored)?;
            self.written.push(stored);
        }
        Ok(())
    }

    /// What `load` of the files gave.
    pub(super) fn apply(&mut self, delta: &files::Delta) -> Result<()> {
        for rows in &delta.rows {
            self.add(rows)?;
        }
        if let Some(through) = delta.evicted_through {
            self.table.evict(through)?;
        }
        Ok(())
    }

    /// Its rows and changes as those of several shards.
    pub(super) fn divided(self, shards: usize) -> Result<Vec<Self>> {
        let empty = || {
            let (schema, encoder) = (self.schema().clone(), Arc::clone(self.encoder()));
            let shared = self.table.prefix_encoder().cloned();
            Self::new(StateTable::Memory(
                ColumnarState::new(schema, encoder).with_prefixes(shared),
            ))
        };
        let mut divided: Vec<Self> = (0..shards).map(|_| empty()).collect();
        for stored in self.live_rows()?.stored(usize::MAX)? {
            let stored = stored?;
            let encoder = self.dividing_encoder();
            let (keys, _) = split_columns(&stored, encoder.columns())?;
            let keys = encoder.encode(keys)?;
            for (shard, rows) in divided.iter_mut().zip(keys.rows_of_shards(shards)) {
                shard.add(&super::take_rows(&stored, rows)?)?;
            }
        }
        if let [first, ..] = divided.as_mut_slice() {
            first.written = self.written;
            first.evicted_through = self.evicted_through;
        }
        Ok(divided)
    }

    /// What changed since the last call: rows with their expiry, and through where rows expired.
    pub(super) fn changes(&self) -> (&[RecordBatch], Option<i64>) {
        (&self.written, self.evicted_through)
    }

    /// Forgets the changes, which are written by now, and tidies up.
    pub(super) fn committed(&mut self) -> Result<()> {
        self.written.clear();
        self.evicted_through = None;
        self.table.commit()
    }

    /// All rows as they are now.
    pub(super) fn live_rows(&self) -> Result<HeldStill> {
        self.table.live_rows()
    }

    pub(super) fn num_keys(&self) -> usize {
        self.table.len()
    }

    pub(super) fn num_shared_keys(&self) -> usize {
        self.table.num_shared_keys()
    }

    #[cfg(test)]
    pub(super) fn chunk_rows(&self) -> Vec<usize> {
        match &self.table {
            StateTable::Memory(memory) => memory.chunk_rows(),
            StateTable::Disk(_) => Vec::new(),
        }
    }

    #[cfg(test)]
    pub(super) fn limit_chunks(&mut self, limits: super::columnar::ChunkLimits) {
        if let StateTable::Memory(memory) = &mut self.table {
            memory.limit_chunks(limits);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    /// Adds rows that are in the files already.
    fn add(&mut self, stored: &RecordBatch) -> Result<()> {
        let (rows, expiry) = files::split_expiry(stored, self.schema())?;
        let (keys, _) = split_columns(&rows, self.encoder().columns())?;
        let keys = self.encode(keys)?;
        self.table.upsert(rows, keys, Some(&expiry))
    }
}
