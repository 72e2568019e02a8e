//! Dates, times, intervals and time zones.

mod buckets;
mod days;
mod enabled;
mod fields;
mod interval_operators;
mod local;
mod make_intervals;
mod make_timestamps;
mod parts;
mod patterns;
mod time_type;
mod truncated;
mod units;
mod unix;
mod zones;

use super::scalar::Scalar;

pub(crate) use enabled::{check_time_type, is_of_time, set_time_type};
pub(super) use interval_operators::{IntervalOperator, interval_operator};
pub(super) use local::zone_named;

/// The tables of this theme.
pub(super) const TABLES: &[&[Scalar]] = &[
    buckets::BUCKETS,
    days::DAYS,
    fields::FIELDS,
    make_intervals::MAKE_INTERVALS,
    make_timestamps::MAKE_TIMESTAMPS,
    parts::PARTS,
    patterns::PATTERNS,
    time_type::TIME_TYPE,
    truncated::TRUNCATED,
    units::UNITS,
    unix::UNIX,
    zones::ZONES,
];

#[cfg(test)]
mod tests;
