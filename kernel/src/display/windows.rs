//! One value of a column as text, in the form Spark's `show()` gives it.

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Fields, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::local_time::{self, Zone};

/// The value at `row`: `NULL`, `2013-01-01 12:00:00`, `1.5`, `{a, b}`, `[1, 2]`, `{k -> v}`.
pub fn text(array: &dyn Array, row: usize) -> String {
    if is_null(array, row) {
        return "NULL".to_owned();
    }
    match array.data_type() {
        DataType::Timestamp(..) => local_time::instant(array, row)
            .and_then(|micros| Zone::of(array.data_type()).local(micros))
            .map_or_else(|| formatted(array, row), local_time::full),
        DataType::Float64 => double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            scientific(f64::from(value), &format!("{value:e}"))
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            let values: Vec<_> = columns.iter().map(|column| text(column, row)).collect();
            format!("{{{}}}", values.join(", "))
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row)),
        DataType::Map(..) => map(&array.as_map().value(row)),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            text(dictionary.values(), dictionary.normalized_keys()[row])
        }
        DataType::Binary => binary(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => binary(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => binary(array.as_binary_view().value(row)),
        _ => formatted(array, row),
    }
}

/// Whether the value at `row` is NULL.
pub fn is_null(array: &dyn Array, row: usize) -> bool {
    matches!(array.data_type(), DataType::Null) || array.is_null(row)
}

/// The window at `row`, as `2013-01-01 12:00 – 13:00`, of a column whose values are windows.
pub fn window(array: &dyn Array, row: usize) -> Option<String> {
    if is_null(array, row) {
        return None;
    }
    let (start, end) = window_bounds(array)?;
    let zone = Zone::of(start.data_type());
    let local = |bound: &ArrayRef| {
        let micros = (!is_null(bound, row)).then(|| local_time::instant(bound, row))??;
        zone.local(micros)
    };
    Some(local_time::window(local(start)?, local(end)?))
}

/// Whether values of this type are windows: a struct of the timestamps `start` and `end`.
pub fn is_window(data_type: &DataType) -> bool {
    let names = |fields: &Fields| {
        fields.len() == 2 && fields[0].name() == "start" && fields[1].name() == "end"
    };
    match data_type {
        DataType::Struct(fields) => {
            names(fields)
                && fields
                    .iter()
                    .all(|field| matches!(field.data_type(), DataType::Timestamp(..)))
        }
        _ => false,
    }
}

/// Start and end of a column of windows.
pub fn window_bounds(array: &dyn Array) -> Option<(&ArrayRef, &ArrayRef)> {
    if !is_window(array.data_type()) {
        return None;
    }
    let windows: &StructArray = array.as_struct();
    Some((windows.column(0), windows.column(1)))
}

fn formatted(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::new().with_null("NULL");
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(error) => error.to_string(),
    }
}

fn list(values: &ArrayRef) -> String {
    let values: Vec<_> = (0..values.len()).map(|row| text(values, row)).collect();
    format!("[{}]", values.join(", "))
}

fn map(entries: &StructArray) -> String {
    let (keys, values) = (entries.column(0), entries.column(1));
    let entries: Vec<_> = (0..entries.len())
        .map(|row| format!("{} -> {}", text(keys, row), text(values, row)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn binary(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("[{}]", bytes.join(" "))
}

fn double(value: f64) -> String {
    scientific(value, &format!("{value:e}"))
}

/// Java's way to print a number whose shortest digits are in `digits` (`1.5e0`): plain between
/// 0.001 and ten million, `1.5E7` outside, always with a digit after the point.
fn scientific(value: f64, digits: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-3..7).contains(&exponent) {
        let sign = if mantissa.starts_with('-') { "-" } else { "" };
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        return format!("{sign}{}", place_point(&digits, exponent));
    }
    let point = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{point}E{exponent}")
}

/// `digits` with the point after `exponent + 1` of them.
fn place_point(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, ListArray, NullArray, TimestampMicrosecondArray};
    use arrow::datatypes::{Field, Int32Type, TimeUnit};

    use super::*;

    #[test]
    fn doubles_read_as_in_spark() {
        let cases = [
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
        ];
        for (value, expected) in cases {
            assert_eq!(double(value), expected);
        }
    }

    #[test]
    fn nested_values_read_as_in_spark() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
        assert_eq!(text(&list, 0), "[1, NULL]");
        assert_eq!(text(&BinaryArray::from(vec![&b"Hi"[..]]), 0), "[48 69]");
        assert_eq!(text(&NullArray::new(1), 0), "NULL");
    }

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
        assert_eq!(
            text(&bounds("end"), 0),
            "{1970-01-01 00:00:00, 1970-01-01 01:00:00}"
        );
        assert_eq!(window(&bounds("until"), 0), None);
    }
}
