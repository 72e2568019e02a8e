//! From the columns of records to batches. **Every record is kept, dropped or refused as the mode
//! says, and counted if it did not fit.**

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::record_options::ParseMode;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::type_names::sql_type;

const SNIPPET_CHARS: usize = 120;

/// A column of a schema by its place.
pub(super) fn column_at(schema: &Schema, index: usize) -> Result<&FieldRef> {
    let field = schema.fields().get(index);
    field.ok_or_else(|| Error::internal(format!("there is no column {index} to read")))
}

/// What a batch is put together from, and the records that did not fit.
#[derive(Debug)]
pub(super) struct Records {
    mode: ParseMode,
    /// Schema of the batches.
    schema: SchemaRef,
    /// Which columns of the schema of the files are read from the text.
    read: Vec<usize>,
    /// Where the column for the text of corrupt records stands among those read.
    corrupt_column: Option<usize>,
    /// Text of corrupt records by row.
    corrupt_texts: Vec<(usize, String)>,
    /// Rows to be left out.
    discarded: Vec<usize>,
    num_corrupt: u64,
}

impl Records {
    /// Batches with the columns `projection` of `schema`, in that order. A column of the name
    /// `corrupt_record_column` takes the text of corrupt records. As in Spark, what is not in the
    /// projection is not looked at: a wrong value there makes no record corrupt.
    pub(super) fn new(
        mode: ParseMode,
        schema: &Schema,
        projection: &[usize],
        corrupt_record_column: &str,
    ) -> Result<Self> {
        let corrupt = schema.index_of(corrupt_record_column).ok();
        if let Some(index) = corrupt {
            check_corrupt_record_column(schema.field(index))?;
        }
        let projected = projection.iter().map(|index| column_at(schema, *index));
        let projected = projected.map(|field| field.cloned());
        Ok(Self {
            mode,
            schema: Arc::new(Schema::new(projected.collect::<Result<Vec<_>>>()?)),
            read: projection
                .iter()
                .copied()
                .filter(|index| Some(*index) != corrupt)
                .collect(),
            corrupt_column: projection.iter().position(|index| Some(*index) == corrupt),
            corrupt_texts: Vec::new(),
            discarded: Vec::new(),
            num_corrupt: 0,
        })
    }

    /// Which columns of the schema of the files are read from the text, in this order.
    pub(super) fn read(&self) -> &[usize] {
        &self.read
    }

    /// How many records did not fit, so far.
    pub(super) fn num_corrupt(&self) -> u64 {
        self.num_corrupt
    }

    /// Rows that belong to no record.
    pub(super) fn discard(&mut self, rows: Range<usize>) {
        self.discarded.extend(rows);
    }

    /// The record in `rows`, which stands in `line`, does not fit. Fails in FAILFAST mode, with an
    /// error that shows the line but does not know where it stands.
    pub(super) fn corrupt(&mut self, rows: Range<usize>, line: &[u8], why: &str) -> Result<()> {
        self.num_corrupt += 1;
        match self.mode {
            ParseMode::Permissive => {
                if self.corrupt_column.is_some() {
                    let text = String::from_utf8_lossy(line);
                    let texts = rows.map(|row| (row, text.to_string()));
                    self.corrupt_texts.extend(texts);
                }
                Ok(())
            }
            ParseMode::DropMalformed => {
                self.discard(rows);
                Ok(())
            }
            ParseMode::FailFast => Err(malformed_record(line, why)),
        }
    }

    /// A batch of so many rows, with the columns that were read.
    pub(super) fn batch(&mut self, rows: usize, mut columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        let discarded = std::mem::take(&mut self.discarded);
        let texts = std::mem::take(&mut self.corrupt_texts);
        if let Some(position) = self.corrupt_column {
            columns.insert(position, corrupt_texts(rows, &texts));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .and_then(|batch| without_rows(batch, &discarded))
            .map_err(unfinished)
    }
}

/// Rows that were read make no batch.
pub(super) fn unfinished(error: ArrowError) -> Error {
    Error::internal(format!("finish rows of text: {error}")).with_source(error)
}

fn malformed_record(line: &[u8], why: &str) -> Error {
    let text = String::from_utf8_lossy(line.trim_ascii());
    let mut snippet: String = text.chars().take(SNIPPET_CHARS).collect();
    if snippet.len() < text.len() {
        snippet.push('…');
    }
    Error::new(
        ErrorKind::StreamingQuery,
        format!("malformed record '{snippet}': {why}"),
    )
    .with_condition("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
    .with_hint([
        hint::option("mode", "PERMISSIVE"),
        hint::say(" reads what can be read of such a record, "),
        hint::option("mode", "DROPMALFORMED"),
        hint::say(" leaves it out"),
    ])
}

fn check_corrupt_record_column(field: &Field) -> Result<()> {
    if field.data_type() == &DataType::Utf8 {
        return Ok(());
    }
    Err(Error::analysis(format!(
        "column '{}' takes the text of corrupt records and must be a STRING, not {}",
        field.name(),
        sql_type(field.data_type())
    ))
    .with_condition("INVALID_CORRUPT_RECORD_TYPE")
    .with_hint(format!("declare it as '{} STRING'", field.name())))
}

fn corrupt_texts(rows: usize, texts: &[(usize, String)]) -> ArrayRef {
    if texts.is_empty() {
        return Arc::new(StringArray::new_null(rows));
    }
    let mut column = StringBuilder::with_capacity(rows, 0);
    for (row, text) in texts {
        column.append_nulls(row - column.len());
        column.append_value(text);
    }
    column.append_nulls(rows - column.len());
    Arc::new(column.finish())
}

fn without_rows(batch: RecordBatch, discarded: &[usize]) -> Result<RecordBatch, ArrowError> {
    if discarded.is_empty() {
        return Ok(batch);
    }
    let mut keep = vec![true; batch.num_rows()];
    for row in discarded {
        let keep = keep.get_mut(*row);
        *keep.ok_or_else(|| ArrowError::ComputeError(format!("there is no row {row}")))? = false;
    }
    if batch.num_columns() == 0 {
        let kept = keep.iter().filter(|keep| **keep).count();
        let options = RecordBatchOptions::new().with_row_count(Some(kept));
        return RecordBatch::try_new_with_options(batch.schema(), vec![], &options);
    }
    filter_record_batch(&batch, &BooleanArray::from(keep))
}
