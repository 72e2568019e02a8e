//! Times and dates cut to the beginning of a unit: `date_trunc`, `trunc`.

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use chrono::{Datelike, NaiveDate};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column, session_zone, text_at, timestamps};
use crate::datetime::{MICROS_PER_DAY, Zone, date_of, days_of};
use crate::error::Result;

/// The functions.
pub(super) const TRUNCATED: &[Scalar] = &[
    Scalar {
        name: "date_trunc",
        forms: &[&[Takes::Text, Takes::Timestamp]],
        returns: Returns::Timestamp,
        call: timestamps_cut,
        doc: "A time cut to the beginning of a unit, NULL if there is no such unit.",
        example: "SELECT date_trunc('hour', TIMESTAMP'2024-02-29 12:58:59')",
        ..SCALAR
    },
    Scalar {
        name: "trunc",
        forms: &[&[Takes::Date, Takes::Text]],
        returns: Returns::Date,
        call: dates_cut,
        doc: "A date cut to the first day of its week, month, quarter or year, NULL for other units.",
        example: "SELECT trunc(DATE'2024-02-29', 'month')",
        ..SCALAR
    },
];

#[derive(Debug, Clone, Copy)]
enum Unit {
    /// A length of time, in microseconds.
    Clock(i64),
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

fn unit_named(name: &str) -> Option<Unit> {
    Some(match name.to_ascii_uppercase().as_str() {
        "MICROSECOND" => Unit::Clock(1),
        "MILLISECOND" => Unit::Clock(1_000),
        "SECOND" => Unit::Clock(1_000_000),
        "MINUTE" => Unit::Clock(60_000_000),
        "HOUR" => Unit::Clock(3_600_000_000),
        "DAY" | "DD" => Unit::Day,
        "WEEK" => Unit::Week,
        "MONTH" | "MON" | "MM" => Unit::Month,
        "QUARTER" => Unit::Quarter,
        "YEAR" | "YYYY" | "YY" => Unit::Year,
        _ => return None,
    })
}

fn timestamps_cut(call: &Call<'_>) -> Result<ArrayRef> {
    let zone = session_zone(call)?;
    let (units, times) = (
        call.text(0)?,
        call.primitive::<TimestampMicrosecondType>(1)?,
    );
    timestamps(call, |row| {
        let unit = text_at(units, row).and_then(unit_named);
        let pair = unit.zip(at(times, row));
        Ok(pair.and_then(|(unit, utc)| cut(utc, unit, zone)))
    })
}

fn cut(utc: i64, unit: Unit, zone: Zone) -> Option<i64> {
    let local = zone.to_local(utc)?;
    if let Unit::Clock(micros) = unit {
        return utc.checked_sub(local.rem_euclid(micros));
    }
    let date = date_of(i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()?)?;
    let first = days_of(first_day(date, unit)?);
    zone.to_utc(i64::from(first).checked_mul(MICROS_PER_DAY)?)
}

fn dates_cut(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, units) = (call.primitive::<Date32Type>(0)?, call.text(1)?);
    column::<Date32Type>(call, |row| {
        let unit = text_at(units, row).and_then(unit_named);
        // A date has no shorter units than a week.
        let unit = unit.filter(|unit| !matches!(unit, Unit::Clock(_) | Unit::Day));
        let pair = unit.zip(at(dates, row).and_then(date_of));
        Ok(pair
            .and_then(|(unit, date)| first_day(date, unit))
            .map(days_of))
    })
}

fn first_day(date: NaiveDate, unit: Unit) -> Option<NaiveDate> {
    match unit {
        Unit::Clock(_) | Unit::Day => Some(date),
        Unit::Week => {
            let days = chrono::Days::new(date.weekday().num_days_from_monday().into());
            date.checked_sub_days(days)
        }
        Unit::Month => date.with_day(1),
        Unit::Quarter => NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1),
        Unit::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
    }
}
