//! Intervals in text: `INTERVAL '1 12:30:00' DAY TO SECOND`, `1-2`, `1 years 2 months`.

use arrow::array::types::IntervalMonthDayNano;
use arrow::datatypes::TimeUnit;

const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Spark's text of a duration: `INTERVAL '0 01:30:00' DAY TO SECOND`, `INTERVAL '1' DAY`.
pub(crate) fn day_time_text(value: i64, unit: TimeUnit) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    let per_day = SECONDS_PER_DAY as u64;
    if unit == TimeUnit::Second {
        return format!("INTERVAL '{sign}{}' DAY", value / per_day);
    }
    let (seconds, micros) = (value / 1_000_000, value % 1_000_000);
    let (days, seconds) = (seconds / per_day, seconds % per_day);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let seconds = seconds_text(seconds % 60 * 1_000_000 + micros, 2);
    format!("INTERVAL '{sign}{days} {hours:02}:{minutes:02}:{seconds}' DAY TO SECOND")
}

/// Microseconds as seconds of at least so many digits, with as many behind the point as there are.
fn seconds_text(micros: u64, width: usize) -> String {
    let text = format!("{:0width$}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// `INTERVAL '1-2' YEAR TO MONTH`.
pub(crate) fn year_month_text(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    format!(
        "INTERVAL '{sign}{}-{}' YEAR TO MONTH",
        months / 12,
        months % 12
    )
}

/// `1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds`.
pub(crate) fn calendar_text(value: IntervalMonthDayNano) -> String {
    let micros = value.nanoseconds / 1_000;
    let parts = [
        (i64::from(value.months / 12), "years"),
        (i64::from(value.months % 12), "months"),
        (i64::from(value.days), "days"),
        (micros / MICROS_PER_HOUR, "hours"),
        (micros / MICROS_PER_MINUTE % 60, "minutes"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count != 0);
    let mut texts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    let seconds = micros % MICROS_PER_MINUTE;
    if seconds != 0 {
        let sign = if seconds < 0 { "-" } else { "" };
        let text = format!("{sign}{}", seconds_text(seconds.unsigned_abs(), 1));
        texts.push(format!("{text} seconds"));
    }
    match texts.is_empty() {
        true => "0 seconds".to_string(),
        false => texts.join(" "),
    }
}

/// The quoted part of `INTERVAL '…' unit`, or a text that is nothing else, and whether a minus goes
/// before it.
fn inside<'a>(text: &'a str, unit: &str) -> Option<(bool, &'a str)> {
    let text = text.trim();
    let is_prefixed = text
        .get(..8)
        .is_some_and(|word| word.eq_ignore_ascii_case("interval"));
    let mut minus = false;
    let mut inner = text;
    if is_prefixed {
        let (before, rest) = text[8..].split_once('\'')?;
        let (quoted, after) = rest.split_once('\'')?;
        let words: Vec<&str> = after.split_whitespace().collect();
        let sign = before.trim();
        if !words.join(" ").eq_ignore_ascii_case(unit) || !matches!(sign, "" | "+" | "-") {
            return None;
        }
        minus = sign == "-";
        inner = quoted;
    }
    let inner_minus = inner.starts_with('-');
    let digits = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    digits
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some(())?;
    Some((minus != inner_minus, digits))
}

fn signed(minus: bool, value: i64) -> i64 {
    if minus { -value } else { value }
}

fn digits(text: &str, below: i64) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value: i64 = text.parse().ok()?;
    (is_number && value < below).then_some(value)
}

/// `INTERVAL DAY` in seconds.
pub(crate) fn read_days(text: &str) -> Option<i64> {
    let (minus, days) = inside(text, "DAY")?;
    Some(signed(
        minus,
        digits(days, i64::MAX / MICROS_PER_DAY)? * SECONDS_PER_DAY,
    ))
}

/// `INTERVAL DAY TO SECOND` in microseconds.
pub(crate) fn read_day_time(text: &str) -> Option<i64> {
    let (minus, value) = inside(text, "DAY TO SECOND")?;
    let (days, clock) = value.split_once(' ')?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return None;
    };
    let micros = format!("{fraction:0<6}");
    let micros = digits(micros.get(..6)?, MICROS_PER_SECOND)?;
    let of_day = digits(hours, 24)? * MICROS_PER_HOUR
        + digits(minutes, 60)? * MICROS_PER_MINUTE
        + digits(seconds, 60)? * MICROS_PER_SECOND
        + micros;
    let days = digits(days, i64::MAX)?.checked_mul(MICROS_PER_DAY)?;
    Some(signed(minus, days.checked_add(of_day)?))
}

