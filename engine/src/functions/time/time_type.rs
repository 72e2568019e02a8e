//! The functions of TIME, a time of the day: made of parts, of texts and of numbers, and taken apart. Spark
//! has them where `spark.sql.timeType.enabled` is true.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, Time64MicrosecondType};

use super::super::cast::{Mode, cast_values};
use super::super::numbers::lengths::as_longs;
use super::super::scalar::{Call, Returns, SCALAR, Scalar, time_type};
use super::super::takes::Takes;
use super::local::{Last, at, column, session_zone, text_at};
use super::patterns::compiled;
use crate::datetime::{DateTimePattern, MICROS_PER_DAY, Zone, read_time};
use crate::error::{Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// `DECIMAL(14, 6)`: the seconds of a day and their fraction.
const SECONDS: DataType = DataType::Decimal128(14, 6);

/// What gives a TIME.
const GIVES_TIME: Scalar = Scalar {
    returns: Returns::By(|_| Ok(time_type())),
    ..SCALAR
};

/// What gives a number of a TIME.
const OF_TIME: Scalar = Scalar {
    forms: &[&[Takes::TimeOfDay]],
    returns: Returns::Long,
    ..SCALAR
};

/// The functions.
pub(super) const TIME_TYPE: &[Scalar] = &[
    Scalar {
        name: "make_time",
        forms: &[&[Takes::Int, Takes::Int, Takes::DecimalOf(16, 6)]],
        call: made,
        doc: "The TIME of an hour, a minute and a second.",
        example: "SELECT make_time(6, 30, 45.887)",
        ..GIVES_TIME
    },
    Scalar {
        name: "to_time",
        forms: &[&[Takes::Text], &[Takes::Text, Takes::Text]],
        call: |call| read(call, false),
        doc: "The TIME that a text stands for, by a pattern or as a cast reads it.",
        example: "SELECT to_time('12.10.05', 'HH.mm.ss')",
        ..GIVES_TIME
    },
    Scalar {
        name: "try_to_time",
        forms: &[&[Takes::Text], &[Takes::Text, Takes::Text]],
        call: |call| read(call, true),
        doc: "The TIME that a text stands for, NULL if it stands for none.",
        example: "SELECT try_to_time('soon', 'HH:mm')",
        ..GIVES_TIME
    },
    Scalar {
        name: "time_diff",
        forms: &[&[Takes::Text, Takes::TimeOfDay, Takes::TimeOfDay]],
        call: |call| {
            let (start, end) = (times(call, 1)?, times(call, 2)?);
            column::<Int64Type>(call, |row| {
                let Some(unit) = unit_at(call, row)? else {
                    return Ok(None);
                };
                let pair = at(start, row).zip(at(end, row));
                Ok(pair.map(|(start, end)| (end - start) / unit))
            })
        },
        doc: "How many whole units (HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND) one TIME is after another.",
        example: "SELECT time_diff('MINUTE', TIME'20:30:29', TIME'21:30:28')",
        ..OF_TIME
    },
    Scalar {
        name: "time_trunc",
        forms: &[&[Takes::Text, Takes::TimeOfDay]],
        call: |call| {
            let times = times(call, 1)?;
            column::<Time64MicrosecondType>(call, |row| {
                let Some(unit) = unit_at(call, row)? else {
                    return Ok(None);
                };
                Ok(at(times, row).map(|time| time - time % unit))
            })
        },
        doc: "A TIME down to a unit: HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND.",
        example: "SELECT time_trunc('HOUR', TIME'09:32:05.359')",
        ..GIVES_TIME
    },
    Scalar {
        name: "time_from_seconds",
        forms: &[&[Takes::Number]],
        call: of_seconds,
        doc: "The TIME so many seconds after midnight.",
        example: "SELECT time_from_seconds(52200.5)",
        ..GIVES_TIME
    },
    Scalar {
        name: "time_from_millis",
        forms: &[&[Takes::Integral]],
        call: |call| of_units(call, 1_000),
        doc: "The TIME so many milliseconds after midnight.",
        example: "SELECT time_from_millis(52200500)",
        ..GIVES_TIME
    },
    Scalar {
        name: "time_from_micros",
        forms: &[&[Takes::Integral]],
        call: |call| of_units(call, 1),
        doc: "The TIME so many microseconds after midnight.",
        example: "SELECT time_from_micros(52200500000)",
        ..GIVES_TIME
    },
    Scalar {
        name: "time_to_seconds",
        returns: Returns::By(|_| Ok(SECONDS)),
        call: |call| {
            let times = times(call, 0)?;
            let seconds = times.unary::<_, Decimal128Type>(i128::from);
            Ok(Arc::new(seconds.with_data_type(SECONDS)))
        },
        doc: "The seconds from midnight to a TIME.",
        example: "SELECT time_to_seconds(TIME'14:30:00.5')",
        ..OF_TIME
    },
    Scalar {
        name: "time_to_millis",
        call: |call| units(call, 1_000),
        doc: "The milliseconds from midnight to a TIME.",
        example: "SELECT time_to_millis(TIME'14:30:00.5')",
        ..OF_TIME
    },
    Scalar {
        name: "time_to_micros",
        call: |call| units(call, 1),
        doc: "The microseconds from midnight to a TIME.",
        example: "SELECT time_to_micros(TIME'14:30:00.5')",
        ..OF_TIME
    },
];

fn times<'a>(
    call: &'a Call<'_>,
    index: usize,
) -> Result<&'a PrimitiveArray<Time64MicrosecondType>> {
    call.primitive::<Time64MicrosecondType>(index)
}

