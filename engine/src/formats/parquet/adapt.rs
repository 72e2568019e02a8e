//! Columns of a file as columns of another schema: what Spark reads as what.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};

use crate::error::{Error, ErrorKind, Result};
use crate::type_names::sql_type;

/// The columns of a file with the types that Spark has for them.
pub(super) fn spark_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(spark_field);
    Schema::new(fields.collect::<Fields>())
}

fn spark_field(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Timestamp(_, zone) => {
            let zone = zone.as_ref().map(|_| "UTC".into());
            DataType::Timestamp(TimeUnit::Microsecond, zone)
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(spark_field).collect()),
        DataType::List(element) => DataType::List(spark_field(element)),
        DataType::Map(entries, sorted) => DataType::Map(spark_field(entries), *sorted),
        other => other.clone(),
    };
    let field = Field::new(field.name(), data_type, field.is_nullable());
    Arc::new(field)
}

/// Refuses a column that cannot be read as a column of another type.
pub(super) fn check_readable(found: &Field, wanted: &Field) -> Result<()> {
    if readable(found.data_type(), wanted.data_type()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Io,
        format!(
            "column '{}' is {} in the file, which cannot be read as {}",
            found.name(),
            sql_type(found.data_type()),
            sql_type(wanted.data_type())
        ),
    )
    .with_condition("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH")
    .with_hint(format!(
        "declare it as '{} {}' and convert it in the query",
        found.name(),
        sql_type(found.data_type())
    )))
}

fn readable(found: &DataType, wanted: &DataType) -> bool {
    use DataType::{
        Binary, Date32, Decimal128, FixedSizeBinary, Float32, Float64, Int8, Int16, Int32, Int64,
        List, Map, Struct, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8,
    };
    match (found, wanted) {
        (Struct(found), Struct(wanted)) => wanted.iter().all(|wanted| {
            field(found, wanted.name())
                .and_then(|index| found.get(index))
                .is_none_or(|found| readable(found.data_type(), wanted.data_type()))
        }),
        (List(found), List(wanted)) => readable(found.data_type(), wanted.data_type()),
        (Map(found, _), Map(wanted, _)) => match (found.data_type(), wanted.data_type()) {
            (Struct(found), Struct(wanted)) => {
                found.len() == wanted.len()
                    && found
                        .iter()
                        .zip(wanted)
                        .all(|(found, wanted)| readable(found.data_type(), wanted.data_type()))
            }
            _ => false,
        },
        (Int8 | Int16 | Int32, Int8 | Int16 | Int32 | Int64 | Float64) => true,
        (UInt8, Int16 | Int32 | Int64) | (UInt16, Int32 | Int64) | (UInt32, Int64) => true,
        (UInt64, Decimal128(precision, scale)) => whole(*precision, *scale) >= 20,
        (Float32, Float64) | (Binary | FixedSizeBinary(_), Utf8 | Binary) | (Utf8, Binary) => true,
        (Date32, Timestamp(_, None)) => true,
        (Int8 | Int16 | Int32, Decimal128(precision, scale)) => whole(*precision, *scale) >= 10,
        (Int64, Decimal128(precision, scale)) => whole(*precision, *scale) >= 20,
        (Decimal128(precision, scale), Decimal128(wider, longer)) => {
            scale <= longer && whole(*precision, *scale) <= whole(*wider, *longer)
        }
        (Timestamp(_, zone), Timestamp(TimeUnit::Microsecond, wanted)) => {
            zone.is_none() || wanted.is_some()
        }
        (found, wanted) => found == wanted,
    }
}

/// Digits before the point.
fn whole(precision: u8, scale: i8) -> i16 {
    i16::from(precision) - i16::from(scale)
}

/// A column as a column of another type; NULLs if there is none.
pub(super) fn adapt(column: Option<&ArrayRef>, wanted: &DataType, rows: usize) -> Result<ArrayRef> {
    let Some(column) = column else {
        return Ok(new_null_array(wanted, rows));
    };
    let failed = |error| Error::internal(format!("a column of Parquet: {error}"));
    match (column.data_type(), wanted) {
        (found, wanted) if found == wanted => Ok(Arc::clone(column)),
        (DataType::Struct(found), DataType::Struct(wanted)) => {
            let column = column.as_struct();
            let columns = adapt_fields(column, found, wanted)?;
            StructArray::try_new_with_length(
                wanted.clone(),
                columns,
                column.nulls().cloned(),
                column.len(),
            )
            .map(|column| Arc::new(column) as ArrayRef)
            .map_err(failed)
        }
        (DataType::List(_), DataType::List(wanted)) => {
            let column = column.as_list::<i32>();
            let values = column.values();
            let values = adapt(Some(values), wanted.data_type(), values.len())?;
            let nulls = column.nulls().cloned();
            ListArray::try_new(Arc::clone(wanted), column.offsets().clone(), values, nulls)
                .map(|column| Arc::new(column) as ArrayRef)
                .map_err(failed)
        }
        (DataType::Map(..), DataType::Map(wanted, sorted)) => {
            let column = column.as_map();
            let DataType::Struct(fields) = wanted.data_type() else {
                return Err(Error::internal("a map has entries"));
            };
            let entries = column.entries().columns().iter().zip(fields);
            let columns = entries
                .map(|(column, field)| adapt(Some(column), field.data_type(), column.len()))
                .collect::<Result<Vec<_>>>()?;
            let entries = StructArray::try_new(fields.clone(), columns, None).map_err(failed)?;
            let nulls = column.nulls().cloned();
            let offsets = column.offsets().clone();
            MapArray::try_new(Arc::clone(wanted), offsets, entries, nulls, *sorted)
                .map(|column| Arc::new(column) as ArrayRef)
                .map_err(failed)
        }
        _ => cast(column, wanted).map_err(failed),
    }
}

fn adapt_fields(column: &StructArray, found: &Fields, wanted: &Fields) -> Result<Vec<ArrayRef>> {
    let fields = wanted.iter().map(|wanted| {
        let index = field(found, wanted.name());
        let column_of = index.map(|index| column.column(index));
        adapt(column_of, wanted.data_type(), column.len())
    });
    fields.collect()
}

/// A field by its name, or else by its name in any case.
fn field(fields: &Fields, name: &str) -> Option<usize> {
    let exact = fields.iter().position(|field| field.name() == name);
    exact.or_else(|| {
        let lower = name.to_lowercase();
        fields
            .iter()
            .position(|field| field.name().to_lowercase() == lower)
    })
}
