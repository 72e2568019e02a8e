//! `transformWithState`: a processor of the user's keeps values, lists and maps for every group, and sets
//! timers.
//!
//! ```text
//! values that have expired go ─► rows (late ones dropped, event time only) and, in the first batch,
//!      the initial state ─► group by key ─► state of just those keys ─► one call ─► write back
//! ─► timers at or before the batch's time ─► state of their keys ─► one call ─► write back
//! ─► rows of the groups, by key, then rows of the timers, by time
//! ```
//! Each variable has a store of its own, and so have the timers. The state is text that the engine
//! does not look into.

mod timers;
mod variables;

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat, concat_batches, take_arrays};
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::EmissionType;
use serde_json::Value;

use self::timers::Expired;
use self::variables::{Changes, Held};
use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::{event_times, rows_in_time, to_us};
use super::exec::collect;
use super::key_groups::{KeyGroups, key_values};
use super::operator_state::{NoDataBatches, OperatorState, StateGuard};
use super::state_schema::StateSchema;
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use crate::cancellation::{Cancellation, cancellation_of};
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::json::{json_rows, rows_from_json};
use crate::output_mode::OutputMode;
use crate::state::StateShard;
use crate::user_functions::{
    BatchTimes, ProcessorGroup, ProcessorResult, StateVariable, StateVariableKind,
    StatefulProcessorDefinition, TimeMode, call_user_code,
};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "transformWithStateExec";

/// What is called, and with what.
#[derive(Debug, Clone)]
pub(crate) struct ProcessorCall {
    /// How messages call the processor.
    pub name: String,
    /// The processor.
    pub definition: StatefulProcessorDefinition,
    /// Which time its timers and TTLs live by.
    pub time_mode: TimeMode,
    /// The mode in which its rows are meant.
    pub output_mode: OutputMode,
    /// Indices of the grouping columns.
    pub keys: Vec<usize>,
    /// Indices of the columns the processor sees as rows.
    pub values: Vec<usize>,
    /// Index of the event time, if the rows have one.
    pub event_time: Option<usize>,
    /// What the second input is, if there is one.
    pub initial: Option<InitialState>,
    /// Columns of the processor's rows.
    pub output: SchemaRef,
    /// Index of the event time of those, if they have one.
    pub output_event_time: Option<usize>,
}

/// Rows of which the processor makes state in the first batch.
#[derive(Debug, Clone)]
pub(crate) struct InitialState {
    /// Indices of the grouping columns.
    pub keys: Vec<usize>,
    /// Indices of the columns the processor sees as rows.
    pub values: Vec<usize>,
}

#[derive(Debug)]
struct Processor {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    call: ProcessorCall,
}

/// Groups the rows of the first of `inputs` and hands the groups of each batch to `call`; the second
/// input is the initial state.
pub(crate) fn transform_with_state(
    context: Arc<BatchContext>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    call: ProcessorCall,
) -> StatefulExec {
    let schema = inputs.first().map(|input| input.schema());
    let key_field = |&key: &usize| {
        let field = schema.as_ref().and_then(|schema| schema.fields().get(key));
        let data_type = field.map_or(DataType::Null, |field| field.data_type().clone());
        Field::new(field.map_or("", |field| field.name()), data_type, true)
    };
    let keys: Vec<Field> = call.keys.iter().map(key_field).collect();
    let no_data = match call.time_mode {
        TimeMode::None => NoDataBatches::Never,
        TimeMode::ProcessingTime => NoDataBatches::WhenDue,
        TimeMode::EventTime => NoDataBatches::WhenWatermarkMoved,
    };
    let declared = &call.definition.variables;
    let state = OperatorState::new(OPERATOR_NAME, no_data, timers::layout(&keys));
    let state = declared.iter().fold(state, |state, variable| {
        state.and(variables::layout(variable, &keys))
    });
    let state = state.with_variables(StateSchema {
        time_mode: call.time_mode.to_string(),
        output_mode: call.output_mode.to_string(),
        variables: declared.clone(),
        earlier: Vec::new(),
        deleted: call.definition.deleted.clone(),
    });
    let output = Arc::clone(&call.output);
    let processor = Processor {
        context,
        state: Arc::new(state),
        call,
    };
    StatefulExec::new(inputs, processor, output, EmissionType::Final)
}

