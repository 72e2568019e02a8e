//! `+ - * /` with intervals, as functions that the operators are planned as.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, DurationSecondType, Float64Type,
    Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use datafusion::logical_expr::ScalarUDF;

use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar, registered};
use super::super::takes::Takes;
use super::local::{at, column, local, overflow, session_zone, timestamps};
use crate::datetime::{MICROS_PER_DAY, Shift, Zone};
use crate::error::{Error, Result, from_datafusion};

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// What can be done with intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::functions) enum IntervalOperator {
    /// `time + interval`.
    PlusTime,
    /// `time - interval`.
    MinusTime,
    /// `interval + interval`.
    Plus,
    /// `interval - interval`.
    Minus,
    /// `interval * number`.
    Times,
    /// `interval / number`.
    DividedBy,
    /// `-interval`.
    Negated,
    /// `time - time`.
    Difference,
    /// `interval div interval`.
    Quotient,
}

const OPERATORS: &[Scalar] = &[
    Scalar {
        name: "plus_interval",
        forms: &[
            &[Takes::Time, Takes::Interval],
            &[Takes::TimeOfDay, Takes::Interval],
        ],
        returns: Returns::Like(0),
        call: |call| moved(call, Some),
        ..SCALAR
    },
    Scalar {
        name: "minus_interval",
        forms: &[
            &[Takes::Time, Takes::Interval],
            &[Takes::TimeOfDay, Takes::Interval],
        ],
        returns: Returns::Like(0),
        call: |call| moved(call, Shift::back),
        ..SCALAR
    },
    Scalar {
        name: "intervals_plus",
        forms: &[&[Takes::Interval, Takes::Interval]],
        returns: Returns::Like(0),
        call: |call| combined(call, |one, other| one.checked_add(other)),
        ..SCALAR
    },
    Scalar {
        name: "intervals_minus",
        forms: &[&[Takes::Interval, Takes::Interval]],
        returns: Returns::Like(0),
        call: |call| combined(call, |one, other| one.checked_sub(other)),
        ..SCALAR
    },
    Scalar {
        name: "interval_times",
        forms: &[&[Takes::Interval, Takes::Number]],
        returns: Returns::Like(0),
        call: |call| scaled(call, false),
        ..SCALAR
    },
    Scalar {
        name: "interval_divided_by",
        forms: &[&[Takes::Interval, Takes::Number]],
        returns: Returns::Like(0),
        call: |call| scaled(call, true),
        ..SCALAR
    },
    Scalar {
        name: "interval_negated",
        forms: &[&[Takes::Interval]],
        returns: Returns::Like(0),
        call: |call| each(call, |_, part| Ok(part.checked_neg())),
        ..SCALAR
    },
    Scalar {
        name: "times_minus",
        forms: &[
            &[Takes::Time, Takes::Time],
            &[Takes::TimeOfDay, Takes::TimeOfDay],
        ],
        returns: Returns::By(difference_type),
        call: differences,
        ..SCALAR
    },
    Scalar {
        name: "intervals_div",
        forms: &[&[Takes::Interval, Takes::Interval]],
        returns: Returns::Long,
        call: quotients,
        ..SCALAR
    },
];

/// The function of an operator.
pub(in crate::functions) fn interval_operator(operator: IntervalOperator) -> Option<ScalarUDF> {
    registered(OPERATORS).nth(operator as usize)
}

/// An interval of a row, as a move along the calendar.
pub(super) fn shift_at(intervals: &ArrayRef, row: usize) -> Option<Shift> {
    intervals.is_valid(row).then_some(())?;
    Some(match intervals.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => Shift {
            months: intervals
                .as_primitive::<IntervalYearMonthType>()
                .value(row)
                .into(),
            ..Shift::default()
        },
        DataType::Interval(_) => {
            let value = intervals
                .as_primitive::<IntervalMonthDayNanoType>()
                .value(row);
            Shift {
                months: value.months.into(),
                days: value.days.into(),
                micros: value.nanoseconds / 1_000,
            }
        }
        DataType::Duration(TimeUnit::Second) => {
            let seconds = intervals.as_primitive::<DurationSecondType>().value(row);
            Shift {
                months: 0,
                days: seconds / SECONDS_PER_DAY,
                micros: seconds % SECONDS_PER_DAY * MICROS_PER_SECOND,
            }
        }
        _ => Shift::of_micros(
            intervals
                .as_primitive::<DurationMicrosecondType>()
                .value(row),
        ),
    })
}

