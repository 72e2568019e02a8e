//! Aggregation over sessions: a session grows as long as rows touch it, and two become one when a row
//! lies between them.
//!
//! ```text
//! AggregateExec(Partial), one row per key and row's own session ─► drop late ones
//!      ─► + all sessions of those keys from the state ─► in order of time, merge what touches
//!      ─► in the place of the old ones
//!      ─► append: sessions the watermark has passed, then removed      complete: all
//! ```

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, take_arrays, take_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef, TimestampMicrosecondType};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use hashbrown::HashSet;

use super::aggregate_states::AggregateStates;
use super::batch_context::BatchContext;
use super::exec::collect;
use super::operator_state::{
    EventTimeColumn, NoDataBatches, OperatorMetrics, OperatorState, StoreLayout, arrow_error, to_us,
};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator, rows_at_once};
use crate::clock::Stopwatch;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::state::{EncodedKeys, StateShard, TableShape, split_columns};

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
    session: SessionKeys,
    /// The columns of partial rows that are keys and no part of the session.
    keys: Vec<usize>,
    /// The keys, the start, the end, the states of the aggregates.
    state_schema: SchemaRef,
    output_mode: OutputMode,
    schema: SchemaRef,
}

/// The stateful half of an aggregation over sessions whose other half is `partial`, an aggregation in
/// `Partial` mode over `input`. `schema` is that of the final rows: the keys, then one column per
/// aggregate.
pub(crate) fn session_window(
    context: Arc<BatchContext>,
    partial: &AggregateExec,
    input: Arc<dyn ExecutionPlan>,
    session: SessionKeys,
    output_mode: OutputMode,
    schema: SchemaRef,
) -> StatefulExec {
    let num_keys = partial.group_expr().output_exprs().len();
    let keys: Vec<usize> = (0..num_keys)
        .filter(|key| ![session.start, session.end].contains(key))
        .collect();
    let partial_schema = input.schema();
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
    let aggregates = AggregateStates::new(partial.aggr_expr());
    let state = OperatorState::new(OPERATOR_NAME, no_data_batches, layout)
        .counting_only(aggregates.are_counts());
    let sessions = Sessions {
        context,
        state: Arc::new(state),
        aggregates,
        session,
        keys,
        state_schema,
        output_mode,
        schema: Arc::clone(&schema),
    };
    StatefulExec::new(vec![input], sessions, schema, EmissionType::Final)
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
            let schema = input.schema();
            let parallel = self.context.is_parallel();
            let batches = collect(input, context, parallel, usize::MAX).await?;
            let rows = concat_batches(&schema, &batches)?;
            Ok(vec![self.take(&rows)?])
        }))
    }
}

impl Sessions {
    fn take(&self, partial: &RecordBatch) -> Result<RecordBatch> {
        let watch = Stopwatch::start();
        let mut metrics = OperatorMetrics::default();
        let mut state = self.state.lock();
        let shard = state.whole()?;
        let rows = self.state_rows(partial)?;
        let rows = self.rows_in_time(rows, shard, &mut metrics)?;
        if rows.num_rows() > 0 {
            self.merge(rows, shard, &mut metrics)?;
        }
        metrics.updates_ms = watch.elapsed().as_millis() as i64;

        let watch = Stopwatch::start();
        let through = to_us(self.state.watermarks().eviction_ms);
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
        state.metrics().add(&metrics);
        Ok(output)
    }

    /// Partial rows as sessions of one row each.
    fn state_rows(&self, partial: &RecordBatch) -> Result<RecordBatch> {
        let num_keys = self.keys.len() + 2;
        let keys = self.keys.iter();
        let keys = keys.chain([&self.session.start, &self.session.end]);
        let mut columns: Vec<ArrayRef> = keys.map(|&key| Arc::clone(partial.column(key))).collect();
        let (_, states) = split_columns(partial, num_keys)?;
        columns.extend_from_slice(states);
        RecordBatch::try_new(Arc::clone(&self.state_schema), columns).map_err(arrow_error)
    }

    /// Those that are not over already: as in Spark in complete mode too, though windows of a fixed length keep
    /// their late rows there.
    fn rows_in_time(
        &self,
        rows: RecordBatch,
        shard: &StateShard,
        metrics: &mut OperatorMetrics,
    ) -> Result<RecordBatch> {
        if !self.session.has_watermark {
            return Ok(rows);
        }
        let watermark_ms = self.state.watermarks().late_ms;
        let watermark = to_us(watermark_ms);
        let ends = self.ends(&rows)?;
        let is_late = |row: &u32| ends.value(*row as usize) <= watermark;
        let (late, kept): (Vec<u32>, Vec<u32>) = (0..rows.num_rows() as u32).partition(is_late);
        if late.is_empty() {
            return Ok(rows);
        }
        // A session counts once, however many partitions saw it.
        let keys = shard.encode(self.own_keys(&rows)?)?;
        let of_row = |&row: &u32| (keys.key(row as usize), ends.value(row as usize));
        let dropped: HashSet<_> = late.iter().map(of_row).collect();
        metrics.dropped_by_watermark += dropped.len() as i64;
        let late = late
            .iter()
            .map(|&row| (row as usize, ends.value(row as usize)));
        let shown = rows.project(&(0..self.keys.len() + 2).collect::<Vec<_>>());
        let shown = shown.map_err(arrow_error)?;
        metrics.late.note(&shown, late, watermark_ms)?;
        take_record_batch(&rows, &UInt32Array::from(kept)).map_err(arrow_error)
    }

