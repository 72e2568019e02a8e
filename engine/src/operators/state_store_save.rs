//! Aggregation over batches: merges a batch's partial aggregates into the state and emits what
//! the output mode asks for.
//!
//! ```text
//! AggregateExec(Partial) ─► groups of this batch ─► drop late groups
//!      ─► rows of just those keys from the state ─► merge (fresh accumulators) ─► write back
//!      ─► append: groups the watermark has passed, then removed
//!         update: the groups of this batch      complete: all groups
//! ```
//! Cost is that of the groups a batch touches, not of the state. A long-lived accumulator could
//! not do this: `state` and `evaluate` consume what they return, and cannot pick groups.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat, concat_batches, filter_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::stream;
use hashbrown::HashTable;

use super::batch_context::{Batch, BatchContext};
use super::exec::{collect, plain_execution_plan, unordered};
use super::stateful::{
    EventTimeKey, NoDataBatches, StatefulOperator, arrow_error, datafusion_error, global_key,
    global_key_field, to_us,
};
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::output_mode::OutputMode;
use crate::state::EncodedKeys;

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "stateStoreSave";

/// The stateful half of an aggregation; its input is the partial half.
#[derive(Debug)]
pub struct StateStoreSaveExec {
    input: Arc<dyn ExecutionPlan>,
    merger: Arc<Merger>,
    properties: Arc<PlanProperties>,
}

/// What stays the same from batch to batch.
#[derive(Debug)]
struct Merger {
    context: Arc<BatchContext>,
    operator: Arc<StatefulOperator>,
    aggregates: Vec<Arc<AggregateFunctionExpr>>,
    num_keys: usize,
    event_time: Option<EventTimeKey>,
    output_mode: OutputMode,
    partial_schema: SchemaRef,
    schema: SchemaRef,
}

impl StateStoreSaveExec {
    /// Makes `partial`, an aggregation in `Partial` mode, stateful. `schema` is that of the final
    /// rows: the keys, then one column per aggregate.
    pub fn try_new(
        context: Arc<BatchContext>,
        partial: &AggregateExec,
        input: Arc<dyn ExecutionPlan>,
        event_time: Option<EventTimeKey>,
        output_mode: OutputMode,
        schema: SchemaRef,
    ) -> Result<Self> {
        let num_keys = partial.group_expr().output_exprs().len();
        let partial_schema = input.schema();
        let mut fields: Vec<Field> = Vec::new();
        if num_keys == 0 {
            fields.push(global_key_field());
        }
        for field in partial_schema.fields() {
            fields.push(Field::new(field.name(), field.data_type().clone(), true));
        }
        let state_schema = Arc::new(Schema::new(fields));
        let no_data_batches = match output_mode {
            OutputMode::Complete => NoDataBatches::Never,
            OutputMode::Append | OutputMode::Update => NoDataBatches::WhenWatermarkMoved,
        };
        let num_state_keys = num_keys.max(1);
        let operator =
            StatefulOperator::new(OPERATOR_NAME, state_schema, num_state_keys, no_data_batches);
        let merger = Merger {
            context,
            operator: Arc::new(operator),
            aggregates: partial.aggr_expr().to_vec(),
            num_keys,
            event_time,
            output_mode,
            partial_schema,
            schema: schema.clone(),
        };
        Ok(Self {
            input,
            merger: Arc::new(merger),
            properties: unordered(schema, 1, EmissionType::Final),
        })
    }

    /// The state behind it.
    pub fn operator(&self) -> &Arc<StatefulOperator> {
        &self.merger.operator
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            merger: Arc::clone(&self.merger),
            properties: Arc::clone(&self.properties),
        }
    }
}

