//! Text: every line is a row with one STRING.

use std::sync::Arc;

use arrow::array::{ArrayBuilder, ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::line_format::LineDecoder;
use super::record_options::ParseMode;
use super::records::Records;
use crate::error::{Error, Result};
use crate::type_names::sql_type;

/// The name of the column if no schema is given.
const VALUE_COLUMN: &str = "value";

/// Options that Spark has and this version does not.
pub(super) const TEXT_OPTIONS_ABSENT: [&str; 1] = ["compression"];

/// The schema of files that were given none.
pub(super) fn text_schema() -> SchemaRef {
    let value = Field::new(VALUE_COLUMN, DataType::Utf8, true);
    Arc::new(Schema::new(vec![value]))
}

/// Refuses all columns but one STRING.
pub(super) fn check_one_string(schema: &Schema) -> Result<()> {
    let hint = format!("declare it as '{VALUE_COLUMN} STRING'");
    match &schema.fields()[..] {
        [field] if field.data_type() == &DataType::Utf8 => Ok(()),
        [field] => Err(Error::analysis(format!(
            "a file of text has one column, which is a STRING: '{}' is {}",
            field.name(),
            sql_type(field.data_type())
        ))
        .with_condition("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
        .with_hint(hint)),
        fields => Err(Error::analysis(format!(
            "a file of text has one column, which is a STRING, not {} columns",
            fields.len()
        ))
        .with_hint(hint)),
    }
}

/// Fills batches from lines.
#[derive(Debug)]
pub(super) struct TextDecoder {
    records: Records,
    /// The lines, unless nobody asks for them.
    values: Option<StringBuilder>,
    rows: usize,
}

impl TextDecoder {
    /// A decoder of a schema with one STRING.
    pub(super) fn new(schema: &Schema, projection: &[usize], rows: usize) -> Result<Self> {
        check_one_string(schema)?;
        let values =
            (!projection.is_empty()).then(|| StringBuilder::with_capacity(rows, rows * 32));
        Ok(Self {
            records: Records::new(ParseMode::Permissive, schema, projection, "")?,
            values,
            rows: 0,
        })
    }
}

impl LineDecoder for TextDecoder {
    fn num_rows(&self) -> usize {
        self.rows
    }

    fn num_corrupt_records(&self) -> u64 {
        self.records.num_corrupt()
    }

    fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        if let Some(values) = &mut self.values {
            values.append_value(String::from_utf8_lossy(line));
        }
        self.rows += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(None);
        }
        let values = self.values.as_mut().map(ArrayBuilder::finish);
        let columns: Vec<ArrayRef> = values.into_iter().collect();
        self.records.batch(rows, columns).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn decode(projection: &[usize]) -> RecordBatch {
        let schema = Schema::new(vec![Field::new("line", DataType::Utf8, true)]);
        let mut decoder = TextDecoder::new(&schema, projection, 2).unwrap();
        for line in [&b"to be"[..], b"", b"a\xffb"] {
            decoder.decode_line(line).unwrap();
        }
        let batch = decoder.flush().unwrap().unwrap();
        assert!(decoder.flush().unwrap().is_none());
        batch
    }

    #[test]
    fn a_line_is_a_string() {
        let batch = decode(&[0]);
        let values: Vec<_> = batch
            .column(0)
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect();
        assert_eq!(values, ["to be", "", "a\u{fffd}b"]);
        assert_eq!(decode(&[]).num_rows(), 3);
    }

    #[test]
    fn other_columns_are_refused() {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
        let error = TextDecoder::new(&schema, &[0], 0).unwrap_err();
        assert_eq!(error.hint(), Some("declare it as 'value STRING'"));
    }
}
