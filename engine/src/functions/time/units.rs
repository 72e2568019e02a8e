//! Times by units: `timestampadd`, `timestampdiff`, and the forms of `date_add` and `date_diff` that
//! name a unit; `months_between`.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use chrono::{Datelike, Days, NaiveDateTime, Timelike};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column, local, overflow, session_zone, text_at, timestamps};
use crate::datetime::{MICROS_PER_DAY, Shift, Zone, last_day_of_month, local_time};
use crate::error::{Error, Result};

const SECONDS_PER_MONTH: f64 = 86_400.0 * 31.0;

/// The functions.
pub(super) const UNITS: &[Scalar] = &[
    Scalar {
        name: "timestampadd",
        forms: &[&[Takes::Text, Takes::Long, Takes::AnyTimestamp]],
        returns: Returns::Like(2),
        call: added,
        doc: "A time so many units later.",
        example: "SELECT timestampadd(MONTH, 1, TIMESTAMP'2024-01-31 00:00:00')",
        ..SCALAR
    },
    Scalar {
        name: "timestampdiff",
        forms: &[&[Takes::Text, Takes::Timestamp, Takes::Timestamp]],
        returns: Returns::Long,
        call: differences,
        doc: "The whole units from the first time to the second.",
        example: "SELECT timestampdiff(MONTH, DATE'2024-01-31', DATE'2024-03-31')",
        ..SCALAR
    },
    Scalar {
        name: "months_between",
        forms: &[
            &[Takes::Timestamp, Takes::Timestamp],
            &[Takes::Timestamp, Takes::Timestamp, Takes::Boolean],
        ],
        returns: Returns::Double,
        call: months_between,
        doc: "The months from the second time to the first, a fraction counting 31 days a month.",
        example: "SELECT months_between(DATE'2024-03-15', DATE'2024-01-31')",
        ..SCALAR
    },
];

#[derive(Debug, Clone, Copy)]
enum Unit {
    /// A length of time, in microseconds.
    Micros(i64),
    /// So many days of the calendar.
    Days(i64),
    /// So many months of the calendar.
    Months(i64),
}

fn unit_named(name: &str) -> Result<Unit> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "MICROSECOND" => Unit::Micros(1),
        "MILLISECOND" => Unit::Micros(1_000),
        "SECOND" => Unit::Micros(1_000_000),
        "MINUTE" => Unit::Micros(60_000_000),
        "HOUR" => Unit::Micros(3_600_000_000),
        "DAY" | "DAYOFYEAR" => Unit::Days(1),
        "WEEK" => Unit::Days(7),
        "MONTH" => Unit::Months(1),
        "QUARTER" => Unit::Months(3),
        "YEAR" => Unit::Months(12),
        _ => {
            return Err(Error::analysis(format!("'{name}' is not a unit of time"))
                .with_condition("INVALID_PARAMETER_VALUE.DATETIME_UNIT")
                .with_hint(
                    "use YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND \
                     or MICROSECOND",
                ));
        }
    })
}

/// Units, how many of them, and the times that they are added to.
pub(super) fn added(call: &Call<'_>) -> Result<ArrayRef> {
    let zone = match call.argument(2)?.data_type() {
        DataType::Timestamp(_, Some(_)) => session_zone(call)?,
        _ => Zone::UTC,
    };
    let (units, counts) = (call.text(0)?, call.primitive::<Int64Type>(1)?);
    let times = call.primitive::<TimestampMicrosecondType>(2)?;
    timestamps(call, |row| {
        let counted = text_at(units, row).zip(at(counts, row));
        let Some(((unit, count), time)) = counted.zip(at(times, row)) else {
            return Ok(None);
        };
        let shift = shift(unit_named(unit)?, count);
        let moved = shift.and_then(|shift| shift.moved(time, zone));
        moved.map(Some).ok_or_else(|| overflow(call))
    })
}

fn shift(unit: Unit, count: i64) -> Option<Shift> {
    Some(match unit {
        Unit::Micros(micros) => Shift::of_micros(count.checked_mul(micros)?),
        Unit::Days(days) => Shift {
            days: count.checked_mul(days)?,
            ..Shift::default()
        },
        Unit::Months(months) => Shift {
            months: count.checked_mul(months)?,
            ..Shift::default()
        },
    })
}

