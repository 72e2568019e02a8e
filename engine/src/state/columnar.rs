//! The rows of a state in memory: immutable Arrow chunks, a hash table from encoded key to slot,
//! and an index on expiry.
//!
//! A written batch of rows becomes a chunk as it is; a slot says in which chunk the newest row of
//! its key stands. Rows that were replaced stay in their chunk until chunks are merged, which
//! happens so that there are at most logarithmically many chunks and at most as much garbage as
//! rows: every row is copied a logarithmic number of times, whatever the size of a batch.

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::{EncodedKeys, Slot};
use crate::error::{Error, Result};

/// Chunks up to this size count as small, however little came after them.
const SMALL_CHUNK_ROWS: usize = 256;

/// So many chunks may wait at the end before they are merged into one.
const TAIL_CHUNKS: usize = 8;

/// Garbage in chunks up to this size is left for the next merge.
const TOLERATED_GARBAGE_ROWS: usize = 1024;

#[derive(Debug)]
pub(super) struct ColumnarState {
    schema: SchemaRef,
    key_columns: usize,
    converter: RowConverter,
    hasher: DefaultHashBuilder,
    table: HashTable<Slot>,
    slots: Vec<SlotInfo>,
    free: Vec<Slot>,
    chunks: Vec<Chunk>,
    by_expiry: BTreeMap<i64, Vec<Slot>>,
}

#[derive(Debug, Clone, Copy)]
struct SlotInfo {
    chunk: u32,
    row: u32,
    hash: u64,
    /// `None`: never expires.
    expiry: Option<i64>,
    live: bool,
}

#[derive(Debug)]
struct Chunk {
    rows: RecordBatch,
    keys: Rows,
    /// Which slot each row belonged to when it was written.
    slots: Vec<Slot>,
    live: usize,
    bytes: usize,
}