fn moved(call: &Call<'_>, directed: fn(Shift) -> Option<Shift>) -> Result<ArrayRef> {
    let intervals = call.argument(1)?;
    let shift = |row: usize| match shift_at(intervals, row) {
        None => Ok(None),
        Some(shift) => directed(shift).map(Some).ok_or_else(|| overflow(call)),
    };
    if call.returns == &DataType::Date32 {
        let dates = call.primitive::<Date32Type>(0)?;
        return column::<Date32Type>(call, |row| {
            let Some((days, shift)) = at(dates, row).zip(shift(row)?) else {
                return Ok(None);
            };
            if shift.micros != 0 {
                return Err(Error::runtime("a date has no hours, minutes or seconds")
                    .with_condition("ILLEGAL_DATE_ADD")
                    .with_hint("cast it: CAST(d AS TIMESTAMP)"));
            }
            shift
                .moved_day(days)
                .map(Some)
                .ok_or_else(|| overflow(call))
        });
    }
    if let DataType::Time64(_) = call.returns {
        let times = call.primitive::<Time64MicrosecondType>(0)?;
        return column::<Time64MicrosecondType>(call, |row| {
            let Some((time, shift)) = at(times, row).zip(shift(row)?) else {
                return Ok(None);
            };
            // No day comes before or after this one.
            let length = shift.days.checked_mul(MICROS_PER_DAY);
            let length = length.and_then(|days| days.checked_add(shift.micros));
            let moved = length.and_then(|length| time.checked_add(length));
            let moved =
                moved.filter(|time| shift.months == 0 && (0..MICROS_PER_DAY).contains(time));
            moved.map(Some).ok_or_else(|| overflow(call))
        });
    }
    let zone = match call.returns {
        DataType::Timestamp(_, Some(_)) => session_zone(call)?,
        _ => Zone::UTC,
    };
    let times = call.primitive::<TimestampMicrosecondType>(0)?;
    timestamps(call, |row| {
        let Some((time, shift)) = at(times, row).zip(shift(row)?) else {
            return Ok(None);
        };
        shift
            .moved(time, zone)
            .map(Some)
            .ok_or_else(|| overflow(call))
    })
}

/// Two dates are whole days apart.
fn difference_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let is_date = |data_type: &DataType| data_type == &DataType::Date32;
    Ok(DataType::Duration(match inputs.types.iter().all(is_date) {
        true => TimeUnit::Second,
        false => TimeUnit::Microsecond,
    }))
}

/// From the second time to the first, as clocks show them.
fn differences(call: &Call<'_>) -> Result<ArrayRef> {
    let (ends, starts) = (local(call, 0)?, local(call, 1)?);
    let difference = |row: usize| {
        let pair = at(&ends, row).zip(at(&starts, row));
        let difference = pair.map(|(end, start)| end.checked_sub(start));
        difference
            .map(|micros| micros.ok_or_else(|| overflow(call)))
            .transpose()
    };
    match call.returns {
        DataType::Duration(TimeUnit::Second) => column::<DurationSecondType>(call, |row| {
            Ok(difference(row)?.map(|micros| micros / MICROS_PER_SECOND))
        }),
        _ => column::<DurationMicrosecondType>(call, difference),
    }
}

/// Every part of the first argument's intervals, one by one: months, days, and units of time.
fn each(call: &Call<'_>, part: impl Fn(usize, i64) -> Result<Option<i64>>) -> Result<ArrayRef> {
    let change = |row: usize, value: i64| part(row, value)?.ok_or_else(too_long);
    let months =
        |row, value: i32| i32::try_from(change(row, value.into())?).map_err(|_| too_long());
    match call.returns {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let values = call.primitive::<IntervalYearMonthType>(0)?;
            column::<IntervalYearMonthType>(call, |row| {
                at(values, row).map(|value| months(row, value)).transpose()
            })
        }
        DataType::Interval(_) => {
            let values = call.primitive::<IntervalMonthDayNanoType>(0)?;
            column::<IntervalMonthDayNanoType>(call, |row| {
                let changed = |value: IntervalMonthDayNano| {
                    Ok(IntervalMonthDayNano {
                        months: months(row, value.months)?,
                        days: months(row, value.days)?,
                        nanoseconds: change(row, value.nanoseconds)?,
                    })
                };
                at(values, row).map(changed).transpose()
            })
        }
        DataType::Duration(TimeUnit::Second) => {
            let values = call.primitive::<DurationSecondType>(0)?;
            column::<DurationSecondType>(call, |row| {
                at(values, row).map(|value| change(row, value)).transpose()
            })
        }
        _ => {
            let values = call.primitive::<DurationMicrosecondType>(0)?;
            column::<DurationMicrosecondType>(call, |row| {
                at(values, row).map(|value| change(row, value)).transpose()
            })
        }
    }
}

