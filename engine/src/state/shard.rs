//! The rows of some keys of a state, and what changed among them since the last commit.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use hashbrown::{HashSet, HashTable};

use super::columnar::{Claim, ColumnarState};
use super::files;
use super::live_rows::LiveRows;
use super::{EncodedKeys, KeyEncoder, Slot};
use crate::error::{Error, Result};

/// Rows of a state that were asked for by key.
#[derive(Debug)]
pub struct HeldRows {
    /// For each row, the number of the key it was asked for by; in the order of the keys.
    pub numbers: Vec<u32>,
    /// The rows, all columns.
    pub rows: RecordBatch,
}

/// A part of a state that can be worked on while others work on other parts: rows of key columns
/// followed by value columns, at most one per key, each with an optional expiry.
#[derive(Debug)]
pub struct StateShard {
    memory: ColumnarState,
    written: Vec<RecordBatch>,
    evicted_through: Option<i64>,
}

impl StateShard {
    /// `encoder` encodes the keys of rows, `shared` those that many rows share, if they do.
    pub(super) fn new(
        schema: SchemaRef,
        encoder: Arc<KeyEncoder>,
        shared: Option<Arc<KeyEncoder>>,
    ) -> Self {
        Self {
            memory: ColumnarState::new(schema, encoder).with_prefixes(shared),
            written: Vec::new(),
            evicted_through: None,
        }
    }

    /// Key columns and value columns of the rows.
    pub fn schema(&self) -> &SchemaRef {
        self.memory.schema()
    }

    /// Encodes key columns for the other methods.
    pub fn encode(&self, keys: &[ArrayRef]) -> Result<EncodedKeys> {
        self.encoder().encode(keys)
    }

    /// What encodes key columns.
    pub fn encoder(&self) -> &Arc<KeyEncoder> {
        self.memory.encoder()
    }

    /// What encodes the key that many rows share, in a table that has many rows per key.
    pub fn shared_encoder(&self) -> Result<&Arc<KeyEncoder>> {
        let encoder = self.memory.prefix_encoder();
        encoder.ok_or_else(|| Error::internal("the state has one row per key"))
    }

    /// The highest order that a row has or has had, in a table that has many rows per key.
    pub fn highest_order(&self) -> Option<i64> {
        let prefix = self.memory.prefix_encoder()?;
        self.memory.highest(prefix.columns())
    }

    /// Whether it holds no rows.
    pub fn is_empty(&self) -> bool {
        self.num_keys() == 0
    }

    pub(super) fn has_prefixes(&self) -> bool {
        self.memory.prefix_encoder().is_some()
    }

    /// The rows of those of `keys` that are held.
    pub fn held(&self, keys: &EncodedKeys) -> Result<HeldRows> {
        let (numbers, slots) = self.find(keys).unzip();
        self.held_at(numbers, slots)
    }

    /// All rows that share one of `keys`, in a table that has many rows per key.
    pub fn sharing(&self, keys: &EncodedKeys) -> Result<HeldRows> {
        let (numbers, slots) = self.memory.sharing(keys);
        self.held_at(numbers, slots)
    }

    fn held_at(&self, numbers: Vec<u32>, slots: Vec<Slot>) -> Result<HeldRows> {
        let rows = self.memory.rows(&slots)?;
        Ok(HeldRows { numbers, rows })
    }

    /// The numbers of those of `keys` that are held, with their slots.
    fn find(&self, keys: &EncodedKeys) -> impl Iterator<Item = (u32, Slot)> {
        (0..keys.num_keys()).filter_map(|number| {
            let slot = self.memory.find(keys.hash(number), keys.key(number))?;
            Some((number as u32, slot))
        })
    }

    /// For each of `keys`, whether it is neither held nor one of those before it.
    pub fn are_new(&self, keys: &EncodedKeys) -> Vec<bool> {
        let mut seen: HashTable<usize> = HashTable::new();
        let mut is_new = |number: usize| {
            let (hash, key) = (keys.hash(number), keys.key(number));
            let is_same = |&other: &usize| keys.key(other) == key;
            if self.memory.find(hash, key).is_some() || seen.find(hash, is_same).is_some() {
                return false;
            }
            seen.insert_unique(hash, number, |&other| keys.hash(other));
            true
        };
        (0..keys.num_keys()).map(&mut is_new).collect()
    }

    /// All rows.
    pub fn all_rows(&self) -> Result<RecordBatch> {
        self.memory.rows(&self.memory.live_slots())
    }

    /// Groups rows by key and finds which of the keys are held. [`Self::write`] must follow.
    pub fn claim(&mut self, keys: &EncodedKeys) -> Claim {
        self.memory.claim(keys)
    }

    /// The rows of the held keys of `claim`, all columns.
    pub fn held_rows(&self, claim: &Claim) -> Result<RecordBatch> {
        self.memory.held_rows(claim)
    }

