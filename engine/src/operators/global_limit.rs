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
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;

use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::exec::collect;
use super::operator_state::{NoDataBatches, OperatorState};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use super::store_layout::{StoreLayout, global_key, global_key_field};
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::state::TableShape;

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "globalLimit";

#[derive(Debug)]
struct Counter {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    limit: usize,
}

/// Gives the first `limit` rows of all batches of `input` together.
pub(crate) fn streaming_global_limit(
    context: Arc<BatchContext>,
    input: Arc<dyn ExecutionPlan>,
    limit: usize,
) -> StatefulExec {
    let count = Field::new("count", DataType::Int64, false);
    let columns = Arc::new(Schema::new(vec![global_key_field(), count]));
    let layout = StoreLayout::new(columns, TableShape::one_row_per_key(1));
    let state = OperatorState::new(OPERATOR_NAME, NoDataBatches::Never, layout);
    let counter = Counter {
        context,
        state: Arc::new(state),
        limit,
    };
    let schema = input.schema();
    StatefulExec::new(vec![input], counter, schema, EmissionType::Final)
}

impl StatefulOperator for Counter {
    fn node_name(&self) -> &'static str {
        "StreamingGlobalLimitExec"
    }

    fn describe(&self, _schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.limit)
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let input = inputs.into_one()?;
        Ok(rows_at_once(async move {
            let given = self.given()?;
            let left = self.limit.saturating_sub(given);
            let parallel = self.context.is_parallel();
            let batches = collect(input, context, parallel, left).await?;
            Ok(self.pass(batches, given, left)?)
        }))
    }
}

impl Counter {
    /// How many rows earlier batches gave.
    fn given(&self) -> Result<usize> {
        let mut state = self.state.lock();
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
            let mut state = self.state.lock();
            let key = global_key(1);
            let count = Arc::new(Int64Array::from(vec![(given + new) as i64]));
            let row = RecordBatch::try_new(
                Arc::clone(self.state.schema()),
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
