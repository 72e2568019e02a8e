//! Patterns of dates and times, as Spark's options and functions take them: `dd/MM/yyyy HH:mm`.
//!
//! A pattern is Java's `DateTimeFormatter` pattern, read strictly: `MM` is two digits and `M` one
//! or more, the 31st of February is no date, case does not matter. The letters that are not in the
//! table of [`item`] are refused by name. (chrono's patterns are more lenient about widths, so
//! what they accept is not what Spark accepts.)

mod print;
mod scan;

use std::iter::Peekable;
use std::str::{Chars, FromStr};

use chrono::{DateTime, NaiveDateTime};
use print::{Shown, print};
use scan::{Found, scan};

use super::scanner::Scanner;
use super::zone::Zone;

/// The length of a short name.
const SHORT: usize = 3;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// More digits than any number here can have.
const MANY: usize = 19;

/// A pattern that was understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DateTimePattern(Vec<Item>);

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Literal(String),
    /// So many digits, at least and at most.
    Number(Field, usize, usize),
    /// The name of a month, in full or its first three letters.
    MonthName {
        full: bool,
    },
    /// The name of a day of the week; no text is read by it.
    DayName {
        full: bool,
    },
    AmPm,
    /// Before or after the year 1; only written.
    Era {
        full: bool,
    },
    /// `Q3`, `3rd quarter`; only written.
    QuarterName {
        full: bool,
    },
    /// Digits of a second's fraction, at most so many.
    Fraction(usize),
    Offset(OffsetForm),
    /// `GMT+8`; only written.
    LocalizedOffset {
        full: bool,
    },
    ZoneId,
    ZoneName,
    /// What may be missing.
    Optional(Vec<Item>),
}

/// How a distance from Greenwich is written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OffsetForm {
    /// Whether `Z` stands for none.
    z: bool,
    colons: bool,
    /// The minutes may be missing.
    short: bool,
    /// Seconds may follow.
    seconds: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    Year,
    YearOfCentury,
    /// Only written.
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// Which one of its kind a day is in its month; only written.
    DayOfWeekInMonth,
    /// `H`: 0 to 23.
    Hour,
    /// `k`: 1 to 24.
    ClockHour,
    /// `K`: 0 to 11.
    HourOfAmPm,
    /// `h`: 1 to 12.
    ClockHourOfAmPm,
    Minute,
    Second,
}

impl FromStr for DateTimePattern {
    type Err = String;

    /// The error says what is wrong, as the end of a sentence about the pattern.
    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = Self::for_output(text)?;
        match only_written(&pattern.0) {
            Some(letter) => Err(format!("the letter '{letter}' is not supported")),
            None => Ok(pattern),
        }
    }
}

/// A letter by which no text is read.
fn only_written(items: &[Item]) -> Option<char> {
    items.iter().find_map(|item| match item {
        Item::DayName { .. } => Some('E'),
        Item::Era { .. } => Some('G'),
        Item::QuarterName { .. } | Item::Number(Field::Quarter, ..) => Some('Q'),
        Item::Number(Field::DayOfWeekInMonth, ..) => Some('F'),
        Item::LocalizedOffset { .. } => Some('O'),
        Item::Optional(items) => only_written(items),
        _ => None,
    })
}

impl DateTimePattern {
    /// A pattern that only writes, which may name days of the week.
    pub(crate) fn for_output(text: &str) -> Result<Self, String> {
        let mut chars = text.chars().peekable();
        let items = items(&mut chars, false)?;
        match items.is_empty() {
            true => Err("it is empty".to_string()),
            false => Ok(Self(items)),
        }
    }

    /// The text of a time of Greenwich.
    pub(crate) fn print(&self, time: NaiveDateTime) -> String {
        self.shown(&Shown {
            time,
            offset: 0,
            zone: Zone::UTC,
        })
    }

    /// The text of a moment, in microseconds since 1970, as clocks in `zone` show it.
    pub(crate) fn print_at(&self, utc: i64, zone: Zone) -> Option<String> {
        let local = DateTime::from_timestamp_micros(zone.to_local(utc)?)?;
        Some(self.shown(&Shown {
            time: local.naive_utc(),
            offset: zone.offset(utc)?,
            zone,
        }))
    }

    fn shown(&self, shown: &Shown) -> String {
        let mut text = String::new();
        print(&self.0, shown, &mut text);
        text
    }

    /// Days since 1970.
    pub(crate) fn parse_date(&self, text: &str) -> Option<i32> {
        self.find(text)?.days()
    }

    /// Microseconds since 1970; a text without a zone is from `zone`.
    pub(crate) fn parse_timestamp(&self, text: &str, zone: Zone) -> Option<i64> {
        let found = self.find(text)?;
        found.zone.unwrap_or(zone).to_utc(found.local_micros()?)
    }

