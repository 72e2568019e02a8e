//! Spark's day-time intervals: `INTERVAL DAY TO SECOND` is Arrow's duration in microseconds, and
//! `INTERVAL DAY`, the difference of two dates, its duration in seconds.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast};
use datafusion::scalar::ScalarValue;

use super::functions::{Operation, arithmetic};
use super::types::TIME_ZONE;

/// `INTERVAL DAY TO SECOND`.
pub(super) const DAY_TIME: DataType = DataType::Duration(TimeUnit::Microsecond);

/// `INTERVAL DAY`.
const DAY: DataType = DataType::Duration(TimeUnit::Second);

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = 1_000_000 * SECONDS_PER_DAY;

/// Whether a type is that of interval literals.
pub(super) fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(IntervalUnit::MonthDayNano))
}

/// An interval literal without months as a day-time interval.
pub(super) fn as_day_time(expr: &Expr) -> Option<Expr> {
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

/// `left - right` for dates and times, which is a day-time interval; the sum and the difference of
/// such intervals; and a time that such an interval is added to.
pub(super) fn interval_arithmetic(
    operation: Operation,
    (left, left_type): (&Expr, &DataType),
    (right, right_type): (&Expr, &DataType),
) -> Option<Expr> {
    let op = match operation {
        Operation::Add => Operator::Plus,
        Operation::Subtract => Operator::Minus,
        _ => return None,
    };
    let is_time =
        |data_type: &DataType| matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
    let (left, right) = match (left_type, right_type) {
        (DataType::Date32, DataType::Date32) if op == Operator::Minus => {
            let days = |date: &Expr| cast(cast(date.clone(), DataType::Int32), DataType::Int64);
            let days = binary(days(left), op, days(right));
            let seconds = arithmetic(Operation::Multiply)
                .call(vec![days, datafusion::logical_expr::lit(SECONDS_PER_DAY)]);
            return Some(cast(seconds, DAY));
        }
        (one, other) if op == Operator::Minus && is_time(one) && is_time(other) => {
            let zone = match (one, other) {
                (DataType::Timestamp(_, None), DataType::Timestamp(_, None) | DataType::Date32)
                | (DataType::Date32, DataType::Timestamp(_, None)) => None,
                _ => Some(TIME_ZONE.into()),
            };
            let timestamp = DataType::Timestamp(TimeUnit::Microsecond, zone);
            (
                as_type(left, one, &timestamp),
                as_type(right, other, &timestamp),
            )
        }
        (DataType::Duration(one), DataType::Duration(other)) if one == other => {
            (left.clone(), right.clone())
        }
        (DataType::Duration(_) | DataType::Timestamp(..), DataType::Duration(_)) => (
            as_type(
                left,
                left_type,
                if is_time(left_type) {
                    left_type
                } else {
                    &DAY_TIME
                },
            ),
            as_type(right, right_type, &DAY_TIME),
        ),
        (DataType::Duration(_), DataType::Timestamp(..)) if op == Operator::Plus => {
            (as_type(left, left_type, &DAY_TIME), right.clone())
        }
        (DataType::Duration(_), interval) if is_interval(interval) => {
            (as_type(left, left_type, &DAY_TIME), as_day_time(right)?)
        }
        (interval, DataType::Duration(_)) if is_interval(interval) => {
            (as_day_time(left)?, as_type(right, right_type, &DAY_TIME))
        }
        _ => return None,
    };
    Some(binary(left, op, right))
}

fn as_type(expr: &Expr, from: &DataType, to: &DataType) -> Expr {
    match from == to {
        true => expr.clone(),
        false => cast(expr.clone(), to.clone()),
    }
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// Spark's text of a day-time interval: `INTERVAL '0 01:30:00' DAY TO SECOND`, `INTERVAL '1' DAY`.
pub(super) fn day_time_text(value: i64, unit: TimeUnit) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    let per_day = SECONDS_PER_DAY as u64;
    if unit == TimeUnit::Second {
        return format!("INTERVAL '{sign}{}' DAY", value / per_day);
    }
    let (seconds, micros) = (value / 1_000_000, value % 1_000_000);
    let (days, seconds) = (seconds / per_day, seconds % per_day);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = match micros {
        0 => String::new(),
        micros => format!(".{micros:06}").trim_end_matches('0').to_string(),
    };
    format!("INTERVAL '{sign}{days} {hours:02}:{minutes:02}:{seconds:02}{fraction}' DAY TO SECOND")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_spark() {
        let text = |micros| day_time_text(micros, TimeUnit::Microsecond);
        assert_eq!(text(5_400_000_000), "INTERVAL '0 01:30:00' DAY TO SECOND");
        assert_eq!(
            text(-MICROS_PER_DAY - 1_500_000),
            "INTERVAL '-1 00:00:01.5' DAY TO SECOND"
        );
        assert_eq!(
            day_time_text(-2 * SECONDS_PER_DAY, TimeUnit::Second),
            "INTERVAL '-2' DAY"
        );
    }
}
