//! The rows of a state in memory: immutable Arrow chunks, a hash table from encoded key to slot,
//! and an index on expiry.
//!
//! A written batch of rows becomes a chunk as it is; a slot says in which chunk the newest row of
//! its key stands. Rows that were replaced stay in their chunk until [`compaction`] drops them.

#![expect(
    clippy::indexing_slicing,
    reason = "slots, chunks and rows are numbers that the state itself gives out: what a table or a \
              claim holds is in range, and a check per row would be one more way to be wrong"
)]

mod compaction;
mod kept_keys;
mod prefixes;
mod slots;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow::compute::{interleave, max};
use arrow::datatypes::{Int64Type, SchemaRef};
use arrow::error::ArrowError;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use self::kept_keys::KeptKeys;
use self::prefixes::Prefixes;
use self::slots::{Slots, found_by};
use super::live_rows::LiveRows;
use super::{EncodedKeys, KeyEncoder, Slot, arrow_error};
use crate::error::Result;

pub(super) use compaction::ChunkLimits;

/// Of rows that are not written.
const NO_GROUP: usize = usize::MAX;

/// Chunk, and row in it.
type Place = (usize, usize);

#[derive(Debug)]
pub(super) struct ColumnarState {
    schema: SchemaRef,
    encoder: Arc<KeyEncoder>,
    table: HashTable<Slot>,
    slots: Slots,
    chunks: Vec<Chunk>,
    by_expiry: BTreeMap<i64, Vec<Slot>>,
    /// Which rows share a key, where a key has many rows.
    prefixes: Option<Prefixes>,
    limits: ChunkLimits,
}

#[derive(Debug)]
struct Chunk {
    rows: RecordBatch,
    keys: KeptKeys,
    /// Which slot each row belonged to when it was written.
    slots: Vec<Slot>,
    live: usize,
    /// Bytes held in memory.
    bytes: usize,
    /// Bytes of the rows alone.
    row_bytes: usize,
}

/// The keys of rows that are about to be written, each with its slot.
///
/// Between [`ColumnarState::claim`] and [`ColumnarState::write`] the slots point to a chunk that is
/// still to come; nothing else may be done with the state than reading the rows that were held.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Which group each row belongs to: rows of one key are a group, numbered by first appearance.
    pub group_of_row: Vec<usize>,
    /// The first row of each group.
    pub first_rows: Vec<u32>,
    /// The groups whose key was held before.
    pub held: Vec<usize>,
    /// Where the rows of those groups are.
    places: Vec<Place>,
    /// The slot of each group.
    slots: Vec<Slot>,
    /// Where the rows will be.
    chunk: usize,
    /// Of rows on disk: what is stored for each group, if its key was held before.
    pub(super) stored: Vec<Option<Box<[u8]>>>,
}

impl Claim {
    /// One for at most `rows` rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            group_of_row: Vec::with_capacity(rows),
            first_rows: Vec::with_capacity(rows),
            held: Vec::new(),
            places: Vec::new(),
            slots: Vec::new(),
            chunk: 0,
            stored: Vec::new(),
        }
    }

    /// How many different keys.
    pub(crate) fn num_groups(&self) -> usize {
        self.first_rows.len()
    }

    /// The slots of the groups whose key was not held before.
    fn new_slots(&self) -> Vec<Slot> {
        let mut held = self.held.iter().copied().peekable();
        let slots = self.slots.iter().enumerate();
        let new = slots.filter(|(group, _)| held.next_if_eq(group).is_none());
        new.map(|(_, &slot)| slot).collect()
    }

    /// Whether row number and group number are the same thing.
    pub(crate) fn is_one_row_each(&self) -> bool {
        self.first_rows.len() == self.group_of_row.len()
    }
}

impl ColumnarState {
    pub(super) fn new(schema: SchemaRef, encoder: Arc<KeyEncoder>) -> Self {
        Self {
            schema,
            encoder,
            table: HashTable::new(),
            slots: Slots::default(),
            chunks: Vec::new(),
            by_expiry: BTreeMap::new(),
            prefixes: None,
            limits: ChunkLimits::default(),
        }
    }

