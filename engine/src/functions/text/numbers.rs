//! `to_number` and `to_char`: texts and numbers by formats.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};

use super::bytes::{Format, unknown};
use super::number_format::NumberFormat;
use crate::datetime::DateTimePattern;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

/// The format as it is: NULL is known only then.
const WITH_FORMAT: &[&[Takes]] = &[&[Takes::Text, Takes::Any]];

pub(super) const NUMBERS: &[Scalar] = &[
    Scalar {
        name: "to_number",
        forms: WITH_FORMAT,
        returns: Returns::By(number_type),
        call: |call| to_number(call, false),
        doc: "The number that a text is in a format of 0, 9, comma, point, $, S, MI and PR.",
        example: "SELECT to_number('$1,234.50', '$9,999.99')",
        ..SCALAR
    },
    Scalar {
        name: "try_to_number",
        forms: WITH_FORMAT,
        returns: Returns::By(number_type),
        call: |call| to_number(call, true),
        doc: "The number that a text is in a format as of to_number; NULL if it is not in it.",
        example: "SELECT try_to_number('many', '999')",
        ..SCALAR
    },
    Scalar {
        name: "to_char",
        aliases: &["to_varchar"],
        forms: &[
            &[Takes::Decimal, Takes::Text],
            &[Takes::Number, Takes::Text],
            &[Takes::Time, Takes::Text],
            &[Takes::Binary, Takes::Text],
        ],
        returns: Returns::By(char_type),
        call: |call| match call.argument(0)?.data_type() {
            DataType::Binary => binary(call),
            other if other.is_numeric() => number(call),
            _ => time(call),
        },
        doc: "A number by a format as of to_number, a date or timestamp by a pattern, or a binary as \
              'base64', 'hex' or 'utf-8'.",
        example: "SELECT to_char(1234.5, '$9,999.99')",
        ..SCALAR
    },
];

fn number_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let Some(format) = inputs.text(1) else {
        return match (inputs.data_type(1)?, inputs.constants.get(1)) {
            (DataType::Null, _) | (_, Some(Some(_))) => Ok(DataType::Decimal128(10, 0)),
            _ => Err(
                Error::analysis("the format of a number must be the same for all rows")
                    .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                    .with_hint("write the format as text"),
            ),
        };
    };
    let format = NumberFormat::new(format)?;
    Ok(DataType::Decimal128(
        format.precision as u8,
        format.scale as i8,
    ))
}

/// Wrong formats of numbers are refused before there are rows.
fn char_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let is_number = inputs.data_type(0)?.is_numeric();
    if let Some(format) = inputs.text(1).filter(|_| is_number) {
        NumberFormat::new(format)?;
    }
    Ok(DataType::Utf8)
}

/// The format, which is that of every row; `None` if it is NULL.
fn format(call: &Call<'_>) -> Result<Option<NumberFormat>> {
    call.constant_text(1).map(NumberFormat::new).transpose()
}

fn to_number(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    let format = format(call)?;
    let numbers = call.numbers::<Decimal128Type>(|row| {
        let text = call.str(0, row)?;
        let number = format.as_ref().and_then(|format| format.parse(text));
        match number {
            None if !lenient && format.is_some() => Err(Error::runtime(format!(
                "'{text}' does not match the format '{}'",
                call.constant_text(1).unwrap_or_default()
            ))
            .with_condition("INVALID_FORMAT.MISMATCH_INPUT")
            .with_hint("use try_to_number to get NULL instead")),
            number => Ok(number),
        }
    })?;
    let numbers = numbers.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(numbers.with_data_type(call.returns.clone())))
}

fn number(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    let (decimal, scale) = match values.data_type() {
        DataType::Decimal128(precision, scale) => {
            (DataType::Decimal128(*precision, *scale), *scale)
        }
        other if other.is_integer() => (DataType::Decimal128(20, 0), 0),
        _ => (DataType::Decimal128(30, 15), 15),
    };
    // What is no decimal, as infinity, is NULL.
    let values = cast(values, &decimal);
    let values = values.map_err(|error| from_datafusion(error.into()))?;
    let values = values.as_primitive::<Decimal128Type>();
    // Spark wants a constant here too, but a value of a row does no harm.
    let mut known: Option<(&str, NumberFormat)> = None;
    call.strings(|row| {
        let text = call.str(1, row)?;
        let same = known.take().filter(|(known, _)| *known == text);
        let (_, format) = known.insert(match same {
            Some(same) => same,
            None => (text, NumberFormat::new(text)?),
        });
        let print = |value| format.print(value, usize::try_from(scale).unwrap_or(0));
        Ok(values.is_valid(row).then(|| print(values.value(row))))
    })
}

fn binary(call: &Call<'_>) -> Result<ArrayRef> {
    call.strings(|row| {
        let name = call.str(1, row)?;
        let format = Format::of(name).ok_or_else(|| unknown(call.name, name))?;
        format.text(call.bytes(0, row)?).map(Some)
    })
}

fn time(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    let zone = match values.data_type() {
        DataType::Timestamp(_, Some(_)) => call.zone.parse::<Tz>().ok(),
        _ => None,
    };
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let times = match values.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Arc::clone(values),
        _ => cast(values, &micros).map_err(|error| from_datafusion(error.into()))?,
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let mut known: Option<(&str, DateTimePattern)> = None;
    call.strings(|row| {
        let text = call.str(1, row)?;
        let same = known.take().filter(|(known, _)| *known == text);
        let (_, pattern) = known.insert(match same {
            Some(same) => same,
            None => (
                text,
                DateTimePattern::for_output(text).map_err(|why| wrong(text, &why))?,
            ),
        });
        let time = DateTime::from_timestamp_micros(times.value(row));
        Ok(time.map(|time| pattern.print(local(time.naive_utc(), zone))))
    })
}

fn local(time: NaiveDateTime, zone: Option<Tz>) -> NaiveDateTime {
    match zone {
        Some(zone) => time + zone.offset_from_utc_datetime(&time).fix(),
        None => time,
    }
}

fn wrong(pattern: &str, why: &str) -> Error {
    Error::runtime(format!("the pattern '{pattern}' cannot be used: {why}"))
        .with_condition("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER")
        .with_hint("put text into single quotes; letters are those of yyyy-MM-dd HH:mm:ss.SSS")
}