    /// Microseconds since 1970 of a time that belongs to no zone, and must name none.
    pub(crate) fn parse_timestamp_ntz(&self, text: &str) -> Option<i64> {
        let found = self.find(text)?;
        match found.zone {
            None => found.local_micros(),
            Some(_) => None,
        }
    }

    fn find(&self, text: &str) -> Option<Found> {
        let mut scanner = Scanner::new(text);
        let mut found = Found::default();
        scan(&self.0, &mut scanner, &mut found)?;
        scanner.rest.is_empty().then_some(found)
    }
}

fn items(chars: &mut Peekable<Chars<'_>>, nested: bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while let Some(char) = chars.next() {
        match char {
            '\'' => items.push(Item::Literal(quoted(chars)?)),
            '[' => items.push(Item::Optional(self::items(chars, true)?)),
            ']' if nested => return Ok(items),
            ']' | '{' | '}' | '#' => return Err(format!("'{char}' has no meaning there")),
            letter if letter.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.next_if_eq(&letter).is_some() {
                    count += 1;
                }
                items.push(item(letter, count)?);
            }
            other => items.push(Item::Literal(other.to_string())),
        }
    }
    match nested {
        true => Err("a '[' is not closed".to_string()),
        false => Ok(items),
    }
}

/// The text up to the closing quote; two quotes are one.
fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    if chars.next_if_eq(&'\'').is_some() {
        return Ok("'".to_string());
    }
    let mut text = String::new();
    loop {
        match chars.next() {
            None => return Err("a quote is not closed".to_string()),
            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(text),
            Some(char) => text.push(char),
        }
    }
}

/// The table of letters.
fn item(letter: char, count: usize) -> Result<Item, String> {
    let offset = |z, colons, short, seconds| {
        Item::Offset(OffsetForm {
            z,
            colons,
            short,
            seconds,
        })
    };
    let z = letter == 'X';
    Ok(match (letter, count) {
        ('y', 2) => Item::Number(Field::YearOfCentury, 2, 2),
        ('y', 1..=6) => Item::Number(Field::Year, count, MANY),
        ('M' | 'L', 3 | 4) => Item::MonthName { full: count == 4 },
        ('M' | 'L', _) => number(Field::Month, letter, count)?,
        ('d', _) => number(Field::Day, letter, count)?,
        ('D', 1) => Item::Number(Field::DayOfYear, 1, MANY),
        ('D', 2 | 3) => Item::Number(Field::DayOfYear, count, 3),
        ('H', _) => number(Field::Hour, letter, count)?,
        ('k', _) => number(Field::ClockHour, letter, count)?,
        ('K', _) => number(Field::HourOfAmPm, letter, count)?,
        ('h', _) => number(Field::ClockHourOfAmPm, letter, count)?,
        ('m', _) => number(Field::Minute, letter, count)?,
        ('s', _) => number(Field::Second, letter, count)?,
        ('S', 1..=9) => Item::Fraction(count),
        ('E', 1..=4) => Item::DayName { full: count == 4 },
        ('a', 1) => Item::AmPm,
        ('X' | 'x', 1) => offset(z, false, true, false),
        ('X' | 'x', 2) => offset(z, false, false, false),
        ('X' | 'x', 3) => offset(z, true, false, false),
        ('X' | 'x', 4) => offset(z, false, false, true),
        ('X' | 'x', 5) => offset(z, true, false, true),
        ('Z', 1..=3) => offset(false, false, false, false),
        ('Z', 4) => Item::LocalizedOffset { full: true },
        ('Z', 5) => offset(true, true, false, true),
        ('V', 2) => Item::ZoneId,
        ('z', 1..=3) => Item::ZoneName,
        ('O', 1 | 4) => Item::LocalizedOffset { full: count == 4 },
        ('G', 1..=4) => Item::Era { full: count == 4 },
        ('Q' | 'q', 1 | 2) => Item::Number(Field::Quarter, count, MANY),
        ('Q' | 'q', 3 | 4) => Item::QuarterName { full: count == 4 },
        ('F', 1) => Item::Number(Field::DayOfWeekInMonth, 1, MANY),
        ('z' | 'O' | 'G' | 'Q' | 'q' | 'F', _) => return Err(too_many(letter, count)),
        ('y' | 'D' | 'S' | 'a' | 'X' | 'x' | 'Z' | 'V', _) => return Err(too_many(letter, count)),
        _ => return Err(format!("the letter '{letter}' is not supported")),
    })
}

/// One letter is a number of any length, two letters are two digits.
fn number(field: Field, letter: char, count: usize) -> Result<Item, String> {
    match count {
        1 => Ok(Item::Number(field, 1, MANY)),
        2 => Ok(Item::Number(field, 2, 2)),
        _ => Err(too_many(letter, count)),
    }
}

