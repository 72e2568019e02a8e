//! Values of the engine's answers, as scripts show them; the twin of `tests/spark/rows.py`.

use anyhow::{Result, bail};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType,
};
use chrono::DateTime;

const DAY: &str = "2024-01-01";

/// The rows of a batch, one line each.
pub fn row_lines(batch: &RecordBatch) -> Result<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| {
            let cells: Result<Vec<_>> = batch
                .columns()
                .iter()
                .map(|column| cell(column, row))
                .collect();
            Ok(cells?.join(" "))
        })
        .collect()
}

/// The columns, `name: type` with Spark's names of types.
pub fn schema_lines(schema: &Schema) -> Result<Vec<String>> {
    schema
        .fields()
        .iter()
        .map(|field| {
            Ok(format!(
                "{}: {}",
                field.name(),
                type_name(field.data_type())?
            ))
        })
        .collect()
}

/// Milliseconds since the epoch as scripts write times.
pub fn time_of_millis(millis: i64) -> String {
    timestamp(millis * 1000)
}

/// One value.
pub fn cell(array: &ArrayRef, row: usize) -> Result<String> {
    if array.is_null(row) {
        return Ok("null".to_owned());
    }
    Ok(match array.data_type() {
        DataType::Null => "null".to_owned(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        kind if kind.is_integer() => {
            let wide = cast(array, &DataType::Int64)?;
            wide.as_primitive::<Int64Type>().value(row).to_string()
        }
        DataType::Float32 => float(format!(
            "{:?}",
            array.as_primitive::<Float32Type>().value(row)
        )),
        DataType::Float64 => float(format!(
            "{:?}",
            array.as_primitive::<Float64Type>().value(row)
        )),
        DataType::Decimal128(_, _) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let text = cast(array, &DataType::Utf8)?;
            string(text.as_string::<i32>().value(row))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let bytes = cast(array, &DataType::Binary)?;
            let bytes = bytes.as_binary::<i32>().value(row).iter();
            format!(
                "0x{}",
                bytes.map(|byte| format!("{byte:02x}")).collect::<String>()
            )
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            date(i64::from(days))
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let micros = cast(array, &micros)?;
            timestamp(micros.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Time64(_) => tidebook_engine::format_value(array, row),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let cells: Result<Vec<_>> = columns.iter().map(|column| cell(column, row)).collect();
            let cells = cells?;
            let names: Vec<_> = fields.iter().map(|field| field.name().as_str()).collect();
            match (names.as_slice(), cells.as_slice()) {
                (["start", "end"], [start, end]) => format!("[{start},{end})"),
                _ => format!("{{{}}}", cells.join(",")),
            }
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let mut pairs = Vec::new();
            for at in 0..entries.len() {
                let (key, value) = (entries.column(0), entries.column(1));
                pairs.push(format!("{}:{}", cell(key, at)?, cell(value, at)?));
            }
            pairs.sort();
            format!("{{{}}}", pairs.join(","))
        }
        other => bail!("no text for values of type {other}"),
    })
}

fn list(values: &ArrayRef) -> Result<String> {
    let cells: Result<Vec<_>> = (0..values.len()).map(|at| cell(values, at)).collect();
    Ok(format!("[{}]", cells?.join(",")))
}

fn float(text: String) -> String {
    match text.as_str() {
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        _ => text,
    }
}

fn string(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "_.:+/%@-".contains(char);
    let reserved = ["", "null", "batch", "error"].contains(&text);
    if !reserved && text.chars().all(plain) {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

fn date(days: i64) -> String {
    match DateTime::from_timestamp(days * 86_400, 0) {
        Some(time) => time.format("%Y-%m-%d").to_string(),
        None => format!("{days} days"),
    }
}

fn timestamp(micros: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(micros) else {
        return format!("{micros} us");
    };
    let fraction = time.timestamp_subsec_micros();
    let clock = if fraction > 0 {
        let text = time.format("%H:%M:%S%.6f").to_string();
        text.trim_end_matches('0').to_owned()
    } else if micros.rem_euclid(60_000_000) > 0 {
        time.format("%H:%M:%S").to_string()
    } else {
        time.format("%H:%M").to_string()
    };
    let day = time.format("%Y-%m-%d").to_string();
    if day == DAY {
        clock
    } else {
        format!("{day}T{clock}")
    }
}

fn type_name(kind: &DataType) -> Result<String> {
    Ok(match kind {
        DataType::Null => "void".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(_, None) => "timestamp_ntz".to_owned(),
        DataType::Struct(fields) => {
            let fields: Result<Vec<_>> = fields
                .iter()
                .map(|field| {
                    Ok(format!(
                        "{}:{}",
                        field.name(),
                        type_name(field.data_type())?
                    ))
                })
                .collect();
            format!("struct<{}>", fields?.join(","))
        }
        DataType::List(item) | DataType::LargeList(item) => {
            format!("array<{}>", type_name(item.data_type())?)
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else {
                bail!("a map without entries");
            };
            let names: Result<Vec<_>> = pair
                .iter()
                .map(|field| type_name(field.data_type()))
                .collect();
            format!("map<{}>", names?.join(","))
        }
        // What Spark does not have shows as what it is, so that a script fails on it.
        other => format!("arrow {other}"),
    })
}