    /// Puts sessions of one row into the state, where they grow together with those that they touch.
    fn merge(
        &self,
        rows: RecordBatch,
        shard: &mut StateShard,
        metrics: &mut OperatorMetrics,
    ) -> Result<()> {
        let encoder = Arc::clone(shard.shared_encoder()?);
        let encoded = encoder.encode(self.shared_keys(&rows)?)?;
        let held = shard
            .sharing(&encoder.take(&encoded, &distinct(&encoded)))?
            .rows;
        let all = concat_batches(&self.state_schema, [&held, &rows]).map_err(arrow_error)?;
        let all = self.in_order(&all, &encoder.encode(self.shared_keys(&all)?)?)?;
        let encoded = encoder.encode(self.shared_keys(&all)?)?;
        let sessions = self.grown(&all, &encoded)?;

        let session_keys = shard.encode(self.own_keys(&sessions)?)?;
        let held_keys = shard.encode(self.own_keys(&held)?)?;
        let gone = shard
            .encoder()
            .take(&held_keys, &missing(&held_keys, &session_keys));
        metrics.removed += shard.remove(&gone)? as i64;
        metrics.updated += sessions.num_rows() as i64;
        let event_time = self.state.event_time();
        let expiry = event_time.map(|time| time.expiry(sessions.columns()));
        shard.upsert(sessions, session_keys, expiry.transpose()?.as_deref())
    }

    /// Sessions by key and then by start; of equal ones those of the state first.
    fn in_order(&self, all: &RecordBatch, keys: &EncodedKeys) -> Result<RecordBatch> {
        let starts = self.starts(all)?;
        let mut order: Vec<u32> = (0..all.num_rows() as u32).collect();
        order.sort_by(|&one, &other| {
            let (one, other) = (one as usize, other as usize);
            let by_key = keys.key(one).cmp(keys.key(other));
            by_key.then_with(|| starts.value(one).cmp(&starts.value(other)))
        });
        take_record_batch(all, &UInt32Array::from(order)).map_err(arrow_error)
    }

    /// The sessions that sessions in order become when those that touch are one.
    fn grown(&self, all: &RecordBatch, keys: &EncodedKeys) -> Result<RecordBatch> {
        let (starts, ends) = (self.starts(all)?, self.ends(all)?);
        let mut group_of_row = Vec::with_capacity(all.num_rows());
        let (mut firsts, mut ended): (Vec<u32>, Vec<i64>) = (Vec::new(), Vec::new());
        for row in 0..all.num_rows() {
            let touches =
                |end: &i64| keys.key(row) == keys.key(row - 1) && starts.value(row) <= *end;
            match ended.last_mut() {
                Some(end) if touches(end) => *end = ends.value(row).max(*end),
                _ => {
                    firsts.push(row as u32);
                    ended.push(ends.value(row));
                }
            }
            group_of_row.push(firsts.len() - 1);
        }
        let groups = firsts.len();
        let firsts = UInt32Array::from(firsts);
        let own = self.own_keys(all)?;
        let mut columns = take_arrays(own, &firsts, None).map_err(arrow_error)?;
        let zone = ends.timezone().map(Arc::<str>::from);
        let ends = TimestampMicrosecondArray::from(ended).with_timezone_opt(zone);
        columns.push(Arc::new(ends));
        let (_, states) = split_columns(all, self.keys.len() + 2)?;
        columns.extend(self.aggregates.merge(states, &group_of_row, groups)?);
        RecordBatch::try_new(Arc::clone(&self.state_schema), columns).map_err(arrow_error)
    }

    /// Final rows from state rows.
    fn evaluate(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        if rows.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let num_keys = self.keys.len();
        let mut keys = self.shared_keys(rows)?.iter();
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for key in 0..num_keys + 2 {
            let column = match key {
                key if key == self.session.start => Some(rows.column(num_keys)),
                key if key == self.session.end => Some(rows.column(num_keys + 1)),
                _ => keys.next(),
            };
            columns.extend(column.cloned());
        }
        let (_, states) = split_columns(rows, num_keys + 2)?;
        columns.extend(self.aggregates.evaluate(states, rows.num_rows())?);
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(arrow_error)
    }

    /// The columns of state rows that many sessions share.
    fn shared_keys<'a>(&self, rows: &'a RecordBatch) -> Result<&'a [ArrayRef]> {
        Ok(split_columns(rows, self.keys.len())?.0)
    }

    /// The columns of state rows that tell sessions apart.
    fn own_keys<'a>(&self, rows: &'a RecordBatch) -> Result<&'a [ArrayRef]> {
        Ok(split_columns(rows, self.keys.len() + 1)?.0)
    }

    fn starts<'a>(&self, rows: &'a RecordBatch) -> Result<&'a TimestampMicrosecondArray> {
        times(rows.column(self.keys.len()))
    }

    fn ends<'a>(&self, rows: &'a RecordBatch) -> Result<&'a TimestampMicrosecondArray> {
        times(rows.column(self.keys.len() + 1))
    }
}

fn times(column: &ArrayRef) -> Result<&TimestampMicrosecondArray> {
    column
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| Error::internal("a session has no times"))
}

/// Those of `keys` that are not among `others`.
fn missing(keys: &EncodedKeys, others: &EncodedKeys) -> Vec<u32> {
    let others: HashSet<&[u8]> = (0..others.num_keys()).map(|key| others.key(key)).collect();
    let numbers = 0..keys.num_keys() as u32;
    numbers
        .filter(|&number| !others.contains(keys.key(number as usize)))
        .collect()
}

/// The first of each of some keys.
fn distinct(keys: &EncodedKeys) -> Vec<u32> {
    let mut seen = HashSet::new();
    let numbers = (0..keys.num_keys()).filter(|&number| seen.insert(keys.key(number)));
    numbers.map(|number| number as u32).collect()
}
