//! `dropDuplicates`: lets a row pass the first time its key is seen.
//!
//! Late rows are dropped whether or not the event time is among the keys; the state shrinks only
//! if it is, or `WithinWatermark`, where a key is forgotten a watermark delay after its first row.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::batch_context::BatchContext;
use super::errors::arrow_error;
use super::event_time_column::{EventTimeColumn, rows_in_time, times_after, to_us};
use super::operator_state::{NoDataBatches, OperatorState};
use super::stateful_operator::{Inputs, Rows, StatefulExec, StatefulOperator};
use super::store_layout::StoreLayout;
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::state::{NewRows, TableShape, take_rows};

/// Which of Spark's two deduplications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) enum DedupKind {
    /// `dropDuplicates`: a key is remembered until the watermark passes its event time, if the
    /// event time is one of the keys; else for ever.
    Plain,
    /// `dropDuplicatesWithinWatermark`: a key is remembered for `delay_ms` after its first row.
    WithinWatermark {
        /// The watermark's delay.
        delay_ms: i64,
    },
}

#[derive(Debug)]
struct DedupFilter {
    context: Arc<BatchContext>,
    state: Arc<OperatorState>,
    keys: Vec<usize>,
    /// The event-time column of the rows, if they have one.
    event_time: Option<usize>,
    kind: DedupKind,
}

/// Drops rows of `input` whose key, the columns in `keys`, was seen before; `event_time` is the
/// event-time column.
pub(crate) fn dedup(
    context: Arc<BatchContext>,
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<usize>,
    event_time: Option<usize>,
    kind: DedupKind,
) -> StatefulExec {
    let schema = input.schema();
    let fields: Vec<Field> = keys
        .iter()
        .map(|&key| {
            let field = schema.field(key);
            Field::new(field.name(), field.data_type().clone(), true)
        })
        .collect();
    let name = match kind {
        DedupKind::Plain => "dedupe",
        DedupKind::WithinWatermark { .. } => "dedupeWithinWatermark",
    };
    let among_keys = match kind {
        DedupKind::Plain => keys.iter().position(|&key| Some(key) == event_time),
        DedupKind::WithinWatermark { .. } => None,
    };
    let among_keys = among_keys.map(|column| EventTimeColumn {
        column,
        duration_us: 0,
    });
    let shape = TableShape::one_row_per_key(keys.len());
    let layout = StoreLayout::new(Arc::new(Schema::new(fields)), shape).expiring_by(among_keys);
    let state = OperatorState::new(name, NoDataBatches::WhenWatermarkMoved, layout);
    let filter = DedupFilter {
        context,
        state: Arc::new(state),
        keys,
        event_time,
        kind,
    };
    StatefulExec::new(vec![input], filter, schema, EmissionType::Incremental)
}

impl StatefulOperator for DedupFilter {
    fn node_name(&self) -> &'static str {
        "DedupExec"
    }

    fn describe(&self, schema: &SchemaRef, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter();
        let keys: Vec<&str> = keys.map(|&key| schema.field(key).name().as_str()).collect();
        write!(f, "{} [{}]", self.state.name, keys.join(", "))
    }

    fn state(&self) -> &Arc<OperatorState> {
        &self.state
    }

    fn run(self: Arc<Self>, inputs: Inputs, context: Arc<TaskContext>) -> DataFusionResult<Rows> {
        let input = inputs.into_one()?;
        let rows = if self.context.is_parallel() {
            CoalescePartitionsExec::new(input)
                .execute(0, context)?
                .boxed()
        } else {
            let partitions = 0..input.output_partitioning().partition_count();
            let parts = partitions
                .map(|partition| input.execute(partition, Arc::clone(&context)))
                .collect::<DataFusionResult<Vec<_>>>()?;
            stream::iter(parts).flatten().boxed()
        };
        let last = Arc::clone(&self);
        let first_rows = rows
            .and_then(move |batch| {
                let first_rows = self.first_rows(&batch);
                async move { Ok(first_rows?) }
            })
            .map(Some)
            .chain(stream::once(async move {
                match last.evict() {
                    Ok(()) => None,
                    Err(error) => Some(Err(error.into())),
                }
            }))
            .filter_map(|batch| async move { batch });
        Ok(first_rows.boxed())
    }
}

impl DedupFilter {
    fn first_rows(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let watch = Stopwatch::start();
        let arrived = batch;
        let (batch, dropped) = self.rows_in_time(arrived)?;
        let keys = self.keys(&batch);
        let mut state = self.state.lock();
        let store = state.whole()?;
        let keys = store.encode(&keys)?;
        let mut rows = batch.slice(0, 0);
        store.insert_new(keys, |first| {
            rows = take_rows(&batch, first.to_vec())?;
            let new_keys = self.keys(&rows);
            let expiry = self.expiry(&rows, &new_keys)?;
            let held = RecordBatch::try_new(self.state.schema().clone(), new_keys);
            Ok(NewRows {
                rows: held.map_err(arrow_error)?,
                expiry,
            })
        })?;
        let metrics = state.metrics();
        metrics.updated += rows.num_rows() as i64;
        metrics.dropped_by_watermark += dropped;
        if dropped > 0
            && let Some(column) = self.event_time
        {
            let watermark_ms = self.state.watermarks().late_ms;
            metrics.late.note_column(arrived, column, watermark_ms)?;
        }
        metrics.updates_ms += watch.elapsed().as_millis() as i64;
        Ok(rows)
    }

    fn keys(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let columns = self.keys.iter().map(|&key| batch.column(key));
        columns.cloned().collect()
    }

    fn evict(&self) -> Result<()> {
        let watch = Stopwatch::start();
        let through = to_us(self.state.watermarks().eviction_ms);
        let mut state = self.state.lock();
        let removed = state.whole()?.evict(through)?;
        let metrics = state.metrics();
        metrics.removed += removed as i64;
        metrics.removals_ms += watch.elapsed().as_millis() as i64;
        Ok(())
    }

    /// When each row's key may be forgotten; `None` if never. `keys` are the key columns.
    fn expiry(&self, batch: &RecordBatch, keys: &[ArrayRef]) -> Result<Option<Vec<Option<i64>>>> {
        let expiry = match (self.kind, self.event_time) {
            (DedupKind::Plain, _) => self.state.event_time().map(|key| key.expiry(keys)),
            // Spark finds no time in a window: its rows are forgotten at once.
            (DedupKind::WithinWatermark { .. }, Some(time)) if is_window(batch.column(time)) => {
                Some(Ok(vec![Some(0); batch.num_rows()]))
            }
            (DedupKind::WithinWatermark { delay_ms }, time) => time.map(|time| {
                let delay = to_us(delay_ms);
                let expiry = times_after(batch.column(time), delay)?;
                // Spark counts from 1970 where there is no time.
                let expiry = expiry.into_iter().map(|time| time.or(Some(delay)));
                Ok(expiry.collect())
            }),
        };
        expiry.transpose()
    }

    /// The rows that are not too late, and how many are.
    fn rows_in_time(&self, batch: &RecordBatch) -> Result<(RecordBatch, i64)> {
        match self.event_time {
            Some(column) => rows_in_time(batch, column, self.state.watermarks()),
            None => Ok((batch.clone(), 0)),
        }
    }
}

fn is_window(column: &ArrayRef) -> bool {
    matches!(column.data_type(), DataType::Struct(_))
}
