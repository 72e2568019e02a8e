//! Dates and timestamps from text, as Spark reads them: by the rules of its casts, or by a pattern,
//! which also writes them.

mod formats;
mod interval_text;
mod pattern;
mod scanner;
mod shift;
mod text;
mod time_of_day;
mod zone;

use chrono::{Datelike, NaiveDate};

pub(crate) use formats::TimeFormats;
pub(crate) use interval_text::{calendar_text, day_time_text, year_month_text};
pub(crate) use interval_text::{read_calendar, read_day_time, read_days, read_year_month};
pub(crate) use pattern::DateTimePattern;
pub(crate) use shift::{Shift, add_months, date_of, days_of, last_day_of_month, local_time};
pub(crate) use text::parse_timestamp_ntz;
pub(crate) use text::{parse_date, parse_local_timestamp, parse_time_of_day, parse_timestamp};
pub(crate) use time_of_day::{read_time, time_text};
pub(crate) use zone::Zone;

/// The time zone that columns of the type TIMESTAMP carry.
pub(crate) const TIME_ZONE: &str = "UTC";

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_TO_1970: i32 = 719_163;

/// Microseconds of a day that no change of clocks makes longer or shorter.
pub(crate) const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

/// Days since 1970 of a day of the calendar.
fn days_since_1970(year: i32, month: u32, day: u32) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(date.num_days_from_ce() - DAYS_TO_1970)
}

/// Digits behind a point as microseconds; the seventh and later do not count.
fn fraction_micros(digits: &[u8]) -> i64 {
    let counted = digits.get(..6).unwrap_or(digits);
    let number = counted
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    number * 10_i64.pow(6 - counted.len() as u32)
}
