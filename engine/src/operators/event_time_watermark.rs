//! Looks at the event times that pass, for the watermark of the next batch and for the progress.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min, sum};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;
use parking_lot::Mutex;

use super::exec::{plain_execution_plan, unordered};

/// What one `withWatermark` saw in one batch, in microseconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct EventTimeStats {
    /// How many event times were not null.
    pub count: i64,
    /// How many were.
    pub nulls: i64,
    /// The earliest.
    pub min_us: i64,
    /// The latest.
    pub max_us: i64,
    /// Their sum, for the average.
    pub sum_us: f64,
}

impl EventTimeStats {
    /// Adds what another part of the batch saw.
    pub(crate) fn merge(&mut self, other: &EventTimeStats) {
        let nulls = self.nulls + other.nulls;
        if other.count == 0 {
            self.nulls = nulls;
            return;
        }
        if self.count == 0 {
            *self = Self { nulls, ..*other };
            return;
        }
        self.nulls = nulls;
        self.count += other.count;
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
        self.sum_us += other.sum_us;
    }
}

/// One `withWatermark` of a query: its delay and what it saw in the current batch.
#[derive(Debug)]
pub(crate) struct WatermarkObserver {
    /// How far the watermark stays behind the latest event time.
    pub delay_ms: i64,
    stats: Mutex<EventTimeStats>,
}

impl WatermarkObserver {
    /// An observer that has seen nothing.
    pub(crate) fn new(delay_ms: i64) -> Self {
        Self {
            delay_ms,
            stats: Mutex::default(),
        }
    }

    /// What was seen since the last call.
    pub(crate) fn take(&self) -> EventTimeStats {
        std::mem::take(&mut *self.stats.lock())
    }

    fn observe(&self, batch: &RecordBatch, column: usize) {
        let Some(times) = batch
            .column(column)
            .as_primitive_opt::<TimestampMicrosecondType>()
        else {
            return;
        };
        let nulls = times.null_count() as i64;
        let count = times.len() as i64 - nulls;
        let (Some(min_us), Some(max_us)) = (min(times), max(times)) else {
            self.stats.lock().nulls += nulls;
            return;
        };
        let sum_us = sum(&times.unary::<_, arrow::datatypes::Float64Type>(|us| us as f64));
        self.stats.lock().merge(&EventTimeStats {
            count,
            nulls,
            min_us,
            max_us,
            sum_us: sum_us.unwrap_or(0.0),
        });
    }
}

/// Passes rows on unchanged and observes the event time in `column`.
#[derive(Debug)]
pub(crate) struct EventTimeWatermarkExec {
    input: Arc<dyn ExecutionPlan>,
    observer: Arc<WatermarkObserver>,
    column: usize,
    properties: Arc<PlanProperties>,
}

impl EventTimeWatermarkExec {
    /// `schema` is the input's schema with the event-time column marked.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        observer: Arc<WatermarkObserver>,
        column: usize,
        schema: SchemaRef,
    ) -> Self {
        let partitions = input.output_partitioning().partition_count();
        Self {
            properties: unordered(schema, partitions, EmissionType::Incremental),
            input,
            observer,
            column,
        }
    }

    /// What looks at it.
    pub(crate) fn observer(&self) -> &Arc<WatermarkObserver> {
        &self.observer
    }

    /// The name of the event-time column.
    pub(crate) fn column_name(&self) -> String {
        self.schema().field(self.column).name().clone()
    }

    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(
            input,
            Arc::clone(&self.observer),
            self.column,
            self.schema(),
        )
    }
}

impl DisplayAs for EventTimeWatermarkExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EventTimeWatermarkExec: {}, delay {} ms",
            self.schema().field(self.column).name(),
            self.observer.delay_ms
        )
    }
}

impl ExecutionPlan for EventTimeWatermarkExec {
    fn name(&self) -> &str {
        "EventTimeWatermarkExec"
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let (observer, column) = (Arc::clone(&self.observer), self.column);
        let marked = Arc::clone(&schema);
        let rows = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            observer.observe(&batch, column);
            Ok(batch.with_schema(Arc::clone(&marked))?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
