//! One face for the rows of a state, wherever they are held: in memory or on disk. All that is asked of
//! them is asked for many rows at once.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use hashbrown::HashSet;

use super::columnar::{Claim, ColumnarState};
use super::disk::{DiskRows, DiskTable};
use super::live_rows::LiveRows;
use super::{EncodedKeys, KeyEncoder, Slot, files};
use crate::error::{Error, Result};
use crate::storage::Location;

/// Where the rows of a state are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum StateStoreKind {
    /// In memory, all of them.
    #[default]
    Memory,
    /// On disk, those that were used last also in memory.
    Disk,
}

/// The rows of a state or of a part of it.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // There are as many as a state has shards.
pub(super) enum StateTable {
    Memory(ColumnarState),
    Disk(DiskTable),
}

/// Rows that are to be added.
#[derive(Debug)]
pub(crate) struct NewRows {
    /// All columns.
    pub rows: RecordBatch,
    /// At which watermark, in the operator's unit, each expires; `None` if none does.
    pub expiry: Option<Vec<Option<i64>>>,
}

/// Rows with their expiry, some at a time.
type Parts = Box<dyn Iterator<Item = Result<(RecordBatch, Int64Array)>>>;

/// Rows as they were at some moment.
#[derive(Clone)]
pub(super) enum HeldStill {
    Memory(Arc<Vec<LiveRows>>),
    Disk(DiskRows),
}

impl StateTable {
    /// An empty one; a file of its own is in `directory`, or if that is in a store on this machine.
    pub(super) fn new(
        kind: StateStoreKind,
        directory: &Location,
        schema: SchemaRef,
        encoder: Arc<KeyEncoder>,
        shared: Option<Arc<KeyEncoder>>,
    ) -> Result<Self> {
        Ok(match kind {
            StateStoreKind::Memory => {
                Self::Memory(ColumnarState::new(schema, encoder).with_prefixes(shared))
            }
            StateStoreKind::Disk => Self::Disk(DiskTable::new(directory, schema, encoder, shared)?),
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Memory(memory) => memory.schema(),
            Self::Disk(disk) => disk.schema(),
        }
    }

    pub(super) fn encoder(&self) -> &Arc<KeyEncoder> {
        match self {
            Self::Memory(memory) => memory.encoder(),
            Self::Disk(disk) => disk.encoder(),
        }
    }

    pub(super) fn prefix_encoder(&self) -> Option<&Arc<KeyEncoder>> {
        match self {
            Self::Memory(memory) => memory.prefix_encoder(),
            Self::Disk(disk) => disk.prefix_encoder(),
        }
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.len(),
            Self::Disk(disk) => disk.len(),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.memory_bytes(),
            Self::Disk(disk) => disk.memory_bytes(),
        }
    }

    /// Whether each of `keys` is held.
    pub(super) fn contains(&self, keys: &EncodedKeys) -> Result<Vec<bool>> {
        match self {
            Self::Memory(memory) => {
                let held = |number| memory.find(keys.hash(number), keys.key(number)).is_some();
                Ok((0..keys.num_keys()).map(held).collect())
            }
            Self::Disk(disk) => disk.contains(keys),
        }
    }

    /// The rows of those of `keys` that are held, with the numbers of these.
    pub(super) fn held(&self, keys: &EncodedKeys) -> Result<(Vec<u32>, RecordBatch)> {
        match self {
            Self::Memory(memory) => {
                let (numbers, slots): (_, Vec<Slot>) = find(memory, keys).unzip();
                Ok((numbers, memory.rows(&slots)?))
            }
            Self::Disk(disk) => disk.held(keys),
        }
    }

    /// The rows that share each of `keys`, with the numbers of the keys.
    pub(super) fn sharing(&self, keys: &EncodedKeys) -> Result<(Vec<u32>, RecordBatch)> {
        match self {
            Self::Memory(memory) => {
                let (numbers, slots) = memory.sharing(keys);
                Ok((numbers, memory.rows(&slots)?))
            }
            Self::Disk(disk) => disk.sharing(keys),
        }
    }

