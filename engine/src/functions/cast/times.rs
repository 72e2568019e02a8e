//! Casts to dates, timestamps and intervals.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMicrosecondType,
    DurationSecondType, Float64Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit, TimestampMicrosecondType,
};

use super::decimals::rescaled;
use super::{Cast, failed};
use crate::datetime::{MICROS_PER_DAY, TIME_ZONE};
use crate::error::Result;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Cast<'_> {
    pub(super) fn to_time(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let zone = self.zone;
        let of_zone = matches!(self.to, DataType::Timestamp(_, Some(_)));
        match (values.data_type(), self.to) {
            (DataType::Timestamp(_, from), DataType::Date32) => {
                let is_utc = from.is_some();
                let days = self.each::<TimestampMicrosecondType, Date32Type>(values, |time| {
                    let local = if is_utc { zone.to_local(time)? } else { time };
                    i32::try_from(local.div_euclid(MICROS_PER_DAY)).ok()
                })?;
                Ok(Arc::new(days))
            }
            (DataType::Timestamp(..), _) => {
                self.timestamps(self.each::<TimestampMicrosecondType, _>(values, |time| {
                    if of_zone {
                        zone.to_utc(time)
                    } else {
                        zone.to_local(time)
                    }
                })?)
            }
            (DataType::Date32, _) => {
                self.timestamps(self.each::<Date32Type, _>(values, |days| {
                    let midnight = i64::from(days).checked_mul(MICROS_PER_DAY)?;
                    if of_zone {
                        zone.to_utc(midnight)
                    } else {
                        Some(midnight)
                    }
                })?)
            }
            _ => self.of_seconds(values),
        }
    }

    /// A number of seconds since 1970 as a timestamp.
    fn of_seconds(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match values.data_type() {
            DataType::Decimal128(_, scale) => {
                let scale = *scale;
                self.timestamps(self.each::<Decimal128Type, _>(values, |value| {
                    let micros = value.checked_mul(i128::from(MICROS_PER_SECOND))?;
                    i64::try_from(micros / super::decimals::power_of_ten(scale)).ok()
                })?)
            }
            from if from.is_integer() => {
                let seconds = cast(values, &DataType::Int64).map_err(failed)?;
                let micros = seconds
                    .as_primitive::<Int64Type>()
                    .unary(|seconds| seconds.saturating_mul(MICROS_PER_SECOND));
                self.timestamps(micros)
            }
            _ => {
                let seconds = cast(values, &DataType::Float64).map_err(failed)?;
                let seconds = seconds.as_primitive::<Float64Type>();
                let micros = |seconds: f64| {
                    let micros = (seconds * MICROS_PER_SECOND as f64).trunc();
                    (micros.abs() < i64::MAX as f64).then_some(micros as i64)
                };
                self.timestamps(match self.lenient {
                    true => seconds.unary_opt(micros),
                    false => seconds.try_unary(|value| match value.is_finite() {
                        true => micros(value).ok_or_else(|| self.overflow(value)),
                        false => Err(self.invalid(value)),
                    })?,
                })
            }
        }
    }

    /// Microseconds as timestamps of the type wanted.
    pub(super) fn timestamps(
        &self,
        micros: PrimitiveArray<TimestampMicrosecondType>,
    ) -> Result<ArrayRef> {
        let times: TimestampMicrosecondArray = match self.to {
            DataType::Timestamp(_, Some(_)) => micros.with_timezone(TIME_ZONE),
            _ => micros,
        };
        self.arrow(&(Arc::new(times) as ArrayRef))
    }

    pub(super) fn to_interval(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match self.to {
            DataType::Duration(TimeUnit::Second) => Ok(Arc::new(self.seconds(values)?)),
            DataType::Duration(_) => {
                let micros: PrimitiveArray<DurationMicrosecondType> = self.micros(values)?;
                self.arrow(&(Arc::new(micros) as ArrayRef))
            }
            DataType::Interval(IntervalUnit::YearMonth) => Ok(Arc::new(self.months(values)?)),
            _ => self.arrow(values),
        }
    }

    /// `INTERVAL DAY`: seconds of whole days.
    fn seconds(&self, values: &ArrayRef) -> Result<PrimitiveArray<DurationSecondType>> {
        match values.data_type() {
            DataType::Duration(_) => {
                let micros: PrimitiveArray<DurationMicrosecondType> = self.micros(values)?;
                Ok(micros.unary(|micros| micros / MICROS_PER_DAY * SECONDS_PER_DAY))
            }
            DataType::Interval(_) => self.each::<IntervalMonthDayNanoType, _>(values, |value| {
                let days = i64::from(value.days) + value.nanoseconds / 1_000 / MICROS_PER_DAY;
                (value.months == 0).then_some(days * SECONDS_PER_DAY)
            }),
            _ => self.whole(values, |days| days.checked_mul(SECONDS_PER_DAY)),
        }
    }

    /// `INTERVAL DAY TO SECOND`.
    fn micros(&self, values: &ArrayRef) -> Result<PrimitiveArray<DurationMicrosecondType>> {
        match values.data_type() {
            DataType::Duration(TimeUnit::Microsecond) => {
                Ok(values.as_primitive::<DurationMicrosecondType>().clone())
            }
            DataType::Duration(TimeUnit::Second) => self
                .each::<DurationSecondType, _>(values, |seconds| {
                    seconds.checked_mul(MICROS_PER_SECOND)
                }),
            DataType::Duration(_) => {
                let micros = cast(values, &DataType::Duration(TimeUnit::Microsecond));
                let micros = micros.map_err(failed)?;
                Ok(micros.as_primitive::<DurationMicrosecondType>().clone())
            }
            DataType::Interval(_) => self.each::<IntervalMonthDayNanoType, _>(values, |value| {
                let days = i64::from(value.days).checked_mul(MICROS_PER_DAY)?;
                let micros = days.checked_add(value.nanoseconds / 1_000);
                micros.filter(|_| value.months == 0)
            }),
            DataType::Decimal128(_, scale) => {
                let scale = *scale;
                self.each::<Decimal128Type, _>(values, |value| {
                    i64::try_from(rescaled(value, scale, 38, 6)?).ok()
                })
            }
            _ => self.whole(values, |seconds| seconds.checked_mul(MICROS_PER_SECOND)),
        }
    }

    fn months(&self, values: &ArrayRef) -> Result<PrimitiveArray<IntervalYearMonthType>> {
        match values.data_type() {
            DataType::Interval(_) => self.each::<IntervalMonthDayNanoType, _>(values, |value| {
                (value.days == 0 && value.nanoseconds == 0).then_some(value.months)
            }),
            _ => self.whole(values, |months| i32::try_from(months).ok()),
        }
    }

    /// A whole number, or a decimal rounded to one.
    fn whole<T: ArrowPrimitiveType>(
        &self,
        values: &ArrayRef,
        convert: impl Fn(i64) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        match values.data_type() {
            DataType::Decimal128(_, scale) => {
                let scale = *scale;
                self.each::<Decimal128Type, T>(values, |value| {
                    convert(i64::try_from(rescaled(value, scale, 38, 0)?).ok()?)
                })
            }
            _ => {
                let whole = cast(values, &DataType::Int64).map_err(failed)?;
                self.each::<Int64Type, T>(&whole, convert)
            }
        }
    }
}
