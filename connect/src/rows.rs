//! Rows as a client reads them: Arrow IPC, in the Arrow types that Spark sends.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use arrow::ipc::writer::StreamWriter;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{LocalRelation, Relation};
use tidebook_engine::{Error, Result, Rows};

/// A message may be as large as this many bytes of rows; larger batches are divided.
const MOST_BYTES: usize = 3 * 1024 * 1024;

/// One batch, encoded as a whole stream, and how many rows it has.
pub(crate) struct Encoded {
    /// Rows in it.
    pub rows: usize,
    /// The stream.
    pub bytes: Vec<u8>,
}

/// All rows, at least one batch: a client learns the columns from it.
pub(crate) fn encode(rows: &Rows) -> Result<Vec<Encoded>> {
    let schema = sent_schema(&rows.schema);
    let mut encoded = Vec::new();
    for batch in &rows.batches {
        let batch = sent_batch(batch, &schema)?;
        let bytes = batch.get_array_memory_size().max(1);
        let pieces = bytes.div_ceil(MOST_BYTES).min(batch.num_rows().max(1));
        let step = batch.num_rows().div_ceil(pieces).max(1);
        let mut start = 0;
        while start < batch.num_rows() {
            let length = step.min(batch.num_rows() - start);
            encoded.push(encode_one(&batch.slice(start, length))?);
            start += length;
        }
    }
    if encoded.is_empty() {
        encoded.push(encode_one(&RecordBatch::new_empty(schema))?);
    }
    Ok(encoded)
}

fn encode_one(batch: &RecordBatch) -> Result<Encoded> {
    let written = || {
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    let bytes = written().map_err(|error| internal("send rows", error))?;
    let rows = batch.num_rows();
    Ok(Encoded { rows, bytes })
}

fn internal(what: &str, error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("{what}: {error}")).with_source(error)
}

fn sent_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(sent_field);
    Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()))
}

/// A field without what the engine notes about it.
fn sent_field(field: &FieldRef) -> FieldRef {
    let sent = sent_type(field.data_type());
    Arc::new(Field::new(field.name(), sent, field.is_nullable()))
}

fn sent_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Dictionary(_, value) => sent_type(value),
        DataType::List(item) | DataType::LargeList(item) => DataType::List(sent_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(sent_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(sent_field(entries), *sorted),
        other => other.clone(),
    }
}

fn sent_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(
        |(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast(column, field.data_type()),
        },
    );
    let made = columns
        .collect::<std::result::Result<Vec<ArrayRef>, _>>()
        .and_then(|columns| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        });
    made.map_err(|error| internal("send rows", error))
}

/// All rows as one stream.
pub(crate) fn stream_of(rows: &Rows) -> Result<Vec<u8>> {
    let schema = sent_schema(&rows.schema);
    let batches = rows.batches.iter().map(|batch| sent_batch(batch, &schema));
    let batches = batches.collect::<Result<Vec<_>>>()?;
    let written = || {
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        for batch in &batches {
            writer.write(batch)?;
        }
        writer.finish()?;
        writer.into_inner()
    };
    written().map_err(|error| internal("send rows", error))
}

/// Rows as a relation that can be sent back and asked for.
pub(crate) fn local_relation(rows: &Rows) -> Result<Relation> {
    let data = stream_of(rows)?;
    Ok(Relation {
        common: None,
        rel_type: Some(RelType::LocalRelation(LocalRelation {
            data: Some(data.into()),
            schema: None,
        })),
    })
}

/// One column of texts.
pub(crate) fn texts(name: &str, values: Vec<String>) -> Result<Rows> {
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]));
    let column: ArrayRef = Arc::new(arrow::array::StringArray::from(values));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]);
    Ok(Rows {
        schema,
        batches: vec![batch.map_err(|error| internal("make rows", error))?],
    })
}
