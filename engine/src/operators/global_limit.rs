//! `LIMIT` on a stream: lets the first rows of the query pass, counted over all batches.
//!
//! ```text
//! rows of the batch ─► count given before (state) ─► as many as are left ─► new count
//! ```
//! The batch is read to its end all the same: operators below it must see their rows, and the
//! progress must tell of all input.

use std::fmt;
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::batch_context::BatchContext;
use super::exec::{collect, plain_execution_plan, unordered};
use super::stateful::{NoDataBatches, StatefulOperator, arrow_error, global_key, global_key_field};
use crate::clock::Stopwatch;
use crate::error::Result;

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "globalLimit";

/// Gives the first rows of all batches together.
#[derive(Debug)]
pub struct StreamingGlobalLimitExec {
    input: Arc<dyn ExecutionPlan>,
    counter: Arc<Counter>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug)]
struct Counter {
    context: Arc<BatchContext>,
    operator: Arc<StatefulOperator>,
    limit: usize,
}

impl StreamingGlobalLimitExec {
    /// Lets `limit` rows of `input` pass.
    pub fn new(context: Arc<BatchContext>, input: Arc<dyn ExecutionPlan>, limit: usize) -> Self {
        let count = Field::new("count", DataType::Int64, false);
        let schema = Arc::new(Schema::new(vec![global_key_field(), count]));
        let operator = StatefulOperator::new(OPERATOR_NAME, schema, 1, NoDataBatches::Never);
        Self {
            properties: unordered(input.schema(), 1, EmissionType::Final),
            input,
            counter: Arc::new(Counter {
                context,
                operator: Arc::new(operator),
                limit,
            }),
        }
    }

    /// The state behind it.
    pub fn operator(&self) -> &Arc<StatefulOperator> {
        &self.counter.operator
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            counter: Arc::clone(&self.counter),
            properties: Arc::clone(&self.properties),
        }
    }
}

impl DisplayAs for StreamingGlobalLimitExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamingGlobalLimitExec: {}", self.counter.limit)
    }
}

impl ExecutionPlan for StreamingGlobalLimitExec {
    fn name(&self) -> &str {
        "StreamingGlobalLimitExec"
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let counter = Arc::clone(&self.counter);
        let rows = stream::once(async move {
            let given = counter.given()?;
            let left = counter.limit.saturating_sub(given);
            let parallel = counter.context.is_parallel();
            let batches = collect(input, context, parallel, left).await?;
            let passed = counter.pass(batches, given, left)?;
            Ok::<_, DataFusionError>(stream::iter(passed).map(Ok))
        });
        let schema = self.schema();
        let rows = rows.try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

impl Counter {
    /// How many rows earlier batches gave.
    fn given(&self) -> Result<usize> {
        let mut state = self.operator.state();
        let rows = state.whole()?.all_rows()?;
        let counts = rows.column(1).as_primitive::<Int64Type>();
        Ok(counts.iter().flatten().next().unwrap_or(0) as usize)
    }

    /// The first `left` rows of the batch; notes how many are given by now.
    fn pass(
        &self,
        batches: Vec<RecordBatch>,
        given: usize,
        mut left: usize,
    ) -> Result<Vec<RecordBatch>> {
        let watch = Stopwatch::start();
        let mut passed = Vec::new();
        for batch in batches {
            let rows = batch.num_rows().min(left);
            left -= rows;
            if rows > 0 {
                passed.push(batch.slice(0, rows));
            }
        }
        let new: usize = passed.iter().map(RecordBatch::num_rows).sum();
        if new > 0 {
            let mut state = self.operator.state();
            let key = global_key(1);
            let count = Arc::new(Int64Array::from(vec![(given + new) as i64]));
            let row = RecordBatch::try_new(
                Arc::clone(self.operator.schema()),
                vec![Arc::clone(&key), count],
            )
            .map_err(arrow_error)?;
            let encoded = state.whole()?.encode(&[key])?;
            state.whole()?.upsert(row, encoded, None)?;
            let metrics = state.metrics();
            metrics.updated += 1;
            metrics.updates_ms += watch.elapsed().as_millis() as i64;
        }
        Ok(passed)
    }
}
