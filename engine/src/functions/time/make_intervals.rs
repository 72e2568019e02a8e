//! Intervals from their parts: `make_interval`, `make_dt_interval`, `make_ym_interval`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Int32Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column};
use crate::error::{Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

const INT: Takes = Takes::Int;
const SECONDS: Takes = Takes::DecimalOf(18, 6);

const CALENDAR: Scalar = Scalar {
    forms: &[
        &[],
        &[INT],
        &[INT, INT],
        &[INT, INT, INT],
        &[INT, INT, INT, INT],
        &[INT, INT, INT, INT, INT],
        &[INT, INT, INT, INT, INT, INT],
        &[INT, INT, INT, INT, INT, INT, SECONDS],
    ],
    returns: Returns::By(|_| Ok(DataType::Interval(IntervalUnit::MonthDayNano))),
    ..SCALAR
};

/// The functions.
pub(super) const MAKE_INTERVALS: &[Scalar] = &[
    Scalar {
        name: "make_interval",
        call: |call| calendar(call, false),
        doc: "The interval of years, months, weeks, days, hours, minutes and seconds.",
        example: "SELECT make_interval(1, 2, 0, 3)",
        ..CALENDAR
    },
    Scalar {
        name: "try_make_interval",
        call: |call| calendar(call, true),
        doc: "The interval of its parts, NULL if it is too long.",
        example: "SELECT try_make_interval(2147483647)",
        ..CALENDAR
    },
    Scalar {
        name: "make_dt_interval",
        forms: &[
            &[],
            &[INT],
            &[INT, INT],
            &[INT, INT, INT],
            &[INT, INT, INT, SECONDS],
        ],
        returns: Returns::DayTime,
        call: day_time,
        doc: "The interval of days, hours, minutes and seconds.",
        example: "SELECT make_dt_interval(1, 12, 30, 1.5)",
        ..SCALAR
    },
    Scalar {
        name: "make_ym_interval",
        forms: &[&[], &[INT], &[INT, INT]],
        returns: Returns::By(|_| Ok(DataType::Interval(IntervalUnit::YearMonth))),
        call: year_month,
        doc: "The interval of years and months.",
        example: "SELECT make_ym_interval(1, 2)",
        ..SCALAR
    },
];

/// A whole part of a row; what was not given is 0, and NULL makes all NULL.
fn part(call: &Call<'_>, index: usize, row: usize) -> Option<i64> {
    match call.arguments.get(index) {
        Some(values) => at(values.as_primitive::<Int32Type>(), row).map(i64::from),
        None => Some(0),
    }
}

/// Hours, minutes and seconds, from an argument on, in microseconds.
fn clock(call: &Call<'_>, first: usize, row: usize) -> Option<Option<i64>> {
    let (hours, minutes) = (part(call, first, row)?, part(call, first + 1, row)?);
    let micros = match call.arguments.get(first + 2) {
        Some(seconds) => at(seconds.as_primitive::<Decimal128Type>(), row)?,
        None => 0,
    };
    let total = (hours * MICROS_PER_HOUR).checked_add(minutes * MICROS_PER_MINUTE);
    let micros = i64::try_from(micros).ok();
    Some(
        total
            .zip(micros)
            .and_then(|(total, micros)| total.checked_add(micros)),
    )
}

fn calendar(call: &Call<'_>, lenient: bool) -> Result<ArrayRef> {
    column::<IntervalMonthDayNanoType>(call, |row| {
        let parts = [0, 1, 2, 3].map(|index| part(call, index, row));
        let ([Some(years), Some(months), Some(weeks), Some(days)], Some(micros)) =
            (parts, clock(call, 4, row))
        else {
            return Ok(None);
        };
        let interval = || {
            Some(IntervalMonthDayNano {
                months: i32::try_from(years * 12 + months).ok()?,
                days: i32::try_from(weeks * 7 + days).ok()?,
                nanoseconds: micros?.checked_mul(1_000)?,
            })
        };
        match interval() {
            None if !lenient => Err(too_long(
                "WITH_SUGGESTION",
                "use try_make_interval(…) to get NULL instead",
            )),
            interval => Ok(interval),
        }
    })
}

fn day_time(call: &Call<'_>) -> Result<ArrayRef> {
    column::<DurationMicrosecondType>(call, |row| {
        let Some((days, micros)) = part(call, 0, row).zip(clock(call, 1, row)) else {
            return Ok(None);
        };
        let days = days.checked_mul(MICROS_PER_DAY);
        let total = days
            .zip(micros)
            .and_then(|(days, micros)| days.checked_add(micros));
        let too_long = || too_long("WITHOUT_SUGGESTION", "use fewer days");
        total.map(Some).ok_or_else(too_long)
    })
}

fn year_month(call: &Call<'_>) -> Result<ArrayRef> {
    column::<IntervalYearMonthType>(call, |row| {
        let Some((years, months)) = part(call, 0, row).zip(part(call, 1, row)) else {
            return Ok(None);
        };
        let months = i32::try_from(years * 12 + months);
        let too_long = |_| too_long("WITHOUT_SUGGESTION", "use fewer years");
        months.map(Some).map_err(too_long)
    })
}

fn too_long(form: &str, hint: &str) -> Error {
    Error::runtime("the interval is longer than intervals can be")
        .with_condition(format!("INTERVAL_ARITHMETIC_OVERFLOW.{form}"))
        .with_hint(hint)
}
