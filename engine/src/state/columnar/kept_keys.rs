//! The encoded keys of a chunk's rows, as small as they can be kept.

#![expect(
    clippy::indexing_slicing,
    reason = "a chunk has as many keys as rows, and asks for those of its rows"
)]

use arrow::array::{Array, BinaryArray, BinaryBuilder};
use arrow::row::Rows;

use super::super::EncodedKeys;

/// Keys by row.
#[derive(Debug)]
pub(super) enum KeptKeys {
    /// All of one length: numbers and times.
    OfOneLength { bytes: Box<[u8]>, length: usize },
    /// Of any length.
    OfAny(BinaryArray),
    /// More than two gigabytes.
    Long(Rows),
}

impl KeptKeys {
    pub(super) fn new(keys: EncodedKeys) -> Self {
        let bytes: usize = keys.lengths().sum();
        let length = keys.lengths().next().unwrap_or_default();
        let values = (0..keys.num_keys()).map(|row| keys.key(row));
        if keys.lengths().all(|other| other == length) {
            let mut all = Vec::with_capacity(bytes);
            values.for_each(|key| all.extend_from_slice(key));
            return Self::OfOneLength {
                bytes: all.into_boxed_slice(),
                length,
            };
        }
        if i32::try_from(bytes).is_err() {
            return Self::Long(keys.into_rows());
        }
        let mut all = BinaryBuilder::with_capacity(keys.num_keys(), bytes);
        values.for_each(|key| all.append_value(key));
        Self::OfAny(all.finish())
    }

    pub(super) fn key(&self, row: usize) -> &[u8] {
        match self {
            Self::OfOneLength { bytes, length } => &bytes[row * length..][..*length],
            Self::OfAny(keys) => keys.value(row),
            Self::Long(rows) => rows.row(row).data(),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::OfOneLength { bytes, .. } => bytes.len(),
            Self::OfAny(keys) => keys.get_array_memory_size(),
            Self::Long(rows) => rows.size(),
        }
    }
}
