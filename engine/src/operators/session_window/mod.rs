//! Aggregation over sessions: a session grows as long as rows touch it, and two become one when a row
//! lies between them. As in Spark the rows of a batch are aggregated in the order of time.
//!
//! ```text
//! rows, each a session of its own, by shard ─► drop late ones ─► + all sessions of those keys from the
//!      state ─► in order of time, one of what touches ─► in the place of the old ones
//!      ─► append: sessions the watermark has passed, then removed      complete: all
//! ```

mod growing;
mod rows;

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{concat_batches, interleave};
use arrow::datatypes::{Field, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::TryStreamExt;
use hashbrown::HashSet;

use self::growing::{Grown, Stretch};
use self::rows::SessionRows;
use super::aggregate_states::AggregateStates;
use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::{EventTimeColumn, Watermarks, to_us};
use super::exec::each_partition;
use super::operator_state::{NoDataBatches, OperatorMetrics, OperatorState};
use super::sharding::{ShardOutput, ShardRows, Sharding, joined, on_each_shard};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use super::store_layout::StoreLayout;
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::state::{StateShard, TableShape, take_rows};

/// Spark's name for the operator.
const OPERATOR_NAME: &str = "sessionWindowStateStoreSaveExec";

/// Where a session stands among the keys of an aggregation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionKeys {
    /// The key that is its start.
    pub start: usize,
    /// The key that is its end.
    pub end: usize,
    /// Whether sessions come too late and are over at some time.
    pub has_watermark: bool,
}

#[derive(Debug)]
struct Sessions {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    aggregates: AggregateStates,
    rows: SessionRows,
    session: SessionKeys,
    /// How many keys are no part of the session.
    num_keys: usize,
    /// The keys, the start, the end, the states of the aggregates.
    state_schema: SchemaRef,
    output_mode: OutputMode,
    schema: SchemaRef,
}

/// An aggregation over sessions in the place of one whose first half is `partial`, an aggregation in
/// `Partial` mode. `schema` is that of the final rows: the keys, then one column per aggregate.
pub(crate) fn session_window(
    context: Arc<BatchContext>,
    partial: &AggregateExec,
    session: SessionKeys,
    output_mode: OutputMode,
    schema: SchemaRef,
) -> DataFusionResult<StatefulExec> {
    let num_keys = partial.group_expr().output_exprs().len();
    let keys: Vec<usize> = (0..num_keys)
        .filter(|key| ![session.start, session.end].contains(key))
        .collect();
    let partial_schema = partial.schema();
    let nullable = |index: usize| partial_schema.field(index).clone().with_nullable(true);
    let mut fields: Vec<Field> = keys.iter().map(|&key| nullable(key)).collect();
    fields.push(nullable(session.start).with_nullable(false));
    fields.push(nullable(session.end));
    fields.extend((num_keys..partial_schema.fields().len()).map(nullable));
    let plain = fields
        .into_iter()
        .map(|field| field.with_metadata(Default::default()));
    let state_schema = Arc::new(Schema::new(plain.collect::<Vec<_>>()));
    let no_data_batches = match output_mode {
        OutputMode::Complete => NoDataBatches::Never,
        OutputMode::Append | OutputMode::Update => NoDataBatches::WhenWatermarkMoved,
    };
    let expiry = session.has_watermark.then_some(EventTimeColumn {
        column: keys.len() + 1,
        duration_us: 0,
    });
    let shape = TableShape::many_rows_per_key(keys.len());
    let layout = StoreLayout::new(Arc::clone(&state_schema), shape).expiring_by(expiry);
    let own = state_schema.fields().iter().take(keys.len() + 2);
    let own: Vec<Arc<Field>> = own.cloned().collect();
    let aggregates = AggregateStates::new(partial.aggr_expr());
    let state = OperatorState::new(OPERATOR_NAME, no_data_batches, layout)
        .counting_only(aggregates.are_counts());
    let sessions = Sessions {
        context,
        state: Arc::new(state),
        aggregates,
        rows: SessionRows::try_new(partial, &keys, session, &own)?,
        session,
        num_keys: keys.len(),
        state_schema,
        output_mode,
        schema: Arc::clone(&schema),
    };
    let input = Arc::clone(partial.input());
    Ok(StatefulExec::new(
        vec![input],
        sessions,
        schema,
        EmissionType::Final,
    ))
}

