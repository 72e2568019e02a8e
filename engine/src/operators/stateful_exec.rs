//! The one physical node of all stateful operators: it has an input, and hands it to a work that
//! remembers. What the operators do with it is in their own files.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use super::exec::{plain_execution_plan, unordered};
use super::stateful::StatefulOperator;

/// What a stateful operator does. It lives as long as the query's plan; the node around it is made
/// anew per batch.
pub(super) trait StatefulWork: fmt::Debug + Send + Sync {
    /// The node's name in plans.
    fn node_name(&self) -> &'static str;

    /// Says behind the name what the node was made with; `schema` is that of its rows.
    fn describe(&self, schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// The state behind it.
    fn operator(&self) -> &Arc<StatefulOperator>;

    /// Reads one batch from all partitions of `input` to its end: the rows of the batch.
    fn run(
        self: Arc<Self>,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<Rows>;
}

/// What a work gives for a batch.
pub(super) type Rows = BoxStream<'static, DataFusionResult<RecordBatch>>;

/// The rows of a work that has them all at once, when `batches` is done.
pub(super) fn rows_at_once<F>(batches: F) -> Rows
where
    F: Future<Output = DataFusionResult<Vec<RecordBatch>>> + Send + 'static,
{
    let batches = stream::once(batches).map_ok(|batches| stream::iter(batches).map(Ok));
    batches.try_flatten().boxed()
}

/// The node. It gives one partition.
#[derive(Debug)]
pub struct StatefulExec {
    input: Arc<dyn ExecutionPlan>,
    work: Arc<dyn StatefulWork>,
    properties: Arc<PlanProperties>,
}

impl StatefulExec {
    /// Does `work` with `input`; `schema` is that of the rows it gives.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        work: impl StatefulWork + 'static,
        schema: SchemaRef,
        emission: EmissionType,
    ) -> Self {
        Self {
            properties: unordered(schema, 1, emission),
            input,
            work: Arc::new(work),
        }
    }

    /// The state behind it.
    pub fn operator(&self) -> &Arc<StatefulOperator> {
        self.work.operator()
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            work: Arc::clone(&self.work),
            properties: Arc::clone(&self.properties),
        }
    }
}

impl DisplayAs for StatefulExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        self.work.describe(&self.schema(), f)
    }
}

impl ExecutionPlan for StatefulExec {
    fn name(&self) -> &str {
        self.work.node_name()
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let rows = Arc::clone(&self.work).run(Arc::clone(&self.input), context)?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
