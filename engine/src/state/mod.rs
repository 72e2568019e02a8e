//! Versioned state of stateful operators.
//!
//! **Batch N reads version N and commits version N+1.** In memory the newest version is changed in
//! place while a batch runs; when the batch fails its query ends, and a restart loads version N
//! from the checkpoint, which only [`StateStore::commit`] writes.
//!
//! In memory a large state is divided by key into shards, one per core. The files know nothing of
//! that, so that a query may go on with another number of cores.

mod checksum;
mod columnar;
mod disk;
mod files;
mod keys;
mod live_rows;
#[cfg(test)]
mod many_rows_tests;
mod reader;
mod shard;
mod snapshots;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::storage::Location;
use files::StateFiles;
use snapshots::Snapshots;
use table::StateTable;

pub(crate) use columnar::Claim;
pub(crate) use keys::{EncodedKeys, KeyEncoder};
pub(crate) use reader::{StateChange, StateReader, StateRows};
pub(crate) use shard::StateShard;
pub(crate) use table::{NewRows, StateStoreKind};

/// The entry of a column's metadata that says: it holds the starts of windows, which are so long.
pub(crate) const WINDOW_DURATION_US: &str = "tidebook.windowDurationUs";

/// Where a key's row is in its shard; valid until the next change of the shard.
type Slot = u32;

/// How the rows of a table are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableShape {
    /// The first columns, of which no two rows have the same values.
    key_columns: usize,
    /// How many of those are a key that many rows share.
    shared_columns: Option<usize>,
}

impl TableShape {
    /// At most one row per key, which is the first `key_columns` columns.
    pub(crate) fn one_row_per_key(key_columns: usize) -> Self {
        Self {
            key_columns,
            shared_columns: None,
        }
    }

    /// Many rows per key, which is the first `key_columns` columns; the column behind them, 64 bits
    /// that are never NULL, tells the rows of one key apart and says in which order they stand.
    pub(crate) fn many_rows_per_key(key_columns: usize) -> Self {
        Self {
            key_columns: key_columns + 1,
            shared_columns: Some(key_columns),
        }
    }

    /// How many columns are a key that many rows share; 0 if each has one row.
    pub(crate) fn shared_columns(&self) -> usize {
        self.shared_columns.unwrap_or(0)
    }
}

/// When the rows of a store expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expiries {
    /// How many different times there are.
    pub count: usize,
    /// The first of them, in order.
    pub first: Vec<i64>,
}

/// The state of one operator. Once it is dropped, nothing of it is written any more; for that,
/// dropping waits for a snapshot that is being written.
#[derive(Debug)]
pub(crate) struct StateStore {
    shards: Vec<StateShard>,
    schema: SchemaRef,
    files: StateFiles,
    snapshots: Snapshots,
    version: i64,
}

impl StateStore {
    /// Opens version `version` of the state in `directory` (0: empty), as one shard. `schema` holds
    /// the key columns that `shape` says, then the value columns; `kind` says where they are held. A state
    /// that was written with other columns is refused.
    pub(crate) fn open(
        kind: StateStoreKind,
        directory: &Location,
        durable: bool,
        schema: SchemaRef,
        shape: TableShape,
        version: i64,
    ) -> Result<Self> {
        let files = StateFiles::new(directory.clone(), durable, shape.key_columns);
        let encode = |columns| KeyEncoder::try_new(&schema, columns).map(Arc::new);
        let shared = shape.shared_columns.map(encode).transpose()?;
        let encoder = encode(shape.key_columns)?;
        let table = StateTable::new(kind, directory, schema.clone(), encoder, shared)?;
        let mut shard = StateShard::new(table);
        for delta in files.load(version, &schema)? {
            shard.apply(&delta)?;
        }
        shard.committed()?;
        Ok(Self {
            shards: vec![shard],
            schema,
            files,
            snapshots: Snapshots::default(),
            version,
        })
    }

    /// As [`Self::open`], of a state that was not in use when version `version` of what it is a part
    /// of was written: as it last was, or empty if it never was.
    pub(crate) fn open_again(
        kind: StateStoreKind,
        directory: &Location,
        durable: bool,
        schema: SchemaRef,
        shape: TableShape,
        version: i64,
    ) -> Result<Self> {
        let files = StateFiles::new(directory.clone(), durable, shape.key_columns);
        let last = files.newest(version)?;
        let open = |version| {
            Self::open(
                kind,
                directory,
                durable,
                Arc::clone(&schema),
                shape,
                version,
            )
        };
        if last < version {
            let last = open(last)?;
            let rows = last.shards.iter().map(StateShard::live_rows);
            let rows = rows.collect::<Result<Vec<_>>>()?;
            files.write_snapshot(version, &schema, &rows)?;
        }
        open(version)
    }

