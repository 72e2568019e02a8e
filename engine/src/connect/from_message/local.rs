//! Rows that come with a message.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;

use crate::connect::proto;
use crate::error::{Error, Result};
use crate::sql::parse_schema_of_columns;
use crate::tree::Relation;

/// Rows as Arrow's stream, under the names and types that the message gives them, if it does.
pub(super) fn local_of(local: &proto::LocalRelation) -> Result<Relation> {
    let given = local.schema.as_deref().filter(|text| !text.is_empty());
    let given = given.map(parse_schema_of_columns).transpose()?;
    let Some(data) = &local.data else {
        let schema = given.ok_or_else(|| super::missing("the columns of the rows"))?;
        let batches = Vec::new();
        return Ok(Relation::Local { schema, batches });
    };
    let read = || {
        let reader = StreamReader::try_new(data.as_ref(), None)?;
        let schema = given.clone().unwrap_or_else(|| reader.schema());
        let batches = reader.map(|batch| shaped(&batch?, &schema));
        let batches = batches.collect::<std::result::Result<Vec<_>, ArrowError>>()?;
        Ok((schema, batches))
    };
    let (schema, batches) = read().map_err(|error: ArrowError| {
        Error::illegal_argument(format!("the rows of the frame cannot be read: {error}"))
            .with_source(error)
    })?;
    Ok(Relation::Local { schema, batches })
}

fn shaped(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, ArrowError> {
    if batch.num_columns() != schema.fields().len() {
        return Err(ArrowError::SchemaError(format!(
            "they have {} columns, not {}",
            batch.num_columns(),
            schema.fields().len()
        )));
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(
        |(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast(column, field.data_type()),
        },
    );
    let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
