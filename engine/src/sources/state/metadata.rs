//! The rows of `state-metadata`: one per store.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::checkpoint::CheckpointState;
use crate::error::{Error, Result};

/// The columns.
pub(super) fn schema() -> SchemaRef {
    let column = |name: &str, data_type| Field::new(name, data_type, true);
    Arc::new(Schema::new(vec![
        column("operatorId", DataType::Int64),
        column("operatorName", DataType::Utf8),
        column("stateStoreName", DataType::Utf8),
        column("numPartitions", DataType::Int32),
        column("minBatchId", DataType::Int64),
        column("maxBatchId", DataType::Int64),
        column("operatorProperties", DataType::Utf8),
    ]))
}

/// The stores of a checkpoint.
pub(super) fn rows(state: &CheckpointState) -> Result<RecordBatch> {
    let operators = state.operators()?;
    let (first, last) = state.batches()?.unwrap_or((-1, -1));
    let stores = operators.iter().flat_map(|operator| {
        let infos = operator.state_store_info.iter();
        infos.map(move |store| (&operator.operator_info, store))
    });
    let stores: Vec<_> = stores.collect();
    let ids = stores.iter().map(|(operator, _)| operator.operator_id);
    let names = stores
        .iter()
        .map(|(operator, _)| operator.operator_name.as_str());
    let store_names = stores.iter().map(|(_, store)| store.store_name.as_str());
    let partitions = stores.iter().map(|(_, store)| store.num_partitions);
    let count = stores.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids)),
        Arc::new(StringArray::from_iter_values(names)),
        Arc::new(StringArray::from_iter_values(store_names)),
        Arc::new(Int32Array::from_iter_values(partitions)),
        Arc::new(Int64Array::from(vec![first; count])),
        Arc::new(Int64Array::from(vec![last; count])),
        Arc::new(StringArray::new_null(count)),
    ];
    RecordBatch::try_new(schema(), columns)
        .map_err(|error| Error::internal(format!("state metadata: {error}")))
}
