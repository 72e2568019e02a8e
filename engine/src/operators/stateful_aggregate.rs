//! Aggregation over batches: merges a batch's partial aggregates into the state and emits what
//! the output mode asks for.
//!
//! ```text
//! AggregateExec(Partial) ─► groups of this batch, by shard ─► drop late groups
//!      ─► rows of just those keys from the state ─► merge (fresh accumulators) ─► write back
//!      ─► append: groups the watermark has passed, then removed
//!         update: the groups of this batch      complete: all groups
//! ```
//! A large batch does all of it on every core: a partition of the input divides its groups by the
//! shard of their key, and then each shard merges its part.
//!
//! Cost is that of the groups a batch touches, not of the state. A long-lived accumulator could
//! not do this: `state` and `evaluate` consume what they return, and cannot pick groups.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat, concat_batches, take_arrays};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::TryStreamExt;

use super::aggregate_states::AggregateStates;
use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::{EventTimeColumn, Watermarks, to_us};
use super::exec::each_partition;
use super::operator_state::{NoDataBatches, OperatorMetrics, OperatorState};
use super::sharding::{ShardOutput, ShardRows, Sharding, joined, on_each_shard};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use super::store_layout::{StoreLayout, global_key, global_key_field};
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::output_mode::OutputMode;
use crate::state::{
    Claim, EncodedKeys, StateShard, TableShape, WINDOW_DURATION_US, split_columns, take_rows,
};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "stateStoreSave";

/// What stays the same from batch to batch.
#[derive(Debug)]
struct Merger {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    aggregates: AggregateStates,
    num_keys: usize,
    output_mode: OutputMode,
    partial_schema: SchemaRef,
    schema: SchemaRef,
}

/// The stateful half of the aggregation whose other half is `partial`, an aggregation in `Partial`
/// mode over `input`. `schema` is that of the final rows: the keys, then one column per aggregate.
pub(crate) fn stateful_aggregate(
    context: Arc<BatchContext>,
    partial: &AggregateExec,
    input: Arc<dyn ExecutionPlan>,
    event_time: Option<EventTimeColumn>,
    output_mode: OutputMode,
    schema: SchemaRef,
) -> StatefulExec {
    let num_keys = partial.group_expr().output_exprs().len();
    let partial_schema = input.schema();
    let mut fields: Vec<Field> = Vec::new();
    if num_keys == 0 {
        fields.push(global_key_field());
    }
    for field in partial_schema.fields() {
        let plain = Field::new(field.name(), field.data_type().clone(), true);
        let duration = field.metadata().get_key_value(WINDOW_DURATION_US);
        let duration = duration.map(|(key, value)| (key.clone(), value.clone()));
        fields.push(plain.with_metadata(duration.into_iter().collect()));
    }
    let columns = Arc::new(Schema::new(fields));
    let no_data_batches = match output_mode {
        OutputMode::Complete => NoDataBatches::Never,
        OutputMode::Append | OutputMode::Update => NoDataBatches::WhenWatermarkMoved,
    };
    let shape = TableShape::one_row_per_key(num_keys.max(1));
    let layout = StoreLayout::new(columns, shape).expiring_by(event_time);
    let aggregates = AggregateStates::new(partial.aggr_expr());
    let state = OperatorState::new(OPERATOR_NAME, no_data_batches, layout)
        .counting_only(aggregates.are_counts());
    let merger = Merger {
        context,
        state: Arc::new(state),
        aggregates,
        num_keys,
        output_mode,
        partial_schema,
        schema: Arc::clone(&schema),
    };
    StatefulExec::new(vec![input], merger, schema, EmissionType::Final)
}

impl StatefulOperator for Merger {
    fn node_name(&self) -> &'static str {
        "StateStoreSaveExec"
    }

    fn describe(&self, schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode {}", self.output_mode)?;
        if let Some(key) = self.state.event_time() {
            write!(f, ", event time {}", schema.field(key.column).name())?;
        }
        Ok(())
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let input = inputs.into_one()?;
        Ok(rows_at_once(async move {
            let parallel = self.context.is_parallel();
            let cores = input.output_partitioning().partition_count();
            let sharding = Sharding::of(
                self.state.lock().store()?,
                &self.context,
                cores,
                self.num_keys > 0,
            )?;
            let read = |rows| Arc::clone(&self).read(rows, Arc::clone(&sharding));
            let parts = each_partition(input, context, parallel, read).await?;
            let work = |shard: &mut StateShard, input, watermarks| {
                self.merge_shard(shard, input, watermarks)
            };
            Ok(on_each_shard(&self.state, parts, parallel, work)?)
        }))
    }
}

impl Merger {
    /// The partial rows of one partition, for each shard.
    async fn read(
        self: Arc<Self>,
        rows: SendableRecordBatchStream,
        sharding: Arc<Sharding>,
    ) -> DataFusionResult<Vec<ShardRows>> {
        let batches: Vec<RecordBatch> = rows.try_collect().await?;
        let rows = concat_batches(&self.partial_schema, &batches)?;
        drop(batches);
        let keys = sharding.encoder.encode(&self.keys(&rows)?)?;
        Ok(sharding.divide(rows, keys)?)
    }

