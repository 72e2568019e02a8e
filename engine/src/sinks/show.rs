//! Rows as Spark's `show()` prints them.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::DateTime;

const MIN_WIDTH: usize = 3;

/// The first `num_rows` rows as a table of text. Values longer than `truncate` characters are cut
/// and all are aligned to the right; 0 cuts nothing and aligns to the left.
pub fn show_string(
    batches: &[RecordBatch],
    names: &[&str],
    num_rows: usize,
    truncate: usize,
) -> String {
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let header = names.iter().map(|name| cut(name, truncate)).collect();
    let mut table: Vec<Vec<String>> = vec![header];
    let rows = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (batch, row) in rows.take(num_rows) {
        let values = batch
            .columns()
            .iter()
            .map(|column| cut(&format_value(column, row), truncate));
        table.push(values.collect());
    }
    let mut text = format_table(&table, truncate == 0);
    if total > num_rows {
        let plural = if num_rows == 1 { "" } else { "s" };
        text.push_str(&format!("only showing top {num_rows} row{plural}\n"));
    }
    text
}

/// One value as a cast to STRING gives it; NULL is `NULL`.
pub fn format_value(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
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
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            format_timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row).iter();
            let bytes: Vec<_> = bytes.map(|byte| format!("{byte:02X}")).collect();
            format!("[{}]", bytes.join(" "))
        }
        DataType::Struct(_) => {
            let columns = column.as_struct().columns().iter();
            let values: Vec<_> = columns.map(|column| format_value(column, row)).collect();
            format!("{{{}}}", values.join(", "))
        }
        DataType::List(_) => {
            let values = column.as_list::<i32>().value(row);
            let values: Vec<_> = (0..values.len())
                .map(|row| format_value(&values, row))
                .collect();
            format!("[{}]", values.join(", "))
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
        _ => ArrayFormatter::try_new(column, &FormatOptions::default())
            .map(|formatter| formatter.value(row).to_string())
            .unwrap_or_else(|_| "?".to_string()),
    }
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

fn cut(text: &str, truncate: usize) -> String {
    // One line per row.
    let text: String = text
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .replace('\t', "\\t");
    if truncate == 0 || text.chars().count() <= truncate {
        return text;
    }
    match truncate {
        1..4 => text.chars().take(truncate).collect(),
        _ => text.chars().take(truncate - 3).collect::<String>() + "...",
    }
}

fn format_table(rows: &[Vec<String>], left: bool) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width_of = |column: usize| {
        rows.iter()
            .map(|row| width(&row[column]))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns)
        .map(|column| width_of(column).max(MIN_WIDTH))
        .collect();
    let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let line = format!("+{}+\n", dashes.join("+"));
    let mut text = line.clone();
    for (index, row) in rows.iter().enumerate() {
        for (value, column_width) in row.iter().zip(&widths) {
            let space = " ".repeat(column_width - width(value));
            text.push('|');
            text.push_str(&if left {
                value.clone() + &space
            } else {
                space + value
            });
        }
        text.push_str("|\n");
        if index == 0 {
            text.push_str(&line);
        }
    }
    text + &line
}

/// Columns of a terminal: East Asian characters take two.
fn width(text: &str) -> usize {
    let wide = |character: char| {
        matches!(character,
            '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}'
            | '\u{F900}'..='\u{FAFF}' | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6F}'
            | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
    };
    text.chars()
        .map(|character| if wide(character) { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, Float64Array, ListArray, StringArray, StructArray,
        TimestampMicrosecondArray,
    };
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn a_table_as_spark_prints_it() {
        let names: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a name that is much too long"),
            None,
            Some("東京"),
        ]));
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1e7, 0.00025]));
        let batch = RecordBatch::try_from_iter([("name", names), ("n", numbers)]).unwrap();
        let batches = [batch.slice(0, 1), batch.slice(1, 2)];
        assert_eq!(
            show_string(&batches, &["name", "n"], 20, 20),
            "\
+--------------------+------+
|                name|     n|
+--------------------+------+
|a name that is mu...|   1.0|
|                NULL| 1.0E7|
|                東京|2.5E-4|
+--------------------+------+
"
        );
        assert_eq!(
            show_string(&batches, &["name", "n"], 1, 0),
            "\
+----------------------------+---+
|name                        |n  |
+----------------------------+---+
|a name that is much too long|1.0|
+----------------------------+---+
only showing top 1 row
"
        );
        assert_eq!(
            show_string(&[], &["a"], 20, 20),
            "+---+\n|  a|\n+---+\n+---+\n"
        );
    }

    #[test]
    fn values_of_all_kinds() {
        let times = TimestampMicrosecondArray::from(vec![1_704_110_400_000_000, 1_500_000]);
        let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
        assert_eq!(format_value(&times, 0), "2024-01-01 12:00:00");
        assert_eq!(format_value(&times, 1), "1970-01-01 00:00:01.5");
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
