//! Time zones by name or distance: `UTC`, `+02:00`, `GMT-3`, `Europe/Berlin`.

use std::str::FromStr;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, Offset, TimeZone};

use super::MICROS_PER_SECOND;
use super::scanner::Scanner;

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
    pub(super) fn to_utc(self, local: i64) -> Option<i64> {
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
