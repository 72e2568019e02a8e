//! Columns of windows.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field};
use tidebook_engine::{is_null, timestamp_micros};

use super::local_time::{self, Zone};

/// The window at `row`, as `2013-01-01 12:00 – 13:00`, of a column whose values are windows.
pub(crate) fn window(array: &dyn Array, row: usize) -> Option<String> {
    if is_null(array, row) {
        return None;
    }
    let (start, end) = window_bounds(array)?;
    let zone = Zone::of(start.data_type());
    let local = |bound: &ArrayRef| {
        let micros = (!is_null(bound, row)).then(|| timestamp_micros(bound, row))?;
        zone.local(micros)
    };
    Some(local_time::window(local(start)?, local(end)?))
}

/// Whether values of this type are windows.
pub(super) fn is_window(data_type: &DataType) -> bool {
    window_fields(data_type).is_some()
}

/// Start and end of a type whose values are windows: a struct of the timestamps `start` and `end`.
pub(super) fn window_fields(data_type: &DataType) -> Option<(&Field, &Field)> {
    let is = |field: &Field, name: &str| {
        field.name() == name && matches!(field.data_type(), DataType::Timestamp(..))
    };
    match data_type {
        DataType::Struct(fields) if let [start, end] = &**fields => {
            (is(start, "start") && is(end, "end")).then_some((start, end))
        }
        _ => None,
    }
}

/// Start and end of a column of windows.
pub(super) fn window_bounds(array: &dyn Array) -> Option<(&ArrayRef, &ArrayRef)> {
    if !is_window(array.data_type()) {
        return None;
    }
    let windows: &StructArray = array.as_struct();
    Some((windows.column(0), windows.column(1)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::TimestampMicrosecondArray;
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    #[test]
    fn a_window_is_told_from_another_struct() {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
        let bound = |micros| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("+00:00"))
        };
        let hour = 3_600_000_000;
        let bounds = |end: &str| {
            let fields = vec![
                Field::new("start", time.clone(), true),
                Field::new(end, time.clone(), true),
            ];
            StructArray::new(fields.into(), vec![bound(0), bound(hour)], None)
        };
        assert_eq!(
            window(&bounds("end"), 0).unwrap(),
            "1970-01-01 00:00 – 01:00"
        );
        assert_eq!(window(&bounds("until"), 0), None);
    }
}