/// Two intervals of one type.
fn combined(call: &Call<'_>, combine: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let fit = |value: Option<i64>| value.ok_or_else(too_long);
    let narrow = |value: Option<i64>| {
        fit(value).and_then(|value| i32::try_from(value).map_err(|_| too_long()))
    };
    match call.returns {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let [one, other] = call.primitives::<IntervalYearMonthType, _>()?;
            column::<IntervalYearMonthType>(call, |row| {
                let pair = at(one, row).zip(at(other, row));
                pair.map(|(one, other)| narrow(combine(one.into(), other.into())))
                    .transpose()
            })
        }
        DataType::Interval(_) => {
            let [one, other] = call.primitives::<IntervalMonthDayNanoType, _>()?;
            column::<IntervalMonthDayNanoType>(call, |row| {
                let pair = at(one, row).zip(at(other, row));
                let combined = pair.map(|(one, other)| {
                    Ok(IntervalMonthDayNano {
                        months: narrow(combine(one.months.into(), other.months.into()))?,
                        days: narrow(combine(one.days.into(), other.days.into()))?,
                        nanoseconds: fit(combine(one.nanoseconds, other.nanoseconds))?,
                    })
                });
                combined.transpose()
            })
        }
        DataType::Duration(TimeUnit::Second) => {
            let [one, other] = call.primitives::<DurationSecondType, _>()?;
            column::<DurationSecondType>(call, |row| {
                let pair = at(one, row).zip(at(other, row));
                pair.map(|(one, other)| fit(combine(one, other)))
                    .transpose()
            })
        }
        _ => {
            let [one, other] = call.primitives::<DurationMicrosecondType, _>()?;
            column::<DurationMicrosecondType>(call, |row| {
                let pair = at(one, row).zip(at(other, row));
                pair.map(|(one, other)| fit(combine(one, other)))
                    .transpose()
            })
        }
    }
}

/// How often the second interval is in the first.
fn quotients(call: &Call<'_>) -> Result<ArrayRef> {
    let [ones, others] = call.first()?;
    let length = |intervals: &ArrayRef, row: usize| {
        let shift = shift_at(intervals, row)?;
        let days = shift.days.checked_mul(MICROS_PER_DAY)?;
        Some(if shift.months != 0 {
            shift.months
        } else {
            days.checked_add(shift.micros)?
        })
    };
    column::<Int64Type>(call, |row| {
        let Some((one, other)) = length(ones, row).zip(length(others, row)) else {
            return Ok(None);
        };
        match other {
            0 => Err(by_zero()),
            other => one.checked_div(other).map(Some).ok_or_else(too_long),
        }
    })
}

/// A number that intervals are multiplied with or divided by.
enum Factor {
    /// A whole number, or a decimal as so many units and how many of them are 1.
    Exact(i128, i128),
    Fraction(f64),
}

fn scaled(call: &Call<'_>, divides: bool) -> Result<ArrayRef> {
    let numbers = call.argument(1)?;
    let failed = |error: arrow::error::ArrowError| from_datafusion(error.into());
    let wide = match numbers.data_type() {
        DataType::Decimal128(..) => ArrayRef::clone(numbers),
        integer if integer.is_integer() => cast(numbers, &DataType::Int64).map_err(failed)?,
        _ => cast(numbers, &DataType::Float64).map_err(failed)?,
    };
    let factor = |row: usize| match wide.data_type() {
        DataType::Decimal128(_, scale) => Factor::Exact(
            wide.as_primitive::<Decimal128Type>().value(row),
            10_i128.pow(u32::from(scale.unsigned_abs())),
        ),
        DataType::Int64 => Factor::Exact(wide.as_primitive::<Int64Type>().value(row).into(), 1),
        _ => Factor::Fraction(wide.as_primitive::<Float64Type>().value(row)),
    };
    let values = each(call, |row, part| match wide.is_valid(row) {
        true => scale(part, &factor(row), divides),
        false => Ok(Some(0)),
    })?;
    let absent = arrow::compute::is_null(&wide);
    absent
        .and_then(|absent| arrow::compute::nullif(&values, &absent))
        .map_err(failed)
}

/// A part of an interval, rounded half up.
fn scale(part: i64, factor: &Factor, divides: bool) -> Result<Option<i64>> {
    match *factor {
        Factor::Exact(0, _) if divides => Err(by_zero()),
        Factor::Fraction(value) if divides && value == 0.0 => Err(by_zero()),
        Factor::Exact(units, one) => {
            let (up, down) = if divides { (one, units) } else { (units, one) };
            let product = i128::from(part).checked_mul(up);
            Ok(product.and_then(|product| i64::try_from(half_up(product, down)).ok()))
        }
        Factor::Fraction(value) => {
            let part = part as f64;
            let scaled = if divides { part / value } else { part * value }.round();
            Ok((scaled.abs() < i64::MAX as f64).then_some(scaled as i64))
        }
    }
}

fn half_up(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    let sign = value.signum() * by.signum();
    match rest.unsigned_abs() * 2 >= by.unsigned_abs() {
        true => quotient + sign,
        false => quotient,
    }
}

fn by_zero() -> Error {
    Error::runtime("an interval is divided by zero")
        .with_condition("INTERVAL_DIVIDED_BY_ZERO")
        .with_hint("use try_divide(a, b) to get NULL instead, or nullif(b, 0)")
}

fn too_long() -> Error {
    Error::runtime("the interval is longer than intervals can be")
        .with_condition("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
        .with_hint("check the operands")
}
