//! One column being filled from JSON values: the value's token decides, as in Spark, whether it
//! fits the column's type. `"5"` is no number and `2.5` no integer; a STRING takes any value as it
//! stands in the text.

use std::sync::Arc;

use arrow::array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBufferBuilder, BooleanBuilder, PrimitiveBuilder,
    StringBuilder,
};
use arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, FieldRef, Fields, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::object::{Object, Reject};
use super::parser::{Number, Parser, is_number};
use crate::datetime::TimeFormats;
use crate::error::{Error, Result};
use crate::formats::decimal::parse_decimal;
use crate::type_names::sql_type;

/// How well a value fitted its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It did.
    Whole,
    /// Something inside of it became NULL.
    Partial,
    /// All of it became NULL.
    None,
}

/// A column under construction.
#[derive(Debug)]
pub(in crate::formats) enum Column {
    Boolean(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal(PrimitiveBuilder<Decimal128Type>, u8, i8),
    Date(PrimitiveBuilder<Date32Type>, TimeFormats),
    Timestamp(PrimitiveBuilder<TimestampMicrosecondType>, TimeFormats),
    TimestampNtz(PrimitiveBuilder<TimestampMicrosecondType>, TimeFormats),
    String(StringBuilder),
    Binary(BinaryBuilder),
    Struct(Box<Object>, Validity),
    List(Box<ListColumn>),
    Map(Box<MapColumn>),
}

/// Which values are not NULL.
#[derive(Debug)]
pub(in crate::formats) struct Validity(BooleanBufferBuilder);

#[derive(Debug)]
pub(in crate::formats) struct ListColumn {
    field: FieldRef,
    offsets: Vec<i32>,
    validity: Validity,
    values: Column,
}

#[derive(Debug)]
pub(in crate::formats) struct MapColumn {
    entries: FieldRef,
    fields: Fields,
    offsets: Vec<i32>,
    validity: Validity,
    keys: StringBuilder,
    values: Column,
}

impl Column {
    /// An empty column; texts stand for times as `times` says.
    pub(in crate::formats) fn new(
        name: &str,
        data_type: &DataType,
        times: &TimeFormats,
        rows: usize,
    ) -> Result<Self> {
        macro_rules! primitive {
            () => {
                PrimitiveBuilder::with_capacity(rows).with_data_type(data_type.clone())
            };
        }
        Ok(match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Int8 => Self::Int8(primitive!()),
            DataType::Int16 => Self::Int16(primitive!()),
            DataType::Int32 => Self::Int32(primitive!()),
            DataType::Int64 => Self::Int64(primitive!()),
            DataType::Float32 => Self::Float32(primitive!()),
            DataType::Float64 => Self::Float64(primitive!()),
            DataType::Date32 => Self::Date(primitive!(), times.clone()),
            DataType::Decimal128(precision, scale) => {
                Self::Decimal(primitive!(), *precision, *scale)
            }
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                Self::Timestamp(primitive!(), times.clone())
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Self::TimestampNtz(primitive!(), times.clone())
            }
            DataType::Utf8 => Self::String(StringBuilder::with_capacity(rows, rows * 8)),
            DataType::Binary => Self::Binary(BinaryBuilder::with_capacity(rows, rows * 8)),
            DataType::Struct(fields) => Self::Struct(
                Box::new(Object::new(fields, times, rows)?),
                Validity::new(rows),
            ),
            DataType::List(field) => Self::List(Box::new(ListColumn {
                field: field.clone(),
                offsets: vec![0],
                validity: Validity::new(rows),
                values: Self::new(name, field.data_type(), times, rows)?,
            })),
            DataType::Map(entries, false) => match entries.data_type() {
                DataType::Struct(fields) => match fields.as_ref() {
                    [key, value] if key.data_type() == &DataType::Utf8 => {
                        Self::Map(Box::new(MapColumn {
                            entries: entries.clone(),
                            fields: fields.clone(),
                            offsets: vec![0],
                            validity: Validity::new(rows),
                            keys: StringBuilder::new(),
                            values: Self::new(name, value.data_type(), times, rows)?,
                        }))
                    }
                    _ => return Err(unsupported(name, data_type)),
                },
                _ => return Err(unsupported(name, data_type)),
            },
            _ => return Err(unsupported(name, data_type)),
        })
    }

    /// Appends the next value, whose first byte was seen, or NULL if it does not fit. Fails if the
    /// text is no JSON; then the column may need [`Column::settle`].
    pub(super) fn read(
        &mut self,
        json: &mut Parser<'_>,
        first: u8,
    ) -> std::result::Result<Fit, Reject> {
        let fitted = match (&mut *self, first) {
            (_, b'n') => {
                json.literal("null")?;
                self.append_null();
                true
            }
            (column, b'"' | b'\'') => {
                let words = json.leniency().non_numeric_numbers;
                column.read_text(json.string()?, words)
            }
            (Self::String(column), _) => {
                let start = json.position();
                json.skip()?;
                column.append_value(json.text_from(start));
                true
            }
            (column, first) if is_number(first) => {
                let number = json.number()?;
                column.read_number(number)
            }
            (Self::Boolean(column), b't') => {
                json.literal("true")?;
                column.append_value(true);
                true
            }
            (Self::Boolean(column), b'f') => {
                json.literal("false")?;
                column.append_value(false);
                true
            }
            (Self::Struct(object, validity), b'{') => {
                let fit = object.read(json)?;
                validity.append(true);
                return Ok(fit);
            }
            (Self::List(list), b'[') => return list.read(json),
            (Self::Map(map), b'{') => return map.read(json),
            _ => {
                json.skip()?;
                false
            }
        };
        if fitted {
            return Ok(Fit::Whole);
        }
        self.append_null();
        Ok(Fit::None)
    }

    /// Appends a number, if the column takes it.
    fn read_number(&mut self, number: Number<'_>) -> bool {
        match self {
            Self::Int8(column) => append(column, integer(number)),
            Self::Int16(column) => append(column, integer(number)),
            Self::Int32(column) => append(column, integer(number)),
            Self::Int64(column) => append(column, integer(number)),
            // What std calls a float contains all that JSON does, and NaN and Infinity.
            Self::Float32(column) => append(column, number.text.parse().ok()),
            Self::Float64(column) => append(column, number.text.parse().ok()),
            Self::Decimal(column, precision, scale) => {
                append(column, parse_decimal(number.text, *precision, *scale))
            }
            Self::Timestamp(column, _) => {
                let seconds: Option<i64> = integer(number);
                append(
                    column,
                    seconds.and_then(|seconds| seconds.checked_mul(1_000_000)),
                )
            }
            _ => false,
        }
    }

    /// Appends the value a string stands for, if it stands for one. `words`: whether `NaN` and its
    /// like do.
    fn read_text(&mut self, text: &str, words: bool) -> bool {
        match self {
            Self::String(column) => {
                column.append_value(text);
                true
            }
            Self::Timestamp(column, times) => append(column, times.parse_timestamp(text)),
            Self::TimestampNtz(column, times) => append(column, times.parse_timestamp_ntz(text)),
            Self::Date(column, times) => append(column, times.parse_date(text)),
            Self::Float32(column) if words => {
                append(column, not_finite(text).map(|value| value as f32))
            }
            Self::Float64(column) if words => append(column, not_finite(text)),
            Self::Decimal(column, precision, scale) => {
                append(column, parse_decimal(text, *precision, *scale))
            }
            Self::Binary(column) => match BASE64.decode(text) {
                Ok(bytes) => {
                    column.append_value(bytes);
                    true
                }
                Err(_) => false,
            },
            _ => false,
        }
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Boolean(column) => column.len(),
            Self::Int8(column) => column.len(),
            Self::Int16(column) => column.len(),
            Self::Int32(column) => column.len(),
            Self::Int64(column) => column.len(),
            Self::Float32(column) => column.len(),
            Self::Float64(column) => column.len(),
            Self::Decimal(column, ..) => column.len(),
            Self::Date(column, _) => column.len(),
            Self::Timestamp(column, _) | Self::TimestampNtz(column, _) => column.len(),
            Self::String(column) => column.len(),
            Self::Binary(column) => column.len(),
            Self::Struct(_, validity) => validity.len(),
            Self::List(list) => list.validity.len(),
            Self::Map(map) => map.validity.len(),
        }
    }

    pub(in crate::formats) fn append_null(&mut self) {
        match self {
            Self::Boolean(column) => column.append_null(),
            Self::Int8(column) => column.append_null(),
            Self::Int16(column) => column.append_null(),
            Self::Int32(column) => column.append_null(),
            Self::Int64(column) => column.append_null(),
            Self::Float32(column) => column.append_null(),
            Self::Float64(column) => column.append_null(),
            Self::Decimal(column, ..) => column.append_null(),
            Self::Date(column, _) => column.append_null(),
            Self::Timestamp(column, _) | Self::TimestampNtz(column, _) => column.append_null(),
            Self::String(column) => column.append_null(),
            Self::Binary(column) => column.append_null(),
            Self::Struct(object, validity) => {
                object.append_nulls();
                validity.append(false);
            }
            Self::List(list) => list.end(false),
            Self::Map(map) => map.end(false),
        }
    }

    /// After a value broke off in the middle: the number of values that makes all parts equally
    /// long again.
    pub(super) fn reach(&self) -> usize {
        match self {
            Self::Struct(object, validity) => validity.len().max(object.reach()),
            column => column.len(),
        }
    }

    /// Fills up with NULL to `len` values, in all parts.
    pub(super) fn settle(&mut self, len: usize) {
        match self {
            Self::Struct(object, validity) => {
                object.settle(len);
                while validity.len() < len {
                    validity.append(false);
                }
            }
            Self::List(list) => {
                list.values.settle(list.values.reach());
                while list.validity.len() < len {
                    list.end(false);
                }
            }
            Self::Map(map) => {
                let entries = map.keys.len().max(map.values.reach());
                while map.keys.len() < entries {
                    map.keys.append_value("");
                }
                map.values.settle(entries);
                while map.validity.len() < len {
                    map.end(false);
                }
            }
            column => {
                while column.len() < len {
                    column.append_null();
                }
            }
        }
    }

    /// Takes the values out.
    pub(in crate::formats) fn finish(&mut self) -> std::result::Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Int8(column) => Arc::new(column.finish()),
            Self::Int16(column) => Arc::new(column.finish()),
            Self::Int32(column) => Arc::new(column.finish()),
            Self::Int64(column) => Arc::new(column.finish()),
            Self::Float32(column) => Arc::new(column.finish()),
            Self::Float64(column) => Arc::new(column.finish()),
            Self::Decimal(column, ..) => Arc::new(column.finish()),
            Self::Date(column, _) => Arc::new(column.finish()),
            Self::Timestamp(column, _) | Self::TimestampNtz(column, _) => Arc::new(column.finish()),
            Self::String(column) => Arc::new(column.finish()),
            Self::Binary(column) => Arc::new(column.finish()),
            Self::Struct(object, validity) => {
                let len = validity.len();
                let (fields, columns) = object.finish()?;
                let nulls = validity.finish();
                Arc::new(StructArray::try_new_with_length(
                    fields, columns, nulls, len,
                )?)
            }
            Self::List(list) => {
                let offsets = std::mem::replace(&mut list.offsets, vec![0]);
                Arc::new(ListArray::try_new(
                    list.field.clone(),
                    OffsetBuffer::new(offsets.into()),
                    list.values.finish()?,
                    list.validity.finish(),
                )?)
            }
            Self::Map(map) => {
                let offsets = std::mem::replace(&mut map.offsets, vec![0]);
                let columns: Vec<ArrayRef> =
                    vec![Arc::new(map.keys.finish()), map.values.finish()?];
                Arc::new(MapArray::try_new(
                    map.entries.clone(),
                    OffsetBuffer::new(offsets.into()),
                    StructArray::try_new(map.fields.clone(), columns, None)?,
                    map.validity.finish(),
                    false,
                )?)
            }
        })
    }
}

