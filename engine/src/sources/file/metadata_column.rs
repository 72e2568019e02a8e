//! `_metadata`: the column of a table or stream of files that says which file a row is of. It is in no
//! star, and read only where a query names it.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::datetime::TIME_ZONE;
use crate::error::{Error, Result};
use crate::storage::{Location, Metadata};

/// The column's name.
pub(crate) const METADATA_COLUMN: &str = "_metadata";

fn fields() -> Fields {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
    let fields = [
        ("file_path", DataType::Utf8),
        ("file_name", DataType::Utf8),
        ("file_size", DataType::Int64),
        ("file_block_start", DataType::Int64),
        ("file_block_length", DataType::Int64),
        ("file_modification_time", timestamp),
    ];
    fields
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, false))
        .collect()
}

/// The columns of files and `_metadata` behind them; `None` if they have a column of that name.
pub(super) fn with_metadata_column(schema: &Schema) -> Option<SchemaRef> {
    let mut own = schema.fields().iter();
    if own.any(|field| field.name().eq_ignore_ascii_case(METADATA_COLUMN)) {
        return None;
    }
    let metadata = Field::new(METADATA_COLUMN, DataType::Struct(fields()), false);
    let all = schema.fields().iter().cloned().chain([Arc::new(metadata)]);
    Some(Arc::new(Schema::new(all.collect::<Vec<_>>())))
}

/// The column's value in the rows of a part of a file: an array of one.
pub(super) fn metadata_value(
    location: &Location,
    metadata: Metadata,
    range: &Range<u64>,
) -> Result<ArrayRef> {
    let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let end = range.end.min(metadata.size);
    let modified = metadata.modified_ms.saturating_mul(1_000);
    let modified = TimestampMicrosecondArray::from(vec![modified]).with_timezone(TIME_ZONE);
    let url = location.url()?;
    // As the path has it, with what a URL writes otherwise.
    let name = url.rsplit('/').next().unwrap_or(&url).to_string();
    // Spark writes the path of a local file with one slash here.
    let path = match url.strip_prefix("file:///") {
        Some(path) => format!("file:/{path}"),
        None => url.clone(),
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![path])),
        Arc::new(StringArray::from(vec![name])),
        Arc::new(Int64Array::from(vec![long(metadata.size)])),
        Arc::new(Int64Array::from(vec![long(range.start)])),
        Arc::new(Int64Array::from(vec![long(end - range.start.min(end))])),
        Arc::new(modified),
    ];
    let value = StructArray::try_new(fields(), columns, None)
        .map_err(|error| Error::internal(format!("the column {METADATA_COLUMN}: {error}")))?;
    Ok(Arc::new(value))
}
