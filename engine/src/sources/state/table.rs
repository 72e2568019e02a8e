//! A state as a table. Its files are read at every scan, of the batch that is the last one then unless
//! the options name one.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::checkpoint::{CheckpointState, StateOfStore};
use super::columns::StateColumns;
use super::metadata;
use super::options::{Reading, StateOptions};
use crate::error::{Error, Result};
use crate::storage::Location;

/// Which of the two tables.
#[derive(Debug, Clone)]
enum Kind {
    Store(StateOptions),
    Metadata,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct StateTable {
    root: Location,
    kind: Kind,
    schema: SchemaRef,
}

impl StateTable {
    /// The rows of a store, or what changed in it.
    pub(super) fn of_store(root: Location, options: StateOptions) -> Result<Self> {
        let store = CheckpointState::open(root.clone())?.store(&options.store)?;
        check_batches(&store, &options.reading)?;
        let schema = StateColumns::new(&store, &options.reading).schema;
        Ok(Self {
            root,
            kind: Kind::Store(options),
            schema,
        })
    }

    /// The stores of a checkpoint.
    pub(super) fn of_metadata(root: Location) -> Result<Self> {
        CheckpointState::open(root.clone())?.operators()?;
        Ok(Self {
            root,
            kind: Kind::Metadata,
            schema: metadata::schema(),
        })
    }

    fn rows(&self) -> Result<Vec<RecordBatch>> {
        let state = CheckpointState::open(self.root.clone())?;
        match &self.kind {
            Kind::Metadata => Ok(vec![metadata::rows(&state)?]),
            Kind::Store(options) => {
                let store = state.store(&options.store)?;
                store.read(&options.reading)
            }
        }
    }
}

impl StateOfStore {
    /// The columns and the rows of the state after batch `batch_id`, which is retained.
    pub fn rows(&self, batch_id: i64) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let reading = Reading::State(Some(batch_id));
        let schema = StateColumns::new(self, &reading).schema;
        Ok((schema, self.read(&reading)?))
    }

    fn read(&self, reading: &Reading) -> Result<Vec<RecordBatch>> {
        let columns = StateColumns::new(self, reading);
        match *reading {
            Reading::State(batch_id) => {
                let batch_id = self.batch(batch_id)?;
                let rows = self.reader.rows(batch_id + 1)?;
                rows.iter().map(|rows| columns.state(rows)).collect()
            }
            Reading::Changes(start, end) => {
                let end = self.batch(end)?;
                let changes = self.reader.changes(start, end + 1)?;
                changes
                    .iter()
                    .map(|change| columns.change(change))
                    .collect()
            }
        }
    }
}

/// Refuses batches that are not retained. The changes of the oldest version are not known unless it is
/// the first: it may be there as a whole.
fn check_batches(store: &StateOfStore, reading: &Reading) -> Result<()> {
    match *reading {
        Reading::State(batch_id) => store.batch(batch_id).map(drop),
        Reading::Changes(start, end) => {
            store.batch(end)?;
            match start {
                0 => store.batch(Some(0)),
                start => store.batch(Some(start)).and(store.batch(Some(start - 1))),
            }
            .map(drop)
        }
    }
}

#[async_trait]
impl TableProvider for StateTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let table = self.clone();
        let read = tokio::task::spawn_blocking(move || table.rows()).await;
        let read = read.map_err(|error| Error::internal(format!("reading a state ended: {error}")));
        let rows = read.and_then(|rows| rows).map_err(DataFusionError::from)?;
        let rows = MemTable::try_new(self.schema(), vec![rows])?;
        rows.scan(session, projection, filters, limit).await
    }
}
