//! Casts to decimals, and decimals in text.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, DurationSecondType, Float64Type, Int64Type, IntervalYearMonthType,
};

use super::{Cast, failed};
use crate::error::Result;

/// The most digits of a decimal.
const MAX_DIGITS: usize = 38;

impl Cast<'_> {
    pub(super) fn to_decimal(
        &self,
        values: &ArrayRef,
        precision: u8,
        scale: i8,
    ) -> Result<ArrayRef> {
        let fit = |value: i128, from: i8| rescaled(value, from, precision, scale);
        let decimals: PrimitiveArray<Decimal128Type> = match values.data_type() {
            DataType::Decimal128(_, from) => {
                let from = *from;
                self.each::<Decimal128Type, _>(values, |value| fit(value, from))?
            }
            DataType::Float32 | DataType::Float64 | DataType::Timestamp(..) => {
                let doubles = cast_values_to_double(self, values)?;
                let doubles = doubles.as_primitive::<Float64Type>();
                // What is no number is NULL.
                let numbers: PrimitiveArray<Float64Type> =
                    doubles.unary_opt(|value| value.is_finite().then_some(value));
                self.each::<Float64Type, _>(&(Arc::new(numbers) as ArrayRef), |value| {
                    read(&format!("{value:e}"))?.to_decimal(precision, scale)
                })?
            }
            DataType::Duration(_) => self.each::<DurationSecondType, _>(values, |seconds| {
                fit(i128::from(seconds / 86_400), 0)
            })?,
            DataType::Interval(_) => {
                self.each::<IntervalYearMonthType, _>(values, |months| fit(months.into(), 0))?
            }
            _ => {
                let whole = cast(values, &DataType::Int64).map_err(failed)?;
                self.each::<Int64Type, _>(&whole, |value| fit(value.into(), 0))?
            }
        };
        Ok(Arc::new(decimals.with_data_type(self.to.clone())))
    }
}

fn cast_values_to_double(cast: &Cast<'_>, values: &ArrayRef) -> Result<ArrayRef> {
    cast.of_type(&DataType::Float64).to_number(values)
}

pub(super) fn power_of_ten(scale: i8) -> i128 {
    10_i128
        .checked_pow(u32::from(scale.unsigned_abs()))
        .unwrap_or(i128::MAX)
}

/// A decimal with another scale, rounded half up, if it has room for its digits.
pub(super) fn rescaled(value: i128, from: i8, precision: u8, scale: i8) -> Option<i128> {
    let factor = power_of_ten(scale - from);
    let value = match scale >= from {
        true => value.checked_mul(factor)?,
        false => {
            let (quotient, rest) = (value / factor, value % factor);
            let up = rest.unsigned_abs() >= factor.unsigned_abs().div_ceil(2);
            quotient + if up { value.signum() } else { 0 }
        }
    };
    fits(value, precision)
}

fn fits(value: i128, precision: u8) -> Option<i128> {
    (value.unsigned_abs() < 10_u128.pow(u32::from(precision))).then_some(value)
}

/// All digits of a decimal.
pub(super) fn text_of_decimal(value: i128, scale: i8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let scale = scale.max(0) as usize;
    let digits = format!("{:0>1$}", value.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    match fraction {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// A number as it was written: its digits, and the place of the last of them.
pub(super) struct Written {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// Reads `-12.5`, `.5`, `1e-3`.
pub(super) fn read(text: &str) -> Option<Written> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
    };
    let negative = mantissa.starts_with('-');
    let plain = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = [whole, fraction].concat().into_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(Written {
        negative,
        digits: digits
            .into_iter()
            .skip_while(|digit| *digit == b'0')
            .collect(),
        exponent: i64::from(exponent) - fraction.len() as i64,
    })
}

impl Written {
    /// The decimal, rounded half up, if it has room for all digits before the point.
    pub(super) fn to_decimal(&self, precision: u8, scale: i8) -> Option<i128> {
        let shift = self.exponent + i64::from(scale);
        let value = match usize::try_from(shift) {
            _ if self.digits.is_empty() => 0,
            Ok(zeros) if self.digits.len() + zeros > MAX_DIGITS => return None,
            Ok(zeros) => number(&self.digits)? * 10_i128.pow(zeros as u32),
            Err(_) => {
                let cut = usize::try_from(shift.unsigned_abs()).ok()?;
                let kept = self.digits.len().checked_sub(cut);
                let (kept, lost) = self.digits.split_at(kept.unwrap_or(0));
                let up = lost.len() == cut && lost.first().is_some_and(|digit| *digit >= b'5');
                number(kept)? + i128::from(up)
            }
        };
        fits(if self.negative { -value } else { value }, precision)
    }
}

fn number(digits: &[u8]) -> Option<i128> {
    if digits.len() > MAX_DIGITS {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + i128::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_half_up() {
        let read = |text: &str| read(text)?.to_decimal(5, 2);
        for (text, value) in [
            ("1.005", Some(101)),
            ("-1.005", Some(-101)),
            ("1.004999", Some(100)),
            ("999.994", Some(99_999)),
            ("999.995", None),
            (".5", Some(50)),
            ("5.", Some(500)),
            ("1e2", Some(10_000)),
            ("1e-9", Some(0)),
            ("0.006", Some(1)),
            ("0.004", Some(0)),
            ("1e400", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
        assert_eq!(rescaled(1_005, 3, 5, 2), Some(101));
        assert_eq!(rescaled(-1_004, 3, 5, 2), Some(-100));
        assert_eq!(rescaled(99_999, 2, 5, 3), None);
        assert_eq!(text_of_decimal(-5, 3), "-0.005");
    }
}
