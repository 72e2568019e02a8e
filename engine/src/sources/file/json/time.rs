//! Dates and timestamps from text, by the rules of Spark's casts.
//!
//! A date is `2024`, `2024-5` or `2024-05-01`. A timestamp may go on, after a space or `T`, with
//! `7`, `7:5` or `07:05:09`, a fraction of which six digits count, and a zone: `Z`, `+02:00`,
//! `UTC+2`, `Europe/Berlin`. A time without a date is not accepted, unlike in Spark.

use std::ops::Range;
use std::str::FromStr;

use arrow::array::timezone::Tz;
use chrono::{
    DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone,
};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const DAYS_TO_1970: i32 = 719_163;

/// Where texts without a zone are from.
#[derive(Debug, Clone, Copy)]
pub enum Zone {
    /// So many seconds east of Greenwich.
    Fixed(i64),
    /// A zone whose distance changes over the year.
    Region(Tz),
}

impl Zone {
    /// Greenwich.
    pub const UTC: Self = Self::Fixed(0);

    /// Microseconds since 1970 of a local time in this zone. A time that a change of clocks
    /// repeats is the first of the two; one that it leaves out counts from before the change.
    fn to_utc(self, local: i64) -> Option<i64> {
        let seconds = match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(zone) => {
                let local = DateTime::from_timestamp_micros(local)?.naive_utc();
                offset_at(&zone, local)?
            }
        };
        local.checked_sub(seconds * MICROS_PER_SECOND)
    }
}

impl FromStr for Zone {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let distance = ["UTC", "GMT", "UT", ""]
            .into_iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .unwrap_or(text);
        match distance.as_bytes() {
            [] if text.is_empty() => Err(()),
            [] | b"Z" | b"z" => Ok(Self::UTC),
            [b'+' | b'-', ..] => fixed_offset(distance).map(Self::Fixed).ok_or(()),
            _ => text.parse().map(Self::Region).map_err(|_| ()),
        }
    }
}

/// Days since 1970.
pub fn parse_date(text: &str) -> Option<i32> {
    let mut scanner = Scanner::new(text);
    let days = scanner.date()?;
    matches!(scanner.rest.as_bytes(), [] | [b' ' | b'T', ..]).then_some(days)
}

/// Microseconds since 1970; a text without a zone is from `zone`.
pub fn parse_timestamp(text: &str, zone: Zone) -> Option<i64> {
    if let Some((local, is_utc)) = parse_usual(text.as_bytes()) {
        return if is_utc {
            Some(local)
        } else {
            zone.to_utc(local)
        };
    }
    let mut scanner = Scanner::new(text);
    let local = scanner.local_micros()?;
    let zone = match scanner.rest.trim() {
        "" => zone,
        text => text.parse().ok()?,
    };
    zone.to_utc(local)
}

/// Microseconds since 1970 of a time that belongs to no zone, and must name none.
pub fn parse_timestamp_ntz(text: &str) -> Option<i64> {
    let mut scanner = Scanner::new(text);
    let local = scanner.local_micros()?;
    scanner.rest.is_empty().then_some(local)
}

/// The form nearly all timestamps have, `2024-01-02T03:04:05[.678][Z]`, without detours: the local
/// time, and whether it is that of Greenwich.
fn parse_usual(text: &[u8]) -> Option<(i64, bool)> {
    let (fixed, rest) = text.split_first_chunk::<19>()?;
    let number = |range: Range<usize>| {
        fixed[range].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let marks = [fixed[4], fixed[7], fixed[13], fixed[16]];
    if &marks != b"--::" || !matches!(fixed[10], b'T' | b' ') {
        return None;
    }
    let days = days(number(0..4)? as i32, number(5..7)?, number(8..10)?)?;
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut micros = 0;
    let mut rest = rest;
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        micros = fraction_micros(&fraction[..digits]);
        rest = &fraction[digits..];
    }
    let seconds = i64::from(days) * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second);
    let local = seconds * MICROS_PER_SECOND + micros;
    match rest {
        [] => Some((local, false)),
        [b'Z'] => Some((local, true)),
        _ => None,
    }
}

/// Days since 1970 of a day of the calendar.
fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    Some(date.num_days_from_ce() - DAYS_TO_1970)
}

/// Digits behind a point as microseconds; the seventh and later do not count.
fn fraction_micros(digits: &[u8]) -> i64 {
    let counted = &digits[..digits.len().min(6)];
    let number = counted
        .iter()
        .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    number * 10_i64.pow(6 - counted.len() as u32)
}

struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.trim() }
    }

    fn date(&mut self) -> Option<i32> {
        let negative = self.eat(b'-');
        if !negative {
            self.eat(b'+');
        }
        let year = self.digits(4, 6)? as i32;
        let month = if self.eat(b'-') {
            self.digits(1, 2)?
        } else {
            1
        };
        // Without a month there is no day to come.
        let day = if self.eat(b'-') {
            self.digits(1, 2)?
        } else {
            1
        };
        let year = if negative { -year } else { year };
        days(year, month, day)
    }

    fn local_micros(&mut self) -> Option<i64> {
        let days = self.date()?;
        let of_day = match self.eat(b'T') || self.eat(b' ') {
            true => self.time()?,
            false if self.rest.is_empty() => 0,
            false => return None,
        };
        let midnight = i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND;
        Some(midnight + of_day)
    }

    fn time(&mut self) -> Option<i64> {
        let hour = self.digits(1, 2).filter(|hour| *hour < 24)?;
        let mut minute = 0;
        let mut second = 0;
        let mut micros = 0;
        if self.eat(b':') {
            minute = self.digits(1, 2).filter(|minute| *minute < 60)?;
            if self.eat(b':') {
                second = self.digits(1, 2).filter(|second| *second < 60)?;
                if self.eat(b'.') {
                    micros = self.fraction();
                }
            }
        }
        let seconds = i64::from(hour * 3600 + minute * 60 + second);
        Some(seconds * MICROS_PER_SECOND + micros)
    }

    fn fraction(&mut self) -> i64 {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, rest) = self.rest.split_at(digits);
        self.rest = rest;
        fraction_micros(fraction.as_bytes())
    }

    fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let bytes = self.rest.as_bytes();
        let mut value = 0;
        let mut count = 0;
        while let Some(digit) = bytes.get(count).filter(|byte| byte.is_ascii_digit()) {
            count += 1;
            if count > max {
                return None;
            }
            value = value * 10 + u32::from(digit - b'0');
        }
        self.rest = &self.rest[count..];
        (count >= min).then_some(value)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.as_bytes().first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }
}

/// `+2`, `+02:00`, `-0330`, `+02:00:30` in seconds.
fn fixed_offset(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let mut scanner = Scanner { rest: &text[1..] };
    let plain = scanner.rest.len() == 4 && !scanner.rest.contains(':');
    let (hours, minutes, seconds) = if plain {
        let value = scanner.digits(4, 4)?;
        (value / 100, value % 100, 0)
    } else {
        let hours = scanner.digits(1, 2)?;
        let minutes = if scanner.eat(b':') {
            scanner.digits(1, 2)?
        } else {
            0
        };
        let seconds = if scanner.eat(b':') {
            scanner.digits(1, 2)?
        } else {
            0
        };
        (hours, minutes, seconds)
    };
    let valid = scanner.rest.is_empty() && hours <= 18 && minutes < 60 && seconds < 60;
    let distance = i64::from(hours * 3600 + minutes * 60 + seconds);
    valid.then_some(if negative { -distance } else { distance })
}

fn offset_at(zone: &Tz, local: NaiveDateTime) -> Option<i64> {
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        LocalResult::None => {
            let before = local - Duration::hours(3);
            zone.offset_from_local_datetime(&before).earliest()?
        }
    };
    Some(i64::from(offset.fix().local_minus_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(micros: Option<i64>) -> Option<String> {
        let time = DateTime::from_timestamp_micros(micros?)?;
        Some(time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
    }

    #[test]
    fn timestamps_as_spark_casts_them() {
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", "2024-01-02 03:04:05.000000"),
            (
                "2024-01-02 03:04:05.123456789",
                "2024-01-02 03:04:05.123456",
            ),
            ("2024-01-02 03:04:05.5+02:00", "2024-01-02 01:04:05.500000"),
            ("2024-1-2T3:4", "2024-01-02 03:04:00.000000"),
            ("2024-01-02T03:04:05 UTC-3", "2024-01-02 06:04:05.000000"),
            (
                "2024-07-02T00:00:00 Europe/Berlin",
                "2024-07-01 22:00:00.000000",
            ),
            (" 2024-02 ", "2024-02-01 00:00:00.000000"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31 23:59:59.999999"),
        ] {
            let parsed = iso(parse_timestamp(text, Zone::UTC));
            assert_eq!(parsed.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "x",
            "2024-13-01",
            "2024-02-30",
            "2024-01-01T25:00:00",
            "24-01-01",
            "2024-01-01T00:00:00 Nowhere/City",
            "2024-01-01T00:00:00+25:00",
            "2024-01-01x",
        ] {
            assert_eq!(parse_timestamp(text, Zone::UTC), None, "{text}");
        }
    }

    #[test]
    fn the_zone_of_the_session_counts_where_the_text_has_none() {
        let new_york: Zone = "America/New_York".parse().unwrap();
        for (text, expected) in [
            ("2013-01-01 05:15:00", "2013-01-01 10:15:00.000000"),
            ("2013-07-01 05:15:00", "2013-07-01 09:15:00.000000"),
            // Left out by the change of clocks, and repeated by it.
            ("2013-03-10 02:30:00", "2013-03-10 07:30:00.000000"),
            ("2013-11-03 01:30:00", "2013-11-03 05:30:00.000000"),
        ] {
            let parsed = iso(parse_timestamp(text, new_york));
            assert_eq!(parsed.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_and_zoneless_timestamps() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("1969-12-31T10:00:00"), Some(-1));
        assert_eq!(parse_date("1970-01-02x"), None);
        assert_eq!(parse_timestamp_ntz("1970-01-01T00:00:01"), Some(1_000_000));
        assert_eq!(parse_timestamp_ntz("1970-01-01T00:00:01Z"), None);
    }
}
