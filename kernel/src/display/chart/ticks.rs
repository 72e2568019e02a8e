//! Where an axis is labelled, and with what.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime};

use crate::display::local_time::Zone;
use crate::display::number::fixed;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps of a time axis up to two weeks, in microseconds.
const STEPS: [i64; 29] = [
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// The first Monday after the epoch: weeks begin there.
const MONDAY: i64 = 4 * DAY;

/// One labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Where.
    pub at: f64,
    /// What it says.
    pub label: String,
    /// What it says below that: the date, where it is a new one.
    pub below: Option<String>,
}

/// Round numbers from at or below `min` to at or above `max`, about `wanted` of them.
/// `whole`: only whole numbers.
pub(super) fn numbers(min: f64, max: f64, wanted: usize, whole: bool) -> Vec<Tick> {
    let step = number_step(max - min, wanted, whole);
    let (first, last) = ((min / step).floor() as i64, (max / step).ceil() as i64);
    number_ticks(step, first, last.max(first + 1))
}

/// Like [`numbers`], but only those within `min` and `max`.
pub(super) fn numbers_within(min: f64, max: f64, wanted: usize, whole: bool) -> Vec<Tick> {
    let step = number_step(max - min, wanted, whole);
    number_ticks(
        step,
        (min / step).ceil() as i64,
        (max / step).floor() as i64,
    )
}

/// At most `room` times between `min` and `max`, on round wall-clock times that are no nearer to
/// each other than `least`; all in microseconds.
pub(super) fn times(min: f64, max: f64, zone: Zone, room: usize, least: f64) -> Vec<Tick> {
    let (min, max) = (min as i64, max as i64);
    let span = max.saturating_sub(min).max(1);
    let room = room.max(2) as i64;
    match STEPS
        .iter()
        .find(|step| **step >= least as i64 && span / **step < room)
    {
        Some(step) => label_times(evenly(min, max, *step, zone), *step, zone),
        None => {
            let months = span / (30 * DAY);
            // No span of 64 bits holds more months than steps grow to.
            let step = month_steps().find(|step| months / i64::from(*step) < room);
            let step = step.unwrap_or(u32::MAX);
            let micros = i64::from(step).saturating_mul(30 * DAY);
            label_times(by_month(min, max, step, zone), micros, zone)
        }
    }
}

/// Steps of a time axis beyond [`STEPS`], in months: parts of a year, then 1, 2, 5, 10, 20, 50…
/// years without end.
fn month_steps() -> impl Iterator<Item = u32> {
    let years = (0..).flat_map(|power| [12, 24, 60].map(|step| step * 10u32.pow(power)));
    [1, 3, 6].into_iter().chain(years)
}

fn number_step(span: f64, wanted: usize, whole: bool) -> f64 {
    let rough = (span / wanted.max(1) as f64).max(f64::MIN_POSITIVE);
    let magnitude = 10f64.powf(rough.log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|nice| nice * magnitude >= rough * 0.999);
    let step = nice.unwrap_or(10.0) * magnitude;
    if whole { step.max(1.0) } else { step }
}

fn number_ticks(step: f64, first: i64, last: i64) -> Vec<Tick> {
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    (first..=last)
        .map(|i| {
            let at = i as f64 * step;
            let label = match step {
                step if step >= 1e6 && at != 0.0 => {
                    format!("{} M", fixed(at / 1e6, usize::from(step % 1e6 != 0.0)))
                }
                _ => fixed(at, decimals),
            };
            Tick {
                at,
                label,
                below: None,
            }
        })
        .collect()
}

fn evenly(min: i64, max: i64, step: i64, zone: Zone) -> Vec<i64> {
    let shift = zone.offset(min) - if step == 7 * DAY { MONDAY } else { 0 };
    let first = (min + shift).div_euclid(step) * step - shift;
    (0..)
        .map(|i| first + i * step)
        .skip_while(|time| *time < min)
        .take_while(|time| *time <= max)
        .collect()
}

