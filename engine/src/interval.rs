//! Lengths of time as texts: the delay of a watermark, the length of a window, the pause between
//! batches. Spark's notation and no other, so that a query runs on a cluster as well; what no query
//! holds may be short.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// Spark counts so many days a month where a month must have a length.
const DAYS_PER_MONTH: i64 = 31;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A length of time; months have none of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Interval {
    months: i64,
    micros: i64,
}

impl Interval {
    /// Microseconds, a month with 31 days: the delay of a watermark.
    pub(crate) fn micros(self) -> Result<i64> {
        let months = self.months.checked_mul(DAYS_PER_MONTH * MICROS_PER_DAY);
        let total = months.and_then(|months| months.checked_add(self.micros));
        total.ok_or_else(|| Error::illegal_argument("an interval is longer than 292,000 years"))
    }

    /// Microseconds; refuses months, for windows and triggers. Spark has no condition for it.
    pub(crate) fn fixed_micros(self) -> Result<i64> {
        if self.months == 0 {
            return Ok(self.micros);
        }
        let message = "a month or a year has no fixed length, so it cannot measure time here";
        Err(Error::illegal_argument(message).with_hint("write it in days: '30 days'"))
    }
}

/// A length of time that is no longer or shorter from month to month, and not negative.
///
/// # Errors
/// If it is anything else.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let micros = parse_interval(text)?.fixed_micros()?;
    let micros = u64::try_from(micros);
    micros.map(Duration::from_micros).map_err(|_| {
        Error::illegal_argument(format!("'{text}' is negative"))
            .with_hint("write it without the minus")
    })
}

/// A length of time as [`parse_duration`] reads it in any case of letters, or short: `30s`, `500ms`, `1m30s`.
///
/// # Errors
/// If it is neither.
pub fn parse_any_duration(text: &str) -> Result<Duration> {
    let lower = text.to_lowercase();
    match parse_short(&lower) {
        Some(duration) => Ok(duration),
        None => parse_duration(&lower),
    }
}

/// `10s`, `500ms`, `1m30s`. `None` if it is anything else.
pub(crate) fn parse_short(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok()
}

/// The interval of a trigger, in Spark's words.
///
/// # Errors
/// If it is no interval, negative, or of months.
pub(crate) fn parse_trigger(text: &str) -> Result<Duration> {
    let micros = parse(text, |condition| condition)?.fixed_micros()?;
    let micros = u64::try_from(micros);
    micros.map(Duration::from_micros).map_err(|_| {
        let message = "requirement failed: the interval of trigger should not be negative";
        Error::illegal_argument(format!("{message}: '{text}'"))
            .with_hint("write it without the minus")
    })
}

/// Parses a time as options of sources have it: `10s`, `500ms`, `5m`; a bare number is milliseconds.
/// `None` if it is anything else.
pub(crate) fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    match text.parse() {
        Ok(millis) => Some(Duration::from_millis(millis)),
        Err(_) => parse_short(&text),
    }
}

/// Parses `10 minutes`, `1 hour 30 minutes`, `-0.5 seconds`, `interval 5 seconds`.
pub(crate) fn parse_interval(text: &str) -> Result<Interval> {
    parse(text, |_| "CANNOT_PARSE_INTERVAL")
        .map_err(|error| error.with_parameter("intervalString", format!("'{text}'")))
}