fn too_many(letter: char, count: usize) -> String {
    format!("{count} times '{letter}' has no meaning")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn parsed(pattern: &str, text: &str) -> Option<String> {
        let pattern: DateTimePattern = pattern.parse().unwrap();
        let micros = pattern.parse_timestamp(text, Zone::UTC)?;
        let time = DateTime::from_timestamp_micros(micros)?;
        Some(time.format("%Y-%m-%d %H:%M:%S%.f").to_string())
    }

    /// What Spark 4.3 made of these texts.
    #[test]
    fn texts_as_spark_reads_them() {
        for (pattern, text, expected) in [
            ("yyyyMMdd", "20240102", "2024-01-02 00:00:00"),
            ("yyyyMMddHHmmss", "20240102030405", "2024-01-02 03:04:05"),
            ("yyyy-M-d H:m", "2024-1-2 3:4", "2024-01-02 03:04:00"),
            (
                "dd/MMM/yyyy:HH:mm:ss Z",
                "02/Jan/2024:03:04:05 +0200",
                "2024-01-02 01:04:05",
            ),
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                "2024-01-02T03:04:05.678+02:00",
                "2024-01-02 01:04:05.678",
            ),
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                "2024-01-02t03:04:05.6Z",
                "2024-01-02 03:04:05.600",
            ),
            (
                "MM/dd/yyyy hh:mm:ss a",
                "01/02/2024 03:04:05 pm",
                "2024-01-02 15:04:05",
            ),
            ("yyyy-MM-dd h a", "2024-01-02 12 AM", "2024-01-02 00:00:00"),
            ("yy-MM-dd", "24-01-02", "2024-01-02 00:00:00"),
            ("yyyy-MM-dd['T'HH:mm]", "2024-01-02", "2024-01-02 00:00:00"),
            (
                "yyyy-MM-dd['T'HH:mm]",
                "2024-01-02T03:04",
                "2024-01-02 03:04:00",
            ),
            ("HH:mm", "03:04", "1970-01-01 03:04:00"),
            ("MMMM d, yyyy", "january 2, 2024", "2024-01-02 00:00:00"),
            (
                "yyyy-MM-dd HH:mm:ss.SSSSSS",
                "2024-01-02 03:04:05.123",
                "2024-01-02 03:04:05.123",
            ),
            (
                "yyyy-MM-dd HH:mm:ss VV",
                "2024-01-02 03:04:05 Europe/Berlin",
                "2024-01-02 02:04:05",
            ),
            ("D yyyy", "2 2024", "2024-01-02 00:00:00"),
            ("yyyy-MM-dd''HH", "2024-01-02'03", "2024-01-02 03:00:00"),
            ("yyyy/MM/dd X", "2024/01/02 +02", "2024-01-01 22:00:00"),
            ("yyyy", "2024", "2024-01-01 00:00:00"),
        ] {
            assert_eq!(
                parsed(pattern, text).as_deref(),
                Some(expected),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in [
            ("yyyy-MM-dd", "2024-1-2"),
            ("yyyy-MM-dd", "24-01-02"),
            ("yyyy-MM-dd", "99999-01-02"),
            ("yyyy-MM-dd", "2024-02-30"),
            ("yyyy-MM-dd", "2024-01-02 "),
            ("yyyy-MM-dd", ""),
            ("HH:mm", "24:00"),
            ("hh:mm a", "13:00 PM"),
            // A fraction is no number of a fixed width: the year takes the digits before it.
            ("yyyyMMddHHmmssSSS", "20240102030405678"),
        ] {
            assert_eq!(parsed(pattern, text), None, "{pattern} {text}");
        }
    }

    #[test]
    fn a_time_without_a_zone_names_none() {
        let pattern: DateTimePattern = "yyyy-MM-dd[ XXX]".parse().unwrap();
        assert_eq!(
            pattern.parse_timestamp_ntz("1970-01-02"),
            Some(86_400_000_000)
        );
        assert_eq!(pattern.parse_timestamp_ntz("1970-01-02 +02:00"), None);
        assert_eq!(pattern.parse_date("1970-01-02 +02:00"), Some(1));
    }

    #[test]
    fn what_a_pattern_cannot_say_is_named() {
        for (pattern, why) in [
            ("EEE, d MMM", "the letter 'E' is not supported"),
            ("YYYY", "the letter 'Y' is not supported"),
            ("ddd", "3 times 'd' has no meaning"),
            ("yyyy'T", "a quote is not closed"),
            ("yyyy[HH", "a '[' is not closed"),
            ("yyyy]", "']' has no meaning there"),
            ("", "it is empty"),
        ] {
            assert_eq!(pattern.parse::<DateTimePattern>(), Err(why.to_string()));
        }
    }
}
