//! Casts to text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, PrimitiveArray, StringArray, StringBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationSecondType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit, TimestampMicrosecondType,
};

use super::{failed, usual};
use crate::datetime::{Zone, calendar_text, day_time_text, year_month_text};
use crate::error::Result;
use crate::text::format_value;

/// NULL inside of an array, a map or a struct.
const NULL: &str = "null";

/// All values as text.
pub(super) fn texts(values: &ArrayRef, zone: Zone) -> Result<StringArray> {
    let values = &usual(values)?;
    Ok(match values.data_type() {
        DataType::Utf8 => values.as_string().clone(),
        DataType::Timestamp(_, Some(_)) => {
            let times = values.as_primitive::<TimestampMicrosecondType>();
            let local: PrimitiveArray<TimestampMicrosecondType> =
                times.unary_opt(|utc| zone.to_local(utc));
            shown(&(Arc::new(local) as ArrayRef))
        }
        DataType::Timestamp(..) | DataType::Time64(_) | DataType::Float32 | DataType::Float64 => {
            shown(values)
        }
        DataType::Duration(TimeUnit::Second) => {
            let seconds = values.as_primitive::<DurationSecondType>().iter();
            seconds
                .map(|value| Some(day_time_text(value?, TimeUnit::Second)))
                .collect()
        }
        DataType::Duration(_) => {
            let micros = DataType::Duration(TimeUnit::Microsecond);
            let micros = cast(values, &micros).map_err(failed)?;
            let micros = micros.as_primitive::<DurationMicrosecondType>().iter();
            micros
                .map(|value| Some(day_time_text(value?, TimeUnit::Microsecond)))
                .collect()
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = values.as_primitive::<IntervalYearMonthType>().iter();
            months
                .map(|months| Some(year_month_text(months?)))
                .collect()
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let intervals = values.as_primitive::<IntervalMonthDayNanoType>().iter();
            intervals
                .map(|interval| Some(calendar_text(interval?)))
                .collect()
        }
        DataType::Binary => {
            let bytes = values.as_binary::<i32>();
            // Mostly they are text as they are, and nothing has to be copied.
            StringArray::try_from_binary(bytes.clone()).unwrap_or_else(|_| {
                let texts = bytes.iter();
                texts
                    .map(|bytes| Some(String::from_utf8_lossy(bytes?).into_owned()))
                    .collect()
            })
        }
        DataType::List(_) => {
            let list = values.as_list::<i32>();
            let items = texts(list.values(), zone)?;
            joined(values, list.offsets(), '[', ']', |item| {
                text_at(&items, item)
            })
        }
        DataType::Map(..) => {
            let map = values.as_map();
            let (keys, entries) = (texts(map.keys(), zone)?, texts(map.values(), zone)?);
            joined(values, map.offsets(), '{', '}', |entry| {
                format!("{} -> {}", text_at(&keys, entry), text_at(&entries, entry))
            })
        }
        DataType::Struct(_) => {
            let columns = values.as_struct().columns().iter();
            let columns: Vec<StringArray> = columns
                .map(|column| texts(column, zone))
                .collect::<Result<_>>()?;
            let rows = (0..values.len()).map(|row| {
                let parts: Vec<String> = columns.iter().map(|part| text_at(part, row)).collect();
                values
                    .is_valid(row)
                    .then(|| format!("{{{}}}", parts.join(", ")))
            });
            rows.collect()
        }
        DataType::Null => new_null_array(&DataType::Utf8, values.len())
            .as_string()
            .clone(),
        _ => cast(values, &DataType::Utf8)
            .map_err(failed)?
            .as_string()
            .clone(),
    })
}

/// Values as rows show them.
fn shown(values: &ArrayRef) -> StringArray {
    let mut texts = StringBuilder::new();
    for row in 0..values.len() {
        texts.append_option(values.is_valid(row).then(|| format_value(values, row)));
    }
    texts.finish()
}

fn text_at(texts: &StringArray, row: usize) -> String {
    match texts.is_valid(row) {
        true => texts.value(row).to_string(),
        false => NULL.to_string(),
    }
}

/// The parts of each row, between brackets.
fn joined(
    values: &ArrayRef,
    offsets: &[i32],
    open: char,
    close: char,
    part: impl Fn(usize) -> String,
) -> StringArray {
    let bounds = offsets
        .array_windows()
        .map(|[start, end]| *start as usize..*end as usize);
    let rows = bounds.enumerate().map(|(row, parts)| {
        let parts: Vec<String> = match values.is_valid(row) {
            true => parts.map(&part).collect(),
            false => return None,
        };
        Some(format!("{open}{}{close}", parts.join(", ")))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::BinaryArray;

    use super::*;

    fn of(bytes: BinaryArray) -> Vec<Option<String>> {
        let texts = texts(&(Arc::new(bytes) as ArrayRef), Zone::UTC).unwrap();
        texts.iter().map(|text| text.map(str::to_string)).collect()
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_in_their_row_alone() {
        let text = |text: &str| Some(text.to_string());
        let good = BinaryArray::from_opt_vec(vec![Some("ü".as_bytes()), None, Some(b"")]);
        assert_eq!(of(good), [text("ü"), None, text("")]);
        let bad = BinaryArray::from_opt_vec(vec![Some(b"a\xff"), None, Some(b"b")]);
        assert_eq!(of(bad.slice(1, 2)), [None, text("b")]);
        assert_eq!(of(bad), [text("a\u{fffd}"), None, text("b")]);
        // Two halves of a character are none.
        let halves = BinaryArray::from_opt_vec(vec![Some(&b"\xc3"[..]), Some(&b"\xbc"[..])]);
        assert_eq!(of(halves), [text("\u{fffd}"), text("\u{fffd}")]);
    }
}
