//! A time, written by the items of a pattern.

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{Field, Item, MONTHS, OffsetForm, SHORT};

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// Writes `time`, which is that of Greenwich.
pub(super) fn print(items: &[Item], time: NaiveDateTime, out: &mut String) {
    for item in items {
        match item {
            Item::Literal(literal) => out.push_str(literal),
            Item::Number(field, width, _) => {
                let number = number(*field, time);
                out.push_str(&format!("{number:0width$}"));
            }
            Item::MonthName { full } => out.push_str(name(&MONTHS, time.month0(), *full)),
            Item::DayName { full } => {
                let day = time.weekday().num_days_from_monday();
                out.push_str(name(&DAYS, day, *full));
            }
            Item::AmPm => out.push_str(if time.hour() < 12 { "AM" } else { "PM" }),
            Item::Fraction(digits) => {
                let nanos = format!("{:09}", time.nanosecond());
                out.push_str(&nanos[..*digits]);
            }
            Item::Offset(form) => out.push_str(greenwich(*form)),
            Item::ZoneId => out.push_str("UTC"),
            Item::Optional(items) => print(items, time, out),
        }
    }
}

fn name(names: &[&'static str], index: u32, full: bool) -> &'static str {
    let name = names[index as usize];
    if full { name } else { &name[..SHORT] }
}

fn number(field: Field, time: NaiveDateTime) -> i64 {
    let hour = time.hour();
    let number = match field {
        Field::Year => return i64::from(time.year()),
        Field::YearOfCentury => return i64::from(time.year().rem_euclid(100)),
        Field::Month => time.month(),
        Field::Day => time.day(),
        Field::DayOfYear => time.ordinal(),
        Field::Hour => hour,
        Field::ClockHour => (hour + 23) % 24 + 1,
        Field::HourOfAmPm => hour % 12,
        Field::ClockHourOfAmPm => (hour + 11) % 12 + 1,
        Field::Minute => time.minute(),
        Field::Second => time.second(),
    };
    i64::from(number)
}

fn greenwich(form: OffsetForm) -> &'static str {
    match form {
        OffsetForm { z: true, .. } => "Z",
        OffsetForm { short: true, .. } => "+00",
        OffsetForm { colons: true, .. } => "+00:00",
        _ => "+0000",
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
        assert!(DateTimePattern::for_output("nope").is_err());
    }
}