impl StatefulOperator for Processor {
    fn node_name(&self) -> &'static str {
        "TransformWithStateExec"
    }

    fn describe(&self, _schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.call.name, self.call.time_mode)
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    /// A user's rows are bound to no watermark, unless they have an event time, which is checked.
    fn output_watermark(&self, input_ms: i64) -> Option<i64> {
        self.call.output_event_time.map(|_| input_ms)
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let (input, initial) = match self.call.initial {
            None => (inputs.into_one()?, None),
            Some(_) => {
                let [input, initial] = inputs.into_array::<2>()?;
                (input, Some(initial))
            }
        };
        let cancellation = cancellation_of(context.session_config().options());
        Ok(rows_at_once(async move {
            let rows = self.read(input, Arc::clone(&context)).await?;
            let is_first_batch = self.state.lock().is_first_batch();
            let initial = match initial.filter(|_| is_first_batch) {
                Some(initial) => Some(self.read(initial, context).await?),
                None => None,
            };
            Ok(self.process(rows, initial, &cancellation)?)
        }))
    }
}

/// Groups that are called, with what is known of each.
struct Called {
    groups: Vec<ProcessorGroup>,
    /// One column per key, one row per group.
    keys: Vec<ArrayRef>,
    /// What each variable holds of each group.
    held: Vec<Vec<Held>>,
}