impl Validity {
    fn new(rows: usize) -> Self {
        Self(BooleanBufferBuilder::new(rows))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn append(&mut self, valid: bool) {
        self.0.append(valid);
    }

    fn finish(&mut self) -> Option<NullBuffer> {
        let nulls = NullBuffer::new(self.0.finish());
        (nulls.null_count() > 0).then_some(nulls)
    }
}

impl ListColumn {
    fn read(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        let mut fit = Fit::Whole;
        let mut next = json.first_element()?;
        while let Some(first) = next {
            fit = fit.max(self.values.read(json, first)?);
            next = json.next_element()?;
        }
        self.end(fit != Fit::None);
        Ok(fit)
    }

    fn end(&mut self, valid: bool) {
        self.offsets.push(self.values.len() as i32);
        self.validity.append(valid);
    }
}

impl MapColumn {
    fn read(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        let mut fit = Fit::Whole;
        let mut more = json.enter_object()?;
        while more {
            self.keys.append_value(json.name()?);
            let first = json.peek()?;
            fit = fit.max(self.values.read(json, first)?);
            more = json.next_field()?;
        }
        self.end(fit != Fit::None);
        Ok(fit)
    }

    fn end(&mut self, valid: bool) {
        self.offsets.push(self.values.len() as i32);
        self.validity.append(valid);
    }
}

/// Appends a value, if there is one.
pub(in crate::formats) fn append<T: arrow::datatypes::ArrowPrimitiveType>(
    column: &mut PrimitiveBuilder<T>,
    value: Option<T::Native>,
) -> bool {
    if let Some(value) = value {
        column.append_value(value);
    }
    value.is_some()
}

/// The number, if it is whole and in range.
fn integer<T: TryFrom<i64>>(number: Number<'_>) -> Option<T> {
    let value: i64 = number.whole.then(|| number.text.parse().ok())??;
    value.try_into().ok()
}

/// Spark's words for what JSON numbers cannot say.
fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+INF" | "+Infinity" | "Infinity" => Some(f64::INFINITY),
        "-INF" | "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn unsupported(name: &str, data_type: &DataType) -> Error {
    Error::analysis(format!(
        "column '{name}' has type {}, which cannot be read from JSON",
        sql_type(data_type)
    ))
    .with_condition("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
    .with_hint("declare it as STRING and convert it in the query")
}
