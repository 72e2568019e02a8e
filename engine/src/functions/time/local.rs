//! What the functions of this theme share: local times, zones, rows of arguments and of results.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, PrimitiveArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use super::super::scalar::Call;
pub(super) use super::super::scalar::text_at;
use crate::datetime::{MICROS_PER_DAY, TIME_ZONE, Zone};
use crate::error::{Error, Result};

/// A zone by its name.
pub(in crate::functions) fn zone_named(name: &str) -> Result<Zone> {
    name.parse().map_err(|()| {
        Error::runtime(format!("there is no time zone '{name}'"))
            .with_condition("INVALID_TIMEZONE")
            .with_hint("write a region or a distance: 'Europe/Berlin', '+02:00'")
    })
}

/// The session's zone.
pub(super) fn session_zone(call: &Call<'_>) -> Result<Zone> {
    zone_named(&call.zone)
}

/// An argument that is a date, a timestamp of either kind or a time of the day, as local time in microseconds.
pub(super) fn local(call: &Call<'_>, index: usize) -> Result<PrimitiveArray<Int64Type>> {
    Ok(match call.argument(index)?.data_type() {
        DataType::Date32 => call
            .primitive::<Date32Type>(index)?
            .unary(|days| i64::from(days) * MICROS_PER_DAY),
        DataType::Timestamp(_, Some(_)) => {
            let zone = session_zone(call)?;
            let utc = call.primitive::<TimestampMicrosecondType>(index)?;
            utc.unary_opt(|utc| zone.to_local(utc))
        }
        DataType::Time64(_) => call
            .primitive::<Time64MicrosecondType>(index)?
            .unary(|time| time),
        _ => call
            .primitive::<TimestampMicrosecondType>(index)?
            .unary(|local| local),
    })
}

/// A value of a row.
pub(super) fn at<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    row: usize,
) -> Option<T::Native> {
    values.is_valid(row).then(|| values.value(row))
}

/// A column, row by row.
pub(super) fn column<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    value: impl FnMut(usize) -> Result<Option<T::Native>>,
) -> Result<ArrayRef> {
    let values: PrimitiveArray<T> = (0..call.rows).map(value).collect::<Result<_>>()?;
    Ok(Arc::new(values))
}

/// The same for `TIMESTAMP`, or `TIMESTAMP_NTZ` if the function gives that.
pub(super) fn timestamps(
    call: &Call<'_>,
    value: impl FnMut(usize) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let values: TimestampMicrosecondArray = (0..call.rows).map(value).collect::<Result<_>>()?;
    Ok(match call.returns {
        DataType::Timestamp(_, Some(_)) => Arc::new(values.with_timezone(TIME_ZONE)),
        _ => Arc::new(values),
    })
}

/// The same for text.
pub(super) fn texts(
    call: &Call<'_>,
    value: impl FnMut(usize) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let values: StringArray = (0..call.rows).map(value).collect::<Result<_>>()?;
    Ok(Arc::new(values))
}

/// What was made of the last text, which is mostly that of every row.
pub(super) struct Last<T>(Option<(String, T)>);

impl<T: Clone> Last<T> {
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// What `make` makes of `text`.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        if let Some((known, value)) = &self.0
            && known == text
        {
            return Ok(value.clone());
        }
        let value = make(text)?;
        self.0 = Some((text.to_string(), value.clone()));
        Ok(value)
    }
}

/// The refusal of a result that no type holds.
pub(super) fn overflow(call: &Call<'_>) -> Error {
    Error::runtime(format!("the result of {} is out of its range", call.name))
        .with_condition("DATETIME_OVERFLOW")
        .with_hint("check the arguments")
}
