//! Key columns in the encoding in which a state compares and hashes them.

use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use arrow::datatypes::Schema;
use arrow::row::{Row, RowConverter, Rows, SortField};
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::arrow_error;
use crate::error::{Error, Result};

/// Encodes the keys of one state; its shards share it, so that a key hashes alike in all of them.
#[derive(Debug)]
pub(crate) struct KeyEncoder {
    converter: RowConverter,
    hasher: DefaultHashBuilder,
    columns: usize,
}

/// Encoded keys, by row.
#[derive(Debug)]
pub(crate) struct EncodedKeys {
    rows: Rows,
    hashes: Vec<u64>,
}

/// Which rows have the same key.
#[derive(Debug)]
pub(crate) struct NumberedKeys {
    /// The number of the key of each row.
    pub number_of_row: Vec<u32>,
    /// The first row of each key.
    pub first_rows: Vec<u32>,
}

impl KeyEncoder {
    /// For states whose first `columns` columns are the key.
    pub(super) fn try_new(schema: &Schema, columns: usize) -> Result<Self> {
        let keys = schema.fields().get(..columns).ok_or_else(|| {
            Error::internal(format!(
                "a state has less than the {columns} columns of its key"
            ))
        })?;
        let fields = keys.iter();
        let fields = fields.map(|field| SortField::new(field.data_type().clone()));
        Ok(Self {
            converter: RowConverter::new(fields.collect()).map_err(arrow_error)?,
            hasher: DefaultHashBuilder::default(),
            columns,
        })
    }

    /// The key columns of encoded keys.
    pub(super) fn decode<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        let rows: Vec<&[u8]> = keys.collect();
        let rows = rows.iter().map(|key| parser.parse(key));
        self.converter.convert_rows(rows).map_err(arrow_error)
    }

    /// How many columns are the key.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Encodes key columns.
    pub(crate) fn encode(&self, keys: &[ArrayRef]) -> Result<EncodedKeys> {
        if self.columns == 0 {
            return Err(Error::internal(
                "a state without key columns cannot be encoded",
            ));
        }
        let rows = self.converter.convert_columns(keys).map_err(arrow_error)?;
        let hash = |row: Row<'_>| self.hash(row.data());
        let hashes = rows.iter().map(hash).collect();
        Ok(EncodedKeys { rows, hashes })
    }

    /// The hash of an encoded key.
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// No keys.
    pub(super) fn none(&self) -> EncodedKeys {
        EncodedKeys {
            rows: self.converter.empty_rows(0, 0),
            hashes: Vec::new(),
        }
    }

    /// Some of `keys`: those at `rows`, in that order.
    pub(crate) fn take(&self, keys: &EncodedKeys, rows: &[u32]) -> EncodedKeys {
        let bytes = rows.iter().map(|&row| keys.key(row as usize).len()).sum();
        let mut taken = self.converter.empty_rows(rows.len(), bytes);
        for &row in rows {
            taken.push(keys.rows.row(row as usize));
        }
        EncodedKeys {
            rows: taken,
            hashes: rows.iter().map(|&row| keys.hash(row as usize)).collect(),
        }
    }

    /// All keys of `parts`, one part after the other.
    pub(crate) fn concat(&self, mut parts: Vec<EncodedKeys>) -> EncodedKeys {
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        let rows = parts.iter().map(EncodedKeys::num_keys).sum();
        let bytes = parts.iter().map(|part| part.rows.size()).sum();
        let mut all = EncodedKeys {
            rows: self.converter.empty_rows(rows, bytes),
            hashes: Vec::with_capacity(rows),
        };
        for part in &parts {
            part.rows.iter().for_each(|row| all.rows.push(row));
            all.hashes.extend_from_slice(&part.hashes);
        }
        all
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a row is below the number of keys, and a shard is a remainder"
)]
impl EncodedKeys {
    /// The encoded key of row `row`.
    pub(crate) fn key(&self, row: usize) -> &[u8] {
        self.rows.row(row).data()
    }

    /// The hash of the key of row `row`.
    pub(crate) fn hash(&self, row: usize) -> u64 {
        self.hashes[row]
    }

    /// How long each is, in bytes.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.rows.lengths()
    }

    /// Without their hashes.
    pub(super) fn into_rows(self) -> Rows {
        self.rows
    }

    /// How many keys.
    pub(crate) fn num_keys(&self) -> usize {
        self.hashes.len()
    }

    /// The keys without repetition, numbered by first appearance.
    pub(crate) fn numbered(&self) -> NumberedKeys {
        let mut numbered = NumberedKeys {
            number_of_row: Vec::with_capacity(self.num_keys()),
            first_rows: Vec::new(),
        };
        let mut table: HashTable<(u32, u32)> = HashTable::new();
        for (row, &hash) in self.hashes.iter().enumerate() {
            let key = self.key(row);
            let is_same = |&(_, first): &(u32, u32)| self.key(first as usize) == key;
            let rehash = |&(_, first): &(u32, u32)| self.hash(first as usize);
            let number = match table.entry(hash, is_same, rehash) {
                Entry::Occupied(entry) => entry.get().0,
                Entry::Vacant(entry) => {
                    let number = numbered.first_rows.len() as u32;
                    entry.insert((number, row as u32));
                    numbered.first_rows.push(row as u32);
                    number
                }
            };
            numbered.number_of_row.push(number);
        }
        numbered
    }

    /// Which rows belong to each of `shards` shards.
    pub(crate) fn rows_of_shards(&self, shards: usize) -> Vec<Vec<u32>> {
        let expected = self.num_keys() / shards;
        let mut rows = vec![Vec::with_capacity(expected + expected / 8); shards];
        for (row, &hash) in self.hashes.iter().enumerate() {
            rows[shard_of(hash, shards)].push(row as u32);
        }
        rows
    }
}

/// The shard of a key. A shard's own hash table takes the lowest and the highest bits of the hash.
fn shard_of(hash: u64, shards: usize) -> usize {
    (hash >> 24) as u32 as usize % shards
}
