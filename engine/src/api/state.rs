//! What queries remember, for people to look at.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::session::{Rows, Session};
use super::streaming_query::StreamingQuery;
use crate::error::{Error, Result};
use crate::sources::{CheckpointState, StateOfStore, StoreSelection};
use crate::storage::Location;
use crate::text::in_zone;

/// Which state of a query.
#[derive(Debug, Clone, Default)]
pub struct StateRequest {
    /// The number of the stateful operator; all of them by default.
    pub operator_id: Option<i64>,
    /// A store's name, or `left` or `right` of a join of two streams; all stores by default.
    pub store: Option<String>,
    /// The batch after which the state is shown; the last one that is committed by default.
    pub batch_id: Option<i64>,
}

/// The state in one store.
#[derive(Debug, Clone)]
pub struct StoreState {
    /// The number of the operator.
    pub operator_id: i64,
    /// Spark's name for the operator.
    pub operator_name: String,
    /// The store's name.
    pub store_name: String,
    /// The batch after which it was so.
    pub batch_id: i64,
    /// The rows: key and value structs, partition_id.
    pub rows: Rows,
}

impl Session {
    /// What `query`, running or ended, remembers: the rows of its stores, in the order of its
    /// operators. Reads files; waits for no batch.
    pub fn state<'a>(
        &'a self,
        query: &'a StreamingQuery,
        request: &StateRequest,
    ) -> BoxFuture<'a, Result<Vec<StoreState>>> {
        let (request, zone) = (request.clone(), self.time_zone());
        async move {
            let root = query.checkpoint().clone();
            let has_state = query.has_state();
            let read = move || {
                if !has_state {
                    return Err(stateless());
                }
                read(root, &request, &zone)
            };
            let read = tokio::task::spawn_blocking(read).await;
            let read = read.map_err(|error| Error::internal(format!("reading a state: {error}")));
            read.and_then(|read| read)
                .map_err(|error| error.context(format!("query '{}'", query.label())))
        }
        .boxed()
    }
}

fn stateless() -> Error {
    Error::analysis("it keeps no state: there is nothing that it remembers from batch to batch")
        .with_hint(
            "aggregations, dropDuplicates, joins of two streams and groups with state keep some",
        )
}

fn read(root: Location, request: &StateRequest, zone: &str) -> Result<Vec<StoreState>> {
    let state = CheckpointState::open(root)?;
    let mut read = Vec::new();
    for selection in selections(&state, request)? {
        read.push(read_store(&state.store(&selection)?, request, zone)?);
    }
    Ok(read)
}

/// The stores that are meant, each by its name.
fn selections(state: &CheckpointState, request: &StateRequest) -> Result<Vec<StoreSelection>> {
    let name = request.store.as_deref();
    let side = name.filter(|name| matches!(*name, "left" | "right"));
    let one = |operator_id| StoreSelection {
        operator_id,
        name: name.filter(|_| side.is_none()).map(str::to_string),
        side: side.map(str::to_string),
    };
    let mut selections = Vec::new();
    for operator in state.operators()? {
        let operator_id = operator.operator_info.operator_id;
        if request
            .operator_id
            .is_some_and(|wanted| wanted != operator_id)
        {
            continue;
        }
        let stores = operator.state_store_info.iter();
        let names: Vec<_> = stores.map(|store| store.store_name.clone()).collect();
        match name {
            None => selections.extend(names.into_iter().map(|name| StoreSelection {
                operator_id,
                name: Some(name),
                side: None,
            })),
            Some(_) => {
                let found = state.store(&one(operator_id)).is_ok();
                selections.extend(found.then(|| one(operator_id)));
            }
        }
    }
    // What is wrong with a selection, the selected store says.
    if selections.is_empty() {
        selections.push(one(request.operator_id.unwrap_or(0)));
    }
    Ok(selections)
}

fn read_store(store: &StateOfStore, request: &StateRequest, zone: &str) -> Result<StoreState> {
    let batch_id = store.batch(request.batch_id)?;
    let (schema, batches) = store.rows(batch_id)?;
    let batches = by_key(&schema, &batches)?;
    let (schema, batches) = in_zone(schema, batches, zone)?;
    Ok(StoreState {
        operator_id: store.operator_id,
        operator_name: store.operator_name.clone(),
        store_name: store.info.store_name.clone(),
        batch_id,
        rows: Rows {
            schema: Arc::clone(&schema),
            batches,
        },
    })
}

/// The rows in the order of their keys: they stand in the state in none.
fn by_key(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let sorted = || -> Result<RecordBatch, ArrowError> {
        let rows = concat_batches(schema, batches)?;
        let key = schema.index_of("key")?;
        let converter =
            RowConverter::new(vec![SortField::new(schema.field(key).data_type().clone())])?;
        let keys = converter.convert_columns(&[Arc::clone(rows.column(key))])?;
        let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
        order.sort_by_key(|&row| keys.row(row as usize));
        take_record_batch(&rows, &UInt32Array::from(order))
    };
    let sorted = sorted().map_err(|error| Error::internal(format!("state: {error}")))?;
    Ok(vec![sorted])
}
