//! What all stateful operators share: their state store, their figures, their use of the watermark.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, SchemaRef, TimestampMicrosecondType};
use datafusion::error::DataFusionError;
use parking_lot::{Mutex, MutexGuard};

use crate::clock::Stopwatch;
use crate::error::{Error, Result, from_datafusion};
use crate::state::{StateShard, StateStore};
use crate::streaming_query_progress::StateOperatorProgress;

/// Where a state row's event time stands among the key columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct EventTimeKey {
    /// Index among the key columns.
    pub column: usize,
    /// What to add to the column to get the time at which the row is complete: the length of the
    /// window that starts there, or 0 for a plain event time. Microseconds.
    pub duration_us: i64,
}

impl EventTimeKey {
    /// The watermark, in microseconds, at which each row is complete; `None` for NULL, which is
    /// never late.
    pub fn expiry(&self, keys: &[ArrayRef]) -> Result<Vec<Option<i64>>> {
        times_after(&keys[self.column], self.duration_us)
    }
}

/// Counters of one batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperatorMetrics {
    /// Keys written.
    pub updated: i64,
    /// Keys removed.
    pub removed: i64,
    /// Groups or rows that came too late.
    pub dropped_by_watermark: i64,
    /// Milliseconds spent on writes.
    pub updates_ms: i64,
    /// Milliseconds spent on removals.
    pub removals_ms: i64,
}

impl OperatorMetrics {
    /// Adds what a part of the operator counted.
    pub fn add(&mut self, part: &Self) {
        self.updated += part.updated;
        self.removed += part.removed;
        self.dropped_by_watermark += part.dropped_by_watermark;
        self.updates_ms += part.updates_ms;
        self.removals_ms += part.removals_ms;
    }
}

/// When an operator wants a batch although there are no new rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDataBatches {
    /// When the watermark has moved, to remove or emit what is complete.
    WhenWatermarkMoved,
    /// When the batch's timestamp is past the expiry of a row.
    WhenExpired,
    /// Never.
    Never,
}

/// One stateful operator of a query. Outlives the physical nodes, which are made anew per batch.
#[derive(Debug)]
pub struct OperatorState {
    /// Spark's name for it.
    pub name: &'static str,
    schema: SchemaRef,
    key_columns: usize,
    event_time: Option<EventTimeKey>,
    no_data_batches: NoDataBatches,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    store: Option<StateStore>,
    metrics: OperatorMetrics,
    commit_ms: i64,
}

/// The store and the counters, locked for one batch.
pub struct StateGuard<'a>(MutexGuard<'a, Inner>);

impl OperatorState {
    /// An operator whose state rows have `schema`: `key_columns` key columns, then values.
    pub fn new(
        name: &'static str,
        schema: SchemaRef,
        key_columns: usize,
        no_data_batches: NoDataBatches,
    ) -> Self {
        Self {
            name,
            schema,
            key_columns,
            event_time: None,
            no_data_batches,
            inner: Mutex::default(),
        }
    }

    /// The same, whose rows expire by the event time among their keys, if there is one.
    pub fn expiring_by(self, event_time: Option<EventTimeKey>) -> Self {
        Self { event_time, ..self }
    }

    /// The event time by which rows expire, if they do so by one of their keys.
    pub fn event_time(&self) -> Option<EventTimeKey> {
        self.event_time
    }

    /// Whether it wants batches without new rows when the watermark has moved.
    pub fn follows_watermark(&self) -> bool {
        self.no_data_batches == NoDataBatches::WhenWatermarkMoved
    }

    /// Whether it wants a batch at `now_ms`, although nothing else has changed.
    pub fn has_expired(&self, now_ms: i64) -> bool {
        self.no_data_batches == NoDataBatches::WhenExpired
            && self
                .inner
                .lock()
                .store
                .as_ref()
                .is_some_and(|store| store.has_expired(now_ms - 1))
    }

    /// The columns of its state rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Opens version `version` of its state in `directory`. The event time among the keys counts
    /// also for rows that were written when the query had no watermark.
    pub fn open(&self, directory: PathBuf, durable: bool, version: i64) -> Result<()> {
        let schema = self.schema.clone();
        let mut store = StateStore::open(&directory, durable, schema, self.key_columns, version)?;
        if let Some(event_time) = self.event_time {
            store.expire_by(|keys| event_time.expiry(keys))?;
        }
        self.inner.lock().store = Some(store);
        Ok(())
    }

