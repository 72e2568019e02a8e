//! The rows of a state on disk, in an embedded store: what fits into a bounded cache is in memory, the
//! rest in a file that goes with the process.
//!
//! Two ordered tables: encoded key → expiry and encoded values, and expiry and encoded key → nothing.
//! An encoded key sorts as its columns do, so that the rows which share the first columns of their key
//! stand together, in the order of the last one; and the rows that expire first stand first.

mod backend;
mod codec;
mod live;

use std::collections::HashSet;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::{Int64Type, SchemaRef};
use hashbrown::HashTable;
use redb::{
    Builder, Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, WriteTransaction,
};

use self::backend::CacheFile;
use self::codec::{
    Codec, EXPIRY_BYTES, StoredRow, expiry_of, index_key, index_range, key_of_index, sortable,
    time_of_index,
};
use super::columnar::Claim;
use super::{EncodedKeys, KeyEncoder};
use crate::error::{Error, Result, hint};
use crate::storage::Location;

pub(super) use live::DiskRows;

/// Encoded key → expiry and values.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

/// Expiry and encoded key.
const BY_EXPIRY: TableDefinition<'static, &[u8], ()> = TableDefinition::new("by_expiry");

type Rows<'t> = Table<'t, &'static [u8], &'static [u8]>;
type Index<'t> = Table<'t, &'static [u8], ()>;

/// How many bytes of the file are kept in memory.
const CACHE_BYTES: usize = 64 << 20;

/// So many rows become one batch when all are read.
const ROWS_AT_ONCE: usize = 64 * 1024;

/// See the module.
pub(super) struct DiskTable {
    codec: Arc<Codec>,
    /// What encodes the key that many rows share, if they do.
    shared: Option<Arc<KeyEncoder>>,
    database: Arc<Database>,
    /// What was changed since the last commit. Always there but while a commit is made.
    batch: Option<WriteTransaction>,
}

impl fmt::Debug for DiskTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskTable").finish_non_exhaustive()
    }
}

/// A failure of the embedded store.
fn disk_error(what: &str, error: impl Into<redb::Error>) -> Error {
    let error = error.into();
    let message = format!("the state on disk: {what}: {error}");
    match error {
        redb::Error::Io(error) => Error::io("the state on disk", error).or_hint([
            hint::say("make room on the disk of the "),
            hint::checkpoint(),
            hint::say(", and start the query again"),
        ]),
        _ => Error::internal(message),
    }
}

impl DiskTable {
    /// An empty table with its file on the disk of `directory`, or where temporary files are.
    pub(super) fn new(
        directory: &Location,
        schema: SchemaRef,
        encoder: Arc<KeyEncoder>,
        shared: Option<Arc<KeyEncoder>>,
    ) -> Result<Self> {
        let file = CacheFile::new(directory)?;
        let mut builder = Builder::new();
        let builder = builder.set_cache_size(CACHE_BYTES);
        let database = builder.create_with_backend(file);
        let database = database.map_err(|error| disk_error("create", error))?;
        let mut table = Self {
            codec: Arc::new(Codec::try_new(schema, encoder)?),
            shared,
            database: Arc::new(database),
            batch: None,
        };
        table.begin()?;
        table.with(|_, _| Ok(()))?;
        Ok(table)
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        self.codec.schema()
    }

    pub(super) fn encoder(&self) -> &Arc<KeyEncoder> {
        self.codec.encoder()
    }

    pub(super) fn prefix_encoder(&self) -> Option<&Arc<KeyEncoder>> {
        self.shared.as_ref()
    }

    fn begin(&mut self) -> Result<()> {
        let batch = self.database.begin_write();
        self.batch = Some(batch.map_err(|error| disk_error("begin", error))?);
        Ok(())
    }

    /// Both tables, as they are with all changes.
    fn with<T>(&self, work: impl FnOnce(&mut Rows<'_>, &mut Index<'_>) -> Result<T>) -> Result<T> {
        let batch = self.batch.as_ref();
        let batch = batch.ok_or_else(|| Error::internal("the state on disk has failed before"))?;
        let opened = |error| disk_error("open", error);
        let mut rows = batch.open_table(ROWS).map_err(opened)?;
        let mut index = batch.open_table(BY_EXPIRY).map_err(opened)?;
        work(&mut rows, &mut index)
    }

