//! A point in time, as Spark's `TIMESTAMP` knows it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Microseconds since 1970-01-01 00:00:00 UTC. Shown, and written to JSON, as ISO 8601 in UTC; read
/// from that, with or without an offset, or from microseconds.
///
/// ```
/// use tidebook::prelude::*;
///
/// let time: Timestamp = "2026-01-01T12:00:00.250Z".parse()?;
/// assert_eq!(time.micros() % 1_000_000, 250_000);
/// assert_eq!(time.to_string(), "2026-01-01T12:00:00.25Z");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(MICROS_PER_SECOND);
        let (year, month, day) = date_of(seconds.div_euclid(SECONDS_PER_DAY));
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match self.0.rem_euclid(MICROS_PER_SECOND) {
            0 => f.write_str("Z"),
            micros => write!(f, ".{}Z", format!("{micros:06}").trim_end_matches('0')),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        parse(text.trim()).ok_or_else(|| {
            Error::new(format!("'{text}' is not a timestamp"))
                .with_hint("write it as 2026-01-01T12:00:00Z")
        })
    }
}

/// `YYYY-MM-DD[(T| )hh:mm[:ss[.f]]][Z|±hh[:mm]]`.
fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_at_checked(10)? {
        (date, "") => (date, "00:00"),
        (date, rest) => (date, rest.strip_prefix(['T', ' '])?),
    };
    let offset_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, offset) = time.split_at_checked(offset_at)?;
    let offset = offset_seconds(offset)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':');
    let (hour, minute) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?);
    let second = parts.next().map_or(Some(0), |part| number(part, 59))?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{:0<6}", fraction).get(..6)?.parse().ok()?;
    let seconds = parse_date(date)? * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some(Timestamp((seconds - offset) * MICROS_PER_SECOND + micros))
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 9999)?;
    let (month, day) = (number(parts.next()?, 12)?, number(parts.next()?, 31)?);
    let days = days_of(year, month, day);
    (parts.next().is_none() && date_of(days) == (year, month, day)).then_some(days)
}

/// Year, month and day of a day since 1970, in the Gregorian calendar.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last of a year, and 400 years are one
    // period.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z") {
        return Some(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    Some(sign * (number(hours, 18)? * 3600 + number(minutes, 59)? * 60))
}

fn number(text: &str, most: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (number <= most).then_some(number)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp in ISO 8601 or microseconds since 1970")
    }

    fn visit_i64<E: de::Error>(self, micros: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(micros))
    }

    fn visit_u64<E: de::Error>(self, micros: u64) -> Result<Timestamp, E> {
        i64::try_from(micros).map(Timestamp).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse()
            .map_err(|error: Error| E::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    fn check(text: &str, micros: i64, shown: &str) {
        let time: Timestamp = text.parse().unwrap();
        assert_eq!(time.micros(), micros, "{text}");
        assert_eq!(time.to_string(), shown);
    }

    #[test]
    fn reads_and_writes_iso_8601() {
        check("1970-01-01", 0, "1970-01-01T00:00:00Z");
        check(
            "1969-12-31T23:59:59.999999Z",
            -1,
            "1969-12-31T23:59:59.999999Z",
        );
        check(
            "2024-02-29 12:30",
            1_709_209_800_000_000,
            "2024-02-29T12:30:00Z",
        );
        check(
            "2024-02-29T12:30:00.5+02:00",
            1_709_202_600_500_000,
            "2024-02-29T10:30:00.5Z",
        );
        check(
            "1970-01-01 00:00-0130",
            5_400_000_000,
            "1970-01-01T01:30:00Z",
        );
        check("1970-01-01 05:00+05", 0, "1970-01-01T00:00:00Z");
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2024-02-30",
            "2024-13-01",
            "2024-01-01T25:00",
            "12:00:00",
            "2024-01-01TZ",
            "2024-01-01T12:00+aé1",
            "2024-01-01T12:00+é",
            "2024-01-01T12:00é",
            "2024-01-01T12:00ZZ",
            "2024-01-01T12:00+01:",
            "2024-01-0é",
            "é",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_is_a_string_or_micros() {
        let time: Timestamp = serde_json::from_str("1500000").unwrap();
        assert_eq!(
            serde_json::to_string(&time).unwrap(),
            r#""1970-01-01T00:00:01.5Z""#
        );
        let text: Timestamp = serde_json::from_str(r#""1970-01-01T00:00:01.5Z""#).unwrap();
        assert_eq!(text, time);
    }
}