/// A unit, the first and the last time.
pub(super) fn differences(call: &Call<'_>) -> Result<ArrayRef> {
    let (units, starts, ends) = (call.text(0)?, local(call, 1)?, local(call, 2)?);
    column::<Int64Type>(call, |row| {
        let pair = at(&starts, row).zip(at(&ends, row));
        let Some((unit, (start, end))) = text_at(units, row).zip(pair) else {
            return Ok(None);
        };
        Ok(match unit_named(unit)? {
            Unit::Micros(micros) => Some((end - start) / micros),
            Unit::Days(days) => Some((end - start) / (days * MICROS_PER_DAY)),
            Unit::Months(months) => {
                let pair = local_time(start).zip(local_time(end));
                pair.and_then(|(start, end)| Some(whole_months(start, end)? / months))
            }
        })
    })
}

fn month_number(time: &NaiveDateTime) -> i64 {
    i64::from(time.year()) * 12 + i64::from(time.month0())
}

/// Full months from `start` to `end`, rounded towards zero: a last day that is not full is left out
/// first.
fn whole_months(start: NaiveDateTime, end: NaiveDateTime) -> Option<i64> {
    let last = match (end.date().cmp(&start.date()), end.time().cmp(&start.time())) {
        (std::cmp::Ordering::Greater, std::cmp::Ordering::Less) => {
            end.checked_sub_days(Days::new(1))?
        }
        (std::cmp::Ordering::Less, std::cmp::Ordering::Greater) => {
            end.checked_add_days(Days::new(1))?
        }
        _ => end,
    };
    let days = |time: &NaiveDateTime| month_number(time) * 32 + i64::from(time.day());
    Some((days(&last) - days(&start)) / 32)
}

fn months_between(call: &Call<'_>) -> Result<ArrayRef> {
    let (ends, starts) = (local(call, 0)?, local(call, 1)?);
    let rounds = (call.len() == 3).then(|| call.boolean(2)).transpose()?;
    column::<Float64Type>(call, |row| {
        let round = rounds.is_none_or(|rounds| rounds.value(row));
        let has_form = rounds.is_none_or(|rounds| arrow::array::Array::is_valid(rounds, row));
        let pair = at(&ends, row).zip(at(&starts, row)).filter(|_| has_form);
        Ok(pair.and_then(|(end, start)| {
            Some(fractional_months(
                local_time(end)?,
                local_time(start)?,
                round,
            ))
        }))
    })
}

/// Months with a fraction of 31 days, rounded to eight digits; none of it between equal days of the
/// month and between last days of months.
fn fractional_months(end: NaiveDateTime, start: NaiveDateTime, round: bool) -> f64 {
    let months = (month_number(&end) - month_number(&start)) as f64;
    let is_last = |time: &NaiveDateTime| last_day_of_month(time.date()) == Some(time.date());
    if end.day() == start.day() || is_last(&end) && is_last(&start) {
        return months;
    }
    let seconds = |time: &NaiveDateTime| {
        let of_day = i64::from(time.num_seconds_from_midnight());
        (i64::from(time.day()) * 86_400 + of_day) as f64
    };
    let exact = months + (seconds(&end) - seconds(&start)) / SECONDS_PER_MONTH;
    match round {
        true => (exact * 1e8).round() / 1e8,
        false => exact,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::parse_date;

    fn time(text: &str) -> NaiveDateTime {
        let (date, hour) = text.split_at(10);
        let days = i64::from(parse_date(date).unwrap());
        let hour: i64 = hour.trim().parse().unwrap_or(0);
        local_time(days * MICROS_PER_DAY + hour * 3_600_000_000).unwrap()
    }

    #[test]
    fn whole_months_are_full() {
        for (start, end, months) in [
            ("2024-01-01", "2024-02-28", 1),
            ("2024-02-29 10", "2024-03-29 09", 0),
            ("2024-03-29 09", "2024-02-29 10", 0),
            ("2024-01-31", "2024-03-01", 1),
            ("2000-01-01", "2010-01-01", 120),
        ] {
            assert_eq!(
                whole_months(time(start), time(end)),
                Some(months),
                "{start} {end}"
            );
        }
    }

    #[test]
    fn fractions_count_31_days() {
        let months = fractional_months(time("1997-02-28 10"), time("1996-10-30"), true);
        assert!((months - 3.94892473).abs() < 1e-9, "{months}");
        assert!(
            (fractional_months(time("2024-02-29"), time("2024-01-31"), true) - 1.0).abs() < 1e-9
        );
    }
}