    pub(super) fn all_rows(&self) -> Result<RecordBatch> {
        match self {
            Self::Memory(memory) => memory.rows(&memory.live_slots()),
            Self::Disk(disk) => disk.all_rows(),
        }
    }

    /// Groups rows by key and finds which of the keys are held; [`Self::write`] must follow.
    pub(super) fn claim(&mut self, keys: &EncodedKeys) -> Result<Claim> {
        match self {
            Self::Memory(memory) => Ok(memory.claim(keys)),
            Self::Disk(disk) => disk.claim(keys),
        }
    }

    /// The rows that were held, in the order of [`Claim::held`]; `keys` are those of the claim.
    pub(super) fn held_rows(&self, claim: &Claim, keys: &EncodedKeys) -> Result<RecordBatch> {
        match self {
            Self::Memory(memory) => memory.held_rows(claim),
            Self::Disk(disk) => disk.held_rows(claim, keys),
        }
    }

    /// Writes the rows of the groups of a claim.
    pub(super) fn write(
        &mut self,
        claim: Claim,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        match self {
            Self::Memory(memory) => {
                memory.write(claim, rows, keys, expiry);
                Ok(())
            }
            Self::Disk(disk) => disk.write(&claim, &rows, &keys, expiry),
        }
    }

    /// Adds rows of those of `keys` that are not held. `rows_at` makes them, with their expiry, given which
    /// of `keys` these are, each once. Gives what was added.
    pub(super) fn insert_new(
        &mut self,
        keys: EncodedKeys,
        rows_at: impl FnOnce(&[u32]) -> Result<NewRows>,
    ) -> Result<Option<NewRows>> {
        if let Self::Memory(memory) = self {
            let claim = memory.claim_new(&keys);
            if claim.num_groups() == 0 {
                return Ok(None);
            }
            let new = rows_at(&claim.first_rows)?;
            memory.write(claim, new.rows.clone(), keys, new.expiry.as_deref());
            return Ok(Some(new));
        }
        let is_held = self.contains(&keys)?;
        let first_rows = keys.numbered().first_rows.into_iter();
        let is_new = |row: &u32| is_held.get(*row as usize) == Some(&false);
        let first_rows: Vec<u32> = first_rows.filter(is_new).collect();
        if first_rows.is_empty() {
            return Ok(None);
        }
        let new = rows_at(&first_rows)?;
        let keys = self.encoder().take(&keys, &first_rows);
        self.upsert(new.rows.clone(), keys, new.expiry.as_deref())?;
        Ok(Some(new))
    }

    /// Adds rows or replaces those of the same key.
    pub(super) fn upsert(
        &mut self,
        rows: RecordBatch,
        keys: EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        let claim = self.claim(&keys)?;
        self.write(claim, rows, keys, expiry)
    }

    /// The rows whose expiry is at or before `through`, by expiry, but for those of `keys`.
    pub(super) fn expired(&self, through: i64, keys: Option<&EncodedKeys>) -> Result<RecordBatch> {
        match self {
            Self::Memory(memory) => {
                let mut slots = memory.expired(through);
                if let Some(keys) = keys.filter(|_| !slots.is_empty()) {
                    let known: HashSet<Slot> = find(memory, keys).map(|(_, slot)| slot).collect();
                    slots.retain(|slot| !known.contains(slot));
                }
                memory.rows(&slots)
            }
            Self::Disk(disk) => disk.expired(through, keys),
        }
    }

    pub(super) fn has_expired(&self, through: i64) -> bool {
        match self {
            Self::Memory(memory) => memory.has_expired(through),
            Self::Disk(disk) => disk.has_expired(through),
        }
    }

    /// The times at which rows expire, in order.
    pub(super) fn expiries(&self) -> Vec<i64> {
        match self {
            Self::Memory(memory) => memory.expiries().collect(),
            Self::Disk(disk) => disk.expiries(),
        }
    }