fn by_month(min: i64, max: i64, step: u32, zone: Zone) -> Vec<i64> {
    let Some(local) = zone.local(min) else {
        return Vec::new();
    };
    let months = local.year() as i64 * 12 + i64::from(local.month0());
    let months = months.div_euclid(i64::from(step)) * i64::from(step);
    let (year, month) = (
        months.div_euclid(12) as i32,
        months.rem_euclid(12) as u32 + 1,
    );
    let mut date = NaiveDate::from_ymd_opt(year, month, 1);
    let mut times = Vec::new();
    while let Some(day) = date {
        let midnight = day
            .and_time(Default::default())
            .and_utc()
            .timestamp_micros();
        let time = midnight - zone.offset(midnight);
        if time > max {
            break;
        }
        if time >= min {
            times.push(time);
        }
        date = day.checked_add_months(Months::new(step));
    }
    times
}

fn label_times(times: Vec<i64>, step: i64, zone: Zone) -> Vec<Tick> {
    let mut previous: Option<NaiveDateTime> = None;
    let mut ticks = Vec::with_capacity(times.len());
    for time in times {
        let Some(local) = zone.local(time) else {
            continue;
        };
        let (label, below) = label(local, previous, step);
        previous = Some(local);
        ticks.push(Tick {
            at: time as f64,
            label,
            below,
        });
    }
    ticks
}

