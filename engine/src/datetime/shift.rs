//! Moves along the calendar: months later, days later, and a length of time later.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime};

use super::zone::Zone;
use super::{DAYS_TO_1970, MICROS_PER_DAY};

/// How far a time moves: whole months and days of the calendar, and then a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shift {
    /// Months of the calendar; a day that a month lacks is its last.
    pub months: i64,
    /// Days of the calendar.
    pub days: i64,
    /// Microseconds, whatever clocks do meanwhile.
    pub micros: i64,
}

impl Shift {
    /// A day-time interval: days of the calendar, and what is left.
    pub(crate) fn of_micros(micros: i64) -> Self {
        Self {
            months: 0,
            days: micros / MICROS_PER_DAY,
            micros: micros % MICROS_PER_DAY,
        }
    }

    /// The other way.
    pub(crate) fn back(self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }

    /// A moment in microseconds since 1970, moved by the calendar of `zone`.
    pub(crate) fn moved(self, utc: i64, zone: Zone) -> Option<i64> {
        let mut moment = utc;
        if self.months != 0 || self.days != 0 {
            let local = zone.to_local(utc)?;
            let days = i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()?;
            let days = i64::from(add_months(days, self.months)?).checked_add(self.days)?;
            let midnight = days.checked_mul(MICROS_PER_DAY)?;
            let moved = midnight.checked_add(local.rem_euclid(MICROS_PER_DAY))?;
            // A repeated hour stays the one it was, if clocks allow.
            let same = moved.checked_sub(zone.offset(utc)?.checked_mul(1_000_000)?)?;
            moment = match zone.to_local(same)? == moved {
                true => same,
                false => zone.to_utc(moved)?,
            };
        }
        moment.checked_add(self.micros)
    }

    /// A day, in days since 1970; the length of time does not count.
    pub(crate) fn moved_day(self, days: i32) -> Option<i32> {
        let moved = i64::from(add_months(days, self.months)?).checked_add(self.days)?;
        i32::try_from(moved).ok()
    }
}

/// A day so many months later; a day that the month lacks is its last.
pub(crate) fn add_months(days: i32, months: i64) -> Option<i32> {
    if months == 0 {
        return Some(days);
    }
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let date = date_of(days)?;
    let moved = match months < 0 {
        true => date.checked_sub_months(count),
        false => date.checked_add_months(count),
    };
    moved.map(days_of)
}

/// The last day of a day's month.
pub(crate) fn last_day_of_month(date: NaiveDate) -> Option<NaiveDate> {
    let first = date.with_day(1)?;
    first.checked_add_months(Months::new(1))?.pred_opt()
}

/// The day of the calendar that is so many days after 1970-01-01.
pub(crate) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(DAYS_TO_1970)?)
}

/// Days since 1970.
pub(crate) fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - DAYS_TO_1970
}

/// A local time in microseconds since 1970, by the calendar.
pub(crate) fn local_time(local: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(local)?.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::parse_timestamp;

    #[test]
    fn a_day_of_the_calendar_is_not_always_24_hours() {
        let zone: Zone = "America/New_York".parse().unwrap();
        let utc = |text: &str| parse_timestamp(text, zone).unwrap();
        let day = Shift::of_micros(MICROS_PER_DAY);
        let start = utc("2013-03-09 12:00:00");
        assert_eq!(day.moved(start, zone), Some(utc("2013-03-10 12:00:00")));
        assert_eq!(day.moved(start, Zone::UTC), Some(start + MICROS_PER_DAY));
    }

    #[test]
    fn months_end_where_they_end() {
        let days = |text: &str| crate::datetime::parse_date(text).unwrap();
        assert_eq!(add_months(days("2016-08-31"), 1), Some(days("2016-09-30")));
        assert_eq!(add_months(days("2024-03-31"), -1), Some(days("2024-02-29")));
        assert_eq!(add_months(0, i64::MAX), None);
    }
}
