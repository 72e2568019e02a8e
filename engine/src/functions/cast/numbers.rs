//! Casts to whole numbers and fractions.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DurationSecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalYearMonthType, TimestampMicrosecondType,
};

use super::decimals::{power_of_ten, text_of_decimal};
use super::{Cast, Mode};
use crate::error::Result;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Whole numbers below this are exact as fractions.
const EXACT: u128 = 1 << 53;
/// So are powers of ten up to this one.
const EXACT_POWER: i8 = 22;

impl Cast<'_> {
    pub(super) fn to_number(&self, values: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self.to {
            DataType::Int8 => Arc::new(self.to_whole::<Int8Type>(values)?),
            DataType::Int16 => Arc::new(self.to_whole::<Int16Type>(values)?),
            DataType::Int32 => Arc::new(self.to_whole::<Int32Type>(values)?),
            DataType::Int64 => Arc::new(self.to_whole::<Int64Type>(values)?),
            DataType::Float32 => {
                let doubles = self.doubles(values)?;
                let floats: PrimitiveArray<Float32Type> = doubles.unary(|value| value as f32);
                Arc::new(floats)
            }
            DataType::Float64 => Arc::new(self.doubles(values)?),
            _ => self.arrow(values)?,
        })
    }

    /// Whole numbers, cut towards zero; those of a time are seconds, rounded down.
    fn to_whole<T: ArrowPrimitiveType>(&self, values: &ArrayRef) -> Result<PrimitiveArray<T>>
    where
        T::Native: Whole,
    {
        let wraps = self.mode == Mode::Wraps;
        let fit = |value: i128| match T::Native::try_from(value) {
            Err(_) if wraps => Some(T::Native::lower_bits(value)),
            fitting => fitting.ok(),
        };
        let whole = |value: f64| match whole(value) {
            whole if wraps => {
                let nearest = whole.unwrap_or(nearest_whole(value));
                Some(T::Native::saturated(nearest))
            }
            whole => whole,
        };
        match values.data_type() {
            DataType::Int8 => self.each::<Int8Type, T>(values, |value| fit(value.into())),
            DataType::Int16 => self.each::<Int16Type, T>(values, |value| fit(value.into())),
            DataType::Int32 => self.each::<Int32Type, T>(values, |value| fit(value.into())),
            DataType::Float32 => {
                self.each::<Float32Type, T>(values, |value| fit(whole(value.into())?))
            }
            DataType::Float64 => self.each::<Float64Type, T>(values, |value| fit(whole(value)?)),
            DataType::Decimal128(_, scale) => {
                let below = power_of_ten(*scale);
                self.each::<Decimal128Type, T>(values, |value| fit(value / below))
            }
            // Seconds that are too many are NULL in any mode but one.
            DataType::Timestamp(..) => self.each::<TimestampMicrosecondType, T>(values, |micros| {
                let seconds = i128::from(micros.div_euclid(MICROS_PER_SECOND));
                T::Native::try_from(seconds).ok()
            }),
            DataType::Duration(_) => self.each::<DurationSecondType, T>(values, |seconds| {
                fit((seconds / SECONDS_PER_DAY).into())
            }),
            DataType::Interval(_) => {
                self.each::<IntervalYearMonthType, T>(values, |months| fit(months.into()))
            }
            _ => self.each::<Int64Type, T>(values, |value| fit(value.into())),
        }
    }

    /// Fractions; those of a time are seconds.
    fn doubles(&self, values: &ArrayRef) -> Result<PrimitiveArray<Float64Type>> {
        match values.data_type() {
            DataType::Decimal128(_, scale) => {
                let scale = *scale;
                self.each::<Decimal128Type, Float64Type>(values, |value| Some(double(value, scale)))
            }
            DataType::Timestamp(..) => self
                .each::<TimestampMicrosecondType, Float64Type>(values, |micros| {
                    Some(micros as f64 / MICROS_PER_SECOND as f64)
                }),
            _ => {
                let values = self.of_type(&DataType::Float64).arrow(values)?;
                Ok(values.as_primitive::<Float64Type>().clone())
            }
        }
    }

    pub(super) fn is_not_zero(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let values = values.as_primitive::<Decimal128Type>();
        Ok(Arc::new(BooleanArray::from_unary(values, |value| {
            value != 0
        })))
    }
}

/// Whole numbers of a type, as Java's conversions give them.
trait Whole: TryFrom<i128> {
    /// The lower bits of a larger one.
    fn lower_bits(value: i128) -> Self;

    /// A fraction's whole part within the type that fractions are converted to first: INT, for BIGINT
    /// itself.
    fn saturated(value: i128) -> i128;
}

macro_rules! whole {
    ($type:ty, $first:ty) => {
        impl Whole for $type {
            fn lower_bits(value: i128) -> Self {
                value as Self
            }

            fn saturated(value: i128) -> i128 {
                value.clamp(<$first>::MIN.into(), <$first>::MAX.into())
            }
        }
    };
}

whole!(i8, i32);
whole!(i16, i32);
whole!(i32, i32);
whole!(i64, i64);

/// A fraction that no whole number is as large as.
fn nearest_whole(value: f64) -> i128 {
    value as i128
}

/// A fraction without what is behind its point.
pub(super) fn whole(value: f64) -> Option<i128> {
    (value.abs() < i128::MAX as f64).then_some(value as i128)
}

/// The fraction that is nearest to a decimal.
pub(super) fn double(value: i128, scale: i8) -> f64 {
    if value.unsigned_abs() < EXACT && (0..=EXACT_POWER).contains(&scale) {
        return value as f64 / power_of_ten(scale) as f64;
    }
    text_of_decimal(value, scale).parse().unwrap_or(f64::NAN)
}