impl DisplayAs for StateStoreSaveExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateStoreSaveExec: mode {}", self.merger.output_mode)?;
        if let Some(key) = self.merger.event_time {
            let column = self.merger.schema.field(key.column).name();
            write!(f, ", event time {column}")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for StateStoreSaveExec {
    fn name(&self) -> &str {
        "StateStoreSaveExec"
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let input = Arc::clone(&self.input);
        let merger = Arc::clone(&self.merger);
        let rows = stream::once(async move {
            let parallel = merger.context.is_parallel();
            let batches = collect(input, context, parallel, usize::MAX).await?;
            let partial = concat_batches(&merger.partial_schema, &batches)?;
            Ok(merger.merge(partial)?)
        });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

impl Merger {
    fn merge(&self, partial: RecordBatch) -> Result<RecordBatch> {
        let batch = self.context.batch();
        let watch = Stopwatch::start();
        let mut state = self.operator.state();

        let keys = self.keys(&partial);
        let encoded = state.store()?.encode(&keys)?;
        let groups = Groups::new(&encoded, self.late_keys(&keys, &batch)?.as_deref());
        let (partial, encoded) = if groups.is_one_row_each() {
            (partial, encoded)
        } else {
            let partial = groups.keep_groups(&partial)?;
            let firsts = groups.first_rows(&self.keys(&partial), &groups.first_kept)?;
            let encoded = state.store()?.encode(&firsts)?;
            (partial, encoded)
        };
        let merged = self.merge_groups(&partial, &groups, &encoded, state.store()?)?;
        let key_columns = merged.columns()[..self.num_keys.max(1)].to_vec();
        let expiry = self.expiry(&key_columns)?;
        state
            .store()?
            .upsert(merged.clone(), encoded, expiry.as_deref())?;
        let metrics = state.metrics();
        metrics.updated += groups.len() as i64;
        metrics.dropped_by_watermark += groups.late as i64;
        metrics.updates_ms += watch.elapsed().as_millis() as i64;

        let watch = Stopwatch::start();
        let through = to_us(batch.eviction_watermark_ms);
        let output = match self.output_mode {
            OutputMode::Update => merged,
            OutputMode::Complete => state.store()?.all_rows()?,
            OutputMode::Append => {
                let store = state.store()?;
                let complete = store.expired(through);
                store.rows(&complete)?
            }
        };
        if self.output_mode != OutputMode::Complete && self.event_time.is_some() {
            let removed = state.store()?.evict(through);
            state.metrics().removed += removed as i64;
        }
        let output = self.evaluate(&output)?;
        state.metrics().removals_ms += watch.elapsed().as_millis() as i64;
        Ok(output)
    }

    /// The key columns of partial rows, as the state knows them.
    fn keys(&self, partial: &RecordBatch) -> Vec<ArrayRef> {
        if self.num_keys == 0 {
            return vec![global_key(partial.num_rows())];
        }
        partial.columns()[..self.num_keys].to_vec()
    }

    fn expiry(&self, keys: &[ArrayRef]) -> Result<Option<Vec<Option<i64>>>> {
        self.event_time.map(|key| key.expiry(keys)).transpose()
    }

    /// Which partial rows belong to a group that is complete already.
    fn late_keys(&self, keys: &[ArrayRef], batch: &Batch) -> Result<Option<Vec<bool>>> {
        if self.output_mode == OutputMode::Complete {
            return Ok(None);
        }
        let watermark = to_us(batch.late_watermark_ms);
        let expiry = self.expiry(keys)?;
        Ok(expiry.map(|expiry| {
            let late = expiry.iter();
            late.map(|at| at.is_some_and(|at| at <= watermark))
                .collect()
        }))
    }

    /// The new state rows of the groups: their old rows, if any, merged with the partial rows.
    fn merge_groups(
        &self,
        partial: &RecordBatch,
        groups: &Groups,
        encoded: &EncodedKeys,
        store: &crate::state::StateStore,
    ) -> Result<RecordBatch> {
        let mut held = Vec::new();
        let mut held_groups = Vec::new();
        for group in 0..groups.len() {
            if let Some(slot) = store.find(encoded.hash(group), encoded.key(group)) {
                held.push(slot);
                held_groups.push(group);
            }
        }
        let mut columns = groups.first_rows(&self.keys(partial), &groups.first_kept)?;
        if held.is_empty() && groups.is_one_row_each() {
            columns.extend_from_slice(&partial.columns()[self.num_keys..]);
            return state_rows(store.schema(), columns, groups.len());
        }
        let held_rows = store.rows(&held)?;
        let mut group_of_both = held_groups;
        group_of_both.extend_from_slice(&groups.group_of_row);
        let mut column = self.num_keys;
        let state_offset = self.num_keys.max(1) - self.num_keys;
        for aggregate in &self.aggregates {
            let width = aggregate.state_fields().map_err(datafusion_error)?.len();
            let mut accumulator = accumulator(aggregate)?;
            let old = &held_rows.columns()[column + state_offset..][..width];
            let new = &partial.columns()[column..][..width];
            // One call with every group in it: accumulators take a call without NULLs as having
            // seen all groups.
            let state = (|| {
                let both = old.iter().zip(new);
                let both = both.map(|(old, new)| concat(&[old.as_ref(), new.as_ref()]));
                let both = both.collect::<std::result::Result<Vec<_>, _>>()?;
                accumulator.merge_batch(&both, &group_of_both, groups.len())?;
                accumulator.state(EmitTo::All)
            })();
            columns.extend(state.map_err(datafusion_error)?);
            column += width;
        }
        state_rows(store.schema(), columns, groups.len())
    }

    /// Final rows from state rows.
    fn evaluate(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let num_rows = rows.num_rows();
        if num_rows == 0 {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let groups: Vec<usize> = (0..num_rows).collect();
        let mut column = self.num_keys.max(1);
        let mut columns = rows.columns()[column - self.num_keys.max(1)..][..self.num_keys].to_vec();
        for aggregate in &self.aggregates {
            let width = aggregate.state_fields().map_err(datafusion_error)?.len();
            let mut accumulator = accumulator(aggregate)?;
            let state = &rows.columns()[column..][..width];
            let value = (|| {
                accumulator.merge_batch(state, &groups, num_rows)?;
                accumulator.evaluate(EmitTo::All)
            })();
            columns.push(value.map_err(datafusion_error)?);
            column += width;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(num_rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(arrow_error)
    }
}

/// The groups of one batch. A key stands in as many partial rows as partitions saw it.
struct Groups {
    /// Group of each kept partial row.
    group_of_row: Vec<usize>,
    /// Index among the kept rows of each group's first row.
    first_kept: Vec<u32>,
    /// Which partial rows are kept; `None`: all.
    kept: Option<BooleanArray>,
    /// How many groups came too late.
    late: usize,
}

impl Groups {
    fn new(keys: &EncodedKeys, late_rows: Option<&[bool]>) -> Self {
        let mut table: HashTable<(usize, Option<usize>)> =
            HashTable::with_capacity(keys.num_keys());
        let mut groups = Self {
            group_of_row: Vec::with_capacity(keys.num_keys()),
            first_kept: Vec::with_capacity(keys.num_keys()),
            kept: None,
            late: 0,
        };
        let mut kept = Vec::with_capacity(keys.num_keys());
        for row in 0..keys.num_keys() {
            let same_key = |entry: &(usize, Option<usize>)| keys.key(entry.0) == keys.key(row);
            let known = table.find(keys.hash(row), same_key).map(|entry| entry.1);
            let group = known.unwrap_or_else(|| {
                let group = if late_rows.is_some_and(|late| late[row]) {
                    groups.late += 1;
                    None
                } else {
                    groups.first_kept.push(groups.group_of_row.len() as u32);
                    Some(groups.first_kept.len() - 1)
                };
                table.insert_unique(keys.hash(row), (row, group), |entry| keys.hash(entry.0));
                group
            });
            groups.group_of_row.extend(group);
            kept.push(group.is_some());
        }
        if groups.late > 0 {
            groups.kept = Some(BooleanArray::from(kept));
        }
        groups
    }

    fn len(&self) -> usize {
        self.first_kept.len()
    }

    /// Whether row number and group number are the same thing.
    fn is_one_row_each(&self) -> bool {
        self.kept.is_none() && self.first_kept.len() == self.group_of_row.len()
    }

    fn keep_groups(&self, partial: &RecordBatch) -> Result<RecordBatch> {
        match &self.kept {
            None => Ok(partial.clone()),
            Some(kept) => filter_record_batch(partial, kept).map_err(arrow_error),
        }
    }

    /// The key columns of the groups, from the key columns of the kept rows.
    fn first_rows(&self, keys: &[ArrayRef], first_kept: &[u32]) -> Result<Vec<ArrayRef>> {
        if first_kept.len() == self.group_of_row.len() {
            return Ok(keys.to_vec());
        }
        let indices = UInt32Array::from(first_kept.to_vec());
        keys.iter()
            .map(|column| arrow::compute::take(column, &indices, None).map_err(arrow_error))
            .collect()
    }
}

fn accumulator(aggregate: &Arc<AggregateFunctionExpr>) -> Result<Box<dyn GroupsAccumulator>> {
    if aggregate.groups_accumulator_supported() {
        return aggregate
            .create_groups_accumulator()
            .map_err(datafusion_error);
    }
    let aggregate = Arc::clone(aggregate);
    let adapter = GroupsAccumulatorAdapter::new(move || aggregate.create_accumulator());
    Ok(Box::new(adapter))
}

fn state_rows(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(arrow_error)
}
