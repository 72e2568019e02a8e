//! Times as numbers since 1970, and back: `timestamp_seconds`, `unix_micros`, `from_unixtime`.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column, overflow, timestamps};
use crate::error::{Error, Result, from_datafusion};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A number of whole units.
const FROM_NUMBER: Scalar = Scalar {
    forms: &[&[Takes::Integral]],
    returns: Returns::Timestamp,
    ..SCALAR
};

/// A time as such a number.
const TO_NUMBER: Scalar = Scalar {
    forms: &[&[Takes::Timestamp]],
    returns: Returns::Long,
    ..SCALAR
};

/// The functions.
pub(super) const UNIX: &[Scalar] = &[
    Scalar {
        name: "timestamp_seconds",
        forms: &[&[Takes::Number]],
        call: from_seconds,
        doc: "The timestamp so many seconds after 1970-01-01.",
        example: "SELECT timestamp_seconds(1709211539.5)",
        ..FROM_NUMBER
    },
    Scalar {
        name: "timestamp_millis",
        call: |call| from_units(call, 1_000),
        doc: "The timestamp so many milliseconds after 1970-01-01.",
        example: "SELECT timestamp_millis(1709211539500)",
        ..FROM_NUMBER
    },
    Scalar {
        name: "timestamp_micros",
        call: |call| from_units(call, 1),
        doc: "The timestamp so many microseconds after 1970-01-01.",
        example: "SELECT timestamp_micros(1709211539500000)",
        ..FROM_NUMBER
    },
    Scalar {
        name: "unix_seconds",
        call: |call| to_units(call, MICROS_PER_SECOND),
        doc: "The seconds from 1970-01-01 to a timestamp.",
        example: "SELECT unix_seconds(TIMESTAMP'2024-02-29 12:58:59')",
        ..TO_NUMBER
    },
    Scalar {
        name: "unix_millis",
        call: |call| to_units(call, 1_000),
        doc: "The milliseconds from 1970-01-01 to a timestamp.",
        example: "SELECT unix_millis(TIMESTAMP'2024-02-29 12:58:59')",
        ..TO_NUMBER
    },
    Scalar {
        name: "unix_micros",
        call: |call| to_units(call, 1),
        doc: "The microseconds from 1970-01-01 to a timestamp.",
        example: "SELECT unix_micros(TIMESTAMP'2024-02-29 12:58:59')",
        ..TO_NUMBER
    },
];

fn to_units(call: &Call<'_>, micros: i64) -> Result<ArrayRef> {
    let times = call.primitive::<TimestampMicrosecondType>(0)?;
    column::<Int64Type>(call, |row| {
        Ok(at(times, row).map(|time| time.div_euclid(micros)))
    })
}

fn from_units(call: &Call<'_>, micros: i64) -> Result<ArrayRef> {
    let counts = cast(call.argument(0)?, &DataType::Int64);
    let counts = counts.map_err(|error| from_datafusion(error.into()))?;
    let counts = counts.as_primitive::<Int64Type>();
    timestamps(call, |row| {
        let Some(count) = at(counts, row) else {
            return Ok(None);
        };
        let time = count.checked_mul(micros);
        time.map(Some).ok_or_else(|| too_large(call))
    })
}

fn from_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    match call.argument(0)?.data_type() {
        integer if integer.is_integer() => from_units(call, MICROS_PER_SECOND),
        DataType::Decimal128(_, scale) => {
            let seconds = call.primitive::<Decimal128Type>(0)?;
            let below = 10_i128
                .checked_pow(u32::from(scale.unsigned_abs()))
                .unwrap_or(1);
            timestamps(call, |row| {
                let Some(units) = at(seconds, row) else {
                    return Ok(None);
                };
                let micros = units.checked_mul(i128::from(MICROS_PER_SECOND));
                let micros = micros.ok_or_else(|| too_large(call))?;
                if micros % below != 0 {
                    return Err(Error::runtime("a timestamp has no parts of a microsecond")
                        .with_condition("INTERNAL_ERROR")
                        .with_hint("round the number: round(x, 6)"));
                }
                let micros = i64::try_from(micros / below);
                micros.map(Some).map_err(|_| too_large(call))
            })
        }
        _ => {
            let seconds = cast(call.argument(0)?, &DataType::Float64);
            let seconds = seconds.map_err(|error| from_datafusion(error.into()))?;
            let seconds = seconds.as_primitive::<Float64Type>();
            timestamps(call, |row| {
                let seconds = at(seconds, row).filter(|seconds| seconds.is_finite());
                // As long as a number fits, as Java cuts it.
                Ok(seconds.map(|seconds| (seconds * MICROS_PER_SECOND as f64) as i64))
            })
        }
    }
}

fn too_large(call: &Call<'_>) -> Error {
    overflow(call).with_condition("ARITHMETIC_OVERFLOW")
}