impl ColumnarState {
    pub(super) fn new(schema: SchemaRef, key_columns: usize) -> Result<Self> {
        let fields = schema.fields()[..key_columns]
            .iter()
            .map(|field| SortField::new(field.data_type().clone()))
            .collect();
        Ok(Self {
            converter: RowConverter::new(fields).map_err(arrow_error)?,
            schema,
            key_columns,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            chunks: Vec::new(),
            by_expiry: BTreeMap::new(),
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn key_columns(&self) -> usize {
        self.key_columns
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn encode(&self, keys: &[ArrayRef]) -> Result<EncodedKeys> {
        if self.key_columns == 0 {
            return Err(Error::internal(
                "a state without key columns cannot be encoded",
            ));
        }
        let rows = self.converter.convert_columns(keys).map_err(arrow_error)?;
        let hashes = rows
            .iter()
            .map(|row| self.hasher.hash_one(row.data()))
            .collect();
        Ok(EncodedKeys { rows, hashes })
    }

    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table
            .find(hash, |&slot| self.key_of(slot) == key)
            .copied()
    }

    pub(super) fn rows(&self, slots: &[Slot]) -> Result<RecordBatch> {
        let places: Vec<(usize, usize)> = slots
            .iter()
            .map(|&slot| {
                let info = &self.slots[slot as usize];
                (info.chunk as usize, info.row as usize)
            })
            .collect();
        self.gather(&places)
    }

    pub(super) fn live_slots(&self) -> Vec<Slot> {
        self.table.iter().copied().collect()
    }

    pub(super) fn upsert(
        &mut self,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        // The chunk stands before its slots do: finding a key compares with keys of new slots too.
        let chunk = self.chunks.len();
        let EncodedKeys { rows: keys, hashes } = keys;
        self.chunks
            .push(Chunk::new(rows, keys, Vec::new(), hashes.len()));
        let mut slots = Vec::with_capacity(hashes.len());
        for (row, &hash) in hashes.iter().enumerate() {
            let expiry = expiry.and_then(|expiry| expiry[row]);
            let place = SlotInfo {
                chunk: chunk as u32,
                row: row as u32,
                hash,
                expiry,
                live: true,
            };
            let slot = match self.find(hash, self.chunks[chunk].keys.row(row).data()) {
                Some(slot) => {
                    let old = self.slots[slot as usize];
                    self.chunks[old.chunk as usize].live -= 1;
                    if old.expiry != expiry {
                        self.unindex(old.expiry, slot);
                        self.index(expiry, slot);
                    }
                    self.slots[slot as usize] = place;
                    slot
                }
                None => {
                    let slot = self.new_slot(place);
                    let infos = &self.slots;
                    self.table
                        .insert_unique(hash, slot, |&slot| infos[slot as usize].hash);
                    self.index(expiry, slot);
                    slot
                }
            };
            slots.push(slot);
        }
        self.chunks[chunk].bytes += slots.len() * size_of::<Slot>();
        self.chunks[chunk].slots = slots;
        Ok(())
    }

    pub(super) fn expired(&self, through: i64) -> Vec<Slot> {
        self.by_expiry
            .range(..=through)
            .flat_map(|(_, slots)| slots.iter().copied())
            .collect()
    }

    pub(super) fn has_expired(&self, through: i64) -> bool {
        let first = self.by_expiry.first_key_value();
        first.is_some_and(|(expiry, _)| *expiry <= through)
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub(super) fn evict(&mut self, through: i64) -> usize {
        let Some(after) = through.checked_add(1) else {
            return 0;
        };
        let kept = self.by_expiry.split_off(&after);
        let evicted = std::mem::replace(&mut self.by_expiry, kept);
        let mut count = 0;
        for slot in evicted.into_values().flatten() {
            let info = self.slots[slot as usize];
            if let Ok(entry) = self.table.find_entry(info.hash, |&other| other == slot) {
                entry.remove();
            }
            self.chunks[info.chunk as usize].live -= 1;
            self.slots[slot as usize].live = false;
            self.free.push(slot);
            count += 1;
        }
        count
    }

    /// Merges chunks where there are too many small ones or too much garbage.
    pub(super) fn compact(&mut self) -> Result<()> {
        let garbage = self.chunks.iter().position(Chunk::is_mostly_garbage);
        let mut tail = self.chunks.len();
        let mut live = 0;
        while tail > 0 {
            let chunk = &self.chunks[tail - 1];
            if chunk.live > (2 * live).max(SMALL_CHUNK_ROWS) {
                break;
            }
            live += chunk.live;
            tail -= 1;
        }
        let too_many = self.chunks.len() - tail >= TAIL_CHUNKS;
        match (garbage, too_many) {
            (Some(garbage), true) => self.merge_from(garbage.min(tail)),
            (Some(garbage), false) => self.merge_from(garbage),
            (None, true) => self.merge_from(tail),
            (None, false) => Ok(()),
        }
    }

    /// All live rows with their expiry, for a snapshot.
    pub(super) fn rows_with_expiry(&self) -> Result<RecordBatch> {
        let slots = self.live_slots();
        let rows = self.rows(&slots)?;
        let expiry: Vec<Option<i64>> = slots
            .iter()
            .map(|&slot| self.slots[slot as usize].expiry)
            .collect();
        super::files::with_expiry(&rows, Some(&expiry))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(|chunk| chunk.bytes).sum();
        chunks
            + self.slots.capacity() * size_of::<SlotInfo>()
            + self.table.capacity() * size_of::<Slot>()
    }

    fn merge_from(&mut self, from: usize) -> Result<()> {
        let mut places = Vec::new();
        let mut slots = Vec::new();
        for (index, chunk) in self.chunks.iter().enumerate().skip(from) {
            for (row, &slot) in chunk.slots.iter().enumerate() {
                let info = &self.slots[slot as usize];
                if info.live && info.chunk as usize == index && info.row as usize == row {
                    places.push((index, row));
                    slots.push(slot);
                }
            }
        }
        let rows = self.gather(&places)?;
        self.chunks.truncate(from);
        if slots.is_empty() {
            return Ok(());
        }
        let keys = self.encode(&rows.columns()[..self.key_columns])?;
        for (row, &slot) in slots.iter().enumerate() {
            let info = &mut self.slots[slot as usize];
            info.chunk = from as u32;
            info.row = row as u32;
        }
        let live = slots.len();
        self.chunks.push(Chunk::new(rows, keys.rows, slots, live));
        Ok(())
    }

    fn key_of(&self, slot: Slot) -> &[u8] {
        let info = &self.slots[slot as usize];
        self.chunks[info.chunk as usize]
            .keys
            .row(info.row as usize)
            .data()
    }

    fn new_slot(&mut self, info: SlotInfo) -> Slot {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = info;
                slot
            }
            None => {
                self.slots.push(info);
                (self.slots.len() - 1) as Slot
            }
        }
    }

    fn index(&mut self, expiry: Option<i64>, slot: Slot) {
        if let Some(expiry) = expiry {
            self.by_expiry.entry(expiry).or_default().push(slot);
        }
    }

    fn unindex(&mut self, expiry: Option<i64>, slot: Slot) {
        let Some(expiry) = expiry else { return };
        let Some(slots) = self.by_expiry.get_mut(&expiry) else {
            return;
        };
        if let Some(position) = slots.iter().position(|&other| other == slot) {
            slots.swap_remove(position);
        }
        if slots.is_empty() {
            self.by_expiry.remove(&expiry);
        }
    }

    fn gather(&self, places: &[(usize, usize)]) -> Result<RecordBatch> {
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
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(arrow_error)?;
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(arrow_error)
    }
}

impl Chunk {
    fn new(rows: RecordBatch, keys: Rows, slots: Vec<Slot>, live: usize) -> Self {
        let bytes = rows.get_array_memory_size() + keys.size() + slots.len() * size_of::<Slot>();
        Self {
            rows,
            keys,
            slots,
            live,
            bytes,
        }
    }

    fn is_mostly_garbage(&self) -> bool {
        let rows = self.rows.num_rows();
        self.live == 0 || rows > TOLERATED_GARBAGE_ROWS && self.live * 2 < rows
    }
}

fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("state: {error}")).with_source(error)
}