impl Processor {
    async fn read(
        &self,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<RecordBatch> {
        let schema = input.schema();
        let batches = collect(input, context, self.context.is_parallel(), usize::MAX).await?;
        Ok(concat_batches(&schema, &batches)?)
    }

    /// One batch.
    fn process(
        &self,
        rows: RecordBatch,
        initial: Option<RecordBatch>,
        cancellation: &Cancellation,
    ) -> Result<Vec<RecordBatch>> {
        let watch = Stopwatch::start();
        let times = BatchTimes {
            batch_timestamp_ms: self.context.timestamp_ms(),
            watermark_ms: self.state.watermarks().eviction_ms,
        };
        self.remove_expired(times)?;
        let rows = self.drop_late(rows)?;
        let called = self.with_rows(&rows, initial.as_ref())?;
        let mut emitted: Vec<Value> = Vec::new();
        for result in self.call(called, times, &[], cancellation)? {
            emitted.extend(result.rows);
        }
        if let Some(through_ms) = self.fires_through(times) {
            emitted.extend(self.fire_timers(through_ms, times, cancellation)?);
        }
        let emitted = self.emit(&emitted)?;
        self.state.lock().metrics().updates_ms += watch.elapsed().as_millis() as i64;
        Ok(vec![emitted])
    }

    /// Values whose TTL has passed are not seen any more.
    fn remove_expired(&self, times: BatchTimes) -> Result<()> {
        if self.call.time_mode != TimeMode::ProcessingTime {
            return Ok(());
        }
        let mut state = self.state.lock();
        let (_, variables) = stores(&mut state)?;
        let mut removed = 0;
        for variable in variables {
            removed += variable.evict(times.batch_timestamp_ms)?;
        }
        state.metrics().removed += removed as i64;
        Ok(())
    }

    /// Only in event time rows come late.
    fn drop_late(&self, rows: RecordBatch) -> Result<RecordBatch> {
        let (Some(column), TimeMode::EventTime) = (self.call.event_time, self.call.time_mode)
        else {
            return Ok(rows);
        };
        let (kept, late) = rows_in_time(&rows, column, self.state.watermarks())?;
        self.state.lock().metrics().dropped_by_watermark += late;
        Ok(kept)
    }

    /// Timers at or before it fire.
    fn fires_through(&self, times: BatchTimes) -> Option<i64> {
        match self.call.time_mode {
            TimeMode::None => None,
            TimeMode::ProcessingTime => Some(times.batch_timestamp_ms),
            TimeMode::EventTime => Some(times.watermark_ms),
        }
    }

    /// Groups that have rows, or an initial state, by key.
    fn with_rows(&self, rows: &RecordBatch, initial: Option<&RecordBatch>) -> Result<Called> {
        let mut keys = columns(rows, &self.call.keys)?;
        let mut values = json_rows(&rows.project(&self.call.values).map_err(arrow_error)?)?;
        if let (Some(initial), Some(layout)) = (initial, &self.call.initial) {
            let initial_keys = columns(initial, &layout.keys)?;
            let both = keys
                .iter()
                .zip(&initial_keys)
                .map(|(key, initial)| concat(&[key, initial]));
            keys = both
                .collect::<std::result::Result<_, _>>()
                .map_err(arrow_error)?;
            values.extend(json_rows(
                &initial.project(&layout.values).map_err(arrow_error)?,
            )?);
        }
        let grouped = {
            let mut state = self.state.lock();
            let (timers, _) = stores(&mut state)?;
            KeyGroups::new(timers.shared_encoder()?.encode(&keys)?)
        };
        let mut group_of_rows = |group_rows: &[u32]| {
            let mut group = ProcessorGroup::default();
            for &row in group_rows {
                let value = values.get_mut(row as usize).map(Value::take);
                match (row as usize) < rows.num_rows() {
                    true => group.rows.extend(value),
                    false => group.initial.extend(value),
                }
            }
            group
        };
        let groups = grouped.iter().map(&mut group_of_rows).collect();
        let firsts = UInt32Array::from(grouped.first_rows());
        let keys = take_arrays(&keys, &firsts, None).map_err(arrow_error)?;
        self.with_state(groups, keys)
    }

    /// Adds to groups what is known of them.
    fn with_state(&self, mut groups: Vec<ProcessorGroup>, keys: Vec<ArrayRef>) -> Result<Called> {
        let count = groups.len();
        let mut state = self.state.lock();
        let (timer_store, stores) = stores(&mut state)?;
        let variables = self.call.definition.variables.iter();
        let held = variables.zip(&stores);
        let held =
            held.map(|(variable, store)| variables::read(store, variable.kind, &keys, count));
        let held: Vec<Vec<Held>> = held.collect::<Result<_>>()?;
        let timers = timers::read(timer_store, &keys, count)?;
        let known = key_values(&keys, count)?.into_iter().zip(timers);
        for (number, (group, (key, timers))) in groups.iter_mut().zip(known).enumerate() {
            group.key = key;
            group.timers = timers;
            let of_group = held.iter().filter_map(|held| held.get(number));
            let entries = |held: &Held| held.iter().map(|(_, entry)| entry.clone()).collect();
            group.state = of_group.map(entries).collect();
        }
        Ok(Called { groups, keys, held })
    }

    /// Calls the timers at or before `through_ms`; the rows they give, by time.
    fn fire_timers(
        &self,
        through_ms: i64,
        times: BatchTimes,
        cancellation: &Cancellation,
    ) -> Result<Vec<Value>> {
        let Expired {
            keys,
            times: expired,
        } = {
            let mut state = self.state.lock();
            let (timers, _) = stores(&mut state)?;
            timers::expired(timers, through_ms)?
        };
        let group = |times: &Vec<i64>| ProcessorGroup {
            expired_timers: times.clone(),
            ..Default::default()
        };
        let called = self.with_state(expired.iter().map(group).collect(), keys)?;
        let results = self.call(called, times, &expired, cancellation)?;
        let mut rows: Vec<(i64, Vec<Value>)> = Vec::new();
        for (times, result) in expired.iter().zip(results) {
            if result.timer_rows.len() != times.len() {
                let (rows, timers) = (result.timer_rows.len(), times.len());
                return Err(self.failed(format!("answered {rows} timers of a group's {timers}")));
            }
            rows.extend(times.iter().copied().zip(result.timer_rows));
        }
        // Groups stand by key, and that is how timers of one time fire.
        rows.sort_by_key(|(time, _)| *time);
        Ok(rows.into_iter().flat_map(|(_, rows)| rows).collect())
    }

    /// Calls user code and keeps what it did; `fired` are the timers of each group that have fired
    /// by then.
    fn call(
        &self,
        called: Called,
        times: BatchTimes,
        fired: &[Vec<i64>],
        cancellation: &Cancellation,
    ) -> Result<Vec<ProcessorResult>> {
        let Called { groups, keys, held } = called;
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let count = groups.len();
        let mut results = call_user_code(&self.call.name, cancellation, || {
            let processor = &self.call.definition.processor;
            processor.call(groups, times, cancellation)
        })?;
        if results.len() != count {
            let results = results.len();
            return Err(self.failed(format!("returned {results} results for {count} groups")));
        }
        self.write_timers(&keys, &results, fired)?;
        self.write_variables(&keys, &held, &mut results, times)?;
        Ok(results)
    }

    fn write_timers(
        &self,
        keys: &[ArrayRef],
        results: &[ProcessorResult],
        fired: &[Vec<i64>],
    ) -> Result<()> {
        let of_groups = |times: fn(&ProcessorResult) -> &Vec<i64>| {
            let groups = (0_u32..).zip(results);
            let timers = groups.flat_map(move |(group, result)| {
                times(result).iter().map(move |&time| (group, time))
            });
            distinct(timers.collect())
        };
        let deleted = of_groups(|result| &result.deleted_timers);
        let registered = of_groups(|result| &result.registered_timers);
        if self.call.time_mode == TimeMode::None && !(deleted.is_empty() && registered.is_empty()) {
            return Err(Error::runtime(format!(
                "processor '{}' set a timer, but its time mode is None",
                self.call.name
            ))
            .with_condition("STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE")
            .with_hint("choose the time mode ProcessingTime or EventTime"));
        }
        let fired = (0_u32..).zip(fired);
        let fired = fired.flat_map(|(group, times)| times.iter().map(move |&time| (group, time)));
        let fired: Vec<(u32, i64)> = fired.collect();
        let mut state = self.state.lock();
        let (timers, _) = stores(&mut state)?;
        let gone = timers::delete(timers, keys, &deleted)?;
        if !registered.is_empty() {
            timers::register(timers, keys, &registered)?;
        }
        timers::delete(timers, keys, &fired)?;
        state.count("numRegisteredTimers", registered.len() as i64);
        state.count("numDeletedTimers", gone as i64);
        state.count("numExpiredTimers", fired.len() as i64);
        Ok(())
    }

    fn write_variables(
        &self,
        keys: &[ArrayRef],
        held: &[Vec<Held>],
        results: &mut [ProcessorResult],
        times: BatchTimes,
    ) -> Result<()> {
        let declared = &self.call.definition.variables;
        let mut changes: Vec<Changes> = declared.iter().map(|_| Changes::default()).collect();
        for (number, result) in results.iter_mut().enumerate() {
            for change in std::mem::take(&mut result.changes) {
                let variable = change.variable;
                let (Some(changes), Some(held)) = (
                    changes.get_mut(variable),
                    held.get(variable).and_then(|held| held.get(number)),
                ) else {
                    return Err(self.failed(format!(
                        "changed a state variable {variable} that it has not declared"
                    )));
                };
                changes.add(number as u32, change, held)?;
            }
        }
        let mut state = self.state.lock();
        let (_, stores) = stores(&mut state)?;
        let (mut updated, mut removed) = (0, 0);
        for ((variable, store), changes) in declared.iter().zip(stores).zip(changes) {
            let expiry_ms = self.expiry_ms(variable, times);
            let done = changes.apply(store, variable.kind, keys, expiry_ms)?;
            updated += done.0;
            removed += done.1;
        }
        state.metrics().updated += updated as i64;
        state.metrics().removed += removed as i64;
        for (metric, kind) in [
            ("numValueStateVars", StateVariableKind::Value),
            ("numListStateVars", StateVariableKind::List),
            ("numMapStateVars", StateVariableKind::Map),
        ] {
            let count = declared.iter().filter(|variable| variable.kind == kind);
            state.set(metric, count.count() as i64);
        }
        Ok(())
    }

    /// When what is written now expires.
    fn expiry_ms(&self, variable: &StateVariable, times: BatchTimes) -> Option<i64> {
        let ttl_ms = variable.ttl_ms.filter(|ttl_ms| *ttl_ms > 0)?;
        Some(times.batch_timestamp_ms.saturating_add(ttl_ms))
    }

    fn emit(&self, rows: &[Value]) -> Result<RecordBatch> {
        let rows = rows_from_json(&self.call.output, rows)
            .map_err(|error| self.failed(format!("returned a row that does not fit: {error}")))?;
        let Some(column) = self.call.output_event_time else {
            return Ok(rows);
        };
        let watermark_ms = self.state.watermarks().late_ms;
        let times = event_times(rows.column(column))?;
        let early = times
            .iter()
            .flatten()
            .find(|time| *time < to_us(watermark_ms));
        match early {
            None => Ok(rows),
            Some(time) => Err(Error::runtime(format!(
                "processor '{}' returned a row whose event time, {} ms, is before the watermark, {watermark_ms} ms: what reads it would drop it",
                self.call.name,
                time / 1000
            ))
            .with_condition("EMITTING_ROWS_OLDER_THAN_WATERMARK_NOT_ALLOWED")
            .with_hint("return rows with the time of their timer, or later")),
        }
    }

    fn failed(&self, what: impl fmt::Display) -> Error {
        Error::runtime(format!("processor '{}' {what}", self.call.name))
            .with_condition("TRANSFORM_WITH_STATE_USER_FUNCTION_ERROR")
    }
}

/// The store of timers, and those of the variables.
fn stores<'a>(
    state: &'a mut StateGuard<'_>,
) -> Result<(&'a mut StateShard, Vec<&'a mut StateShard>)> {
    let mut stores = state.all_stores().iter_mut().map(|store| store.whole());
    let timers = stores.next();
    let timers = timers.ok_or_else(|| Error::internal("the state was not opened"))??;
    Ok((timers, stores.collect::<Result<_>>()?))
}

fn columns(rows: &RecordBatch, indices: &[usize]) -> Result<Vec<ArrayRef>> {
    let rows = rows.project(indices).map_err(arrow_error)?;
    Ok(rows.columns().to_vec())
}

fn distinct(mut timers: Vec<(u32, i64)>) -> Vec<(u32, i64)> {
    timers.sort_unstable();
    timers.dedup();
    timers
}