    /// The same, of a table with many rows per key, the key being what `encoder` encodes.
    pub(super) fn with_prefixes(self, encoder: Option<Arc<KeyEncoder>>) -> Self {
        Self {
            prefixes: encoder.map(Prefixes::new),
            ..self
        }
    }

    /// What encodes the key that many rows share.
    pub(super) fn prefix_encoder(&self) -> Option<&Arc<KeyEncoder>> {
        self.prefixes.as_ref().map(Prefixes::encoder)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn encoder(&self) -> &Arc<KeyEncoder> {
        &self.encoder
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn num_shared_keys(&self) -> usize {
        self.prefixes.as_ref().map_or(0, Prefixes::len)
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table
            .find(found_by(hash), |&slot| self.key_of(slot) == key)
            .copied()
    }

    /// The rows that share each of `keys`: the numbers of the keys, and the slots beside them.
    pub(super) fn sharing(&self, keys: &EncodedKeys) -> (Vec<u32>, Vec<Slot>) {
        let (mut numbers, mut slots) = (Vec::new(), Vec::new());
        for number in 0..keys.num_keys() {
            let found = self.prefixes.as_ref().and_then(|prefixes| {
                let (hash, key) = (keys.hash(number), keys.key(number));
                prefixes.find(hash, key, |slot| self.key_of(slot))
            });
            let found = found.unwrap_or_default();
            numbers.resize(numbers.len() + found.len(), number as u32);
            slots.extend_from_slice(found);
        }
        (numbers, slots)
    }

    pub(super) fn rows(&self, slots: &[Slot]) -> Result<RecordBatch> {
        let places: Vec<Place> = slots.iter().map(|&slot| self.slots.place(slot)).collect();
        self.gather(&places).map_err(arrow_error)
    }

    pub(super) fn live_slots(&self) -> Vec<Slot> {
        self.table.iter().copied().collect()
    }

    /// Finds or makes the slots of `keys`, whose rows are written next.
    pub(super) fn claim(&mut self, keys: &EncodedKeys) -> Claim {
        self.claim_some(keys, true)
    }

    /// Makes the slots of those of `keys` that are not held, whose rows are written next: the groups of
    /// the claim. Rows of other keys belong to none.
    pub(super) fn claim_new(&mut self, keys: &EncodedKeys) -> Claim {
        self.claim_some(keys, false)
    }

    fn claim_some(&mut self, keys: &EncodedKeys, also_held: bool) -> Claim {
        let next = self.chunks.iter().position(Chunk::is_empty);
        let next = next.unwrap_or(self.chunks.len());
        let mut claim = Claim {
            slots: Vec::with_capacity(keys.num_keys()),
            chunk: next,
            ..Claim::with_capacity(keys.num_keys())
        };
        self.table
            .reserve(keys.num_keys(), |&slot| self.slots.found_by(slot));
        for row in 0..keys.num_keys() {
            let (hash, key) = (keys.hash(row), keys.key(row));
            let is_same = |&slot: &Slot| {
                let (chunk, row) = self.slots.place(slot);
                let held = if chunk == next {
                    keys.key(claim.first_rows[row] as usize)
                } else {
                    self.chunks[chunk].keys.key(row)
                };
                held == key
            };
            let rehash = |&slot: &Slot| self.slots.found_by(slot);
            let entry = self.table.entry(found_by(hash), is_same, rehash);
            let group = claim.first_rows.len();
            let slot = match entry {
                Entry::Occupied(entry) => {
                    let slot = *entry.get();
                    let place = self.slots.place(slot);
                    if place.0 == next {
                        claim.group_of_row.push(place.1);
                        continue;
                    }
                    if !also_held {
                        claim.group_of_row.push(NO_GROUP);
                        continue;
                    }
                    claim.held.push(group);
                    claim.places.push(place);
                    self.chunks[place.0].live -= 1;
                    self.slots.moved(slot, (next, group));
                    slot
                }
                Entry::Vacant(entry) => {
                    let slot = self.slots.add((next, group), hash);
                    entry.insert(slot);
                    slot
                }
            };
            claim.group_of_row.push(group);
            claim.first_rows.push(row as u32);
            claim.slots.push(slot);
        }
        claim
    }

    /// The rows that were held, in the order of [`Claim::held`].
    pub(super) fn held_rows(&self, claim: &Claim) -> Result<RecordBatch> {
        self.gather(&claim.places).map_err(arrow_error)
    }

    /// Writes the rows of the groups of a claim. `keys` are those it was made with; `expiry`, if
    /// given, says at which watermark each row expires.
    pub(super) fn write(
        &mut self,
        claim: Claim,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) {
        if claim.num_groups() == 0 {
            return;
        }
        let keys = if claim.is_one_row_each() {
            keys
        } else {
            self.encoder.take(&keys, &claim.first_rows)
        };
        for (group, &slot) in claim.slots.iter().enumerate() {
            let expiry = expiry.and_then(|expiry| expiry[group]);
            if let Some(old) = self.slots.set_expiry(slot, expiry) {
                self.unindex(old, slot);
                self.index(slot);
            }
        }
        let new_slots = match self.prefixes {
            Some(_) => claim.new_slots(),
            None => Vec::new(),
        };
        self.put(claim.chunk, Chunk::new(rows, keys, claim.slots));
        self.index_prefixes(&new_slots);
    }

    fn index_prefixes(&mut self, new_slots: &[Slot]) {
        if let Some(mut prefixes) = self.prefixes.take() {
            let key_of = |slot| self.key_of(slot);
            new_slots
                .iter()
                .for_each(|&slot| prefixes.insert(slot, key_of));
            self.prefixes = Some(prefixes);
        }
    }

    pub(super) fn expired(&self, through: i64) -> Vec<Slot> {
        self.by_expiry
            .range(..=through)
            .flat_map(|(_, slots)| slots.iter().copied())
            .collect()
    }

    /// The times at which rows expire, in order.
    pub(super) fn expiries(&self) -> impl ExactSizeIterator<Item = i64> {
        self.by_expiry.keys().copied()
    }

    pub(super) fn has_expired(&self, through: i64) -> bool {
        let first = self.by_expiry.first_key_value();
        first.is_some_and(|(expiry, _)| *expiry <= through)
    }

    /// The highest value in a column of whole numbers, of rows that are or were held.
    pub(super) fn highest(&self, column: usize) -> Option<i64> {
        let chunks = self.chunks.iter();
        let columns = chunks.filter_map(|chunk| {
            let numbers = chunk.rows.column(column).as_primitive_opt::<Int64Type>();
            max(numbers?)
        });
        columns.max()
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub(super) fn evict(&mut self, through: i64) -> usize {
        let kept = match through.checked_add(1) {
            Some(after) => self.by_expiry.split_off(&after),
            None => BTreeMap::new(),
        };
        let evicted = std::mem::replace(&mut self.by_expiry, kept);
        let evicted: Vec<Slot> = evicted.into_values().flatten().collect();
        for &slot in &evicted {
            let hash = self.slots.found_by(slot);
            if let Ok(entry) = self.table.find_entry(hash, |&other| other == slot) {
                entry.remove();
            }
            self.chunks[self.slots.place(slot).0].live -= 1;
            self.slots.remove(slot);
        }
        if let Some(mut prefixes) = self.prefixes.take() {
            let is_live = |slot: Slot| self.slots.is_live(slot);
            prefixes.sweep(&evicted, is_live, |slot| self.key_of(slot));
            self.prefixes = Some(prefixes);
        }
        self.slots.free(&evicted);
        evicted.len()
    }

    /// All live rows, as they are now.
    pub(super) fn live_rows(&self) -> Vec<LiveRows> {
        let chunks = self.chunks.iter().enumerate();
        chunks
            .map(|(index, chunk)| {
                let (rows, slots): (Vec<u32>, Vec<Slot>) = self.live_in(index).unzip();
                let expiry = slots.iter().map(|&slot| self.slots.expiry(slot));
                LiveRows::new(chunk.rows.clone(), rows.into(), expiry.collect())
            })
            .collect()
    }

    /// The live rows of which `expiry`, given the columns of some rows, says that they expire otherwise
    /// than they were written; with what it says.
    pub(super) fn expiring_otherwise(
        &self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<Vec<LiveRows>> {
        let mut otherwise = Vec::new();
        for (index, chunk) in self.chunks.iter().enumerate() {
            let expiry = expiry(chunk.rows.columns())?;
            let differs = |&(row, slot): &(u32, Slot)| {
                self.slots.expires_otherwise(slot, expiry[row as usize])
            };
            let rows = self.live_in(index).filter(differs);
            let rows: UInt32Array = rows.map(|(row, _)| row).collect::<Vec<u32>>().into();
            if !rows.is_empty() {
                let expiry: Int64Array = rows
                    .values()
                    .iter()
                    .map(|&row| expiry[row as usize])
                    .collect();
                otherwise.push(LiveRows::new(chunk.rows.clone(), rows, expiry));
            }
        }
        Ok(otherwise)
    }

    #[cfg(test)]
    pub(super) fn chunk_rows(&self) -> Vec<usize> {
        self.chunks.iter().map(|chunk| chunk.slots.len()).collect()
    }

    #[cfg(test)]
    pub(super) fn limit_chunks(&mut self, limits: ChunkLimits) {
        self.limits = limits;
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.bytes).sum();
        chunks
            + self.slots.memory_bytes()
            + self.table.allocation_size()
            + self.prefixes.as_ref().map_or(0, Prefixes::memory_bytes)
    }

    /// The live rows of a chunk, each with its slot.
    fn live_in(&self, index: usize) -> impl Iterator<Item = (u32, Slot)> {
        let rows = self.chunks[index].slots.iter().enumerate();
        rows.filter_map(move |(row, &slot)| {
            let place = self.slots.live_place(slot);
            (place == Some((index, row))).then_some((row as u32, slot))
        })
    }

    /// Makes `chunk` the one at `index`: in place of another, or after the last.
    fn put(&mut self, index: usize, chunk: Chunk) {
        match self.chunks.get_mut(index) {
            Some(place) => *place = chunk,
            None => self.chunks.push(chunk),
        }
    }

    fn key_of(&self, slot: Slot) -> &[u8] {
        let (chunk, row) = self.slots.place(slot);
        self.chunks[chunk].keys.key(row)
    }

    fn index(&mut self, slot: Slot) {
        if let Some(expiry) = self.slots.expiry(slot) {
            let slots = self.by_expiry.entry(expiry).or_default();
            self.slots.set_position(slot, slots.len());
            slots.push(slot);
        }
    }

    /// Takes a slot out of the list of a time at which its row expired before.
    fn unindex(&mut self, expiry: Option<i64>, slot: Slot) {
        let Some(expiry) = expiry else { return };
        let Some(slots) = self.by_expiry.get_mut(&expiry) else {
            return;
        };
        let position = self.slots.position(slot);
        slots.swap_remove(position);
        if let Some(&moved) = slots.get(position) {
            self.slots.set_position(moved, position);
        }
        if slots.is_empty() {
            self.by_expiry.remove(&expiry);
        }
    }

    /// The rows at `places`, in that order, in one batch: an error if that cannot hold them.
    fn gather(&self, places: &[Place]) -> std::result::Result<RecordBatch, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
        if places.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let columns = (0..self.schema.fields().len())
            .map(|column| {
                let arrays: Vec<&dyn Array> = self
                    .chunks
                    .iter()
                    .map(|chunk| chunk.rows.column(column).as_ref())
                    .collect();
                interleave(&arrays, places)
            })
            .collect::<std::result::Result<Vec<_>, _>>()?;
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
    }
}

impl Chunk {
    fn new(rows: RecordBatch, keys: EncodedKeys, slots: Vec<Slot>) -> Self {
        let keys = KeptKeys::new(keys);
        let slot_bytes = slots.len() * size_of::<Slot>();
        let bytes = rows.get_array_memory_size() + keys.memory_bytes() + slot_bytes;
        Self {
            live: slots.len(),
            row_bytes: rows.columns().iter().map(content_bytes).sum(),
            rows,
            keys,
            slots,
            bytes,
        }
    }

    /// An empty chunk is a place for a new one.
    fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// Bytes of the values of a column, whatever the buffers behind them hold besides.
fn content_bytes(column: &ArrayRef) -> usize {
    let bytes = column.to_data().get_slice_memory_size();
    bytes.unwrap_or_else(|_| column.get_array_memory_size())
}