    /// Keeps the changes.
    pub(super) fn commit(&mut self) -> Result<()> {
        if let Some(batch) = self.batch.take() {
            batch
                .commit()
                .map_err(|error| disk_error("commit", error))?;
        }
        self.begin()
    }

    pub(super) fn len(&self) -> usize {
        let len = self.with(|rows, _| rows.len().map_err(|error| disk_error("count", error)));
        len.map_or(0, |len| usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// About how many bytes are held in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.database.cache_stats().used_bytes()
    }

    /// Whether each of `keys` is held.
    pub(super) fn contains(&self, keys: &EncodedKeys) -> Result<Vec<bool>> {
        self.with(|rows, _| {
            let contains = |number| Ok(get(rows, keys.key(number))?.is_some());
            (0..keys.num_keys()).map(contains).collect()
        })
    }

    /// The rows of those of `keys` that are held, with the numbers of these.
    pub(super) fn held(&self, keys: &EncodedKeys) -> Result<(Vec<u32>, RecordBatch)> {
        let (mut numbers, mut found) = (Vec::new(), Vec::new());
        self.with(|rows, _| {
            for number in 0..keys.num_keys() {
                if let Some(stored) = get(rows, keys.key(number))? {
                    numbers.push(number as u32);
                    found.push(StoredRow::new(keys.key(number), &stored));
                }
            }
            Ok(())
        })?;
        Ok((numbers, self.codec.decode(&found)?))
    }

    /// The rows that share each of `keys`, with the numbers of the keys; those of one key in their order.
    pub(super) fn sharing(&self, keys: &EncodedKeys) -> Result<(Vec<u32>, RecordBatch)> {
        let (mut numbers, mut found) = (Vec::new(), Vec::new());
        self.with(|rows, _| {
            for number in 0..keys.num_keys() {
                let prefix = keys.key(number);
                let range = rows.range::<&[u8]>((Bound::Included(prefix), Bound::Unbounded));
                for row in range.map_err(read_error)? {
                    let (key, stored) = row.map_err(read_error)?;
                    if !key.value().starts_with(prefix) {
                        break;
                    }
                    numbers.push(number as u32);
                    found.push(StoredRow::new(key.value(), stored.value()));
                }
            }
            Ok(())
        })?;
        Ok((numbers, self.codec.decode(&found)?))
    }

    /// Groups rows by key, and reads the rows of the keys that are held.
    pub(super) fn claim(&self, keys: &EncodedKeys) -> Result<Claim> {
        let mut claim = Claim::with_capacity(keys.num_keys());
        let mut groups: HashTable<usize> = HashTable::with_capacity(keys.num_keys());
        let firsts = &mut claim.first_rows;
        for row in 0..keys.num_keys() {
            let (hash, key) = (keys.hash(row), keys.key(row));
            let key_of = |group: usize| firsts.get(group).map(|&row| keys.key(row as usize));
            let found = groups.find(hash, |&group| key_of(group) == Some(key));
            let group = match found {
                Some(&group) => group,
                None => {
                    let group = firsts.len();
                    firsts.push(row as u32);
                    groups.insert_unique(hash, group, |&group| {
                        let row = firsts.get(group).map_or(0, |&row| row as usize);
                        keys.hash(row)
                    });
                    group
                }
            };
            claim.group_of_row.push(group);
        }
        self.with(|rows, _| {
            for (group, &first) in claim.first_rows.iter().enumerate() {
                let stored = get(rows, keys.key(first as usize))?;
                claim.held.extend(stored.is_some().then_some(group));
                claim.stored.push(stored);
            }
            Ok(())
        })?;
        Ok(claim)
    }

    /// The rows that were held, in the order of [`Claim::held`]; `keys` are those of the claim.
    pub(super) fn held_rows(&self, claim: &Claim, keys: &EncodedKeys) -> Result<RecordBatch> {
        let groups = claim.first_rows.iter().zip(&claim.stored);
        let held = groups.filter_map(|(&first, stored)| {
            let stored = stored.as_ref()?;
            Some(StoredRow::new(keys.key(first as usize), stored))
        });
        self.codec.decode(&held.collect::<Vec<_>>())
    }

    /// As [`super::columnar::ColumnarState::write`].
    pub(super) fn write(
        &self,
        claim: &Claim,
        rows: &RecordBatch,
        keys: &EncodedKeys,
        expiry: Option<&[Option<i64>]>,
    ) -> Result<()> {
        let values = self.codec.encode_values(rows)?;
        self.with(|table, index| {
            let groups = claim.first_rows.iter().zip(&claim.stored).enumerate();
            let mut stored = Vec::new();
            for (group, (&first, old)) in groups {
                let key = keys.key(first as usize);
                let expiry = expiry.and_then(|expiry| expiry.get(group).copied().flatten());
                let old_expiry = old.as_ref().and_then(|old| expiry_of(old));
                if old_expiry != expiry {
                    if let Some(old) = old_expiry {
                        let removed = index.remove(index_key(old, key).as_slice());
                        removed.map_err(write_error)?;
                    }
                    if let Some(new) = expiry {
                        let added = index.insert(index_key(new, key).as_slice(), ());
                        added.map_err(write_error)?;
                    }
                }
                values.stored(group, expiry, &mut stored);
                table.insert(key, stored.as_slice()).map_err(write_error)?;
            }
            Ok(())
        })
    }

    /// The rows whose expiry is at or before `through`, by expiry, but for those of `keys`.
    pub(super) fn expired(&self, through: i64, keys: Option<&EncodedKeys>) -> Result<RecordBatch> {
        let known: HashSet<&[u8]> = match keys {
            Some(keys) => (0..keys.num_keys())
                .map(|number| keys.key(number))
                .collect(),
            None => HashSet::new(),
        };
        let mut found = Vec::new();
        self.with(|rows, index| {
            let expired = index.range::<&[u8]>(index_range(&index_bounds(through)));
            for entry in expired.map_err(read_error)? {
                let (entry, ()) = entry
                    .map(|(key, unit)| (key, unit.value()))
                    .map_err(read_error)?;
                let key = key_of_index(entry.value());
                if !known.contains(key)
                    && let Some(stored) = get(rows, key)?
                {
                    found.push(StoredRow::new(key, &stored));
                }
            }
            Ok(())
        })?;
        self.codec.decode(&found)
    }

    /// Whether any row expires at or before `through`.
    pub(super) fn has_expired(&self, through: i64) -> bool {
        let first = self.with(|_, index| {
            let mut range = index
                .range::<&[u8]>(index_range(&index_bounds(through)))
                .map_err(read_error)?;
            Ok(range.next().is_some())
        });
        first.unwrap_or(false)
    }

    /// The times at which rows expire, in order.
    pub(super) fn expiries(&self) -> Vec<i64> {
        let mut times = Vec::new();
        let found = self.with(|_, index| {
            let mut after: Option<[u8; EXPIRY_BYTES]> = None;
            loop {
                let begin = after
                    .as_ref()
                    .map_or(Bound::Unbounded, |after| Bound::Included(after.as_slice()));
                let mut rest = index
                    .range::<&[u8]>((begin, Bound::Unbounded))
                    .map_err(read_error)?;
                let Some(entry) = rest.next() else {
                    return Ok(());
                };
                let (entry, _) = entry.map_err(read_error)?;
                let time = time_of_index(entry.value());
                times.extend(time);
                // All other rows of this time stand between here and the next.
                match time.and_then(|time| time.checked_add(1)) {
                    Some(next) => after = Some(sortable(next)),
                    None => return Ok(()),
                }
            }
        });
        match found {
            Ok(()) => times,
            Err(_) => Vec::new(),
        }
    }

    /// How many keys that rows share are held; looks at every row.
    pub(super) fn num_shared_keys(&self) -> usize {
        let Some(shared) = self.shared.as_ref() else {
            return 0;
        };
        let mut keys: HashSet<Box<[u8]>> = HashSet::new();
        let seen = self.each_batch(|rows, _| {
            let columns = rows.columns().get(..shared.columns()).unwrap_or_default();
            let encoded = shared.encode(columns)?;
            keys.extend((0..encoded.num_keys()).map(|number| encoded.key(number).into()));
            Ok(())
        });
        seen.map_or(0, |()| keys.len())
    }

    /// Removes the rows whose expiry is at or before `through`; returns how many.
    pub(super) fn evict(&self, through: i64) -> Result<usize> {
        self.with(|rows, index| {
            let bounds = index_bounds(through);
            let mut evicted = 0;
            let gone = index
                .extract_from_if::<&[u8], _>(index_range(&bounds), |_, ()| true)
                .map_err(write_error)?;
            for entry in gone {
                let (entry, _) = entry.map_err(write_error)?;
                rows.remove(key_of_index(entry.value()))
                    .map_err(write_error)?;
                evicted += 1;
            }
            Ok(evicted)
        })
    }

    /// The highest value in a column of whole numbers.
    pub(super) fn highest(&self, column: usize) -> Option<i64> {
        let mut highest = None;
        let seen = self.each_batch(|rows, _| {
            let numbers = rows.column(column).as_primitive_opt::<Int64Type>();
            highest = highest.max(numbers.and_then(max));
            Ok(())
        });
        seen.ok().and(highest)
    }

    /// All rows in one batch.
    pub(super) fn all_rows(&self) -> Result<RecordBatch> {
        let mut all = Vec::new();
        self.each_batch(|rows, _| {
            all.push(rows);
            Ok(())
        })?;
        arrow::compute::concat_batches(self.schema(), &all).map_err(super::arrow_error)
    }

    /// The rows of which `expiry` says that they expire otherwise than they were written, with what it
    /// says.
    pub(super) fn expiring_otherwise(
        &self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<Vec<(RecordBatch, Int64Array)>> {
        let mut otherwise = Vec::new();
        self.each_batch(|rows, old| {
            let new = expiry(rows.columns())?;
            let changed = (0..rows.num_rows())
                .filter(|&row| new.get(row) != old.get(row))
                .map(|row| row as u32);
            let changed: Vec<u32> = changed.collect();
            if !changed.is_empty() {
                let expiry = changed
                    .iter()
                    .map(|&row| new.get(row as usize).copied().flatten());
                let expiry = expiry.collect();
                otherwise.push((super::take_rows(&rows, changed)?, expiry));
            }
            Ok(())
        })?;
        Ok(otherwise)
    }

    /// All rows that are committed, as they are now, whatever becomes of the state.
    pub(super) fn live_rows(&self) -> Result<DiskRows> {
        let reading = self.database.begin_read();
        let reading = reading.map_err(|error| disk_error("begin to read", error))?;
        Ok(DiskRows::new(Arc::new(reading), Arc::clone(&self.codec)))
    }

    /// Hands all rows to `each`, some at a time, with their expiry.
    fn each_batch(
        &self,
        mut each: impl FnMut(RecordBatch, Vec<Option<i64>>) -> Result<()>,
    ) -> Result<()> {
        self.with(|rows, _| {
            let mut found = Vec::new();
            let mut hand_over = |found: &mut Vec<StoredRow>| {
                let expiry = found.iter().map(StoredRow::expiry).collect();
                let rows = self.codec.decode(found)?;
                found.clear();
                each(rows, expiry)
            };
            for row in rows.range::<&[u8]>(..).map_err(read_error)? {
                let (key, stored) = row.map_err(read_error)?;
                found.push(StoredRow::new(key.value(), stored.value()));
                if found.len() == ROWS_AT_ONCE {
                    hand_over(&mut found)?;
                }
            }
            hand_over(&mut found)
        })
    }
}

/// What is stored under a key.
fn get(rows: &Rows<'_>, key: &[u8]) -> Result<Option<Box<[u8]>>> {
    let stored = rows.get(key).map_err(read_error)?;
    Ok(stored.map(|stored| stored.value().into()))
}

/// How the entries of the index that are at or before `through` end: at the first one behind.
fn index_bounds(through: i64) -> Option<[u8; 8]> {
    through.checked_add(1).map(codec::sortable)
}

fn read_error(error: redb::StorageError) -> Error {
    disk_error("read", error)
}

fn write_error(error: redb::StorageError) -> Error {
    disk_error("write", error)
}
