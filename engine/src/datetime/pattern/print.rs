//! A time, written by the items of a pattern.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{Field, Item, MONTHS, OffsetForm, SHORT};
use crate::datetime::zone::{Zone, offset_text};

const QUARTERS: [&str; 4] = ["1st", "2nd", "3rd", "4th"];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// A time as a clock shows it, and where that clock hangs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub time: NaiveDateTime,
    /// Seconds east of Greenwich.
    pub offset: i64,
    pub zone: Zone,
}

/// Writes `shown`.
pub(super) fn print(items: &[Item], shown: &Shown, out: &mut String) {
    let time = shown.time;
    for item in items {
        match item {
            Item::Literal(literal) => out.push_str(literal),
            Item::Number(field, width, _) => {
                let number = number(*field, time);
                let digits = number.unsigned_abs();
                // A year that is longer than its letters has a sign.
                let sign = match number {
                    ..0 => "-",
                    10_000.. if *field == Field::Year && *width == 4 => "+",
                    _ => "",
                };
                out.push_str(&format!("{sign}{digits:0width$}"));
            }
            Item::MonthName { full } => out.push_str(name(&MONTHS, time.month0(), *full)),
            Item::DayName { full } => {
                let day = time.weekday().num_days_from_monday();
                out.push_str(name(&DAYS, day, *full));
            }
            Item::AmPm => out.push_str(if time.hour() < 12 { "AM" } else { "PM" }),
            Item::Era { full } => out.push_str(match (time.year() > 0, full) {
                (true, false) => "AD",
                (true, true) => "Anno Domini",
                (false, false) => "BC",
                (false, true) => "Before Christ",
            }),
            Item::QuarterName { full } => {
                let quarter = time.month0() / 3;
                out.push_str(&match full {
                    true => format!("{} quarter", name(&QUARTERS, quarter, true)),
                    false => format!("Q{}", quarter + 1),
                });
            }
            Item::Fraction(digits) => {
                let nanos = format!("{:09}", time.nanosecond());
                out.push_str(&nanos[..*digits]);
            }
            Item::Offset(form) => out.push_str(&offset(*form, shown.offset)),
            Item::LocalizedOffset { full } => {
                out.push_str("GMT");
                out.push_str(&localized(shown.offset, *full));
            }
            Item::ZoneId | Item::ZoneName => out.push_str(&shown.zone.to_string()),
            Item::Optional(items) => print(items, shown, out),
        }
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a date has a quarter, a month and a day of the week that are in the calendar"
)]
fn name(names: &[&'static str], index: u32, full: bool) -> &'static str {
    let name = names[index as usize];
    if full { name } else { &name[..SHORT] }
}

fn number(field: Field, time: NaiveDateTime) -> i64 {
    let hour = time.hour();
    let number = match field {
        // Years before the first count backwards, as an era does.
        Field::Year if time.year() < 1 => return i64::from(1 - time.year()),
        Field::Year => return i64::from(time.year()),
        Field::YearOfCentury => return i64::from(time.year().rem_euclid(100)),
        Field::Quarter => time.month0() / 3 + 1,
        Field::Month => time.month(),
        Field::Day => time.day(),
        Field::DayOfYear => time.ordinal(),
        Field::DayOfWeekInMonth => time.day0() % 7 + 1,
        Field::Hour => hour,
        Field::ClockHour => (hour + 23) % 24 + 1,
        Field::HourOfAmPm => hour % 12,
        Field::ClockHourOfAmPm => (hour + 11) % 12 + 1,
        Field::Minute => time.minute(),
        Field::Second => time.second(),
    };
    i64::from(number)
}

fn offset(form: OffsetForm, seconds: i64) -> String {
    let minutes = seconds / 60 * 60;
    match form {
        OffsetForm { z: true, .. } if seconds == 0 => "Z".to_string(),
        OffsetForm { short: true, .. } => offset_text(minutes, false, false),
        OffsetForm { seconds: true, .. } => offset_text(seconds, form.colons, true),
        _ => offset_text(minutes, form.colons, true),
    }
}

/// `+8`, `+08:00`; nothing for Greenwich.
fn localized(seconds: i64, full: bool) -> String {
    if seconds == 0 {
        return String::new();
    }
    let text = offset_text(seconds, true, full);
    match full {
        true => text,
        false => text.replacen("+0", "+", 1).replacen("-0", "-", 1),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::datetime::DateTimePattern;

    fn written(pattern: &str) -> String {
        let time = NaiveDate::from_ymd_opt(2024, 1, 7)
            .and_then(|date| date.and_hms_micro_opt(15, 4, 5, 678_900))
            .unwrap();
        DateTimePattern::for_output(pattern).unwrap().print(time)
    }

    #[test]
    fn times_are_written() {
        assert_eq!(
            written("yyyy-MM-dd'T'HH:mm:ss.SSSXXX"),
            "2024-01-07T15:04:05.678Z"
        );
        assert_eq!(written("d MMM yy, h:mm a Z"), "7 Jan 24, 3:04 PM +0000");
        assert_eq!(written("EEEE D 'o''clock'"), "Sunday 7 o'clock");
        assert_eq!(written("EEE, yyyy[ HH]"), "Sun, 2024 15");
        assert_eq!(written("QQQ qq G, F"), "Q1 01 AD, 7");
        assert!(DateTimePattern::for_output("nope").is_err());
    }

    #[test]
    fn times_of_a_zone_are_written() {
        let at = |pattern: &str, zone: &str| {
            let pattern = DateTimePattern::for_output(pattern).unwrap();
            pattern.print_at(0, zone.parse().unwrap()).unwrap()
        };
        assert_eq!(
            at("yyyy-MM-dd HH XXX VV", "Europe/Berlin"),
            "1970-01-01 01 +01:00 Europe/Berlin"
        );
        assert_eq!(
            at("d HH:mm O OOOO Z", "-03:30"),
            "31 20:30 GMT-3:30 GMT-03:30 -0330"
        );
    }
}
