//! Dates and timestamps from text, by the rules of Spark's casts.
//!
//! A date is `2024`, `2024-5` or `2024-05-01`. A timestamp may go on, after a space or `T`, with
//! `7`, `7:5` or `07:05:09`, a fraction of which six digits count, and a zone: `Z`, `+02:00`,
//! `UTC+2`, `Europe/Berlin`. A time without a date is not accepted: in Spark it is a time of the
//! day on which the text is read, so that reading it again gives something else.

use std::ops::Range;

use super::scanner::Scanner;
use super::zone::Zone;
use super::{MICROS_PER_SECOND, SECONDS_PER_DAY, days_since_1970, fraction_micros};

/// Days since 1970.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let mut scanner = Scanner::new(text.trim());
    let days = scan_date(&mut scanner)?;
    matches!(scanner.rest.as_bytes(), [] | [b' ' | b'T', ..]).then_some(days)
}

/// Microseconds since 1970; a text without a zone is from `zone`.
pub(crate) fn parse_timestamp(text: &str, zone: Zone) -> Option<i64> {
    if let Some((local, is_utc)) = parse_usual(text.as_bytes()) {
        return if is_utc {
            Some(local)
        } else {
            zone.to_utc(local)
        };
    }
    let mut scanner = Scanner::new(text.trim());
    let local = scan_local_micros(&mut scanner)?;
    let zone = match scanner.rest.trim() {
        "" => zone,
        text => text.parse().ok()?,
    };
    zone.to_utc(local)
}

/// The same; a time without a date is of the day `today`, in days since 1970.
pub(crate) fn parse_time_of_day(text: &str, zone: Zone, today: i32) -> Option<i64> {
    let text = text.trim();
    let mut scanner = Scanner::new(text.strip_prefix('T').unwrap_or(text));
    if !scanner.rest.get(..3)?.contains(':') {
        return None;
    }
    let of_day = scan_time(&mut scanner)?;
    let zone = match scanner.rest.trim() {
        "" => zone,
        text => text.parse().ok()?,
    };
    zone.to_utc(i64::from(today) * SECONDS_PER_DAY * MICROS_PER_SECOND + of_day)
}

/// Microseconds since 1970 of the local time that a text names, whatever its zone.
pub(crate) fn parse_local_timestamp(text: &str) -> Option<i64> {
    let mut scanner = Scanner::new(text.trim());
    let local = scan_local_micros(&mut scanner)?;
    match scanner.rest.trim() {
        "" => Some(local),
        zone => zone.parse::<Zone>().ok().map(|_| local),
    }
}

/// Microseconds since 1970 of a time that belongs to no zone, and must name none.
pub(crate) fn parse_timestamp_ntz(text: &str) -> Option<i64> {
    let mut scanner = Scanner::new(text.trim());
    let local = scan_local_micros(&mut scanner)?;
    scanner.rest.is_empty().then_some(local)
}

/// The form nearly all timestamps have, `2024-01-02T03:04:05[.678][Z]`, without detours: the local
/// time, and whether it is that of Greenwich.
fn parse_usual(text: &[u8]) -> Option<(i64, bool)> {
    let (fixed, rest) = text.split_first_chunk::<19>()?;
    let number = |range: Range<usize>| {
        fixed.get(range)?.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + u32::from(byte - b'0'))
        })
    };
    let marks = [fixed[4], fixed[7], fixed[13], fixed[16]];
    if &marks != b"--::" || !matches!(fixed[10], b'T' | b' ') {
        return None;
    }
    let days = days_since_1970(number(0..4)? as i32, number(5..7)?, number(8..10)?)?;
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
        let (digits, behind) = fraction.split_at_checked(digits)?;
        micros = fraction_micros(digits);
        rest = behind;
    }
    let seconds = i64::from(days) * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second);
    let local = seconds * MICROS_PER_SECOND + micros;
    match rest {
        [] => Some((local, false)),
        [b'Z'] => Some((local, true)),
        _ => None,
    }
}

fn scan_date(scanner: &mut Scanner<'_>) -> Option<i32> {
    let negative = scanner.eat(b'-');
    if !negative {
        scanner.eat(b'+');
    }
    let year = scanner.digits(4, 6)? as i32;
    let month = if scanner.eat(b'-') {
        scanner.digits(1, 2)?
    } else {
        1
    };
    // Without a month there is no day to come.
    let day = if scanner.eat(b'-') {
        scanner.digits(1, 2)?
    } else {
        1
    };
    let year = if negative { -year } else { year };
    days_since_1970(year, month, day)
}

fn scan_local_micros(scanner: &mut Scanner<'_>) -> Option<i64> {
    let days = scan_date(scanner)?;
    let of_day = match scanner.eat(b'T') || scanner.eat(b' ') {
        true => scan_time(scanner)?,
        false if scanner.rest.is_empty() => 0,
        false => return None,
    };
    let midnight = i64::from(days) * SECONDS_PER_DAY * MICROS_PER_SECOND;
    Some(midnight + of_day)
}

pub(super) fn scan_time(scanner: &mut Scanner<'_>) -> Option<i64> {
    let hour = scanner.digits(1, 2).filter(|hour| *hour < 24)?;
    let mut minute = 0;
    let mut second = 0;
    let mut micros = 0;
    if scanner.eat(b':') {
        minute = scanner.digits(1, 2).filter(|minute| *minute < 60)?;
        if scanner.eat(b':') {
            second = scanner.digits(1, 2).filter(|second| *second < 60)?;
            if scanner.eat(b'.') {
                micros = fraction_micros(scanner.run_of_digits(usize::MAX).as_bytes());
            }
        }
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * MICROS_PER_SECOND + micros)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

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