/// The same; `condition` makes Spark's condition from the one that says what is wrong.
fn parse(text: &str, condition: fn(&'static str) -> &'static str) -> Result<Interval> {
    let wrong = |what: &'static str, why: String| {
        Error::new(
            ErrorKind::Parse,
            format!("'{text}' is not an interval: {why}"),
        )
        .with_condition(condition(what))
        .with_hint("write it like '10 minutes', '1 hour 30 minutes' or '500 milliseconds'")
    };
    let lower = text.trim().to_ascii_lowercase();
    let mut words = lower.split_whitespace().peekable();
    words.next_if_eq(&"interval");
    if words.peek().is_none() {
        return Err(wrong(
            "INVALID_INTERVAL_FORMAT.INPUT_IS_EMPTY",
            "it is empty".into(),
        ));
    }
    let mut total = Interval::default();
    while let Some(number) = words.next() {
        let count = micro_units(number).ok_or_else(|| {
            let condition = "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER";
            wrong(condition, format!("'{number}' is not a number"))
        })?;
        let unit = words.next().ok_or_else(|| {
            let condition = "INVALID_INTERVAL_FORMAT.MISSING_UNIT";
            wrong(condition, format!("there is no unit behind '{number}'"))
        })?;
        let (months, micros) = match unit.strip_suffix('s').unwrap_or(unit) {
            "year" => (12, 0),
            "month" => (1, 0),
            "week" => (0, 7 * MICROS_PER_DAY),
            "day" => (0, MICROS_PER_DAY),
            "hour" => (0, 3_600_000_000),
            "minute" => (0, 60_000_000),
            "second" => (0, 1_000_000),
            "millisecond" => (0, 1_000),
            "microsecond" => (0, 1),
            _ => {
                return Err(wrong(
                    "INVALID_INTERVAL_FORMAT.INVALID_UNIT",
                    format!("'{unit}' is not a unit of time"),
                ));
            }
        };
        if number.contains('.') && micros != 1_000_000 {
            return Err(wrong(
                "INVALID_INTERVAL_FORMAT.INVALID_FRACTION",
                format!("only seconds can have a fraction, not {unit}"),
            ));
        }
        let add = |total: i64, unit: i64| {
            let part = i128::from(total) + count * i128::from(unit) / 1_000_000;
            let condition = "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION";
            i64::try_from(part).map_err(|_| wrong(condition, "it is too long".into()))
        };
        total = Interval {
            months: add(total.months, months)?,
            micros: add(total.micros, micros)?,
        };
    }
    Ok(total)
}

/// A decimal number in millionths.
fn micro_units(number: &str) -> Option<i128> {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let whole: i64 = match whole {
        "" => 0,
        whole => whole.parse().ok()?,
    };
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let fraction: i128 = format!("{fraction:0<6}").parse().ok()?;
    Some(sign * (i128::from(whole) * 1_000_000 + fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_spark_reads_them() {
        for (text, micros) in [
            ("10 minutes", 600_000_000),
            ("1 hour 30 minutes", 5_400_000_000),
            (" INTERVAL 5 Seconds", 5_000_000),
            ("0.5 seconds", 500_000),
            ("-1.25 second 1 microsecond", -1_249_999),
            ("1 week", 604_800_000_000),
            ("0 days", 0),
        ] {
            let interval = parse_interval(text).unwrap();
            assert_eq!(interval.micros().unwrap(), micros, "{text}");
            assert_eq!(interval.fixed_micros().unwrap(), micros, "{text}");
        }
        let month = parse_interval("1 month 1 day").unwrap();
        assert_eq!(month.micros().unwrap(), 32 * MICROS_PER_DAY);
        assert!(month.fixed_micros().is_err());
    }

    #[test]
    fn what_spark_refuses() {
        for (text, why) in [
            ("", "it is empty"),
            ("interval", "it is empty"),
            ("10", "no unit behind '10'"),
            ("10m", "'10m' is not a number"),
            ("10 min", "'min' is not a unit"),
            ("5 minuts", "'minuts' is not a unit"),
            ("ten minutes", "'ten' is not a number"),
            ("0.5 hours", "only seconds can have a fraction"),
            ("9223372036854775807 microseconds 1 second", "too long"),
            (". seconds", "'.' is not a number"),
        ] {
            let error = parse_interval(text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert_eq!(error.condition(), Some("CANNOT_PARSE_INTERVAL"));
            let trigger = parse_trigger(text).unwrap_err();
            assert_eq!(trigger.message(), error.message());
            let condition = trigger.condition().unwrap();
            assert!(condition.starts_with("INVALID_INTERVAL_FORMAT."), "{text}");
        }
    }
}
