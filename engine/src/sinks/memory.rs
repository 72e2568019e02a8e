//! Rows kept in memory, readable as a table under the query's name.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;

use crate::error::Result;
use crate::output_mode::OutputMode;
use crate::sinks::{
    CreatedSink, Part, Sink, SinkFormat, SinkRequest, Target, collect, drain, failed,
};

/// Batches are not merged into larger ones than this.
const MAX_MERGED_ROWS: usize = 64 * 1024;

/// The row of the table of sinks.
pub(super) const MEMORY: SinkFormat = SinkFormat {
    name: "memory",
    doc: "keeps the rows as a table with the query's name",
    output_modes: &OutputMode::ALL,
    options: &[],
    absent_options: &[],
    target: Target::None,
    temporary_checkpoint: true,
    forgets: true,
    needs_function: false,
    stream: create,
    batch: None,
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    request.format.checked_options(request.options)?;
    let table = Arc::new(MemoryTable::new(request.schema));
    Ok(CreatedSink {
        sink: Arc::new(MemorySink::new(Arc::clone(&table))),
        table: Some(table),
    })
}

/// Appends every batch to a [`MemoryTable`], or replaces its content in complete mode. Update mode
/// appends, as in Spark. Output comes from one place: the batch is shown whole or not at all.
#[derive(Debug)]
pub struct MemorySink {
    table: Arc<MemoryTable>,
}

impl MemorySink {
    /// A sink that fills `table`.
    pub fn new(table: Arc<MemoryTable>) -> Self {
        Self { table }
    }

    /// The table it fills.
    pub fn table(&self) -> &Arc<MemoryTable> {
        &self.table
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn description(&self) -> String {
        "MemorySink".to_string()
    }

    fn takes_parts(&self) -> bool {
        true
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        if self
            .table
            .latest_batch_id()
            .is_some_and(|latest| batch_id <= latest)
        {
            drain(rows).await?;
            return Ok(Some(0));
        }
        self.put(batch_id, output_mode, rows).await
    }

    async fn add_part(
        &self,
        part: Part,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        self.put(part.batch_id, output_mode, rows).await
    }
}

impl MemorySink {
    async fn put(
        &self,
        batch_id: i64,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let (batches, count) = collect(rows).await?;
        let batches = batches
            .into_iter()
            .map(|batch| self.table.conform(batch))
            .collect::<Result<Vec<_>>>()?;
        self.table.put(batch_id, output_mode, batches)?;
        Ok(Some(count))
    }
}

/// What a [`MemorySink`] holds. As a table of DataFusion it shows, at every scan, the rows of the
/// batches that are complete by then.
#[derive(Debug)]
pub struct MemoryTable {
    schema: SchemaRef,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    batches: Vec<RecordBatch>,
    latest_batch_id: Option<i64>,
}

impl MemoryTable {
    /// An empty table.
    pub fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            content: Mutex::default(),
        }
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// All rows there are now. Cheap: shares the columns, and there are few batches.
    pub fn snapshot(&self) -> Vec<RecordBatch> {
        self.content.lock().batches.clone()
    }

    /// The last batch taken; changes whenever the rows may have changed.
    pub fn latest_batch_id(&self) -> Option<i64> {
        self.content.lock().latest_batch_id
    }

    /// How many rows there are now.
    pub fn num_rows(&self) -> usize {
        let content = self.content.lock();
        content.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn conform(&self, batch: RecordBatch) -> Result<RecordBatch> {
        RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())
            .map_err(|error| failed(error.into()))
    }

    fn put(&self, batch_id: i64, mode: OutputMode, batches: Vec<RecordBatch>) -> Result<()> {
        let mut content = self.content.lock();
        let mut kept = match mode {
            OutputMode::Complete => Vec::new(),
            OutputMode::Append | OutputMode::Update => std::mem::take(&mut content.batches),
        };
        for batch in batches {
            push_merged(&mut kept, batch)?;
        }
        content.batches = kept;
        content.latest_batch_id = Some(batch_id);
        Ok(())
    }
}

/// Merges the last batches while they are of similar size. So their number grows with the
/// logarithm of the rows, and a row is copied that often at most.
fn push_merged(batches: &mut Vec<RecordBatch>, batch: RecordBatch) -> Result<()> {
    if batch.num_rows() == 0 {
        return Ok(());
    }
    let mut merged_rows = batch.num_rows();
    let mut from = batches.len();
    for previous in batches.iter().rev().map(RecordBatch::num_rows) {
        if previous > 2 * merged_rows || previous + merged_rows > MAX_MERGED_ROWS {
            break;
        }
        merged_rows += previous;
        from -= 1;
    }
    batches.push(batch);
    if let Some(similar @ [first, _, ..]) = batches.get(from..) {
        let merged = concat_batches(&first.schema(), similar);
        let merged = merged.map_err(|error| failed(error.into()))?;
        batches.truncate(from);
        batches.push(merged);
    }
    Ok(())
}

#[async_trait]
impl TableProvider for MemoryTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
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
        let rows = MemTable::try_new(self.schema.clone(), vec![self.snapshot()])?;
        rows.scan(session, projection, filters, limit).await
    }
}

#[cfg(test)]
mod tests {
    use datafusion::functions_aggregate::expr_fn::sum;
    use datafusion::prelude::{SessionContext, col};

    use super::*;
    use crate::sinks::testing::{numbers, rows_of, schema, values};

    #[tokio::test]
    async fn modes_and_batch_ids_decide_what_is_kept() {
        let sink = MemorySink::new(Arc::new(MemoryTable::new(schema())));
        for (batch_id, mode, given, written, kept) in [
            (0, OutputMode::Append, vec![1, 2], 2, vec![1, 2]),
            (0, OutputMode::Append, vec![9], 0, vec![1, 2]),
            (1, OutputMode::Update, vec![3], 1, vec![1, 2, 3]),
            (2, OutputMode::Complete, vec![7], 1, vec![7]),
            (3, OutputMode::Complete, vec![], 0, vec![]),
        ] {
            let count = sink.add_batch(batch_id, mode, rows_of(&given)).await;
            assert_eq!(count.unwrap(), Some(written), "batch {batch_id}");
            assert_eq!(values(&sink.table().snapshot()), kept, "batch {batch_id}");
        }
        assert_eq!(sink.table().latest_batch_id(), Some(3));
    }

    #[tokio::test]
    async fn small_batches_are_merged_in_order() {
        let mut batches = Vec::new();
        for value in 0..1000 {
            push_merged(&mut batches, numbers(&[value])).unwrap();
        }
        assert_eq!(values(&batches), (0..1000).collect::<Vec<_>>());
        assert!(batches.len() <= 12, "{} batches", batches.len());
    }

    #[tokio::test]
    async fn a_registered_table_shows_later_batches() {
        let table = Arc::new(MemoryTable::new(schema()));
        let context = SessionContext::new();
        let counts = context.read_table(table.clone()).unwrap();
        let sum = sum(col("value")).alias("value");
        let sum = counts.aggregate(vec![], vec![sum]).unwrap();
        let sink = MemorySink::new(table);
        for (batch_id, expected) in [(0, 5), (1, 10)] {
            let added = sink
                .add_batch(batch_id, OutputMode::Append, rows_of(&[2, 3]))
                .await;
            added.unwrap();
            let answer = sum.clone().collect().await.unwrap();
            assert_eq!(values(&answer), [expected]);
        }
    }
}
