//! `time_bucket`: times cut to buckets of an interval's size.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use chrono::Datelike;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::interval_operators::shift_at;
use super::local::{at, overflow, session_zone, timestamps};
use crate::datetime::{MICROS_PER_DAY, Shift, Zone, local_time};
use crate::error::{Error, Result};

/// The function.
pub(super) const BUCKETS: &[Scalar] = &[Scalar {
    name: "time_bucket",
    forms: &[
        &[Takes::Interval, Takes::AnyTimestamp],
        &[Takes::Interval, Takes::AnyTimestamp, Takes::AnyTimestamp],
    ],
    returns: Returns::Like(1),
    call: buckets,
    doc: "The beginning of the bucket that a time falls into, counted from 1970 or from an origin.",
    example: "SELECT time_bucket(INTERVAL '15' MINUTE, TIMESTAMP'2024-02-29 12:58:59')",
    ..SCALAR
}];

fn buckets(call: &Call<'_>) -> Result<ArrayRef> {
    let zone = match call.returns {
        DataType::Timestamp(_, Some(_)) => session_zone(call)?,
        _ => Zone::UTC,
    };
    let sizes = call.argument(0)?;
    let times = call.primitive::<TimestampMicrosecondType>(1)?;
    let origins = (call.len() == 3)
        .then(|| call.primitive::<TimestampMicrosecondType>(2))
        .transpose()?;
    timestamps(call, |row| {
        let origin = match origins {
            Some(origins) => at(origins, row),
            None => zone.to_utc(0),
        };
        let size = shift_at(sizes, row);
        let Some(((size, time), origin)) = size.zip(at(times, row)).zip(origin) else {
            return Ok(None);
        };
        let micros = size.days.checked_mul(MICROS_PER_DAY);
        let micros = micros.and_then(|days| days.checked_add(size.micros));
        let start = match (size.months, micros) {
            (1.., Some(0)) => start_of_months(time, origin, size.months, zone),
            (0, Some(micros @ 1..)) => start_of_length(time, origin, micros, zone),
            _ => return Err(not_positive()),
        };
        start.map(Some).ok_or_else(|| overflow(call))
    })
}

/// Buckets of whole days begin when days do; shorter ones have the same length always.
fn start_of_length(time: i64, origin: i64, micros: i64, zone: Zone) -> Option<i64> {
    let zone = match micros % MICROS_PER_DAY {
        0 => zone,
        _ => Zone::UTC,
    };
    let (time, origin) = (zone.to_local(time)?, zone.to_local(origin)?);
    let ahead = time.checked_sub(origin)?.rem_euclid(micros);
    zone.to_utc(time.checked_sub(ahead)?)
}

fn start_of_months(time: i64, origin: i64, months: i64, zone: Zone) -> Option<i64> {
    let month = |utc: i64| {
        let local = local_time(zone.to_local(utc)?)?;
        Some(i64::from(local.year()) * 12 + i64::from(local.month0()))
    };
    let start = |count: i64| {
        let shift = Shift {
            months: count.checked_mul(months)?,
            ..Shift::default()
        };
        shift.moved(origin, zone)
    };
    let count = (month(time)? - month(origin)?).div_euclid(months);
    match start(count)? {
        later if later > time => start(count - 1),
        start => Some(start),
    }
}

fn not_positive() -> Error {
    Error::analysis("the size of a bucket must be longer than nothing")
        .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
        .with_hint("write it like INTERVAL '15' MINUTE or INTERVAL '1' MONTH")
}