impl StatefulOperator for Sessions {
    fn node_name(&self) -> &'static str {
        "SessionWindowStateStoreSaveExec"
    }

    fn describe(&self, _schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode {}", self.output_mode)
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let input = inputs.into_one()?;
        Ok(rows_at_once(async move {
            let parallel = self.context.is_parallel();
            let cores = input.output_partitioning().partition_count();
            let sharding = {
                let mut state = self.state.lock();
                Sharding::of(state.store()?, &self.context, cores, true)?
            };
            let read = |rows| Arc::clone(&self).read(rows, Arc::clone(&sharding));
            let parts = each_partition(input, context, parallel, read).await?;
            let work = |shard: &mut StateShard, input, watermarks| {
                self.take_shard(shard, input, watermarks)
            };
            Ok(on_each_shard(&self.state, parts, parallel, work)?)
        }))
    }
}

impl Sessions {
    /// The rows of one partition, for each shard.
    async fn read(
        self: Arc<Self>,
        mut rows: SendableRecordBatchStream,
        sharding: Arc<Sharding>,
    ) -> DataFusionResult<Vec<ShardRows>> {
        let mut batches = Vec::new();
        while let Some(batch) = rows.try_next().await? {
            batches.push(self.rows.of(&batch)?);
        }
        let rows = concat_batches(self.rows.schema(), &batches)?;
        drop(batches);
        let keys: Vec<ArrayRef> = rows.columns().iter().take(self.num_keys).cloned().collect();
        let keys = sharding.encoder.encode(&keys)?;
        Ok(sharding.divide(rows, keys)?)
    }

    fn take_shard(
        &self,
        shard: &mut StateShard,
        input: Vec<ShardRows>,
        watermarks: Watermarks,
    ) -> Result<ShardOutput> {
        let watch = Stopwatch::start();
        let mut metrics = OperatorMetrics::default();
        let input = joined(self.rows.schema(), shard.dividing_encoder(), input)?;
        let input = self.rows_in_time(input, shard, watermarks, &mut metrics)?;
        if input.rows.num_rows() > 0 {
            self.merge(&input, shard, &mut metrics)?;
        }
        metrics.updates_ms = watch.elapsed().as_millis() as i64;

        let watch = Stopwatch::start();
        let through = to_us(watermarks.eviction_ms);
        let output = match self.output_mode {
            OutputMode::Complete => shard.all_rows()?,
            OutputMode::Append | OutputMode::Update => {
                let over = shard.expired(through, None)?;
                metrics.removed += shard.evict(through)? as i64;
                over
            }
        };
        let output = self.evaluate(&output)?;
        metrics.removals_ms = watch.elapsed().as_millis() as i64;
        Ok(ShardOutput {
            rows: output,
            metrics,
        })
    }

    /// Those that are not over already: as in Spark in complete mode too, though windows of a fixed length keep
    /// their late rows there.
    fn rows_in_time(
        &self,
        input: ShardRows,
        shard: &StateShard,
        watermarks: Watermarks,
        metrics: &mut OperatorMetrics,
    ) -> Result<ShardRows> {
        if !self.session.has_watermark {
            return Ok(input);
        }
        let watermark = to_us(watermarks.late_ms);
        let ShardRows { rows, keys } = &input;
        let stretches = self.stretches(rows, &[], true)?;
        let is_late = |stretch: &Stretch| stretch.end <= watermark;
        if !stretches.iter().any(is_late) {
            return Ok(input);
        }
        let (mut late, kept): (Vec<Stretch>, Vec<Stretch>) =
            stretches.iter().partition(|one| is_late(one));
        // A session counts once, however many rows or partitions saw it.
        let mut dropped = HashSet::new();
        late.retain(|one| dropped.insert((keys.key(one.row as usize), one.start, one.end)));
        metrics.dropped_by_watermark += late.len() as i64;
        let shown = rows.project(&(0..self.num_keys + 2).collect::<Vec<_>>());
        let shown = shown.map_err(arrow_error)?;
        let late = late.iter().map(|one| (one.row as usize, one.end));
        metrics.late.note(&shown, late, watermarks.late_ms)?;
        let kept: Vec<u32> = kept.iter().map(|one| one.row).collect();
        Ok(ShardRows {
            keys: shard.dividing_encoder().take(keys, &kept),
            rows: take_rows(rows, kept)?,
        })
    }

    /// Puts rows into the state, as sessions that grow together with those that they touch.
    fn merge(
        &self,
        input: &ShardRows,
        shard: &mut StateShard,
        metrics: &mut OperatorMetrics,
    ) -> Result<()> {
        let numbered = input.keys.numbered();
        let encoder = Arc::clone(shard.dividing_encoder());
        let held = shard.sharing(&encoder.take(&input.keys, &numbered.first_rows))?;
        let mut stretches = self.stretches(&held.rows, &held.numbers, false)?;
        stretches.extend(self.stretches(&input.rows, &numbered.number_of_row, true)?);
        let grown = Grown::of(stretches);
        let sessions = self.sessions(&held.rows, &input.rows, &grown)?;
        let absorbed = take_rows(&held.rows, grown.absorbed)?;
        let absorbed = shard.encode(&self.row_keys(&absorbed))?;
        metrics.removed += shard.remove(&absorbed)? as i64;
        let session_keys = shard.encode(&self.row_keys(&sessions))?;
        metrics.updated += sessions.num_rows() as i64;
        let event_time = self.state.event_time();
        let expiry = event_time.map(|time| time.expiry(sessions.columns()));
        shard.upsert(sessions, session_keys, expiry.transpose()?.as_deref())
    }

