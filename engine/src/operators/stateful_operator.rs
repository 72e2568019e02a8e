//! The one physical node of all stateful operators: it hands its inputs to an operator that remembers.
//! What the operators do with them is in their own files.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::internal_datafusion_err;
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
pub(crate) trait StatefulOperator: fmt::Debug + Send + Sync {
    /// The node's name in plans.
    fn node_name(&self) -> &'static str;

    /// Says behind the name what the node was made with; `schema` is that of its rows.
    fn describe(&self, schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// What the node was made with in words of SQL, if it says so otherwise than in plans.
    fn in_sql(&self) -> Option<String> {
        None
    }

    /// What it remembers.
    fn state(&self) -> &Arc<OperatorState>;

    /// The watermark of what it gives, when that of what it gets is `input_ms`; `None` if nothing can
    /// be said of its event times.
    fn output_watermark(&self, input_ms: i64) -> Option<i64> {
        Some(input_ms)
    }

    /// Reads one batch from all partitions of its inputs to their ends: the rows of the batch.
    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows>;
}

/// What an operator reads.
#[derive(Debug, Clone)]
pub(crate) struct Inputs(Vec<Arc<dyn ExecutionPlan>>);

impl Inputs {
    /// The inputs of an operator that has `N`.
    pub(super) fn into_array<const N: usize>(
        self,
    ) -> DataFusionResult<[Arc<dyn ExecutionPlan>; N]> {
        self.0.try_into().map_err(|inputs: Vec<_>| {
            internal_datafusion_err!("an operator has {N} inputs, not {}", inputs.len())
        })
    }

    /// The input of an operator that has one.
    pub(super) fn into_one(self) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        self.into_array::<1>().map(|[input]| input)
    }
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
pub(crate) struct StatefulExec {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    operator: Arc<dyn StatefulOperator>,
    properties: Arc<PlanProperties>,
    /// Rows that came out of this execution: the node is made anew for each.
    num_rows: Arc<AtomicI64>,
}

impl StatefulExec {
    /// Runs `operator` on `inputs`; `schema` is that of the rows it gives.
    pub(super) fn new(
        inputs: Vec<Arc<dyn ExecutionPlan>>,
        operator: impl StatefulOperator + 'static,
        schema: SchemaRef,
        emission: EmissionType,
    ) -> Self {
        Self {
            properties: unordered(schema, 1, emission),
            inputs,
            operator: Arc::new(operator),
            num_rows: Arc::default(),
        }
    }

    /// What it runs.
    pub(crate) fn operator(&self) -> &Arc<dyn StatefulOperator> {
        &self.operator
    }

    /// How many rows came out so far.
    pub(crate) fn num_rows(&self) -> i64 {
        self.num_rows.load(Ordering::Relaxed)
    }

    fn with_inputs(&self, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Self {
        Self {
            inputs,
            operator: Arc::clone(&self.operator),
            properties: Arc::clone(&self.properties),
            num_rows: Arc::default(),
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

    plain_execution_plan!(nary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let inputs = Inputs(self.inputs.clone());
        let rows = Arc::clone(&self.operator).run(inputs, context)?;
        let num_rows = Arc::clone(&self.num_rows);
        let rows = rows.inspect_ok(move |batch| {
            num_rows.fetch_add(batch.num_rows() as i64, Ordering::Relaxed);
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}