    /// Writes one row per group of `claim`, which was made of `keys`; `expiry`, if given, says at
    /// which watermark (in the operator's unit) each row expires.
    pub fn write(
        &mut self,
        claim: Claim,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        if rows.num_rows() > 0 {
            self.written.push(files::with_expiry(&rows, expiry)?);
        }
        self.memory.write(claim, rows, keys, expiry);
        Ok(())
    }

    /// Adds rows or replaces those of the same key. `keys` are the encoded keys of `rows`, each
    /// once; `expiry` as in [`Self::write`].
    pub fn upsert(
        &mut self,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        let claim = self.claim(&keys);
        self.write(claim, rows, keys, expiry)
    }

    /// The rows whose expiry is at or before `through`, by expiry, but for those of `keys`.
    pub fn expired(&self, through: i64, keys: Option<&EncodedKeys>) -> Result<RecordBatch> {
        let mut slots = self.memory.expired(through);
        if let Some(keys) = keys.filter(|_| !slots.is_empty()) {
            let known: HashSet<Slot> = self.find(keys).map(|(_, slot)| slot).collect();
            slots.retain(|slot| !known.contains(slot));
        }
        self.memory.rows(&slots)
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub fn evict(&mut self, through: i64) -> usize {
        let evicted = self.memory.evict(through);
        if evicted > 0 {
            self.evicted_through = self.evicted_through.max(Some(through));
        }
        evicted
    }

    /// Removes the rows of those of `keys` that are held, whatever their expiry; returns how many.
    pub fn remove(&mut self, keys: &EncodedKeys) -> Result<usize> {
        let (numbers, slots): (Vec<u32>, Vec<Slot>) = self.find(keys).unzip();
        if slots.is_empty() {
            return Ok(0);
        }
        // In the delta, too, a removed row is one that expires before all others.
        let rows = self.memory.rows(&slots)?;
        let keys = self.encoder().take(keys, &numbers);
        self.upsert(rows, keys, Some(&vec![Some(i64::MIN); slots.len()]))?;
        Ok(self.evict(i64::MIN))
    }

    pub(super) fn has_expired(&self, through: i64) -> bool {
        self.memory.has_expired(through)
    }

    /// The times at which rows expire, in order.
    pub(super) fn expiries(&self) -> impl ExactSizeIterator<Item = i64> {
        self.memory.expiries()
    }

    /// As [`super::StateStore::expire_by`].
    pub(super) fn expire_by(
        &mut self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<()> {
        for rows in self.memory.expiring_otherwise(expiry)? {
            for stored in rows.stored(usize::MAX) {
                let stored = stored?;
                self.add(&stored)?;
                self.written.push(stored);
            }
        }
        Ok(())
    }

    /// What `load` of the files gave.
    pub(super) fn apply(&mut self, delta: &files::Delta) -> Result<()> {
        for rows in &delta.rows {
            self.add(rows)?;
        }
        if let Some(through) = delta.evicted_through {
            self.memory.evict(through);
        }
        Ok(())
    }

    /// Its rows and changes as those of several shards.
    pub(super) fn divided(self, shards: usize) -> Result<Vec<Self>> {
        let empty = || Self::new(self.schema().clone(), Arc::clone(self.encoder()), None);
        let mut divided: Vec<Self> = (0..shards).map(|_| empty()).collect();
        for rows in self.live_rows() {
            for stored in rows.stored(usize::MAX) {
                let stored = stored?;
                let keys = self.encode(&stored.columns()[..self.encoder().columns()])?;
                for (shard, rows) in divided.iter_mut().zip(keys.rows_of_shards(shards)) {
                    shard.add(&super::take_rows(&stored, rows)?)?;
                }
            }
        }
        divided[0].written = self.written;
        divided[0].evicted_through = self.evicted_through;
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
        self.memory.compact()
    }

    /// All rows as they are now.
    pub(super) fn live_rows(&self) -> Vec<LiveRows> {
        self.memory.live_rows()
    }

    pub(super) fn num_keys(&self) -> usize {
        self.memory.len()
    }

    #[cfg(test)]
    pub(super) fn chunk_rows(&self) -> Vec<usize> {
        self.memory.chunk_rows()
    }

    #[cfg(test)]
    pub(super) fn limit_chunks(&mut self, limits: super::columnar::ChunkLimits) {
        self.memory.limit_chunks(limits);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.memory_bytes()
    }

    /// Adds rows that are in the files already.
    fn add(&mut self, stored: &RecordBatch) -> Result<()> {
        let (rows, expiry) = files::split_expiry(stored, self.schema())?;
        let keys = self.encode(&rows.columns()[..self.encoder().columns()])?;
        self.memory.upsert(rows, keys, Some(&expiry));
        Ok(())
    }
}
