//! `dropDuplicates`: lets a row pass the first time its key is seen.
//!
//! Late rows are dropped whether or not the event time is among the keys; the state shrinks only
//! if it is, or `WithinWatermark`, where a key is forgotten a watermark delay after its first row.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};
use hashbrown::HashTable;

use super::batch_context::BatchContext;
use super::exec::{plain_execution_plan, unordered};
use super::stateful::{NoDataBatches, StatefulOperator, arrow_error, event_times, to_us};
use crate::clock::Stopwatch;
use crate::error::Result;

/// Which of Spark's two deduplications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub enum DedupKind {
    /// `dropDuplicates`: a key is remembered until the watermark passes its event time, if the
    /// event time is one of the keys; else for ever.
    Plain,
    /// `dropDuplicatesWithinWatermark`: a key is remembered for `delay_ms` after its first row.
    WithinWatermark {
        /// The watermark's delay.
        delay_ms: i64,
    },
}

/// Drops rows whose key was seen before.
#[derive(Debug)]
pub struct DedupExec {
    input: Arc<dyn ExecutionPlan>,
    filter: Arc<DedupFilter>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug)]
struct DedupFilter {
    context: Arc<BatchContext>,
    operator: Arc<StatefulOperator>,
    keys: Vec<usize>,
    /// The event-time column of the rows, if they have one.
    event_time: Option<usize>,
    kind: DedupKind,
}

impl DedupExec {
    /// Deduplicates `input` by the columns in `keys`; `event_time` is the event-time column.
    pub fn new(
        context: Arc<BatchContext>,
        input: Arc<dyn ExecutionPlan>,
        keys: Vec<usize>,
        event_time: Option<usize>,
        kind: DedupKind,
    ) -> Self {
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
        let operator = StatefulOperator::new(
            name,
            Arc::new(Schema::new(fields)),
            keys.len(),
            NoDataBatches::WhenWatermarkMoved,
        );
        Self {
            properties: unordered(schema, 1, EmissionType::Incremental),
            input,
            filter: Arc::new(DedupFilter {
                context,
                operator: Arc::new(operator),
                keys,
                event_time,
                kind,
            }),
        }
    }

    /// The state behind it.
    pub fn operator(&self) -> &Arc<StatefulOperator> {
        &self.filter.operator
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            filter: Arc::clone(&self.filter),
            properties: Arc::clone(&self.properties),
        }
    }
}

impl DisplayAs for DedupExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema: SchemaRef = self.schema();
        let keys = self.filter.keys.iter();
        let keys: Vec<&str> = keys.map(|&key| schema.field(key).name().as_str()).collect();
        write!(
            f,
            "DedupExec: {} [{}]",
            self.operator().name,
            keys.join(", ")
        )
    }
}

impl ExecutionPlan for DedupExec {
    fn name(&self) -> &str {
        "DedupExec"
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let partitions = self.input.output_partitioning().partition_count();
        let rows = if self.filter.context.is_parallel() {
            CoalescePartitionsExec::new(Arc::clone(&self.input)).execute(0, context)?
        } else {
            let parts = (0..partitions)
                .map(|partition| self.input.execute(partition, Arc::clone(&context)))
                .collect::<DataFusionResult<Vec<_>>>()?;
            let rows = stream::iter(parts).flatten();
            Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows))
        };
        let filter = Arc::clone(&self.filter);
        let last = Arc::clone(&self.filter);
        let first_rows = rows
            .and_then(move |batch| {
                let filtered = filter.first_rows(&batch);
                async move { Ok(filtered?) }
            })
            .map(Some)
            .chain(stream::once(async move {
                match last.evict() {
                    Ok(()) => None,
                    Err(error) => Some(Err(error.into())),
                }
            }))
            .filter_map(|batch| async move { batch });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, first_rows)))
    }
}

impl DedupFilter {
    fn first_rows(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let watch = Stopwatch::start();
        let mut state = self.operator.state();
        let expiry = self.expiry(batch)?;
        let late = self.late_rows(batch)?;
        let keys: Vec<ArrayRef> = self
            .keys
            .iter()
            .map(|&key| batch.column(key).clone())
            .collect();
        let encoded = state.whole()?.encode(&keys)?;
        let store = state.whole()?;
        let mut seen: HashTable<usize> = HashTable::new();
        let mut dropped = 0;
        let first: BooleanArray = (0..encoded.num_keys())
            .map(|row| {
                if late.as_ref().is_some_and(|late| late[row]) {
                    dropped += 1;
                    return Some(false);
                }
                let (hash, key) = (encoded.hash(row), encoded.key(row));
                if store.find(hash, key).is_some()
                    || seen
                        .find(hash, |&other| encoded.key(other) == key)
                        .is_some()
                {
                    return Some(false);
                }
                seen.insert_unique(hash, row, |&other| encoded.hash(other));
                Some(true)
            })
            .collect();
        let rows = filter_record_batch(batch, &first).map_err(arrow_error)?;
        let new_keys: Vec<ArrayRef> = self
            .keys
            .iter()
            .map(|&key| rows.column(key).clone())
            .collect();
        let new_encoded = store.encode(&new_keys)?;
        let new_expiry: Option<Vec<Option<i64>>> = expiry.map(|expiry| {
            let kept = expiry.into_iter().zip(first.values());
            kept.filter_map(|(expiry, first)| first.then_some(expiry))
                .collect()
        });
        let held = RecordBatch::try_new(self.operator.schema().clone(), new_keys);
        let held = held.map_err(arrow_error)?;
        store.upsert(held, new_encoded, new_expiry.as_deref())?;
        let metrics = state.metrics();
        metrics.updated += rows.num_rows() as i64;
        metrics.dropped_by_watermark += dropped;
        metrics.updates_ms += watch.elapsed().as_millis() as i64;
        Ok(rows)
    }

    fn evict(&self) -> Result<()> {
        let watch = Stopwatch::start();
        let through = to_us(self.context.batch().eviction_watermark_ms);
        let mut state = self.operator.state();
        let removed = state.whole()?.evict(through);
        let metrics = state.metrics();
        metrics.removed += removed as i64;
        metrics.removals_ms += watch.elapsed().as_millis() as i64;
        Ok(())
    }

    /// When each row's key may be forgotten; `None` if never.
    fn expiry(&self, batch: &RecordBatch) -> Result<Option<Vec<Option<i64>>>> {
        let Some(column) = self.event_time else {
            return Ok(None);
        };
        let delay_us = match self.kind {
            DedupKind::Plain if self.keys.contains(&column) => 0,
            DedupKind::Plain => return Ok(None),
            DedupKind::WithinWatermark { delay_ms } => to_us(delay_ms),
        };
        let times = times_of(batch, column)?;
        Ok(Some(times.map(|time| Some(time? + delay_us)).collect()))
    }

    fn late_rows(&self, batch: &RecordBatch) -> Result<Option<Vec<bool>>> {
        let Some(column) = self.event_time else {
            return Ok(None);
        };
        let watermark = to_us(self.context.batch().late_watermark_ms);
        let late = |time: Option<i64>| time.is_some_and(|time| time <= watermark);
        Ok(Some(times_of(batch, column)?.map(late).collect()))
    }
}

fn times_of(batch: &RecordBatch, column: usize) -> Result<impl Iterator<Item = Option<i64>> + '_> {
    let times = event_times(batch.column(column))?;
    Ok((0..times.len()).map(|row| times.is_valid(row).then(|| times.value(row))))
}