    fn merge_shard(
        &self,
        shard: &mut StateShard,
        input: Vec<ShardRows>,
        watermarks: Watermarks,
    ) -> Result<ShardOutput> {
        let watch = Stopwatch::start();
        let mut metrics = OperatorMetrics::default();
        let ShardRows {
            rows: mut partial,
            mut keys,
        } = joined(&self.partial_schema, shard.encoder(), input)?;
        if let Some(kept) = self.rows_in_time(&partial, &keys, watermarks, &mut metrics)? {
            keys = shard.encoder().take(&keys, &kept);
            partial = take_rows(&partial, kept)?;
        }
        let claim = shard.claim(&keys)?;
        let rows = self.merge_groups(&partial, &claim, &keys, shard)?;
        let expiry = self.expiry(rows.columns())?;
        metrics.updated += claim.num_groups() as i64;
        shard.write(claim, rows.clone(), keys, expiry.as_deref())?;
        metrics.updates_ms += watch.elapsed().as_millis() as i64;

        let watch = Stopwatch::start();
        let through = to_us(watermarks.eviction_ms);
        let output = match self.output_mode {
            OutputMode::Update => rows,
            OutputMode::Complete => shard.all_rows()?,
            OutputMode::Append => shard.expired(through, None)?,
        };
        if self.output_mode != OutputMode::Complete && self.state.event_time().is_some() {
            metrics.removed += shard.evict(through)? as i64;
        }
        let output = self.evaluate(&output)?;
        metrics.removals_ms += watch.elapsed().as_millis() as i64;
        Ok(ShardOutput {
            rows: output,
            metrics,
        })
    }

    /// The key columns of partial rows, as the state knows them.
    fn keys(&self, partial: &RecordBatch) -> Result<Vec<ArrayRef>> {
        if self.num_keys == 0 {
            return Ok(vec![global_key(partial.num_rows())]);
        }
        Ok(split_columns(partial, self.num_keys)?.0.to_vec())
    }

    /// When rows expire whose first columns are the keys.
    fn expiry(&self, columns: &[ArrayRef]) -> Result<Option<Vec<Option<i64>>>> {
        let event_time = self.state.event_time();
        event_time.map(|key| key.expiry(columns)).transpose()
    }

    /// The columns of state rows that are the states of the aggregates.
    fn states<'a>(&self, rows: &'a RecordBatch) -> Result<&'a [ArrayRef]> {
        Ok(split_columns(rows, self.num_keys.max(1))?.1)
    }

    /// The partial rows whose group is not complete already; `None`: all.
    fn rows_in_time(
        &self,
        partial: &RecordBatch,
        keys: &EncodedKeys,
        watermarks: Watermarks,
        metrics: &mut OperatorMetrics,
    ) -> Result<Option<Vec<u32>>> {
        if self.output_mode == OutputMode::Complete {
            return Ok(None);
        }
        let watermark = to_us(watermarks.late_ms);
        let Some(expiry) = self.expiry(&self.keys(partial)?)? else {
            return Ok(None);
        };
        let (mut late, mut kept) = (Vec::new(), Vec::with_capacity(expiry.len()));
        for (row, expiry) in expiry.into_iter().enumerate() {
            match expiry {
                Some(at) if at <= watermark => late.push((row, at)),
                _ => kept.push(row as u32),
            }
        }
        if late.is_empty() {
            return Ok(None);
        }
        // A group counts once, however many partitions saw it.
        let groups: HashSet<&[u8]> = late.iter().map(|&(row, _)| keys.key(row)).collect();
        metrics.dropped_by_watermark += groups.len() as i64;
        let shown = self.shown_keys(partial)?;
        let late = late.into_iter();
        metrics.late.note(&shown, late, watermarks.late_ms)?;
        Ok(Some(kept))
    }

    /// The keys of partial rows for people: a window has its start under a name that is one.
    fn shown_keys(&self, partial: &RecordBatch) -> Result<RecordBatch> {
        let keys: Vec<usize> = (0..self.num_keys).collect();
        let keys = partial.project(&keys).map_err(arrow_error)?;
        let window = self.state.event_time().filter(|key| key.duration_us > 0);
        let fields = keys.schema();
        let fields = fields.fields().iter().enumerate();
        let fields = fields.map(|(index, field)| match window {
            Some(window) if window.column == index => {
                field.as_ref().clone().with_name("window.start")
            }
            _ => field.as_ref().clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let columns = keys.columns().to_vec();
        RecordBatch::try_new(schema, columns).map_err(arrow_error)
    }

    /// The new state rows of the groups: their old rows, if any, merged with the partial rows.
    fn merge_groups(
        &self,
        partial: &RecordBatch,
        claim: &Claim,
        keys: &EncodedKeys,
        shard: &StateShard,
    ) -> Result<RecordBatch> {
        let groups = claim.num_groups();
        let mut columns = self.keys(partial)?;
        let (_, new) = split_columns(partial, self.num_keys)?;
        if !claim.is_one_row_each() {
            let firsts = UInt32Array::from(claim.first_rows.clone());
            columns = take_arrays(&columns, &firsts, None).map_err(arrow_error)?;
        }
        if claim.held.is_empty() && claim.is_one_row_each() {
            columns.extend_from_slice(new);
            return state_rows(shard.schema(), columns, groups);
        }
        let held_rows = shard.held_rows(claim, keys)?;
        let mut group_of_both = claim.held.clone();
        group_of_both.extend_from_slice(&claim.group_of_row);
        let both = self.states(&held_rows)?.iter().zip(new);
        let both = both.map(|(old, new)| concat(&[old.as_ref(), new.as_ref()]));
        let both = both.collect::<std::result::Result<Vec<_>, _>>();
        let both = both.map_err(arrow_error)?;
        columns.extend(self.aggregates.merge(&both, &group_of_both, groups)?);
        state_rows(shard.schema(), columns, groups)
    }

    /// Final rows from state rows.
    fn evaluate(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let num_rows = rows.num_rows();
        if num_rows == 0 {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let mut columns = split_columns(rows, self.num_keys)?.0.to_vec();
        columns.extend(self.aggregates.evaluate(self.states(rows)?, num_rows)?);
        let options = RecordBatchOptions::new().with_row_count(Some(num_rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(arrow_error)
    }
}

fn state_rows(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(arrow_error)
}
