//! Event times in rows: where they stand, when what has them is complete, and which are too late.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;

use super::errors::arrow_error;
use crate::error::{Error, Result};

/// Where a state row's event time stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub(crate) struct EventTimeColumn {
    /// Index among the columns of the row.
    pub column: usize,
    /// What to add to the column to get the time at which the row is complete: the length of the
    /// window that starts there, or 0 for a plain event time. Microseconds.
    pub duration_us: i64,
}

impl EventTimeColumn {
    /// The watermark, in microseconds, at which each row is complete; `None` for NULL, which is
    /// never late.
    pub(crate) fn expiry(&self, columns: &[ArrayRef]) -> Result<Vec<Option<i64>>> {
        let times = columns.get(self.column);
        let times = times.ok_or_else(|| Error::internal("rows lack their event time"))?;
        times_after(times, self.duration_us)
    }
}

/// The watermarks of one operator in one batch, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Watermarks {
    /// Rows at or before it are too late: what the other one was in the batch before.
    pub late_ms: i64,
    /// State at or before it is complete.
    pub eviction_ms: i64,
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

/// The rows of `batch` whose event time, in `column`, is not too late, and how many are.
pub(super) fn rows_in_time(
    batch: &RecordBatch,
    column: usize,
    watermarks: Watermarks,
) -> Result<(RecordBatch, i64)> {
    let watermark = to_us(watermarks.late_ms);
    let times = event_times(batch.column(column))?;
    let in_time = |row: usize| times.is_null(row) || times.value(row) > watermark;
    let kept: BooleanArray = (0..batch.num_rows())
        .map(|row| Some(in_time(row)))
        .collect();
    let late = batch.num_rows() - kept.true_count();
    if late == 0 {
        return Ok((batch.clone(), 0));
    }
    let kept = filter_record_batch(batch, &kept).map_err(arrow_error)?;
    Ok((kept, late as i64))
}

/// Milliseconds to microseconds, without overflow.
pub(super) fn to_us(time_ms: i64) -> i64 {
    time_ms.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_end_of_the_last_window_does_not_overflow() {
        let times = TimestampMicrosecondArray::from(vec![Some(i64::MAX - 1), None, Some(7)]);
        let event_time = EventTimeColumn {
            column: 0,
            duration_us: 5,
        };
        let expiry = event_time.expiry(&[Arc::new(times)]).unwrap();
        assert_eq!(expiry, [Some(i64::MAX), None, Some(12)]);
    }
}
