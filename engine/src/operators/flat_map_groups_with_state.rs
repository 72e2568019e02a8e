//! `mapGroupsWithState` and `flatMapGroupsWithState`: user code decides what is remembered of a
//! group and when it is called again.
//!
//! ```text
//! rows ─► drop late ones (event-time timeout only) ─► group by key ─► state of just those keys
//!      + groups whose timeout has passed ─► one call of user code ─► write back ─► its rows
//! ```
//! The state of a group is a text that the engine does not look into; its timeout, in ms, is the
//! state row's expiry, so finding what has timed out costs nothing for what has not.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat, concat_batches, take, take_arrays, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use serde_json::Value;

use super::batch_context::{Batch, BatchContext};
use super::errors::arrow_error;
use super::event_time_column::rows_in_time;
use super::exec::collect;
use super::key_groups::{KeyGroups, key_values};
use super::operator_state::{NoDataBatches, OperatorState};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use super::store_layout::StoreLayout;
use crate::cancellation::{Cancellation, cancellation_of};
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::json::{json_rows, rows_from_json};
use crate::state::TableShape;
use crate::user_functions::{
    BatchTimes, Group, GroupResult, GroupStateTimeout, GroupsFunction, call_user_code,
};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "flatMapGroupsWithState";

/// The state's value column.
const STATE_COLUMN: &str = "__state";

/// What is called, and with what.
#[derive(Debug)]
pub(crate) struct GroupsCall {
    /// How messages call the function.
    pub name: String,
    /// The function.
    pub function: Arc<dyn GroupsFunction>,
    /// Indices of the grouping columns.
    pub keys: Vec<usize>,
    /// Indices of the columns the function sees as rows.
    pub values: Vec<usize>,
    /// Index of the event time, if the rows have one.
    pub event_time: Option<usize>,
    /// When a group without new rows is called.
    pub timeout: GroupStateTimeout,
    /// `mapGroupsWithState`: every call gives exactly one row.
    pub one_row: bool,
    /// Columns of the function's rows.
    pub output: SchemaRef,
}

#[derive(Debug)]
struct Groups {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    call: GroupsCall,
}

/// Groups the rows of `input` and hands the groups of each batch to `call`.
pub(crate) fn flat_map_groups_with_state(
    context: Arc<BatchContext>,
    input: Arc<dyn ExecutionPlan>,
    call: GroupsCall,
) -> StatefulExec {
    let schema = input.schema();
    let nullable = |name: &str, data_type: &DataType| Field::new(name, data_type.clone(), true);
    let keys = call.keys.iter().map(|&key| schema.field(key));
    let mut fields: Vec<Field> = keys
        .map(|key| nullable(key.name(), key.data_type()))
        .collect();
    fields.push(nullable(STATE_COLUMN, &DataType::Utf8));
    let no_data = match call.timeout {
        GroupStateTimeout::NoTimeout => NoDataBatches::Never,
        GroupStateTimeout::ProcessingTimeTimeout => NoDataBatches::WhenExpired,
        GroupStateTimeout::EventTimeTimeout => NoDataBatches::WhenWatermarkMoved,
    };
    let columns = Arc::new(Schema::new(fields));
    let shape = TableShape::one_row_per_key(call.keys.len());
    let state = OperatorState::new(OPERATOR_NAME, no_data, StoreLayout::new(columns, shape));
    let output = Arc::clone(&call.output);
    let groups = Groups {
        context,
        state: Arc::new(state),
        call,
    };
    StatefulExec::new(vec![input], groups, output, EmissionType::Final)
}

impl StatefulOperator for Groups {
    fn node_name(&self) -> &'static str {
        "FlatMapGroupsWithStateExec"
    }

    fn describe(&self, _schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.call.name, self.call.timeout)
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    /// A user's rows are bound to no watermark.
    fn output_watermark(&self, _input_ms: i64) -> Option<i64> {
        None
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let input = inputs.into_one()?;
        let cancellation = cancellation_of(context.session_config().options());
        Ok(rows_at_once(async move {
            let schema = input.schema();
            let parallel = self.context.is_parallel();
            let batches = collect(input, context, parallel, usize::MAX).await?;
            let rows = concat_batches(&schema, &batches)?;
            Ok(vec![self.call_groups(rows, &cancellation)?])
        }))
    }
}