    /// So many versions stay readable; a hundred if nobody says.
    pub(crate) fn retain(&mut self, versions: i64) {
        self.files.versions_to_retain = versions;
    }

    /// Has the rows expire when `expiry` says, given their columns, and not when they were written to:
    /// another query may have written them, to which the time in them meant nothing. Rows
    /// for which that makes a difference are part of the next version's changes.
    pub(crate) fn expire_by(
        &mut self,
        expiry: impl Fn(&[ArrayRef]) -> Result<Vec<Option<i64>>>,
    ) -> Result<()> {
        let mut shards = self.shards.iter_mut();
        shards.try_for_each(|shard| shard.expire_by(&expiry))
    }

    /// Its parts; a key is in the one that [`EncodedKeys::rows_of_shards`] says, where many rows share a
    /// key that one.
    pub(crate) fn shards(&mut self) -> &mut [StateShard] {
        &mut self.shards
    }

    /// All of it, as long as it was not divided.
    pub(crate) fn whole(&mut self) -> Result<&mut StateShard> {
        match self.shards.as_mut_slice() {
            [whole] => Ok(whole),
            _ => Err(Error::internal("the state is divided")),
        }
    }

    /// Divides a state that is one shard into `shards`. One on disk stays whole.
    pub(crate) fn divide(&mut self, shards: usize) -> Result<()> {
        let stays_whole = self.shards.iter().any(StateShard::stays_whole);
        if stays_whole || self.shards.len() > 1 || shards < 2 {
            return Ok(());
        }
        if let Some(whole) = self.shards.pop() {
            self.shards = whole.divided(shards)?;
        }
        Ok(())
    }

    /// Whether any row expires at or before `through`.
    pub(crate) fn has_expired(&self, through: i64) -> bool {
        self.shards.iter().any(|shard| shard.has_expired(through))
    }

    /// When rows expire: at how many different times, and the first `limit` of them.
    pub(crate) fn expiries(&self, limit: usize) -> Expiries {
        let all = self.shards.iter().flat_map(StateShard::expiries);
        let mut all: Vec<i64> = all.collect();
        // Runs in order are only merged.
        all.sort();
        all.dedup();
        Expiries {
            count: all.len(),
            first: all.into_iter().take(limit).collect(),
        }
    }

    /// Writes what changed as the next version; returns that version.
    pub(crate) fn commit(&mut self) -> Result<i64> {
        let next = self.version + 1;
        let changes = self.shards.iter().map(StateShard::changes);
        let (written, evicted): (Vec<_>, Vec<_>) = changes.unzip();
        let evicted_through = evicted.into_iter().max().flatten();
        self.files
            .write_delta(next, &self.schema, &written.concat(), evicted_through)?;
        self.version = next;
        for shard in &mut self.shards {
            shard.committed()?;
        }
        if self.snapshots.is_due(next) {
            let rows = self.shards.iter().map(StateShard::live_rows);
            let rows = rows.collect::<Result<Vec<_>>>()?;
            let (files, schema) = (self.files.clone(), Arc::clone(&self.schema));
            let write = move || files.write_snapshot(next, &schema, &rows);
            self.snapshots.start(next, write);
        }
        Ok(next)
    }

    /// How many keys are held.
    pub(crate) fn num_keys(&self) -> usize {
        self.shards.iter().map(StateShard::num_keys).sum()
    }

    /// How many keys that rows share are held, in a table with many rows per key.
    pub(crate) fn num_shared_keys(&self) -> usize {
        self.shards.iter().map(StateShard::num_shared_keys).sum()
    }

    /// Bytes held in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.shards.iter().map(StateShard::memory_bytes).sum()
    }
}

/// The rows of `batch` at `rows`, in that order.
pub(crate) fn take_rows(batch: &RecordBatch, rows: Vec<u32>) -> Result<RecordBatch> {
    take_record_batch(batch, &UInt32Array::from(rows)).map_err(arrow_error)
}

/// The first `count` columns of some rows, and the others.
pub(crate) fn split_columns(
    rows: &RecordBatch,
    count: usize,
) -> Result<(&[ArrayRef], &[ArrayRef])> {
    rows.columns().split_at_checked(count).ok_or_else(|| {
        let columns = rows.num_columns();
        Error::internal(format!("rows have {columns} columns, not {count} and more"))
    })
}

fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("state: {error}")).with_source(error)
}
