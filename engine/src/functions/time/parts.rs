//! `date_part(field, source)` and `extract(field FROM source)`: one field of a time or an interval.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, DurationSecondType, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use chrono::{Datelike, NaiveDate};

use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::local;
use crate::datetime::{MICROS_PER_DAY, date_of};
use crate::error::{Error, Result, from_datafusion};
use crate::type_names::sql_type;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS: DataType = DataType::Decimal128(8, 6);

/// The function.
pub(super) const PARTS: &[Scalar] = &[Scalar {
    name: "date_part",
    aliases: &["datepart", "extract"],
    forms: &[
        &[Takes::Any, Takes::Time],
        &[Takes::Any, Takes::Interval],
        &[Takes::Any, Takes::TimeOfDay],
    ],
    returns: Returns::By(part_type),
    call: parts,
    doc: "One field of a date, a timestamp or an interval, by name.",
    example: "SELECT date_part('quarter', DATE'2024-08-31')",
    ..SCALAR
}];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    YearOfWeek,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    DayOfWeekIso,
    DayOfYear,
    Hour,
    Minute,
    Second,
}

/// All names of the parts.
fn part_named(name: &str) -> Option<Part> {
    Some(match name.to_ascii_uppercase().as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => Part::Year,
        "YEAROFWEEK" => Part::YearOfWeek,
        "QUARTER" | "QTR" => Part::Quarter,
        "MONTH" | "MON" | "MONS" | "MONTHS" => Part::Month,
        "WEEK" | "W" | "WEEKS" => Part::Week,
        "DAY" | "D" | "DAYS" => Part::Day,
        "DAYOFWEEK" | "DOW" => Part::DayOfWeek,
        "DAYOFWEEK_ISO" | "DOW_ISO" => Part::DayOfWeekIso,
        "DOY" => Part::DayOfYear,
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => Part::Hour,
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => Part::Minute,
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => Part::Second,
        _ => return None,
    })
}

fn part_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let Some(name) = inputs.text(0) else {
        return match inputs.data_type(0)? {
            DataType::Null => Ok(DataType::Float64),
            _ => Err(
                Error::analysis("the field of date_part must be the same for all rows")
                    .with_condition("NON_FOLDABLE_ARGUMENT")
                    .with_hint("write it as a text: date_part('year', ts)"),
            ),
        };
    };
    let source = inputs.data_type(1)?;
    let part = part_named(name).filter(|part| has_part(source, *part));
    let part = part.ok_or_else(|| {
        Error::analysis(format!("{} has no field '{name}'", sql_type(source)))
            .with_condition("INVALID_EXTRACT_FIELD")
            .with_hint("use YEAR, QUARTER, MONTH, WEEK, DAY, DOW, DOY, HOUR, MINUTE or SECOND")
    })?;
    Ok(match part {
        Part::Second => SECONDS,
        Part::Month | Part::Hour | Part::Minute if !is_time(source) => DataType::Int8,
        _ => DataType::Int32,
    })
}

fn is_time(source: &DataType) -> bool {
    matches!(
        source,
        DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_)
    )
}

fn has_part(source: &DataType, part: Part) -> bool {
    let is_calendar = matches!(part, Part::Year | Part::Month);
    let is_clock = matches!(part, Part::Day | Part::Hour | Part::Minute | Part::Second);
    match source {
        DataType::Interval(IntervalUnit::YearMonth) => is_calendar,
        DataType::Interval(_) => is_calendar || is_clock,
        DataType::Duration(_) => is_clock,
        DataType::Time64(_) => is_clock && part != Part::Day,
        _ => true,
    }
}

fn parts(call: &Call<'_>) -> Result<ArrayRef> {
    let part = call.constant_text(0).and_then(part_named);
    let Some(part) = part else {
        return Ok(arrow::array::new_null_array(call.returns, call.rows));
    };
    let source = call.argument(1)?;
    let values: PrimitiveArray<Int64Type> = match source.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => call
            .primitive::<IntervalYearMonthType>(1)?
            .unary(|months| of_interval(part, i64::from(months), 0, 0)),
        DataType::Interval(_) => call
            .primitive::<IntervalMonthDayNanoType>(1)?
            .unary(|value| {
                let micros = value.nanoseconds / 1_000;
                of_interval(part, i64::from(value.months), i64::from(value.days), micros)
            }),
        DataType::Duration(TimeUnit::Second) => call
            .primitive::<DurationSecondType>(1)?
            .unary(|seconds| of_day_time(part, seconds.saturating_mul(MICROS_PER_SECOND))),
        DataType::Duration(_) => call
            .primitive::<DurationMicrosecondType>(1)?
            .unary(|micros| of_day_time(part, micros)),
        _ => local(call, 1)?.unary_opt(|local| of_time(part, local)),
    };
    if part == Part::Second {
        let seconds: PrimitiveArray<Decimal128Type> = values.unary(i128::from);
        return Ok(Arc::new(seconds.with_data_type(SECONDS)));
    }
    cast(&values, call.returns).map_err(|error| from_datafusion(error.into()))
}

fn of_day_time(part: Part, micros: i64) -> i64 {
    let (days, micros) = (micros / MICROS_PER_DAY, micros % MICROS_PER_DAY);
    of_interval(part, 0, days, micros)
}

fn of_interval(part: Part, months: i64, days: i64, micros: i64) -> i64 {
    match part {
        Part::Year => months / 12,
        Part::Month => months % 12,
        Part::Day => days,
        Part::Hour => micros / (3_600 * MICROS_PER_SECOND),
        Part::Minute => micros / (60 * MICROS_PER_SECOND) % 60,
        _ => micros % (60 * MICROS_PER_SECOND),
    }
}

fn of_time(part: Part, local: i64) -> Option<i64> {
    let of_day = local.rem_euclid(MICROS_PER_DAY);
    match part {
        Part::Hour | Part::Minute | Part::Second => return Some(of_interval(part, 0, 0, of_day)),
        _ => {}
    }
    let date = date_of(i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()?)?;
    Some(of_date(part, date))
}

fn of_date(part: Part, date: NaiveDate) -> i64 {
    match part {
        Part::Year => i64::from(date.year()),
        Part::YearOfWeek => i64::from(date.iso_week().year()),
        Part::Quarter => i64::from(date.month0() / 3 + 1),
        Part::Month => i64::from(date.month()),
        Part::Week => i64::from(date.iso_week().week()),
        Part::DayOfWeek => i64::from(date.weekday().number_from_sunday()),
        Part::DayOfWeekIso => i64::from(date.weekday().number_from_monday()),
        Part::DayOfYear => i64::from(date.ordinal()),
        _ => i64::from(date.day()),
    }
}
