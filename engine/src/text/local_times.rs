//! Timestamps in the session's time zone: rows that are handed out say in which zone their times are to
//! be read.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use crate::datetime::TIME_ZONE;
use crate::error::{Result, from_datafusion};

/// The rows, their timestamps marked with `zone`; the moments stay the same.
pub(crate) fn in_zone(
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    zone: &str,
) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    if zone == TIME_ZONE {
        return Ok((schema, batches));
    }
    let fields = schema.fields().iter().map(|field| marked(field, zone));
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    let batches = batches.into_iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>();
        columns.and_then(|columns| {
            let options =
                arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
        })
    });
    let batches = batches.collect::<Result<Vec<_>, _>>();
    let batches = batches.map_err(|error| from_datafusion(error.into()))?;
    Ok((schema, batches))
}

fn marked(field: &FieldRef, zone: &str) -> FieldRef {
    let data_type = marked_type(field.data_type(), zone);
    Arc::new(Field::clone(field).with_data_type(data_type))
}

fn marked_type(data_type: &DataType, zone: &str) -> DataType {
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(zone.into())),
        DataType::List(item) => DataType::List(marked(item, zone)),
        DataType::Map(entries, sorted) => DataType::Map(marked(entries, zone), *sorted),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| marked(field, zone)).collect())
        }
        other => other.clone(),
    }
}
