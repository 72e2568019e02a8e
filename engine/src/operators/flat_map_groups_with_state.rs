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

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat, concat_batches, filter_record_batch, take, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use hashbrown::HashSet;
use serde_json::Value;

use super::batch_context::{Batch, BatchContext};
use super::exec::collect;
use super::operator_state::{NoDataBatches, OperatorState, arrow_error, event_times, to_us};
use super::stateful_operator::{Rows, StatefulExec, StatefulOperator, rows_at_once};
use crate::cancellation::{Cancellation, cancellation_of};
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::json::{json_rows, rows_from_json};
use crate::state::Slot;
use crate::user_functions::{
    BatchTimes, Group, GroupResult, GroupStateTimeout, GroupsFunction, call_user_code,
};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "flatMapGroupsWithState";

/// The state's value column.
const STATE_COLUMN: &str = "__state";

/// What is called, and with what.
#[derive(Debug)]
pub struct GroupsCall {
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
pub fn flat_map_groups_with_state(
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
    let state = OperatorState::new(OPERATOR_NAME, columns, call.keys.len(), no_data);
    let output = Arc::clone(&call.output);
    let groups = Groups {
        context,
        state: Arc::new(state),
        call,
    };
    StatefulExec::new(input, groups, output, EmissionType::Final)
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

    fn run(
        self: Arc<Self>,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<Rows> {
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
    /// Where each group's state was.
    slots: Vec<Option<Slot>>,
}

impl Groups {
    fn call_groups(&self, rows: RecordBatch, cancellation: &Cancellation) -> Result<RecordBatch> {
        let batch = self.context.batch();
        let rows = self.drop_late(rows, &batch)?;
        let Touched {
            groups,
            keys,
            slots,
        } = self.touched(&rows, &batch)?;
        if groups.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.call.output)));
        }
        let times = BatchTimes {
            batch_timestamp_ms: batch.timestamp_ms,
            watermark_ms: batch.eviction_watermark_ms,
        };
        let watch = Stopwatch::start();
        let results = call_user_code(&self.call.name, cancellation, || {
            self.call.function.call(groups, times, cancellation)
        })?;
        self.check(&results, slots.len(), times)?;
        self.write_back(&keys, &slots, &results)?;
        let metrics_ms = watch.elapsed().as_millis() as i64;
        self.state.lock().metrics().updates_ms += metrics_ms;
        self.emit(results)
    }

    /// Only an event-time timeout makes rows late.
    fn drop_late(&self, rows: RecordBatch, batch: &Batch) -> Result<RecordBatch> {
        let (Some(column), GroupStateTimeout::EventTimeTimeout) =
            (self.call.event_time, self.call.timeout)
        else {
            return Ok(rows);
        };
        let watermark = to_us(batch.late_watermark_ms);
        let times = event_times(rows.column(column))?;
        let in_time = |row: usize| times.is_null(row) || times.value(row) > watermark;
        let kept: BooleanArray = (0..rows.num_rows()).map(|row| Some(in_time(row))).collect();
        let late = rows.num_rows() - kept.true_count();
        self.state.lock().metrics().dropped_by_watermark += late as i64;
        filter_record_batch(&rows, &kept).map_err(arrow_error)
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
        let encoded = store.encode(&keys)?;
        let mut by_key: Vec<u32> = (0..rows.num_rows() as u32).collect();
        by_key.sort_by(|&left, &right| encoded.key(left as usize).cmp(encoded.key(right as usize)));
        let runs: Vec<&[u32]> = by_key
            .chunk_by(|&left, &right| encoded.key(left as usize) == encoded.key(right as usize))
            .collect();
        let firsts: Vec<usize> = runs.iter().map(|run| run[0] as usize).collect();
        let mut slots: Vec<Option<Slot>> = firsts
            .iter()
            .map(|&row| store.find(encoded.hash(row), encoded.key(row)))
            .collect();
        let timed_out: Vec<Slot> = match self.timed_out_before(batch) {
            None => Vec::new(),
            Some(time) => {
                let called: HashSet<Slot> = slots.iter().flatten().copied().collect();
                let expired = store.expired(time.saturating_sub(1)).into_iter();
                expired.filter(|slot| !called.contains(slot)).collect()
            }
        };
        slots.extend(timed_out.iter().copied().map(Some));
        let held: Vec<Slot> = slots.iter().flatten().copied().collect();
        let held = store.rows(&held)?;

        let firsts = UInt32Array::from_iter_values(firsts.iter().map(|&row| row as u32));
        let first_held = held.num_rows() - timed_out.len();
        let keys = keys.iter().zip(held.columns()).map(|(key, held)| {
            let with_rows = take(key, &firsts, None)?;
            concat(&[&with_rows, &held.slice(first_held, timed_out.len())])
        });
        let keys = keys.collect::<std::result::Result<Vec<_>, _>>();
        let keys = keys.map_err(arrow_error)?;
        let states = held.column(held.num_columns() - 1).as_string::<i32>();
        let groups = self.groups(rows, &by_key, &runs, &keys, &slots, states)?;
        Ok(Touched {
            groups,
            keys,
            slots,
        })
    }

    /// Groups whose timeout is before it have timed out.
    fn timed_out_before(&self, batch: &Batch) -> Option<i64> {
        match self.call.timeout {
            GroupStateTimeout::NoTimeout => None,
            GroupStateTimeout::ProcessingTimeTimeout => Some(batch.timestamp_ms),
            GroupStateTimeout::EventTimeTimeout => Some(batch.eviction_watermark_ms),
        }
    }

    /// What user code sees. `runs` are the groups with rows, as parts of `by_key`; `states` are
    /// those of the groups that have a slot, in order.
    fn groups(
        &self,
        rows: &RecordBatch,
        by_key: &[u32],
        runs: &[&[u32]],
        keys: &[ArrayRef],
        slots: &[Option<Slot>],
        states: &StringArray,
    ) -> Result<Vec<Group>> {
        let values = rows.project(&self.call.values).map_err(arrow_error)?;
        let order = UInt32Array::from(by_key.to_vec());
        let values = take_record_batch(&values, &order).map_err(arrow_error)?;
        let mut values = json_rows(&values)?.into_iter();
        let mut runs = runs.iter();
        let mut states =
            (0..states.len()).map(|row| states.is_valid(row).then(|| states.value(row)));
        let keys = key_values(keys, slots.len())?.into_iter().zip(slots);
        Ok(keys
            .map(|(key, slot)| {
                let run = runs.next();
                let state = slot.and_then(|_| states.next().flatten());
                Group {
                    key,
                    rows: values
                        .by_ref()
                        .take(run.map_or(0, |run| run.len()))
                        .collect(),
                    state: state.map(str::to_string),
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

    fn write_back(
        &self,
        keys: &[ArrayRef],
        slots: &[Option<Slot>],
        results: &[GroupResult],
    ) -> Result<()> {
        let mut state = self.state.lock();
        let store = state.whole()?;
        let lives = |result: &GroupResult| result.state.is_some() || result.timeout_ms.is_some();
        let ended = slots.iter().zip(results);
        let ended = ended.filter(|(_, result)| !lives(result));
        let ended: Vec<Slot> = ended.filter_map(|(slot, _)| *slot).collect();
        store.remove(&ended)?;

        let living = results
            .iter()
            .enumerate()
            .filter(|(_, result)| lives(result));
        let (indices, living): (Vec<u32>, Vec<&GroupResult>) =
            living.map(|(index, result)| (index as u32, result)).unzip();
        let indices = UInt32Array::from(indices);
        let columns = keys
            .iter()
            .map(|key| take(key, &indices, None).map_err(arrow_error));
        let mut columns = columns.collect::<Result<Vec<_>>>()?;
        let encoded = store.encode(&columns)?;
        let states: StringArray = living
            .iter()
            .map(|result| result.state.as_deref())
            .collect();
        columns.push(Arc::new(states));
        let rows =
            RecordBatch::try_new(Arc::clone(store.schema()), columns).map_err(arrow_error)?;
        let expiry: Vec<Option<i64>> = living.iter().map(|result| result.timeout_ms).collect();
        store.upsert(rows, encoded, Some(&expiry))?;
        let metrics = state.metrics();
        metrics.updated += living.len() as i64;
        metrics.removed += ended.len() as i64;
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

/// The keys of the groups, one list of values per group.
fn key_values(keys: &[ArrayRef], groups: usize) -> Result<Vec<Vec<Value>>> {
    let mut values = vec![Vec::with_capacity(keys.len()); groups];
    for key in keys {
        let field = Field::new("key", key.data_type().clone(), true);
        let column =
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(key)]);
        let rows = json_rows(&column.map_err(arrow_error)?)?;
        for (values, row) in values.iter_mut().zip(rows) {
            values.push(row.get("key").cloned().unwrap_or_default());
        }
    }
    Ok(values)
}
