//! Numbers as decimal digits: exact, rounded half to even, with separators.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};

use crate::error::{Result, from_datafusion};

/// The numbers of an argument.
pub(super) enum Numbers {
    Exact(ArrayRef, i8),
    Float(ArrayRef),
}

/// A number as its sign and digits, or what a float may be besides.
pub(super) enum Digits {
    NotANumber,
    Infinite {
        is_negative: bool,
    },
    Finite {
        is_negative: bool,
        whole: String,
        fraction: String,
    },
}

impl Numbers {
    pub(super) fn new(values: &ArrayRef) -> Result<Self> {
        let to =
            |data_type| cast(values, &data_type).map_err(|error| from_datafusion(error.into()));
        Ok(match values.data_type() {
            DataType::Decimal128(_, scale) => Self::Exact(Arc::clone(values), *scale),
            other if other.is_floating() => Self::Float(to(DataType::Float64)?),
            _ => Self::Exact(to(DataType::Decimal128(20, 0))?, 0),
        })
    }

    /// The digits of a row, with so many behind the point.
    pub(super) fn rounded(&self, row: usize, digits: usize, percent: bool) -> Digits {
        match self {
            Self::Exact(values, scale) => {
                let value = values.as_primitive::<Decimal128Type>().value(row);
                let scale = i32::from(*scale) - if percent { 2 } else { 0 };
                round_decimal(value, scale, digits)
            }
            Self::Float(values) => {
                let value = values.as_primitive::<Float64Type>().value(row);
                round_float(if percent { value * 100.0 } else { value }, digits)
            }
        }
    }
}

fn round_float(value: f64, digits: usize) -> Digits {
    if value.is_nan() {
        return Digits::NotANumber;
    }
    let is_negative = value.is_sign_negative();
    if value.is_infinite() {
        return Digits::Infinite { is_negative };
    }
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    Digits::Finite {
        is_negative,
        whole: whole.to_owned(),
        fraction: fraction.to_owned(),
    }
}

fn round_decimal(value: i128, scale: i32, digits: usize) -> Digits {
    let scale = usize::try_from(scale).map_err(|_| scale.unsigned_abs() as usize);
    let text = value.unsigned_abs().to_string();
    let (text, scale) = match scale {
        Ok(scale) => (text, scale),
        Err(zeros) => (text + &"0".repeat(zeros), 0),
    };
    let text = format!("{text:0>width$}", width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    let kept = fraction.len().min(digits);
    let mut number = format!("{whole}{}", &fraction[..kept]).into_bytes();
    let dropped = &fraction[kept..];
    let half = format!("5{}", "0".repeat(dropped.len().saturating_sub(1)));
    let is_odd = number.last().is_some_and(|digit| digit % 2 == 1);
    let rounds_up = match dropped.cmp(half.as_str()) {
        _ if dropped.is_empty() => false,
        std::cmp::Ordering::Equal => is_odd,
        order => order.is_gt(),
    };
    if rounds_up {
        increment(&mut number);
    }
    let number: String = number.into_iter().map(char::from).collect();
    let (whole, fraction) = number.split_at(number.len() - kept);
    Digits::Finite {
        is_negative: value < 0,
        whole: whole.to_owned(),
        fraction: format!("{fraction:0<digits$}"),
    }
}

/// The next number.
pub(super) fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        match digit {
            b'9' => *digit = b'0',
            _ => {
                *digit += 1;
                return;
            }
        }
    }
    digits.insert(0, b'1');
}

/// With a comma in front of each group of so many digits but the first.
pub(super) fn grouped(whole: &str, size: usize) -> String {
    if size == 0 {
        return whole.to_owned();
    }
    let mut text = String::with_capacity(whole.len() * 4 / 3);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(size) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_half_to_even() {
        let text = |value, scale, digits| match round_decimal(value, scale, digits) {
            Digits::Finite {
                is_negative,
                whole,
                fraction,
            } => {
                format!("{}{whole}.{fraction}", if is_negative { "-" } else { "" })
            }
            _ => String::new(),
        };
        assert_eq!(text(12_332_123_456, 6, 4), "12332.1235");
        assert_eq!(text(25, 1, 0), "2.");
        assert_eq!(text(-35, 1, 0), "-4.");
        assert_eq!(text(999, 1, 0), "100.");
        assert_eq!(text(5, -2, 1), "500.0");
        assert_eq!(text(5, 3, 2), "0.00");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!(grouped("1234567", 3), "1,234,567");
        assert_eq!(grouped("123", 3), "123");
    }
}
