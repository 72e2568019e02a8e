//! Types and arrays of windows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListBuilder, StringArray, StructArray, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Fields, IntervalMonthDayNano, IntervalMonthDayNanoType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::error::{DataFusionError, Result as DataFusionResult};

use crate::datetime::{Shift, Zone, read_calendar};
use crate::error::Error;

/// The type of a window's start, from the type of the time or window it is made from.
pub(super) fn window_start_type(time: &Field) -> DataType {
    let zone = match time.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        DataType::Struct(fields) if let Some(start) = fields.first() => {
            return start.data_type().clone();
        }
        _ => Some("UTC".into()),
    };
    DataType::Timestamp(TimeUnit::Microsecond, zone)
}

pub(super) fn window_type(time: &Field) -> DataType {
    DataType::Struct(window_fields(&window_start_type(time)))
}

fn window_fields(start: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("start", start.clone(), true),
        Field::new("end", start.clone(), true),
    ])
}

fn timestamps(array: &ArrayRef) -> DataFusionResult<&TimestampMicrosecondArray> {
    array
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| DataFusionError::Internal("a window needs microseconds".into()))
}

pub(super) fn window_end(window: &ArrayRef) -> DataFusionResult<TimestampMicrosecondArray> {
    let end = window
        .as_struct_opt()
        .and_then(|window| window.column_by_name("end"));
    let Some(end) = end else {
        let message = "window_time needs a column made by window(…)";
        return Err(Error::analysis(message).into());
    };
    Ok(timestamps(end)?.clone())
}

pub(super) fn window_structs(starts: &ArrayRef, duration_us: i64) -> DataFusionResult<ArrayRef> {
    let start = timestamps(starts)?;
    let zone = start.timezone().map(Arc::from);
    let end = start.unary::<_, TimestampMicrosecondType>(|start| start + duration_us);
    let end = end.with_timezone_opt::<Arc<str>>(zone);
    let columns: Vec<ArrayRef> = vec![Arc::clone(starts), Arc::new(end)];
    let fields = window_fields(start.data_type());
    Ok(Arc::new(StructArray::try_new(
        fields,
        columns,
        start.nulls().cloned(),
    )?))
}

/// Spark's rule: the last window starts at `time - floorMod(time - start, slide)`; earlier ones
/// follow slide by slide as long as they still contain the time.
pub(super) fn window_starts(
    times: &ArrayRef,
    duration_us: i64,
    slide_us: i64,
    start_us: i64,
) -> DataFusionResult<ArrayRef> {
    let times = timestamps(times)?;
    let zone: Option<Arc<str>> = times.timezone().map(Arc::from);
    let last_start = |time: i64| time - (time - start_us).rem_euclid(slide_us);
    if duration_us == slide_us {
        let starts = times.unary::<_, TimestampMicrosecondType>(last_start);
        return Ok(Arc::new(starts.with_timezone_opt(zone)));
    }
    let data_type = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let values = TimestampMicrosecondBuilder::new().with_data_type(data_type.clone());
    let field = Field::new_list_field(data_type, true);
    let mut lists = ListBuilder::new(values).with_field(field);
    for time in times {
        let Some(time) = time else {
            lists.append_null();
            continue;
        };
        let mut start = last_start(time);
        while start + duration_us > time {
            lists.values().append_value(start);
            start -= slide_us;
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// The end of the session that each time makes with its gap; NULL where the gap is no interval.
pub(super) fn session_ends(
    times: &ArrayRef,
    gaps: &ArrayRef,
    zone: &str,
) -> DataFusionResult<ArrayRef> {
    let times = timestamps(times)?;
    let zone: Zone = match times.timezone() {
        Some(_) => zone.parse().unwrap_or(Zone::UTC),
        None => Zone::UTC,
    };
    let gap_at = gaps_of(gaps)?;
    let ends = times.iter().enumerate().map(|(row, time)| {
        let (time, gap) = (time?, gap_at(row)?);
        let shift = Shift {
            months: gap.months.into(),
            days: gap.days.into(),
            micros: gap.nanoseconds / 1_000,
        };
        shift.moved(time, zone)
    });
    let ends: TimestampMicrosecondArray = ends.collect();
    let zone: Option<Arc<str>> = times.timezone().map(Arc::from);
    Ok(Arc::new(ends.with_timezone_opt(zone)))
}

type GapAt<'a> = Box<dyn Fn(usize) -> Option<IntervalMonthDayNano> + 'a>;

fn gaps_of(gaps: &ArrayRef) -> DataFusionResult<GapAt<'_>> {
    if let Some(intervals) = gaps.as_primitive_opt::<IntervalMonthDayNanoType>() {
        let valid = |row| intervals.is_valid(row).then(|| intervals.value(row));
        return Ok(Box::new(valid));
    }
    let texts = cast(gaps, &DataType::Utf8)?;
    let texts: StringArray = texts.as_string::<i32>().clone();
    let last = std::cell::RefCell::new(None::<(String, Option<IntervalMonthDayNano>)>);
    Ok(Box::new(move |row| {
        let text = texts.is_valid(row).then(|| texts.value(row))?;
        // Most often the gap is the same in all rows.
        let mut last = last.borrow_mut();
        match last.as_ref() {
            Some((known, gap)) if known == text => *gap,
            _ => {
                let gap = read_calendar(text);
                *last = Some((text.to_string(), gap));
                gap
            }
        }
    }))
}

pub(super) fn session_structs(starts: ArrayRef, ends: ArrayRef) -> DataFusionResult<ArrayRef> {
    let fields = window_fields(starts.data_type());
    let nulls = starts.nulls().cloned();
    let session = StructArray::try_new(fields, vec![starts, ends], nulls)?;
    Ok(Arc::new(session))
}