/// `INTERVAL YEAR TO MONTH` in months.
pub(crate) fn read_year_month(text: &str) -> Option<i32> {
    let (minus, value) = inside(text, "YEAR TO MONTH")?;
    let (years, months) = value.split_once('-')?;
    let months = digits(years, i64::from(i32::MAX))? * 12 + digits(months, 12)?;
    i32::try_from(signed(minus, months)).ok()
}

/// A calendar interval: numbers and units.
pub(crate) fn read_calendar(text: &str) -> Option<IntervalMonthDayNano> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_whitespace().peekable();
    words.next_if_eq(&"interval");
    words.peek()?;
    let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i64);
    while let Some(number) = words.next() {
        let unit = words.next()?;
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        if unit == "second" {
            micros = micros.checked_add(read_seconds(number)?)?;
            continue;
        }
        let count: i64 = number.parse().ok()?;
        let (total, size) = match unit {
            "year" => (&mut months, 12),
            "month" => (&mut months, 1),
            "week" => (&mut days, 7),
            "day" => (&mut days, 1),
            "hour" => (&mut micros, MICROS_PER_HOUR),
            "minute" => (&mut micros, MICROS_PER_MINUTE),
            "millisecond" => (&mut micros, 1_000),
            "microsecond" => (&mut micros, 1),
            _ => return None,
        };
        *total = total.checked_add(count.checked_mul(size)?)?;
    }
    Some(IntervalMonthDayNano {
        months: i32::try_from(months).ok()?,
        days: i32::try_from(days).ok()?,
        nanoseconds: micros.checked_mul(1_000)?,
    })
}

/// `-1.5` in microseconds.
fn read_seconds(text: &str) -> Option<i64> {
    let plain = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let micros = format!("{fraction:0<6}");
    let micros = digits(micros.get(..6)?, MICROS_PER_SECOND)?;
    let seconds = digits(whole, i64::MAX)?.checked_mul(MICROS_PER_SECOND)?;
    Some(signed(text.starts_with('-'), seconds.checked_add(micros)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_spark() {
        let text = |micros| day_time_text(micros, TimeUnit::Microsecond);
        assert_eq!(text(5_400_000_000), "INTERVAL '0 01:30:00' DAY TO SECOND");
        assert_eq!(
            text(-MICROS_PER_DAY - 1_500_000),
            "INTERVAL '-1 00:00:01.5' DAY TO SECOND"
        );
        assert_eq!(
            day_time_text(-2 * SECONDS_PER_DAY, TimeUnit::Second),
            "INTERVAL '-2' DAY"
        );
        assert_eq!(year_month_text(-11), "INTERVAL '-0-11' YEAR TO MONTH");
        let calendar = IntervalMonthDayNano {
            months: 1211,
            days: 8,
            nanoseconds: 45_001_001_001_000,
        };
        assert_eq!(
            calendar_text(calendar),
            "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds"
        );
        assert_eq!(read_calendar(&calendar_text(calendar)), Some(calendar));
    }

    #[test]
    fn texts_are_read() {
        let day = MICROS_PER_DAY;
        for (text, micros) in [
            ("1 00:00:01.5", Some(day + 1_500_000)),
            ("INTERVAL '-1 00:00:00' DAY TO SECOND", Some(-day)),
            ("interval -'-1 00:00:00' day  to second", Some(day)),
            ("1 24:00:00", None),
            ("1", None),
            ("x 00:00:00", None),
        ] {
            assert_eq!(read_day_time(text), micros, "{text}");
        }
        assert_eq!(read_year_month("-1-2"), Some(-14));
        assert_eq!(read_year_month("INTERVAL '1-12' YEAR TO MONTH"), None);
        assert_eq!(read_days("INTERVAL '3' DAY"), Some(3 * SECONDS_PER_DAY));
        assert_eq!(read_calendar("1 minuts"), None);
    }
}
