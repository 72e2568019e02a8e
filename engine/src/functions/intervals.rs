//! Arithmetic with intervals. `INTERVAL DAY TO SECOND` is Arrow's duration in microseconds, `INTERVAL
//! DAY`, the difference of two dates, its duration in seconds, `INTERVAL YEAR TO MONTH` its interval
//! of months, and what `make_interval` gives its interval of months, days and nanoseconds.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::logical_expr::{Expr, cast};
use datafusion::scalar::ScalarValue;

use super::arithmetic::Operation;
use super::scalar::timestamp_type;
use super::time::{IntervalOperator, interval_operator};
use crate::datetime::MICROS_PER_DAY;

/// `INTERVAL DAY TO SECOND`.
pub(crate) const DAY_TIME: DataType = DataType::Duration(TimeUnit::Microsecond);

/// `INTERVAL YEAR TO MONTH`.
const YEAR_MONTH: DataType = DataType::Interval(IntervalUnit::YearMonth);

/// An interval literal without months as a day-time interval.
pub(crate) fn as_day_time(expr: &Expr) -> Option<Expr> {
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(value), _) = expr else {
        return None;
    };
    let micros = match value {
        Some(value) if value.months != 0 => return None,
        Some(value) => Some(i64::from(value.days) * MICROS_PER_DAY + value.nanoseconds / 1_000),
        None => None,
    };
    Some(Expr::Literal(
        ScalarValue::DurationMicrosecond(micros),
        None,
    ))
}

/// `left operation right` if one of them is an interval, or the result is: the difference of dates
/// and of times; a time and an interval; two intervals; an interval and a number.
pub(crate) fn interval_arithmetic(
    operation: Operation,
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<Expr> {
    let (one, other) = ((left, left_type), (right, right_type));
    match operation {
        Operation::Add | Operation::Subtract | Operation::IntegralDivide
            if is_any(left_type) && is_any(right_type) =>
        {
            let operator = match operation {
                Operation::Add => IntervalOperator::Plus,
                Operation::Subtract => IntervalOperator::Minus,
                _ => IntervalOperator::Quotient,
            };
            let (left, right) = alike(one, other)?;
            Some(interval_operator(operator)?.call(vec![left, right]))
        }
        Operation::Subtract if is_time(left_type) || is_time(right_type) => {
            difference(one, other).or_else(|| moved(IntervalOperator::MinusTime, one, other))
        }
        Operation::Add if is_any(left_type) => moved(IntervalOperator::PlusTime, other, one),
        Operation::Add => moved(IntervalOperator::PlusTime, one, other),
        Operation::Subtract => moved(IntervalOperator::MinusTime, one, other),
        Operation::Multiply if is_any(left_type) => scaled(IntervalOperator::Times, one, other),
        Operation::Multiply => scaled(IntervalOperator::Times, other, one),
        Operation::Divide => scaled(IntervalOperator::DividedBy, one, other),
        _ => None,
    }
}

/// `-interval`.
pub(crate) fn negated_interval(expr: &Expr, data_type: &DataType) -> Option<Expr> {
    let negated = interval_operator(IntervalOperator::Negated).filter(|_| is_any(data_type))?;
    Some(negated.call(vec![expr.clone()]))
}

fn is_any(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(_) | DataType::Interval(_))
}

fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_)
    )
}

/// The interval from `right` to `left`; a text is a time of the other's kind.
fn difference(
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<Expr> {
    let time_type = |own: &DataType, other: &DataType| match own {
        own if is_time(own) => Some(own.clone()),
        own if own.is_string() && is_time(other) => Some(other.clone()),
        _ => None,
    };
    let (one, other) = (
        time_type(left_type, right_type)?,
        time_type(right_type, left_type)?,
    );
    let operands = vec![
        as_type((left, left_type), &one),
        as_type((right, right_type), &other),
    ];
    Some(interval_operator(IntervalOperator::Difference)?.call(operands))
}

/// A time before or after an interval; a text is a timestamp, and the result a text again.
fn moved(
    operator: IntervalOperator,
    (time, time_type): (&Expr, &DataType),
    (interval, interval_type): (&Expr, &DataType),
) -> Option<Expr> {
    let is_text = time_type.is_string();
    if !is_any(interval_type) || !(is_time(time_type) || is_text) {
        return None;
    }
    let is_day_time = matches!(interval_type, DataType::Duration(_));
    if matches!(time_type, DataType::Time64(_)) && !is_day_time && as_day_time(interval).is_none() {
        return None;
    }
    let of_clock = match interval {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _) => value.nanoseconds != 0,
        _ => interval_type == &DAY_TIME,
    };
    // Part of a day later, a date is a time.
    let to = match time_type {
        DataType::Date32 if of_clock => timestamp_type(),
        _ if is_text => timestamp_type(),
        other => other.clone(),
    };
    let time = as_type((time, time_type), &to);
    let moved = interval_operator(operator)?.call(vec![time, interval.clone()]);
    Some(match is_text {
        true => cast(moved, DataType::Utf8),
        false => moved,
    })
}

/// An interval so many times, or a part of it.
fn scaled(
    operator: IntervalOperator,
    (interval, interval_type): (&Expr, &DataType),
    (number, number_type): (&Expr, &DataType),
) -> Option<Expr> {
    let is_number = number_type.is_numeric() || number_type.is_null() || number_type.is_string();
    if !is_any(interval_type) || !is_number {
        return None;
    }
    let (interval, interval_type) = plain(interval, interval_type);
    let interval = match &interval_type {
        DataType::Duration(_) => as_type((&interval, &interval_type), &DAY_TIME),
        _ => interval,
    };
    Some(interval_operator(operator)?.call(vec![interval, number.clone()]))
}

/// Two intervals in one type.
fn alike(
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<(Expr, Expr)> {
    let (one, other) = (plain(left, left_type), plain(right, right_type));
    match (&one.1, &other.1) {
        (from, to) if from == to => Some((one.0, other.0)),
        (DataType::Duration(_), DataType::Duration(_)) => Some((
            as_type((&one.0, &one.1), &DAY_TIME),
            as_type((&other.0, &other.1), &DAY_TIME),
        )),
        _ if left_type == right_type => Some((left.clone(), right.clone())),
        _ => None,
    }
}

/// A literal of months, or of days and less, as an interval of that kind.
fn plain(expr: &Expr, data_type: &DataType) -> (Expr, DataType) {
    if let Some(day_time) = as_day_time(expr) {
        return (day_time, DAY_TIME);
    }
    match expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(value)), _)
            if value.days == 0 && value.nanoseconds == 0 =>
        {
            let months = ScalarValue::IntervalYearMonth(Some(value.months));
            (Expr::Literal(months, None), YEAR_MONTH)
        }
        _ => (expr.clone(), data_type.clone()),
    }
}

fn as_type((expr, from): (&Expr, &DataType), to: &DataType) -> Expr {
    match from == to {
        true => expr.clone(),
        false => cast(expr.clone(), to.clone()),
    }
}