fn label(
    time: NaiveDateTime,
    previous: Option<NaiveDateTime>,
    step: i64,
) -> (String, Option<String>) {
    let same = |part: fn(NaiveDateTime) -> (i32, u32)| previous.map(part) == Some(part(time));
    let text = |format: &str| time.format(format).to_string();
    let year = |time: NaiveDateTime| (time.year(), 0);
    let day = |time: NaiveDateTime| (time.year(), time.ordinal());
    match () {
        _ if step < DAY => {
            let clock = match () {
                _ if step < SECOND => "%H:%M:%S%.3f",
                _ if step < MINUTE => "%H:%M:%S",
                _ => "%H:%M",
            };
            let date = if same(year) { "%b %-d" } else { "%b %-d, %Y" };
            (text(clock), (!same(day)).then(|| text(date)))
        }
        _ if step < 30 * DAY => (text("%b %-d"), (!same(year)).then(|| text("%Y"))),
        _ if step < 360 * DAY => (text("%b"), (!same(year)).then(|| text("%Y"))),
        _ => (text("%Y"), None),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};

    use super::*;

    fn utc() -> Zone {
        Zone::of(&DataType::Timestamp(TimeUnit::Microsecond, None))
    }

    fn at(text: &str) -> f64 {
        text.parse::<NaiveDateTime>()
            .unwrap()
            .and_utc()
            .timestamp_micros() as f64
    }

    fn labels(ticks: &[Tick]) -> Vec<String> {
        ticks
            .iter()
            .map(|tick| match &tick.below {
                Some(below) => format!("{}|{below}", tick.label),
                None => tick.label.clone(),
            })
            .collect()
    }

    #[test]
    fn numbers_are_round_and_enclose_the_data() {
        assert_eq!(
            labels(&numbers(0.0, 43.0, 5, true)),
            ["0", "10", "20", "30", "40", "50"]
        );
        assert_eq!(labels(&numbers(0.0, 1.0, 5, true)), ["0", "1"]);
        assert_eq!(
            labels(&numbers(0.0, 0.5, 5, false)),
            ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]
        );
        assert_eq!(
            labels(&numbers(0.0, 8_000.0, 4, true)),
            ["0", "2,000", "4,000", "6,000", "8,000"]
        );
        assert_eq!(
            labels(&numbers(0.0, 4e6, 4, true)),
            ["0", "1 M", "2 M", "3 M", "4 M"]
        );
        assert_eq!(
            labels(&numbers(-3.0, 3.0, 3, true)),
            ["-4", "-2", "0", "2", "4"]
        );
    }

    #[test]
    fn no_spread_still_has_an_axis() {
        assert_eq!(labels(&numbers(0.0, 0.0, 5, true)), ["0", "1"]);
        assert_eq!(numbers(7.0, 7.0, 5, true).len(), 2);
    }

    #[test]
    fn a_new_date_is_said_once() {
        let ticks = times(
            at("2013-01-01T05:00:00"),
            at("2013-01-03T01:00:00"),
            utc(),
            10,
            0.0,
        );
        assert_eq!(
            labels(&ticks),
            [
                "06:00|Jan 1, 2013",
                "12:00",
                "18:00",
                "00:00|Jan 2",
                "06:00",
                "12:00",
                "18:00",
                "00:00|Jan 3"
            ]
        );
    }

    #[test]
    fn labels_follow_the_wall_clock_of_the_zone() {
        let zone = Zone::of(&DataType::Timestamp(
            TimeUnit::Microsecond,
            Some("-05:00".into()),
        ));
        let ticks = times(
            at("2013-01-01T04:00:00"),
            at("2013-01-01T12:00:00"),
            zone,
            4,
            0.0,
        );
        assert_eq!(labels(&ticks), ["00:00|Jan 1, 2013", "03:00", "06:00"]);
    }

    #[test]
    fn steps_fit_the_span() {
        let from = at("2013-01-30T00:00:00");
        let seconds = times(from, from + 4e6, utc(), 5, 0.0);
        assert_eq!(labels(&seconds)[..2], ["00:00:00|Jan 30, 2013", "00:00:01"]);
        let days = times(from, at("2013-02-02T00:00:00"), utc(), 5, 0.0);
        assert_eq!(labels(&days), ["Jan 30|2013", "Jan 31", "Feb 1", "Feb 2"]);
        let months = times(
            at("2012-11-15T00:00:00"),
            at("2013-02-15T00:00:00"),
            utc(),
            4,
            0.0,
        );
        assert_eq!(labels(&months), ["Dec|2012", "Jan|2013", "Feb"]);
        let years = times(
            at("1990-01-01T00:00:00"),
            at("2020-01-01T00:00:00"),
            utc(),
            8,
            0.0,
        );
        assert_eq!(
            labels(&years),
            ["1990", "1995", "2000", "2005", "2010", "2015", "2020"]
        );
    }

    #[test]
    fn hours_are_not_cut_into_minutes() {
        let from = at("2013-01-01T06:00:00");
        let ticks = times(from, from + 2.0 * HOUR as f64, utc(), 9, HOUR as f64);
        assert_eq!(labels(&ticks), ["06:00|Jan 1, 2013", "07:00", "08:00"]);
    }

    #[test]
    fn there_is_never_more_than_fits() {
        for hours in [1i64, 7, 30, 100, 1_000, 9_000, 90_000, 900_000] {
            let from = at("2013-01-01T00:30:00");
            let ticks = times(from, from + (hours * HOUR) as f64, utc(), 9, 0.0);
            assert!(
                (2..=10).contains(&ticks.len()),
                "{hours} h gave {} ticks",
                ticks.len()
            );
        }
        let stand_ins = [
            ("0001-01-01T00:00:00", "2013-01-01T00:00:00"),
            ("2013-01-01T00:00:00", "9999-12-31T00:00:00"),
        ];
        for (from, to) in stand_ins {
            let ticks = times(at(from), at(to), utc(), 9, 0.0);
            assert!(
                (2..=10).contains(&ticks.len()),
                "{from} to {to} gave {} ticks",
                ticks.len()
            );
        }
        // Beyond every calendar there is nothing to say, nor anything to count.
        assert!(times(f64::MIN, f64::MAX, utc(), 9, 0.0).len() <= 10);
    }
}