/// The groups of one batch, with what is known of each.
struct Touched {
    groups: Vec<Group>,
    /// One column per key, one row per group.
    keys: Vec<ArrayRef>,
}

impl Groups {
    fn call_groups(&self, rows: RecordBatch, cancellation: &Cancellation) -> Result<RecordBatch> {
        let batch = self.context.batch();
        let rows = self.drop_late(rows)?;
        let Touched { groups, keys } = self.touched(&rows, &batch)?;
        if groups.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.call.output)));
        }
        let times = BatchTimes {
            batch_timestamp_ms: batch.timestamp_ms,
            watermark_ms: self.state.watermarks().eviction_ms,
        };
        let watch = Stopwatch::start();
        let count = groups.len();
        let results = call_user_code(&self.call.name, cancellation, || {
            self.call.function.call(groups, times, cancellation)
        })?;
        self.check(&results, count, times)?;
        self.write_back(&keys, &results)?;
        let metrics_ms = watch.elapsed().as_millis() as i64;
        self.state.lock().metrics().updates_ms += metrics_ms;
        self.emit(results)
    }

    /// Only an event-time timeout makes rows late.
    fn drop_late(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let (Some(column), GroupStateTimeout::EventTimeTimeout) =
            (self.call.event_time, self.call.timeout)
        else {
            return Ok(rows);
        };
        let (kept, late) = rows_in_time(&rows, column, self.state.watermarks())?;
        if late > 0 {
            let watermark_ms = self.state.watermarks().late_ms;
            let mut state = self.state.lock();
            let metrics = state.metrics();
            metrics.dropped_by_watermark += late;
            metrics.late.note_column(&rows, column, watermark_ms)?;
        }
        Ok(kept)
    }

    /// Groups with new rows, by key, and then groups that have timed out, by time.
    fn touched(&self, rows: &RecordBatch, batch: &Batch) -> Result<Touched> {
        let mut state = self.state.lock();
        let store = state.whole()?;
        let keys: Vec<ArrayRef> = self
            .call
            .keys
            .iter()
            .map(|&key| rows.column(key).clone())
            .collect();
        let grouped = KeyGroups::new(store.encode(&keys)?);
        let firsts = grouped.first_rows();
        let called = store.encoder().take(grouped.encoded(), &firsts);
        let held = store.held(&called)?;
        let timed_out = match self.timed_out_before(batch) {
            None => RecordBatch::new_empty(Arc::clone(store.schema())),
            Some(time) => store.expired(time.saturating_sub(1), Some(&called))?,
        };

        let firsts = UInt32Array::from(firsts);
        let keys = keys
            .iter()
            .zip(timed_out.columns())
            .map(|(key, timed_out)| {
                let with_rows = take(key, &firsts, None)?;
                concat(&[&with_rows, timed_out])
            });
        let keys = keys.collect::<std::result::Result<Vec<_>, _>>();
        let keys = keys.map_err(arrow_error)?;
        let mut states: Vec<Option<String>> = vec![None; firsts.len()];
        for (&number, state) in held.numbers.iter().zip(states_of(&held.rows)) {
            let place = states.get_mut(number as usize);
            *place.ok_or_else(|| Error::internal("a state is that of no group"))? = state;
        }
        states.extend(states_of(&timed_out));
        let groups = self.groups(rows, &grouped, &keys, states)?;
        Ok(Touched { groups, keys })
    }

    /// Groups whose timeout is before it have timed out.
    fn timed_out_before(&self, batch: &Batch) -> Option<i64> {
        match self.call.timeout {
            GroupStateTimeout::NoTimeout => None,
            GroupStateTimeout::ProcessingTimeTimeout => Some(batch.timestamp_ms),
            GroupStateTimeout::EventTimeTimeout => Some(self.state.watermarks().eviction_ms),
        }
    }

    /// What user code sees. `grouped` are the rows; `states` are those of all groups, first of those
    /// with rows.
    fn groups(
        &self,
        rows: &RecordBatch,
        grouped: &KeyGroups,
        keys: &[ArrayRef],
        states: Vec<Option<String>>,
    ) -> Result<Vec<Group>> {
        let values = rows.project(&self.call.values).map_err(arrow_error)?;
        let order = UInt32Array::from(grouped.rows().to_vec());
        let values = take_record_batch(&values, &order).map_err(arrow_error)?;
        let mut values = json_rows(&values)?.into_iter();
        let mut runs = grouped.iter();
        let keys = key_values(keys, states.len())?.into_iter().zip(states);
        Ok(keys
            .map(|(key, state)| {
                let run = runs.next();
                Group {
                    key,
                    rows: values
                        .by_ref()
                        .take(run.map_or(0, |run| run.len()))
                        .collect(),
                    state,
                    has_timed_out: run.is_none(),
                }
            })
            .collect())
    }

    fn check(&self, results: &[GroupResult], groups: usize, times: BatchTimes) -> Result<()> {
        if results.len() != groups {
            let results = results.len();
            return Err(self.failed(format!("returned {results} results for {groups} groups")));
        }
        for result in results {
            if self.call.one_row && result.rows.len() != 1 {
                let rows = result.rows.len();
                return Err(self.failed(format!("returned {rows} rows for a group, not one")));
            }
            let Some(timeout) = result.timeout_ms else {
                continue;
            };
            let earliest = match self.call.timeout {
                GroupStateTimeout::NoTimeout => {
                    return Err(self
                        .failed("set a timeout, but the query has none")
                        .with_hint("choose ProcessingTimeTimeout or EventTimeTimeout"));
                }
                GroupStateTimeout::ProcessingTimeTimeout => times.batch_timestamp_ms + 1,
                GroupStateTimeout::EventTimeTimeout => times.watermark_ms,
            };
            if timeout < earliest {
                return Err(self.failed(format!(
                    "set the timeout {timeout}, which has passed already: the earliest is {earliest}"
                )));
            }
        }
        Ok(())
    }

    fn write_back(&self, keys: &[ArrayRef], results: &[GroupResult]) -> Result<()> {
        let mut state = self.state.lock();
        let store = state.whole()?;
        let lives = |result: &GroupResult| result.state.is_some() || result.timeout_ms.is_some();
        let numbered = (0_u32..).zip(results);
        let (living, ended): (Vec<_>, Vec<_>) = numbered.partition(|(_, result)| lives(result));
        let keys_of = |groups: &[(u32, &GroupResult)]| {
            let groups = UInt32Array::from_iter_values(groups.iter().map(|(group, _)| *group));
            take_arrays(keys, &groups, None).map_err(arrow_error)
        };
        let removed = store.remove(&store.encode(&keys_of(&ended)?)?)?;

        let mut columns = keys_of(&living)?;
        let encoded = store.encode(&columns)?;
        let states = living.iter().map(|(_, result)| result.state.as_deref());
        columns.push(Arc::new(states.collect::<StringArray>()));
        let rows =
            RecordBatch::try_new(Arc::clone(store.schema()), columns).map_err(arrow_error)?;
        let expiry = living.iter().map(|(_, result)| result.timeout_ms);
        let expiry: Vec<Option<i64>> = expiry.collect();
        store.upsert(rows, encoded, Some(&expiry))?;
        let metrics = state.metrics();
        metrics.updated += living.len() as i64;
        metrics.removed += removed as i64;
        Ok(())
    }

    fn emit(&self, results: Vec<GroupResult>) -> Result<RecordBatch> {
        let rows: Vec<Value> = results.into_iter().flat_map(|result| result.rows).collect();
        rows_from_json(&self.call.output, &rows)
            .map_err(|error| self.failed(format!("returned a row that does not fit: {error}")))
    }

    fn failed(&self, what: impl fmt::Display) -> Error {
        Error::runtime(format!("function '{}' {what}", self.call.name))
            .with_condition("FAILED_EXECUTE_UDF")
    }
}

/// The states in rows of the state.
fn states_of(rows: &RecordBatch) -> impl Iterator<Item = Option<String>> {
    let states = rows.column(rows.num_columns() - 1).as_string::<i32>();
    states.iter().map(|state| state.map(str::to_string))
}
