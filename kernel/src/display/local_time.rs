//! Instants as wall-clock time in the time zone of their column.

use arrow::array::timezone::Tz;
use arrow::datatypes::DataType;
use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};

/// The time zone a column of timestamps is read in; a column without one is read as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone(Option<Tz>);

impl Zone {
    /// The zone a type names; an unknown zone counts as UTC.
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Timestamp(_, Some(name)) => Self(name.parse().ok()),
            _ => Self(None),
        }
    }

    /// The wall-clock time of an instant (microseconds since 1970-01-01 UTC), if a calendar has it.
    pub(super) fn local(self, micros: i64) -> Option<NaiveDateTime> {
        let utc = DateTime::from_timestamp_micros(micros)?.naive_utc();
        match self.0 {
            Some(zone) => {
                let offset = zone.offset_from_utc_datetime(&utc).fix();
                utc.checked_add_offset(offset)
            }
            None => Some(utc),
        }
    }

    /// How far the wall clock is ahead of UTC at an instant; both in microseconds.
    pub(super) fn offset(self, micros: i64) -> i64 {
        self.local(micros)
            .map_or(0, |local| local.and_utc().timestamp_micros() - micros)
    }
}

/// `2013-01-01 12:00:00`, with as much of the fraction as is not zero.
pub(super) fn full(time: NaiveDateTime) -> String {
    with_fraction(time, "%Y-%m-%d %H:%M:%S")
}

/// A window from `start` to `end`: `2013-01-01 12:00 – 13:00`. Seconds are shown where there are
/// any, the second date where it differs.
pub(super) fn window(start: NaiveDateTime, end: NaiveDateTime) -> String {
    let whole_minutes = [start, end]
        .iter()
        .all(|time| time.and_utc().timestamp_micros() % 60_000_000 == 0);
    let clock = |time| match whole_minutes {
        true => NaiveDateTime::format(&time, "%H:%M").to_string(),
        false => with_fraction(time, "%H:%M:%S"),
    };
    let date = |time: NaiveDateTime| time.format("%Y-%m-%d").to_string();
    let end_date = match start.date() == end.date() {
        true => String::new(),
        false => date(end) + " ",
    };
    format!(
        "{} {} – {end_date}{}",
        date(start),
        clock(start),
        clock(end)
    )
}

fn with_fraction(time: NaiveDateTime, format: &str) -> String {
    let text = time.format(format).to_string();
    let micros = time.and_utc().timestamp_subsec_micros();
    if micros == 0 {
        return text;
    }
    let fraction = format!("{micros:06}");
    format!("{text}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn windows_say_no_more_than_needed() {
        let noon = time("2013-01-01T12:00:00");
        assert_eq!(
            window(noon, time("2013-01-01T13:00:00")),
            "2013-01-01 12:00 – 13:00"
        );
        assert_eq!(
            window(noon, time("2013-01-01T12:00:10")),
            "2013-01-01 12:00:00 – 12:00:10"
        );
        assert_eq!(
            window(noon, time("2013-01-02T12:00:00")),
            "2013-01-01 12:00 – 2013-01-02 12:00"
        );
    }

    #[test]
    fn a_fraction_is_shown_without_its_zeros() {
        assert_eq!(
            full(time("2013-01-01T12:00:00.120")),
            "2013-01-01 12:00:00.12"
        );
        assert_eq!(full(time("2013-01-01T12:00:00")), "2013-01-01 12:00:00");
    }

    #[test]
    fn a_zone_moves_the_wall_clock() {
        let zone = Zone::of(&DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("-05:00".into()),
        ));
        let micros = time("2013-01-01T12:00:00").and_utc().timestamp_micros();
        assert_eq!(zone.local(micros), Some(time("2013-01-01T07:00:00")));
        assert_eq!(zone.offset(micros), -5 * 3_600_000_000);
        assert_eq!(Zone(None).offset(micros), 0);
    }
}
