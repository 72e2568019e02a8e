//! Schemas and rows as they travel to user code: Spark's JSON.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Schema, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value, json};
use tidebook_engine::{Rows, format_value, simple_string};

/// A schema in Spark's JSON: `{"type": "struct", "fields": […]}`.
pub(super) fn schema(schema: &Schema) -> Value {
    fields_type(schema.fields().iter().map(AsRef::as_ref))
}

/// Rows as lists of values, at most `limit` of them.
pub(super) fn rows(rows: &Rows, limit: u64) -> Value {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let all = rows.batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(move |row| {
            let cells = batch.columns().iter();
            Value::Array(cells.map(|column| cell(column, row)).collect())
        })
    });
    Value::Array(all.take(limit).collect())
}

fn fields_type<'a>(fields: impl Iterator<Item = &'a arrow::datatypes::Field>) -> Value {
    let fields: Vec<Value> = fields
        .map(|field| {
            json!({
                "name": field.name(),
                "type": type_of(field.data_type()),
                "nullable": field.is_nullable(),
                "metadata": {},
            })
        })
        .collect();
    json!({"type": "struct", "fields": fields})
}

fn type_of(data_type: &DataType) -> Value {
    match data_type {
        DataType::Struct(fields) => fields_type(fields.iter().map(AsRef::as_ref)),
        DataType::List(item) | DataType::LargeList(item) => json!({
            "type": "array",
            "elementType": type_of(item.data_type()),
            "containsNull": item.is_nullable(),
        }),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if let [key, value] = &**pair => json!({
                "type": "map",
                "keyType": type_of(key.data_type()),
                "valueType": type_of(value.data_type()),
                "valueContainsNull": value.is_nullable(),
            }),
            _ => json!("void"),
        },
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 | DataType::UInt64 => json!("long"),
        other => json!(simple_string(other)),
    }
}

/// One value: numbers as numbers, those that are not finite as text; decimals, dates and timestamps
/// as text; binary in base64; a struct as a list of its values, a map as a list of pairs.
fn cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 => json!(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => json!(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt64 => json!(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => number(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => {
            json!(array.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Binary => json!(STANDARD.encode(array.as_binary::<i32>().value(row))),
        DataType::LargeBinary => json!(STANDARD.encode(array.as_binary::<i64>().value(row))),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            json!(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Date32 => {
            let date = array.as_primitive::<Date32Type>().value_as_date(row);
            date.map_or(Value::Null, |date| json!(date.to_string()))
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter();
            Value::Array(columns.map(|column| cell(column, row)).collect())
        }
        DataType::List(_) => items(&array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => items(&array.as_list::<i64>().value(row)),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let pairs = (0..entries.len()).map(|at| json!([cell(keys, at), cell(values, at)]));
            Value::Array(pairs.collect())
        }
        _ => json!(format_value(array, row)),
    }
}

fn items(array: &ArrayRef) -> Value {
    Value::Array((0..array.len()).map(|at| cell(array, at)).collect())
}

fn number(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => json!("NaN"),
        None if value > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    }
}
