//! One value as text.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationSecondType, Float32Type, Float64Type,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::DateTime;

use crate::datetime::{TIME_ZONE, Zone, calendar_text, day_time_text, time_text, year_month_text};

/// One value as a cast to STRING gives it; NULL is `NULL`.
pub fn format_value(column: &dyn Array, row: usize) -> String {
    if is_null(column, row) {
        return "NULL".to_string();
    }
    match column.data_type() {
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            format_float(
                value.is_finite(),
                f64::from(value),
                &format!("{value}"),
                &format!("{value:E}"),
            )
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            format_float(
                value.is_finite(),
                value,
                &format!("{value}"),
                &format!("{value:E}"),
            )
        }
        DataType::Timestamp(_, zone) => {
            let utc = timestamp_micros(column, row);
            let zone = zone.as_deref().filter(|zone| *zone != TIME_ZONE);
            let zone = zone.and_then(|zone| zone.parse::<Zone>().ok());
            let local = zone.and_then(|zone| zone.to_local(utc));
            format_timestamp(local.unwrap_or(utc))
        }
        DataType::Binary => format_binary(column.as_binary::<i32>().value(row)),
        DataType::LargeBinary => format_binary(column.as_binary::<i64>().value(row)),
        DataType::BinaryView => format_binary(column.as_binary_view().value(row)),
        DataType::Struct(_) => {
            let columns = column.as_struct().columns().iter();
            let values: Vec<_> = columns.map(|column| format_value(column, row)).collect();
            format!("{{{}}}", values.join(", "))
        }
        DataType::List(_) => format_list(&column.as_list::<i32>().value(row)),
        DataType::LargeList(_) => format_list(&column.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => format_list(&column.as_fixed_size_list().value(row)),
        DataType::Dictionary(..) => {
            let row = column.slice(row, 1);
            let dictionary = row.as_any_dictionary();
            let keys = dictionary.normalized_keys().into_iter();
            let value = |key| format_value(dictionary.values(), key);
            keys.map(value).collect()
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            let pair = |row| {
                let [key, value] = [0, 1].map(|index| format_value(entries.column(index), row));
                format!("{key} -> {value}")
            };
            let entries: Vec<_> = (0..entries.len()).map(pair).collect();
            format!("{{{}}}", entries.join(", "))
        }
        DataType::Duration(unit @ (TimeUnit::Second | TimeUnit::Microsecond)) => {
            let length = match unit {
                TimeUnit::Second => column.as_primitive::<DurationSecondType>().value(row),
                _ => column.as_primitive::<DurationMicrosecondType>().value(row),
            };
            day_time_text(length, *unit)
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            time_text(column.as_primitive::<Time64MicrosecondType>().value(row))
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            year_month_text(column.as_primitive::<IntervalYearMonthType>().value(row))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            calendar_text(column.as_primitive::<IntervalMonthDayNanoType>().value(row))
        }
        _ => ArrayFormatter::try_new(column, &FormatOptions::default())
            .map(|formatter| formatter.value(row).to_string())
            .unwrap_or_else(|_| "?".to_string()),
    }
}

/// The timestamp at `row`, which is not NULL, in microseconds since 1970-01-01 UTC; 0 in a column of
/// another type.
pub fn timestamp_micros(column: &dyn Array, row: usize) -> i64 {
    let DataType::Timestamp(unit, _) = column.data_type() else {
        return 0;
    };
    match unit {
        TimeUnit::Second => {
            let seconds = column.as_primitive::<TimestampSecondType>().value(row);
            seconds.saturating_mul(1_000_000)
        }
        TimeUnit::Millisecond => {
            let millis = column.as_primitive::<TimestampMillisecondType>().value(row);
            millis.saturating_mul(1_000)
        }
        TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => {
            let nanos = column.as_primitive::<TimestampNanosecondType>().value(row);
            nanos.div_euclid(1_000)
        }
    }
}

/// Whether a value is NULL.
pub fn is_null(column: &dyn Array, row: usize) -> bool {
    matches!(column.data_type(), DataType::Null) || column.is_null(row)
}

fn format_binary(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("[{}]", bytes.join(" "))
}

fn format_list(values: &dyn Array) -> String {
    let values: Vec<_> = (0..values.len())
        .map(|row| format_value(values, row))
        .collect();
    format!("[{}]", values.join(", "))
}

/// As Java prints it: always with a point, and with an exponent from 10^7 on and below 10^-3.
fn format_float(finite: bool, value: f64, plain: &str, scientific: &str) -> String {
    if !finite {
        return match value {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "Infinity",
            _ => "-Infinity",
        }
        .to_string();
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return match plain.contains('.') {
            true => plain.to_string(),
            false => format!("{plain}.0"),
        };
    }
    match scientific.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => scientific.to_string(),
    }
}

fn format_timestamp(micros: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(micros) else {
        return micros.to_string();
    };
    let text = time.format("%Y-%m-%d %H:%M:%S").to_string();
    match time.timestamp_subsec_micros() {
        0 => text,
        micros => format!("{text}.{micros:06}")
            .trim_end_matches('0')
            .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, Float64Array, ListArray, NullArray, StructArray,
        TimestampMicrosecondArray, TimestampSecondArray,
    };
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn doubles_as_java_prints_them() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (0.001, "0.001"),
            (0.00099, "9.9E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (123.456, "123.456"),
            (1.5e300, "1.5E300"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(format_value(&Float64Array::from(vec![value]), 0), expected);
        }
        assert_eq!(format_value(&NullArray::new(1), 0), "NULL");
    }

    #[test]
    fn values_of_all_kinds() {
        let times = TimestampMicrosecondArray::from(vec![1_704_110_400_000_000, 1_500_000]);
        let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
        assert_eq!(format_value(&times, 0), "2024-01-01 12:00:00");
        assert_eq!(format_value(&times, 1), "1970-01-01 00:00:01.5");
        let seconds = TimestampSecondArray::from(vec![61]);
        assert_eq!(format_value(&seconds, 0), "1970-01-01 00:01:01");
        let field = Arc::new(Field::new("start", times.data_type().clone(), true));
        let window = StructArray::from(vec![(field, times)]);
        assert_eq!(format_value(&window, 1), "{1970-01-01 00:00:01.5}");
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
        assert_eq!(format_value(&list, 0), "[1, NULL]");
        assert_eq!(
            format_value(&BinaryArray::from_vec(vec![b"\x01\xff"]), 0),
            "[01 FF]"
        );
        assert_eq!(
            format_value(&Float64Array::from(vec![f64::NEG_INFINITY]), 0),
            "-Infinity"
        );
    }
}
