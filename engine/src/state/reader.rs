//! A store as its files tell, read without the query that writes them.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;

use super::KeyEncoder;
use super::columnar::ColumnarState;
use super::files::{Delta, StateFiles, split_expiry};
use super::shard::StateShard;
use super::table::StateTable;
use crate::error::Result;
use crate::storage::Location;

/// Reads versions of one store.
#[derive(Debug, Clone)]
pub(crate) struct StateReader {
    files: StateFiles,
    schema: SchemaRef,
    key_columns: usize,
    oldest: i64,
    newest: i64,
}

/// Some rows, each with the time at which it leaves the state, if it does.
#[derive(Debug)]
pub(crate) struct StateRows {
    /// Key columns, then value columns.
    pub rows: RecordBatch,
    /// When each row leaves, in the operator's unit.
    pub expiry: Int64Array,
}

/// What one version did with some rows.
#[derive(Debug)]
pub(crate) struct StateChange {
    /// The version.
    pub version: i64,
    /// Whether the rows left the state with it; otherwise they were written.
    pub is_removal: bool,
    /// The rows.
    pub rows: StateRows,
}

impl StateReader {
    /// The store in `directory`; `None` if no version of it was written.
    pub(crate) fn open(directory: Location) -> Result<Option<Self>> {
        let files = StateFiles::new(directory.clone(), false, 0);
        let Some((oldest, newest)) = files.readable()? else {
            return Ok(None);
        };
        let (schema, key_columns) = files.written(newest)?;
        Ok(Some(Self {
            files: StateFiles::new(directory, false, key_columns),
            schema,
            key_columns,
            oldest,
            newest,
        }))
    }

    /// The oldest and the newest version that can be read.
    pub(crate) fn versions(&self) -> (i64, i64) {
        (self.oldest, self.newest)
    }

    /// The columns of the rows.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many of the columns are the key.
    pub(crate) fn key_columns(&self) -> usize {
        self.key_columns
    }

    /// All rows of `version`.
    pub(crate) fn rows(&self, version: i64) -> Result<Vec<StateRows>> {
        let shard = self.shard(version)?;
        let rows = shard.live_rows()?.batches(usize::MAX)?;
        rows.map(|batch| batch.map(|(rows, expiry)| StateRows { rows, expiry }))
            .collect()
    }

    /// What the versions behind `after`, through `through`, have changed, in their order.
    pub(crate) fn changes(&self, after: i64, through: i64) -> Result<Vec<StateChange>> {
        let mut shard = self.shard(after)?;
        let mut changes = Vec::new();
        for version in after + 1..=through {
            let delta = self.files.delta(version, &self.schema)?;
            let change = |is_removal, rows| StateChange {
                version,
                is_removal,
                rows,
            };
            let written = self.written(&delta)?;
            changes.extend(written.into_iter().map(|rows| change(false, rows)));
            let evicted_through = delta.evicted_through;
            shard.apply(&Delta {
                rows: delta.rows,
                evicted_through: None,
            })?;
            if let Some(through) = evicted_through {
                let rows = shard.expired(through, None)?;
                let expiry = Int64Array::new_null(rows.num_rows());
                changes.push(change(true, StateRows { rows, expiry }));
                shard.evict(through)?;
            }
        }
        Ok(changes)
    }

    /// The rows that a delta adds or replaces. One that is removed by its key is in it as a row that
    /// expires before all others.
    fn written(&self, delta: &Delta) -> Result<Vec<StateRows>> {
        let written = delta.rows.iter().map(|stored| {
            let (rows, expiry) = split_expiry(stored, &self.schema)?;
            let (kept, expiry): (Vec<u32>, Vec<Option<i64>>) = (0_u32..)
                .zip(expiry)
                .filter(|(_, expiry)| *expiry != Some(i64::MIN))
                .unzip();
            Ok(StateRows {
                rows: super::take_rows(&rows, kept)?,
                expiry: expiry.into(),
            })
        });
        written.collect()
    }

    fn shard(&self, version: i64) -> Result<StateShard> {
        let encoder = KeyEncoder::try_new(&self.schema, self.key_columns)?;
        let (schema, encoder) = (Arc::clone(&self.schema), Arc::new(encoder));
        let table = ColumnarState::new(schema, encoder);
        let mut shard = StateShard::new(StateTable::Memory(table));
        for delta in self.files.load(version, &self.schema)? {
            shard.apply(&delta)?;
        }
        Ok(shard)
    }
}
