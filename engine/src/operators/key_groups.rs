//! Rows put in order of their keys, for operators that hand groups to user code.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use serde_json::Value;

use super::errors::arrow_error;
use crate::error::Result;
use crate::json::json_rows;
use crate::state::EncodedKeys;

/// Which rows share a key.
pub(super) struct KeyGroups {
    by_key: Vec<u32>,
    encoded: EncodedKeys,
}

impl KeyGroups {
    /// Groups rows by their encoded keys.
    pub(super) fn new(encoded: EncodedKeys) -> Self {
        let mut by_key: Vec<u32> = (0..encoded.num_keys() as u32).collect();
        let key = |row: u32| encoded.key(row as usize);
        by_key.sort_by(|&left, &right| key(left).cmp(key(right)));
        Self { by_key, encoded }
    }

    /// The rows of each group in the order they came; the groups in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let key = |row: u32| self.encoded.key(row as usize);
        self.by_key
            .chunk_by(move |&left, &right| key(left) == key(right))
    }

    /// The first row of each group.
    pub(super) fn first_rows(&self) -> Vec<u32> {
        self.iter()
            .filter_map(|rows| rows.first().copied())
            .collect()
    }

    /// All rows, one group after the other.
    pub(super) fn rows(&self) -> &[u32] {
        &self.by_key
    }

    /// The encoded keys of the rows.
    pub(super) fn encoded(&self) -> &EncodedKeys {
        &self.encoded
    }
}

/// The keys of groups as user code sees them, one list of values per group.
pub(super) fn key_values(keys: &[ArrayRef], groups: usize) -> Result<Vec<Vec<Value>>> {
    let mut values = vec![Vec::with_capacity(keys.len()); groups];
    for key in keys {
        let field = Field::new("key", key.data_type().clone(), true);
        let column =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(key)]);
        let rows = json_rows(&column.map_err(arrow_error)?)?;
        for (values, row) in values.iter_mut().zip(rows) {
            values.push(row.get("key").cloned().unwrap_or_default());
        }
    }
    Ok(values)
}
