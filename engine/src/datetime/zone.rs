//! Time zones by name or distance: `UTC`, `+02:00`, `GMT-3`, `Europe/Berlin`.

use std::fmt;
use std::str::FromStr;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Days, LocalResult, NaiveDateTime, Offset, TimeZone};

use super::MICROS_PER_SECOND;
use super::scanner::Scanner;

/// Where texts without a zone are from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Zone {
    /// So many seconds east of Greenwich.
    Fixed(i64),
    /// A zone whose distance changes over the year.
    Region(Tz),
}

impl Zone {
    /// Greenwich.
    pub(crate) const UTC: Self = Self::Fixed(0);

    /// Microseconds since 1970 of a local time in this zone. A time that a change of clocks
    /// repeats is the first of the two; one that it leaves out counts from before the change.
    pub(crate) fn to_utc(self, local: i64) -> Option<i64> {
        let seconds = match self {
            Self::Fixed(seconds) => seconds,
            Self::Region(zone) => {
                let local = DateTime::from_timestamp_micros(local)?.naive_utc();
                offset_at(&zone, local)?
            }
        };
        local.checked_sub(seconds * MICROS_PER_SECOND)
    }

    /// The local time of a moment in microseconds since 1970.
    pub(crate) fn to_local(self, utc: i64) -> Option<i64> {
        utc.checked_add(self.offset(utc)? * MICROS_PER_SECOND)
    }

    /// How many seconds east of Greenwich clocks are at a moment.
    pub(crate) fn offset(self, utc: i64) -> Option<i64> {
        match self {
            Self::Fixed(seconds) => Some(seconds),
            Self::Region(zone) => {
                let utc = DateTime::from_timestamp_micros(utc)?.naive_utc();
                Some(distance(&zone.offset_from_utc_datetime(&utc)))
            }
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => f.write_str("UTC"),
            Self::Fixed(seconds) => f.write_str(&offset_text(*seconds, true, true)),
            Self::Region(zone) => zone.fmt(f),
        }
    }
}

/// A distance from Greenwich as text; seconds only where there are some.
pub(super) fn offset_text(seconds: i64, colons: bool, minutes: bool) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let colon = if colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}", seconds / 3_600);
    if minutes || seconds % 3_600 != 0 {
        text.push_str(&format!("{colon}{:02}", seconds / 60 % 60));
    }
    if seconds % 60 != 0 {
        text.push_str(&format!("{colon}{:02}", seconds % 60));
    }
    text
}

/// Java's short names of zones.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

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
            _ => match SHORT_NAMES.iter().find(|(short, _)| *short == text) {
                Some((_, zone)) => zone.parse(),
                None => text.parse().map(Self::Region).map_err(|_| ()),
            },
        }
    }
}

/// `+2`, `+02:00`, `-0330`, `+02:00:30` in seconds.
pub(super) fn fixed_offset(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let mut scanner = Scanner::new(&text[1..]);
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

/// A local time that clocks leave out has the distance of the time before the change.
fn offset_at(zone: &Tz, local: NaiveDateTime) -> Option<i64> {
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        LocalResult::None => zone.offset_from_utc_datetime(&local.checked_sub_days(Days::new(1))?),
    };
    Some(distance(&offset))
}

fn distance(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::parse_timestamp;

    #[test]
    fn clocks_change() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let utc = |text: &str| parse_timestamp(text, Zone::UTC).unwrap();
        for (moment, local) in [
            ("2013-03-10 06:59:59", "2013-03-10 01:59:59"),
            ("2013-03-10 07:00:00", "2013-03-10 03:00:00"),
            ("2013-11-03 05:30:00", "2013-11-03 01:30:00"),
            ("2013-11-03 06:30:00", "2013-11-03 01:30:00"),
        ] {
            assert_eq!(zone.to_local(utc(moment)), Some(utc(local)), "{moment}");
        }
        assert_eq!(
            zone.to_utc(utc("2013-03-10 02:30:00")),
            Some(utc("2013-03-10 07:30:00"))
        );
        assert_eq!(
            zone.to_utc(utc("2013-11-03 01:30:00")),
            Some(utc("2013-11-03 05:30:00"))
        );
    }

    #[test]
    fn names_of_zones() {
        for (text, name) in [
            ("UTC+2", "+02:00"),
            ("PST", "America/Los_Angeles"),
            ("Z", "UTC"),
            ("-0330", "-03:30"),
            ("Europe/Berlin", "Europe/Berlin"),
        ] {
            assert_eq!(text.parse::<Zone>().unwrap().to_string(), name);
        }
        assert!("Mars".parse::<Zone>().is_err());
    }
}
