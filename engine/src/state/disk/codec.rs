//! Rows as bytes and back: Arrow's row format, which sorts as the columns do.

use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};

use super::super::{KeyEncoder, arrow_error};
use crate::error::{Error, Result};

/// Bytes of an expiry.
pub(super) const EXPIRY_BYTES: usize = 8;

/// What a stored row begins with: whether it expires.
const NEVER: u8 = 0;
const EXPIRES: u8 = 1;

/// Encodes and decodes the rows of one state.
#[derive(Debug)]
pub(super) struct Codec {
    schema: SchemaRef,
    encoder: Arc<KeyEncoder>,
    /// Of the columns behind the key, if there are any.
    values: Option<RowConverter>,
}

/// One row as it is stored.
#[derive(Debug)]
pub(super) struct StoredRow {
    key: Box<[u8]>,
    stored: Box<[u8]>,
}

/// The values of some rows.
#[derive(Debug)]
pub(super) struct EncodedValues(Option<Rows>);

impl Codec {
    pub(super) fn try_new(schema: SchemaRef, encoder: Arc<KeyEncoder>) -> Result<Self> {
        let fields = schema.fields().iter().skip(encoder.columns());
        let fields: Vec<SortField> = fields
            .map(|field| SortField::new(field.data_type().clone()))
            .collect();
        if !RowConverter::supports_fields(&fields) {
            let message = "the state of this query has values that the store on disk cannot hold";
            return Err(Error::illegal_argument(message)
                .with_hint("leave the option stateStore out, or give it the value memory"));
        }
        let values = match fields.is_empty() {
            true => None,
            false => Some(RowConverter::new(fields).map_err(arrow_error)?),
        };
        Ok(Self {
            schema,
            encoder,
            values,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn encoder(&self) -> &Arc<KeyEncoder> {
        &self.encoder
    }

    /// The values of `rows`.
    pub(super) fn encode_values(&self, rows: &RecordBatch) -> Result<EncodedValues> {
        let Some(values) = &self.values else {
            return Ok(EncodedValues(None));
        };
        let columns: Vec<ArrayRef> = rows
            .columns()
            .iter()
            .skip(self.encoder.columns())
            .cloned()
            .collect();
        let rows = values.convert_columns(&columns).map_err(arrow_error)?;
        Ok(EncodedValues(Some(rows)))
    }

    /// Rows in one batch, in their order.
    pub(super) fn decode(&self, rows: &[StoredRow]) -> Result<RecordBatch> {
        if rows.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let mut columns = self
            .encoder
            .decode(rows.iter().map(|row| row.key.as_ref()))?;
        if let Some(values) = &self.values {
            let parser = values.parser();
            let parsed = rows.iter().map(|row| parser.parse(row.values()));
            columns.extend(values.convert_rows(parsed).map_err(arrow_error)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(arrow_error)
    }
}

impl StoredRow {
    pub(super) fn new(key: &[u8], stored: &[u8]) -> Self {
        Self {
            key: key.into(),
            stored: stored.into(),
        }
    }

    pub(super) fn expiry(&self) -> Option<i64> {
        expiry_of(&self.stored)
    }

    fn values(&self) -> &[u8] {
        let begins = match self.stored.first() {
            Some(&EXPIRES) => 1 + EXPIRY_BYTES,
            _ => 1,
        };
        self.stored.get(begins..).unwrap_or_default()
    }
}

impl EncodedValues {
    /// Makes `stored` the row `row` as it is stored.
    pub(super) fn stored(&self, row: usize, expiry: Option<i64>, stored: &mut Vec<u8>) {
        stored.clear();
        match expiry {
            Some(expiry) => {
                stored.push(EXPIRES);
                stored.extend_from_slice(&sortable(expiry));
            }
            None => stored.push(NEVER),
        }
        if let Some(values) = &self.0 {
            stored.extend_from_slice(values.row(row).data());
        }
    }
}

/// When a stored row expires.
pub(super) fn expiry_of(stored: &[u8]) -> Option<i64> {
    let (&kind, rest) = stored.split_first()?;
    let bytes = rest.first_chunk::<EXPIRY_BYTES>()?;
    (kind == EXPIRES).then(|| time_of(*bytes))
}

/// A time as bytes that sort as times do.
pub(super) fn sortable(time: i64) -> [u8; EXPIRY_BYTES] {
    (time ^ i64::MIN).to_be_bytes()
}

fn time_of(bytes: [u8; EXPIRY_BYTES]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
}

/// The entry of the index for a row.
pub(super) fn index_key(expiry: i64, key: &[u8]) -> Vec<u8> {
    [sortable(expiry).as_slice(), key].concat()
}

/// The key of the row that an entry of the index is for.
pub(super) fn key_of_index(entry: &[u8]) -> &[u8] {
    entry.get(EXPIRY_BYTES..).unwrap_or_default()
}

/// The time that an entry of the index is for.
pub(super) fn time_of_index(entry: &[u8]) -> Option<i64> {
    entry.first_chunk::<EXPIRY_BYTES>().copied().map(time_of)
}

/// The entries before `end`, or all.
pub(super) fn index_range(end: &Option<[u8; EXPIRY_BYTES]>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    let end = match end {
        Some(end) => Bound::Excluded(end.as_slice()),
        None => Bound::Unbounded,
    };
    (Bound::Unbounded, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_their_bytes_do() {
        let times = [i64::MIN, -5, -1, 0, 1, 7, i64::MAX];
        let bytes = times.map(sortable);
        assert!(bytes.is_sorted());
        assert_eq!(bytes.map(time_of), times);
    }
}
