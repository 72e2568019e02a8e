//! Casts to TIME and of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Decimal128Type, Time64MicrosecondType, TimestampMicrosecondType};

use super::Cast;
use crate::datetime::MICROS_PER_DAY;
use crate::error::Result;

impl Cast<'_> {
    /// The time of the day that a clock shows.
    pub(super) fn time_of_day(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let of_zone = matches!(values.data_type(), DataType::Timestamp(_, Some(_)));
        let times =
            self.each::<TimestampMicrosecondType, Time64MicrosecondType>(values, |time| {
                let local = match of_zone {
                    true => self.zone.to_local(time)?,
                    false => time,
                };
                Some(local.rem_euclid(MICROS_PER_DAY))
            })?;
        Ok(Arc::new(times))
    }

    /// The seconds since midnight, with their fraction.
    pub(super) fn seconds_of_day(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let times = values.as_primitive::<Time64MicrosecondType>();
        let seconds: PrimitiveArray<Decimal128Type> = times.unary(i128::from);
        Ok(Arc::new(
            seconds.with_data_type(DataType::Decimal128(14, 6)),
        ))
    }
}