    /// How many keys that rows share are held, in a table with many rows per key.
    pub(super) fn num_shared_keys(&self) -> usize {
        match self {
            Self::Memory(memory) => memory.num_shared_keys(),
            Self::Disk(disk) => disk.num_shared_keys(),
        }
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub(super) fn evict(&mut self, through: i64) -> Result<usize> {
        match self {
            Self::Memory(memory) => Ok(memory.evict(through)),
            Self::Disk(disk) => disk.evict(through),
        }
    }

    /// The highest value in a column of whole numbers, of rows that are or were held.
    pub(super) fn highest(&self, column: usize) -> Option<i64> {
        match self {
            Self::Memory(memory) => memory.highest(column),
            Self::Disk(disk) => disk.highest(column),
        }
    }

    /// The rows of which `expiry` says that they expire otherwise than they were written, as the files
    /// hold them.
    pub(super) fn expiring_otherwise(
        &self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<Vec<RecordBatch>> {
        match self {
            Self::Memory(memory) => {
                let rows = memory.expiring_otherwise(expiry)?;
                let stored = rows.iter().flat_map(|rows| rows.stored(usize::MAX));
                stored.collect()
            }
            Self::Disk(disk) => {
                let rows = disk.expiring_otherwise(expiry)?.into_iter();
                rows.map(|(rows, expiry)| files::stored(&rows, expiry))
                    .collect()
            }
        }
    }

    /// Keeps what was changed, and tidies up.
    pub(super) fn commit(&mut self) -> Result<()> {
        match self {
            Self::Memory(memory) => memory.compact(),
            Self::Disk(disk) => disk.commit(),
        }
    }

    /// All rows as they are now, all changes being committed.
    pub(super) fn live_rows(&self) -> Result<HeldStill> {
        Ok(match self {
            Self::Memory(memory) => HeldStill::Memory(Arc::new(memory.live_rows())),
            Self::Disk(disk) => HeldStill::Disk(disk.live_rows()?),
        })
    }
}

impl HeldStill {
    /// The rows with their expiry, at most `at_once` in a batch.
    pub(super) fn batches(&self, at_once: usize) -> Result<Parts> {
        match self {
            Self::Memory(rows) => {
                let rows = Arc::clone(rows);
                let parts = (0..rows.len()).flat_map(move |part| {
                    let rows = Arc::clone(&rows);
                    let count = rows.get(part).map_or(0, LiveRows::len);
                    (0..count).step_by(at_once).filter_map(move |from| {
                        rows.get(part).map(|rows| rows.taken(from, at_once))
                    })
                });
                Ok(Box::new(parts))
            }
            Self::Disk(rows) => Ok(Box::new(rows.batches(at_once)?)),
        }
    }

    /// The rows as the files hold them.
    pub(super) fn stored(
        &self,
        at_once: usize,
    ) -> Result<Box<dyn Iterator<Item = Result<RecordBatch>>>> {
        let batches = self.batches(at_once)?;
        Ok(Box::new(batches.map(|batch| {
            let (rows, expiry) = batch?;
            files::stored(&rows, expiry)
        })))
    }
}

/// The numbers of those of `keys` that are held in memory, with their slots.
fn find(memory: &ColumnarState, keys: &EncodedKeys) -> impl Iterator<Item = (u32, Slot)> {
    (0..keys.num_keys()).filter_map(|number| {
        let slot = memory.find(keys.hash(number), keys.key(number))?;
        Some((number as u32, slot))
    })
}

/// An operator that has a store on disk was asked to divide it.
pub(super) fn stays_whole(table: &StateTable) -> bool {
    matches!(table, StateTable::Disk(_))
}

/// What a table without many rows per key says when it is asked for them.
pub(super) fn one_row_per_key() -> Error {
    Error::internal("the state has one row per key")
}
