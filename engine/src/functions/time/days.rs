//! Dates by days: `date_add`, `date_diff`, `next_day`, `make_date`.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column, overflow, text_at};
use super::units::{added, differences};
use crate::datetime::{add_months, date_of, days_of, last_day_of_month};
use crate::error::{Error, Result};

/// The functions.
pub(super) const DAYS: &[Scalar] = &[
    Scalar {
        name: "date_add",
        aliases: &["dateadd"],
        forms: &[
            &[Takes::Date, Takes::Int],
            &[Takes::Text, Takes::Long, Takes::AnyTimestamp],
        ],
        returns: Returns::By(sum_type),
        call: |call| match call.len() {
            2 => moved(call, |days, count| Some(days.wrapping_add(count))),
            _ => added(call),
        },
        doc: "A date so many days later, or a time so many units later.",
        example: "SELECT date_add(DATE'2024-02-28', 2)",
        ..SCALAR
    },
    Scalar {
        name: "date_sub",
        forms: &[&[Takes::Date, Takes::Int]],
        returns: Returns::Date,
        call: |call| moved(call, |days, count| Some(days.wrapping_sub(count))),
        doc: "A date so many days earlier.",
        example: "SELECT date_sub(DATE'2024-03-01', 1)",
        ..SCALAR
    },
    Scalar {
        name: "date_diff",
        aliases: &["datediff"],
        forms: &[
            &[Takes::Date, Takes::Date],
            &[Takes::Text, Takes::Timestamp, Takes::Timestamp],
        ],
        returns: Returns::By(|inputs| {
            Ok(match inputs.types.len() {
                2 => DataType::Int32,
                _ => DataType::Int64,
            })
        }),
        call: |call| match call.len() {
            2 => days_between(call),
            _ => differences(call),
        },
        doc: "The days from the second date to the first, or the units from one time to another.",
        example: "SELECT date_diff(DATE'2024-03-01', DATE'2024-02-28')",
        ..SCALAR
    },
    Scalar {
        name: "add_months",
        forms: &[&[Takes::Date, Takes::Int]],
        returns: Returns::Date,
        call: |call| moved(call, |days, count| add_months(days, count.into())),
        doc: "A date so many months later; a day that the month lacks is its last.",
        example: "SELECT add_months(DATE'2024-01-31', 1)",
        ..SCALAR
    },
    Scalar {
        name: "last_day",
        forms: &[&[Takes::Date]],
        returns: Returns::Date,
        call: last_days,
        doc: "The last day of a date's month.",
        example: "SELECT last_day(DATE'2024-02-01')",
        ..SCALAR
    },
    Scalar {
        name: "next_day",
        forms: &[&[Takes::Date, Takes::Text]],
        returns: Returns::Date,
        call: next_days,
        doc: "The first date after another that is a given day of the week.",
        example: "SELECT next_day(DATE'2024-02-29', 'Monday')",
        ..SCALAR
    },
    Scalar {
        name: "make_date",
        forms: &[&[Takes::Int, Takes::Int, Takes::Int]],
        returns: Returns::Date,
        call: made,
        doc: "The date of a year, a month and a day.",
        example: "SELECT make_date(2024, 2, 29)",
        ..SCALAR
    },
    Scalar {
        name: "date_from_unix_date",
        forms: &[&[Takes::Int]],
        returns: Returns::Date,
        call: |call| {
            let days = call.primitive::<Int32Type>(0)?;
            column::<Date32Type>(call, |row| Ok(at(days, row)))
        },
        doc: "The date so many days after 1970-01-01.",
        example: "SELECT date_from_unix_date(19782)",
        ..SCALAR
    },
    Scalar {
        name: "unix_date",
        forms: &[&[Takes::Date]],
        returns: Returns::Int,
        call: |call| {
            let dates = call.primitive::<Date32Type>(0)?;
            column::<Int32Type>(call, |row| Ok(at(dates, row)))
        },
        doc: "The days from 1970-01-01 to a date.",
        example: "SELECT unix_date(DATE'2024-02-29')",
        ..SCALAR
    },
];

fn sum_type(inputs: &Inputs<'_>) -> Result<DataType> {
    Ok(inputs.types.get(2).cloned().unwrap_or(DataType::Date32))
}

fn moved(call: &Call<'_>, moved: fn(i32, i32) -> Option<i32>) -> Result<ArrayRef> {
    let (dates, counts) = (
        call.primitive::<Date32Type>(0)?,
        call.primitive::<Int32Type>(1)?,
    );
    column::<Date32Type>(call, |row| {
        let Some((days, count)) = at(dates, row).zip(at(counts, row)) else {
            return Ok(None);
        };
        moved(days, count).map(Some).ok_or_else(|| overflow(call))
    })
}

fn days_between(call: &Call<'_>) -> Result<ArrayRef> {
    let (ends, starts) = (
        call.primitive::<Date32Type>(0)?,
        call.primitive::<Date32Type>(1)?,
    );
    column::<Int32Type>(call, |row| {
        let pair = at(ends, row).zip(at(starts, row));
        Ok(pair.map(|(end, start)| end.wrapping_sub(start)))
    })
}

fn last_days(call: &Call<'_>) -> Result<ArrayRef> {
    let dates = call.primitive::<Date32Type>(0)?;
    column::<Date32Type>(call, |row| {
        let date = at(dates, row).and_then(date_of);
        Ok(date.and_then(last_day_of_month).map(days_of))
    })
}

fn next_days(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, names) = (call.primitive::<Date32Type>(0)?, call.text(1)?);
    column::<Date32Type>(call, |row| {
        let date = at(dates, row).and_then(date_of);
        let Some((date, name)) = date.zip(text_at(names, row)) else {
            return Ok(None);
        };
        let ahead = weekday(name)?.days_since(date.weekday());
        let ahead = if ahead == 0 { 7 } else { ahead };
        Ok(date.checked_add_days(Days::new(ahead.into())).map(days_of))
    })
}

/// A day of the week by its name or the first two or three letters of it.
fn weekday(name: &str) -> Result<Weekday> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "MO" | "MON" | "MONDAY" => Weekday::Mon,
        "TU" | "TUE" | "TUESDAY" => Weekday::Tue,
        "WE" | "WED" | "WEDNESDAY" => Weekday::Wed,
        "TH" | "THU" | "THURSDAY" => Weekday::Thu,
        "FR" | "FRI" | "FRIDAY" => Weekday::Fri,
        "SA" | "SAT" | "SATURDAY" => Weekday::Sat,
        "SU" | "SUN" | "SUNDAY" => Weekday::Sun,
        _ => {
            return Err(
                Error::illegal_argument(format!("'{name}' is no day of the week"))
                    .with_condition("ILLEGAL_DAY_OF_WEEK")
                    .with_hint("write it like 'MO', 'MON' or 'MONDAY'"),
            );
        }
    })
}

fn made(call: &Call<'_>) -> Result<ArrayRef> {
    let [years, months, days] = call.primitives::<Int32Type, _>()?;
    column::<Date32Type>(call, |row| {
        let parts = at(years, row).zip(at(months, row)).zip(at(days, row));
        let Some(((year, month), day)) = parts else {
            return Ok(None);
        };
        let part = |part: i32| u32::try_from(part).ok();
        let date = part(month)
            .zip(part(day))
            .and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
        date.map(days_of).map(Some).ok_or_else(|| {
            Error::runtime(format!("{year}-{month}-{day} is no date"))
                .with_condition("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION")
                .with_hint("check year, month (1 to 12) and day")
        })
    })
}
