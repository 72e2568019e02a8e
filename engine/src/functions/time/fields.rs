//! Fields of dates and times: `year`, `hour`, `dayname`.

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Int32Type};
use chrono::{Datelike, NaiveDate};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::local::{at, column, local, texts};
use crate::datetime::date_of;
use crate::error::Result;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A field of a date.
const OF_DATE: Scalar = Scalar {
    forms: &[&[Takes::Date]],
    returns: Returns::Int,
    ..SCALAR
};

/// A field of a time of the day.
const OF_TIME: Scalar = Scalar {
    forms: &[&[Takes::Time], &[Takes::TimeOfDay]],
    returns: Returns::Int,
    ..SCALAR
};

/// The functions.
pub(super) const FIELDS: &[Scalar] = &[
    Scalar {
        name: "year",
        call: |call| of_date(call, |date| date.year()),
        doc: "The year of a date.",
        example: "SELECT year(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "quarter",
        call: |call| of_date(call, |date| date.month0() as i32 / 3 + 1),
        doc: "The quarter of a date's year, from 1 to 4.",
        example: "SELECT quarter(DATE'2024-08-31')",
        ..OF_DATE
    },
    Scalar {
        name: "month",
        call: |call| of_date(call, |date| date.month() as i32),
        doc: "The month of a date, from 1 to 12.",
        example: "SELECT month(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "day",
        aliases: &["dayofmonth"],
        call: |call| of_date(call, |date| date.day() as i32),
        doc: "The day of a date's month, from 1 on.",
        example: "SELECT day(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "dayofyear",
        call: |call| of_date(call, |date| date.ordinal() as i32),
        doc: "The day of a date's year, from 1 on.",
        example: "SELECT dayofyear(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "dayofweek",
        call: |call| of_date(call, |date| date.weekday().number_from_sunday() as i32),
        doc: "The day of a date's week, from 1 for Sunday to 7 for Saturday.",
        example: "SELECT dayofweek(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "weekday",
        call: |call| of_date(call, |date| date.weekday().num_days_from_monday() as i32),
        doc: "The day of a date's week, from 0 for Monday to 6 for Sunday.",
        example: "SELECT weekday(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "weekofyear",
        call: |call| of_date(call, |date| date.iso_week().week() as i32),
        doc: "The week of a date's year: weeks begin on Monday, the first has more than three days.",
        example: "SELECT weekofyear(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "dayname",
        returns: Returns::Text,
        call: |call| name_of_date(call, "%a"),
        doc: "The first three letters of the name of a date's day.",
        example: "SELECT dayname(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "monthname",
        returns: Returns::Text,
        call: |call| name_of_date(call, "%b"),
        doc: "The first three letters of the name of a date's month.",
        example: "SELECT monthname(DATE'2024-02-29')",
        ..OF_DATE
    },
    Scalar {
        name: "hour",
        call: |call| of_time(call, 3_600, 24),
        doc: "The hour of a time, from 0 to 23.",
        example: "SELECT hour(TIMESTAMP'2024-02-29 12:58:59')",
        ..OF_TIME
    },
    Scalar {
        name: "minute",
        call: |call| of_time(call, 60, 60),
        doc: "The minute of a time, from 0 to 59.",
        example: "SELECT minute(TIMESTAMP'2024-02-29 12:58:59')",
        ..OF_TIME
    },
    Scalar {
        name: "second",
        call: |call| of_time(call, 1, 60),
        doc: "The second of a time, from 0 to 59.",
        example: "SELECT second(TIMESTAMP'2024-02-29 12:58:59')",
        ..OF_TIME
    },
];

fn of_date(call: &Call<'_>, field: fn(NaiveDate) -> i32) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0)?;
    column::<Int32Type>(call, |row| Ok(at(days, row).and_then(date_of).map(field)))
}

fn name_of_date(call: &Call<'_>, pattern: &str) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0)?;
    texts(call, |row| {
        let date = at(days, row).and_then(date_of);
        Ok(date.map(|date| date.format(pattern).to_string()))
    })
}

/// A unit of so many seconds, of which so many make the next.
fn of_time(call: &Call<'_>, seconds: i64, count: i64) -> Result<ArrayRef> {
    let times = local(call, 0)?;
    column::<Int32Type>(call, |row| {
        let units = |local: i64| local.div_euclid(seconds * MICROS_PER_SECOND);
        Ok(at(&times, row).map(|local| units(local).rem_euclid(count) as i32))
    })
}
