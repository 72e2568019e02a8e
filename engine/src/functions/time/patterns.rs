//! Times as text and back, by a pattern or by the rules of casts: `to_date`, `to_timestamp`,
//! `date_format`, `from_unixtime`, `unix_timestamp`.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Date32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};

use super::super::cast::{Mode, cast_values};
use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{Last, at, column, overflow, session_zone, text_at, texts, timestamps};
use crate::datetime::{DateTimePattern, MICROS_PER_DAY, Zone};
use crate::error::{Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The pattern of `unix_timestamp` and `from_unixtime` without one.
const USUAL: &str = "yyyy-MM-dd HH:mm:ss";

const TO_TIMESTAMP: Scalar = Scalar {
    forms: &[
        &[Takes::Text],
        &[Takes::Time],
        &[Takes::Number],
        &[Takes::Text, Takes::Text],
        &[Takes::Time, Takes::Text],
    ],
    returns: Returns::Timestamp,
    ..SCALAR
};

const TO_DATE: Scalar = Scalar {
    forms: &[
        &[Takes::Text],
        &[Takes::Time],
        &[Takes::Text, Takes::Text],
        &[Takes::Time, Takes::Text],
    ],
    returns: Returns::Date,
    ..SCALAR
};

const SECONDS: Scalar = Scalar {
    forms: &[
        &[Takes::Text],
        &[Takes::Time],
        &[Takes::Text, Takes::Text],
        &[Takes::Time, Takes::Text],
    ],
    returns: Returns::Long,
    call: seconds,
    ..SCALAR
};

/// The functions.
pub(super) const PATTERNS: &[Scalar] = &[
    Scalar {
        name: "to_date",
        call: |call| read(call, false),
        doc: "The date that a text stands for, by a pattern or as a cast reads it.",
        example: "SELECT to_date('29.02.2024', 'dd.MM.yyyy')",
        ..TO_DATE
    },
    Scalar {
        name: "try_to_date",
        call: |call| read(call, true),
        doc: "The date that a text stands for, NULL if it stands for none.",
        example: "SELECT try_to_date('30.02.2024', 'dd.MM.yyyy')",
        ..TO_DATE
    },
    Scalar {
        name: "to_timestamp",
        call: |call| read(call, false),
        doc: "The timestamp that a text stands for, by a pattern or as a cast reads it.",
        example: "SELECT to_timestamp('29.02.2024 12:58', 'dd.MM.yyyy HH:mm')",
        ..TO_TIMESTAMP
    },
    Scalar {
        name: "to_timestamp_ltz",
        call: |call| read(call, false),
        doc: "The timestamp that a text stands for, by a pattern or as a cast reads it.",
        example: "SELECT to_timestamp_ltz('2024-02-29 12:58:59')",
        ..TO_TIMESTAMP
    },
    Scalar {
        name: "to_timestamp_ntz",
        returns: Returns::TimestampNtz,
        call: |call| read(call, false),
        doc: "The timestamp without a zone that a text stands for.",
        example: "SELECT to_timestamp_ntz('2024-02-29 12:58:59')",
        ..TO_DATE
    },
    Scalar {
        name: "try_to_timestamp",
        call: |call| read(call, true),
        doc: "The timestamp that a text stands for, NULL if it stands for none.",
        example: "SELECT try_to_timestamp('yesterday')",
        ..TO_TIMESTAMP
    },
    Scalar {
        name: "to_unix_timestamp",
        doc: "The seconds from 1970-01-01 to the time that a text stands for.",
        example: "SELECT to_unix_timestamp('2024-02-29', 'yyyy-MM-dd')",
        ..SECONDS
    },
    Scalar {
        name: "unix_timestamp",
        forms: &[
            &[],
            &[Takes::Text],
            &[Takes::Time],
            &[Takes::Text, Takes::Text],
            &[Takes::Time, Takes::Text],
        ],
        doc: "The seconds from 1970-01-01 to now, or to the time that a text stands for.",
        example: "SELECT unix_timestamp('2024-02-29 12:58:59')",
        ..SECONDS
    },
    Scalar {
        name: "date_format",
        forms: &[
            &[Takes::Timestamp, Takes::Text],
            &[Takes::TimeOfDay, Takes::Text],
        ],
        call: |call| {
            let zone = session_zone(call)?;
            if let Some(times) = call
                .arguments
                .first()
                .and_then(|times| times.as_primitive_opt())
            {
                let times: &PrimitiveArray<Time64MicrosecondType> = times;
                check_of_day(call)?;
                return written(call, Zone::UTC, |row| Ok(at(times, row)));
            }
            let times = call.primitive::<TimestampMicrosecondType>(0)?;
            written(call, zone, |row| Ok(at(times, row)))
        },
        doc: "A time as a text, by a pattern.",
        example: "SELECT date_format(TIMESTAMP'2024-02-29 12:58:59', 'EEE d MMM, HH:mm')",
        ..SCALAR
    },
    Scalar {
        name: "from_unixtime",
        forms: &[&[Takes::Long], &[Takes::Long, Takes::Text]],
        call: |call| {
            let seconds = call.primitive::<Int64Type>(0)?;
            written(call, session_zone(call)?, |row| {
                let Some(seconds) = at(seconds, row) else {
                    return Ok(None);
                };
                let micros = seconds.checked_mul(MICROS_PER_SECOND);
                micros.map(Some).ok_or_else(|| overflow(call))
            })
        },
        doc: "The time so many seconds after 1970-01-01 as a text, by a pattern.",
        example: "SELECT from_unixtime(0, 'yyyy-MM-dd HH:mm')",
        ..SCALAR
    },
];

/// Text of moments, by the pattern in the second argument.
fn written(
    call: &Call<'_>,
    zone: Zone,
    moment: impl Fn(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let mut last = Last::new();
    texts(call, |row| {
        let (Some(utc), Some(pattern)) = (moment(row)?, pattern_at(call, row)) else {
            return Ok(None);
        };
        let pattern = last.get(pattern, |text| compiled(text, DateTimePattern::for_output))?;
        Ok(pattern.print_at(utc, zone))
    })
}

/// Refuses a pattern of dates or zones, which a time of the day has none of.
fn check_of_day(call: &Call<'_>) -> Result<()> {
    // Nothing but the hours of these moments is the same.
    const ANOTHER_DAY: i64 = 11_577 * MICROS_PER_DAY;
    const HOUR: i64 = 3_600 * MICROS_PER_SECOND;
    let mut last = Last::new();
    for row in 0..call.rows {
        let Some(pattern) = pattern_at(call, row) else {
            continue;
        };
        let pattern: DateTimePattern =
            last.get(pattern, |text| compiled(text, DateTimePattern::for_output))?;
        let shown = pattern.print_at(0, Zone::UTC);
        let moments = [(ANOTHER_DAY, Zone::UTC), (-HOUR, Zone::Fixed(3_600))];
        if moments
            .into_iter()
            .any(|(time, zone)| pattern.print_at(time, zone) != shown)
        {
            return Err(
                Error::runtime("a TIME has no date and no zone that could be written")
                    .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
                    .with_hint("use the letters of times: HH:mm:ss.SSS"),
            );
        }
    }
    Ok(())
}

/// The pattern of a row.
fn pattern_at<'a>(call: &'a Call<'_>, row: usize) -> Option<&'a str> {
    match call.arguments.get(1) {
        Some(patterns) => text_at(patterns.as_string(), row),
        None => Some(USUAL),
    }
}

/// A time of the type that the function gives: cast, or read by a pattern.
fn read(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    let zone = session_zone(call)?;
    let mode = Mode::new(lenient, true);
    let values = call.argument(0)?;
    if call.len() == 1 {
        return cast_values(values, call.returns, zone, mode);
    }
    if values.data_type() != &DataType::Utf8 {
        // Without a pattern there is no time, even where none is needed.
        let times = cast_values(values, call.returns, zone, mode)?;
        return with_nulls_of(&times, call.argument(1)?);
    }
    let mut last = Last::new();
    match call.returns {
        DataType::Date32 => column::<Date32Type>(call, |row| {
            let local = |pattern: &DateTimePattern, text: &str| {
                zone.to_local(pattern.parse_timestamp(text, zone)?)
            };
            let local = parsed(call, row, lenient, &mut last, local)?;
            Ok(local.and_then(|local| i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()))
        }),
        DataType::Timestamp(_, None) => timestamps(call, |row| {
            parsed(
                call,
                row,
                lenient,
                &mut last,
                DateTimePattern::parse_timestamp_ntz,
            )
        }),
        _ => timestamps(call, |row| {
            parsed(call, row, lenient, &mut last, |pattern, text| {
                pattern.parse_timestamp(text, zone)
            })
        }),
    }
}

fn with_nulls_of(values: &ArrayRef, other: &ArrayRef) -> Result<ArrayRef> {
    let absent = arrow::compute::is_null(other);
    let values = absent.and_then(|absent| arrow::compute::nullif(values, &absent));
    values.map_err(|error| crate::error::from_datafusion(error.into()))
}

/// The time in a row's text.
fn parsed(
    call: &Call<'_>,
    row: usize,
    lenient: bool,
    last: &mut Last<DateTimePattern>,
    parse: impl Fn(&DateTimePattern, &str) -> Option<i64>,
) -> Result<Option<i64>> {
    let (Some(text), Some(pattern)) = (text_at(call.text(0)?, row), pattern_at(call, row)) else {
        return Ok(None);
    };
    let compiled = last.get(pattern, |text| compiled(text, str::parse))?;
    match parse(&compiled, text) {
        None if !lenient => Err(unparsable(text, pattern)),
        time => Ok(time),
    }
}

/// Seconds since 1970.
fn seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let zone = session_zone(call)?;
    let Some(values) = call.arguments.first() else {
        return Err(Error::internal("the current time was not resolved"));
    };
    if values.data_type() == &DataType::Utf8 {
        let mut last = Last::new();
        return column::<Int64Type>(call, |row| {
            let micros = parsed(call, row, false, &mut last, |pattern, text| {
                pattern.parse_timestamp(text, zone)
            })?;
            Ok(micros.map(|micros| micros / MICROS_PER_SECOND))
        });
    }
    let has_pattern = |row| {
        call.arguments
            .get(1)
            .is_none_or(|pattern| pattern.is_valid(row))
    };
    match values.data_type() {
        DataType::Date32 => {
            let dates = call.primitive::<Date32Type>(0)?;
            column::<Int64Type>(call, |row| {
                let midnight = at(dates, row).map(|days| i64::from(days) * MICROS_PER_DAY);
                let utc = midnight.filter(|_| has_pattern(row));
                let utc = utc.and_then(|local| zone.to_utc(local));
                Ok(utc.map(|utc| utc / MICROS_PER_SECOND))
            })
        }
        _ => {
            let times = call.primitive::<TimestampMicrosecondType>(0)?;
            column::<Int64Type>(call, |row| {
                let time = at(times, row).filter(|_| has_pattern(row));
                Ok(time.map(|time| time / MICROS_PER_SECOND))
            })
        }
    }
}

/// The pattern of a row, which is mostly that of every row.
pub(super) fn compiled(
    text: &str,
    compile: impl FnOnce(&str) -> std::result::Result<DateTimePattern, String>,
) -> Result<DateTimePattern> {
    compile(text).map_err(|why| {
        Error::runtime(format!("the pattern '{text}' cannot be used: {why}"))
            .with_condition("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER")
            .with_hint("put text into single quotes; letters are those of yyyy-MM-dd HH:mm:ss.SSS")
    })
}

fn unparsable(text: &str, pattern: &str) -> Error {
    Error::runtime(format!("'{text}' does not match the pattern '{pattern}'"))
        .with_condition("CANNOT_PARSE_TIMESTAMP")
        .with_hint(
            "check the pattern; texts without a pattern can be tried: try_to_timestamp(text)",
        )
}