    /// Locks the state for one batch.
    pub fn state(&self) -> StateGuard<'_> {
        StateGuard(self.inner.lock())
    }

    /// Writes the next version.
    pub fn commit(&self) -> Result<()> {
        let watch = Stopwatch::start();
        let mut inner = self.inner.lock();
        opened(&mut inner.store)?.commit()?;
        inner.commit_ms = watch.elapsed().as_millis() as i64;
        Ok(())
    }

    /// What the operator holds, and did since the last call.
    pub fn take_progress(&self) -> StateOperatorProgress {
        let mut inner = self.inner.lock();
        let metrics = std::mem::take(&mut inner.metrics);
        let (rows, bytes) = inner
            .store
            .as_ref()
            .map_or((0, 0), |store| (store.num_keys(), store.memory_bytes()));
        StateOperatorProgress {
            operator_name: self.name.to_string(),
            num_rows_total: rows as i64,
            num_rows_updated: metrics.updated,
            all_updates_time_ms: metrics.updates_ms,
            num_rows_removed: metrics.removed,
            all_removals_time_ms: metrics.removals_ms,
            commit_time_ms: std::mem::take(&mut inner.commit_ms),
            memory_used_bytes: bytes as i64,
            num_rows_dropped_by_watermark: metrics.dropped_by_watermark,
            // To Spark a state that is divided over cores is still one: the division is ours.
            num_shuffle_partitions: 1,
            num_state_store_instances: 1,
            custom_metrics: Default::default(),
        }
    }
}

impl StateGuard<'_> {
    /// The opened store.
    pub fn store(&mut self) -> Result<&mut StateStore> {
        opened(&mut self.0.store)
    }

    /// All of the state, if the operator never divides it.
    pub fn whole(&mut self) -> Result<&mut StateShard> {
        self.store()?.whole()
    }

    /// Counters to add to.
    pub fn metrics(&mut self) -> &mut OperatorMetrics {
        &mut self.0.metrics
    }
}

fn opened(store: &mut Option<StateStore>) -> Result<&mut StateStore> {
    store
        .as_mut()
        .ok_or_else(|| Error::internal("the state was not opened"))
}

/// Stands in for the key of state that has no key.
pub(super) fn global_key_field() -> Field {
    Field::new("__global", DataType::Boolean, false)
}

/// Its column, for `rows` rows.
pub(super) fn global_key(rows: usize) -> ArrayRef {
    Arc::new(BooleanArray::from(vec![true; rows]))
}

/// The times of an event-time column. A column of windows counts with their ends.
pub(super) fn event_times(column: &ArrayRef) -> Result<&TimestampMicrosecondArray> {
    let end = column
        .as_struct_opt()
        .and_then(|window| window.column_by_name("end"));
    end.unwrap_or(column)
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| Error::internal("the event time is not a timestamp"))
}

/// For each time of an event-time column, the time `duration_us` after it, without overflow.
pub(super) fn times_after(column: &ArrayRef, duration_us: i64) -> Result<Vec<Option<i64>>> {
    let times = event_times(column)?.iter();
    Ok(times
        .map(|time| Some(time?.saturating_add(duration_us)))
        .collect())
}

/// Milliseconds to microseconds, without overflow.
pub(super) fn to_us(time_ms: i64) -> i64 {
    time_ms.saturating_mul(1000)
}

/// Arrow errors inside an operator.
pub(super) fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(error.to_string()).with_source(error)
}

/// DataFusion errors inside an operator; an engine error that went through DataFusion comes back.
pub(super) fn datafusion_error(error: DataFusionError) -> Error {
    from_datafusion(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_last_window_does_not_overflow() {
        let times = TimestampMicrosecondArray::from(vec![Some(i64::MAX - 1), None, Some(7)]);
        let event_time = EventTimeKey {
            column: 0,
            duration_us: 5,
        };
        let expiry = event_time.expiry(&[Arc::new(times)]).unwrap();
        assert_eq!(expiry, [Some(i64::MAX), None, Some(12)]);
    }
}