/// So many microseconds of a TIME as one.
fn units(call: &Call<'_>, micros: i64) -> Result<ArrayRef> {
    let times = times(call, 0)?;
    column::<Int64Type>(call, |row| Ok(at(times, row).map(|time| time / micros)))
}

/// The microseconds of the unit that the first argument names.
fn unit_at(call: &Call<'_>, row: usize) -> Result<Option<i64>> {
    let Some(name) = text_at(call.text(0)?, row) else {
        return Ok(None);
    };
    Ok(Some(match name.to_uppercase().as_str() {
        "HOUR" => 3_600 * MICROS_PER_SECOND,
        "MINUTE" => 60 * MICROS_PER_SECOND,
        "SECOND" => MICROS_PER_SECOND,
        "MILLISECOND" => 1_000,
        "MICROSECOND" => 1,
        _ => {
            return Err(
                Error::runtime(format!("'{name}' is no unit of {}", call.name))
                    .with_condition("INVALID_PARAMETER_VALUE.TIME_UNIT")
                    .with_hint("use HOUR, MINUTE, SECOND, MILLISECOND or MICROSECOND"),
            );
        }
    }))
}

fn made(call: &Call<'_>) -> Result<ArrayRef> {
    let [hours, minutes] = call.primitives::<Int32Type, _>()?;
    let seconds = call.primitive::<Decimal128Type>(2)?;
    column::<Time64MicrosecondType>(call, |row| {
        let (Some(hour), Some(minute), Some(second)) =
            (at(hours, row), at(minutes, row), at(seconds, row))
        else {
            return Ok(None);
        };
        let limits = [
            (i128::from(hour), 24, "hour"),
            (i128::from(minute), 60, "minute"),
            (second, 60 * i128::from(MICROS_PER_SECOND), "second"),
        ];
        if let Some((.., part)) = limits
            .into_iter()
            .find(|(value, end, _)| !(0..*end).contains(value))
        {
            return Err(out_of_bounds(&format!("there is no such {part} of a day")));
        }
        let of_minute = i64::try_from(second).unwrap_or_default();
        let minutes = i64::from(hour) * 60 + i64::from(minute);
        Ok(Some(minutes * 60 * MICROS_PER_SECOND + of_minute))
    })
}

/// The TIME so many units of so many microseconds after midnight.
fn of_units(call: &Call<'_>, micros: i64) -> Result<ArrayRef> {
    let [numbers] = call.arguments.as_slice() else {
        return Err(Error::internal("the number is missing"));
    };
    let numbers = as_longs(numbers)?;
    column::<Time64MicrosecondType>(call, |row| {
        let Some(number) = at(&numbers, row) else {
            return Ok(None);
        };
        in_a_day(number.checked_mul(micros)).map(Some)
    })
}

fn of_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let [values] = call.arguments.as_slice() else {
        return Err(Error::internal("the seconds are missing"));
    };
    let zone = session_zone(call)?;
    let decimals = cast_values(values, &DataType::Decimal128(38, 6), zone, Mode::Fails)?;
    let seconds = decimals.as_primitive::<Decimal128Type>();
    column::<Time64MicrosecondType>(call, |row| {
        let Some(micros) = at(seconds, row) else {
            return Ok(None);
        };
        in_a_day(i64::try_from(micros).ok()).map(Some)
    })
}

fn in_a_day(micros: Option<i64>) -> Result<i64> {
    let micros = micros.filter(|micros| (0..MICROS_PER_DAY).contains(micros));
    micros.ok_or_else(|| out_of_bounds("a time of the day is from 00:00:00 to 23:59:59.999999"))
}

fn out_of_bounds(why: &str) -> Error {
    Error::runtime(why)
        .with_condition("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION")
        .with_hint("check the arguments")
}

/// A TIME that a text stands for.
fn read(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    if call.len() == 1 {
        let texts = call.text(0)?;
        return column::<Time64MicrosecondType>(call, |row| {
            let Some(text) = text_at(texts, row) else {
                return Ok(None);
            };
            or_unparsable(read_time(text), text, "HH:mm:ss.SSSSSS", lenient)
        });
    }
    let mut last = Last::new();
    let (texts, patterns) = (call.text(0)?, call.text(1)?);
    column::<Time64MicrosecondType>(call, |row| {
        let pair = text_at(texts, row).zip(text_at(patterns, row));
        let Some((text, pattern)) = pair else {
            return Ok(None);
        };
        let compiled: DateTimePattern = last.get(pattern, |text| compiled(text, str::parse))?;
        let time = compiled.parse_timestamp(text, Zone::UTC);
        let time = time.map(|time| time.rem_euclid(MICROS_PER_DAY));
        or_unparsable(time, text, pattern, lenient)
    })
}

fn or_unparsable(
    time: Option<i64>,
    text: &str,
    pattern: &str,
    lenient: bool,
) -> Result<Option<i64>> {
    match time {
        None if !lenient => Err(Error::runtime(format!(
            "'{text}' is no time of the pattern '{pattern}'"
        ))
        .with_condition("CANNOT_PARSE_TIME")
        .with_hint("use try_to_time(…) to get NULL instead")),
        time => Ok(time),
    }
}