    /// The columns by which the state tells sessions apart: keys and start.
    fn row_keys(&self, sessions: &RecordBatch) -> Vec<ArrayRef> {
        let columns = sessions.columns().iter();
        columns.take(self.num_keys + 1).cloned().collect()
    }

    /// From when to when rows last, whose first columns are keys, start and end; `keys` are the numbers of
    /// their keys.
    fn stretches(&self, rows: &RecordBatch, keys: &[u32], is_new: bool) -> Result<Vec<Stretch>> {
        let starts = times(rows.column(self.num_keys))?.values().iter();
        let ends = times(rows.column(self.num_keys + 1))?.values().iter();
        let keys = keys.iter().copied().chain(std::iter::repeat(0));
        let rows = starts.zip(ends).zip(keys).zip(0..);
        let stretches = rows.map(|(((&start, &end), key), row)| Stretch {
            key,
            start,
            is_new,
            end,
            row,
        });
        Ok(stretches.collect())
    }

    /// State rows of the sessions that those of the state, `held`, and the rows of the batch become.
    fn sessions(
        &self,
        held: &RecordBatch,
        rows: &RecordBatch,
        grown: &Grown,
    ) -> Result<RecordBatch> {
        let firsts = grown.firsts.iter();
        let firsts = firsts.map(|&(is_new, row)| (usize::from(is_new), row as usize));
        let firsts: Vec<(usize, usize)> = firsts.collect();
        let own = self.row_keys(held).into_iter().zip(self.row_keys(rows));
        let mut columns = both(own, &firsts)?;
        let zone = times(rows.column(self.num_keys + 1))?.timezone();
        let zone = zone.map(Arc::<str>::from);
        let ends = TimestampMicrosecondArray::from(grown.ends.clone());
        columns.push(Arc::new(ends.with_timezone_opt(zone)));
        columns.extend(self.states(held, rows, grown)?);
        RecordBatch::try_new(Arc::clone(&self.state_schema), columns).map_err(arrow_error)
    }

    /// The states of their aggregates.
    fn states(
        &self,
        held: &RecordBatch,
        rows: &RecordBatch,
        grown: &Grown,
    ) -> Result<Vec<ArrayRef>> {
        let rows = take_rows(rows, grown.rows.clone())?;
        let taken = self.rows.taken(&rows);
        let of_runs = self.aggregates.update(
            &taken.arguments,
            &taken.filters,
            &grown.run_of_row,
            grown.runs,
        )?;
        if held.num_rows() == 0 {
            // Every session is one run.
            return Ok(of_runs);
        }
        let parts = grown.parts.iter();
        let parts = parts.map(|part| (usize::from(part.is_new), part.number));
        let parts: Vec<(usize, usize)> = parts.collect();
        let of_held = held.columns().iter().skip(self.num_keys + 2).cloned();
        let states = both(of_held.zip(of_runs), &parts)?;
        self.aggregates
            .merge(&states, &grown.session_of_part, grown.len())
    }

    /// Final rows from state rows.
    fn evaluate(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        if rows.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let num_keys = self.num_keys;
        let mut keys = rows.columns().iter().take(num_keys);
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for key in 0..num_keys + 2 {
            let column = match key {
                key if key == self.session.start => Some(rows.column(num_keys)),
                key if key == self.session.end => Some(rows.column(num_keys + 1)),
                _ => keys.next(),
            };
            columns.extend(column.cloned());
        }
        let states: Vec<ArrayRef> = rows.columns().iter().skip(num_keys + 2).cloned().collect();
        columns.extend(self.aggregates.evaluate(&states, rows.num_rows())?);
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(arrow_error)
    }
}

fn times(column: &ArrayRef) -> Result<&TimestampMicrosecondArray> {
    column
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| Error::internal("a session has no times"))
}

/// Of each pair of columns the values at `places`, which say of which of the two.
fn both(
    pairs: impl Iterator<Item = (ArrayRef, ArrayRef)>,
    places: &[(usize, usize)],
) -> Result<Vec<ArrayRef>> {
    let columns = pairs.map(|(one, other)| interleave(&[one.as_ref(), other.as_ref()], places));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>();
    columns.map_err(arrow_error)
}
