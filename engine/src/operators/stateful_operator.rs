//! The one physical node of all stateful operators: it hands its inputs to an operator that remembers.
//! What the operators do with them is in their own files.

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
use super::operator_state::OperatorState;

/// What a stateful operator does. It lives as long as the query's plan; the node around it is made
/// anew per batch.
pub(super) trait StatefulOperator: fmt::Debug + Send + Sync {
    /// The node's name in plans.
    fn node_name(&self) -> &'static str;

    /// Says behind the name what the node was made with; `schema` is that of its rows.
    fn describe(&self, schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// What it remembers.
    fn state(&self) -> &Arc<OperatorState>;

    /// Reads one batch from all partitions of `input` to its end: the rows of the batch.
    fn run(
        self: Arc<Self>,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<Rows>;
}

/// What an operator gives for a batch.
pub(super) type Rows = BoxStream<'static, DataFusionResult<RecordBatch>>;

/// The rows of an operator that has them all at once, when `batches` is done.
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
    operator: Arc<dyn StatefulOperator>,
    properties: Arc<PlanProperties>,
}

impl StatefulExec {
    /// Runs `operator` on `input`; `schema` is that of the rows it gives.
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        operator: impl StatefulOperator + 'static,
        schema: SchemaRef,
        emission: EmissionType,
    ) -> Self {
        Self {
            properties: unordered(schema, 1, emission),
            input,
            operator: Arc::new(operator),
        }
    }

    /// What the operator remembers.
    pub fn state(&self) -> &Arc<OperatorState> {
        self.operator.state()
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            operator: Arc::clone(&self.operator),
            properties: Arc::clone(&self.properties),
        }
    }
}

impl DisplayAs for StatefulExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        self.operator.describe(&self.schema(), f)
    }
}

impl ExecutionPlan for StatefulExec {
    fn name(&self) -> &str {
        self.operator.node_name()
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let rows = Arc::clone(&self.operator).run(Arc::clone(&self.input), context)?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
