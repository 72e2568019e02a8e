//! Numbers in digits of another base.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result};

/// Functions of digits.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "bin",
        forms: &[&[Takes::Long]],
        call: |call| {
            let values = call.primitive::<Int64Type>(0)?.iter();
            Ok(texts(values.map(|value| Some(format!("{:b}", value?)))))
        },
        doc: "The binary digits of a whole number.",
        example: "SELECT bin(10)",
        ..SCALAR
    },
    Scalar {
        name: "conv",
        forms: &[&[Takes::Text, Takes::Int, Takes::Int]],
        call: conv,
        doc: "A number written in one base, written in another; a negative base gives a sign.",
        example: "SELECT conv('ff', 16, 10)",
        ..SCALAR
    },
    Scalar {
        name: "hex",
        forms: &[&[Takes::Long], &[Takes::Binary], &[Takes::Text]],
        call: hex,
        doc: "The hexadecimal digits of a whole number, of bytes, or of the bytes of a text.",
        example: "SELECT hex(255)",
        ..SCALAR
    },
    Scalar {
        name: "unhex",
        forms: &[&[Takes::Text]],
        returns: Returns::Binary,
        call: |call| {
            let texts = call.text(0)?.iter();
            Ok(Arc::new(
                texts.map(|text| unhex(text?)).collect::<BinaryArray>(),
            ))
        },
        doc: "The bytes that hexadecimal digits stand for; NULL if some digit is none.",
        example: "SELECT unhex('414243')",
        ..SCALAR
    },
];

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn hex(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    Ok(match values.data_type() {
        DataType::Int64 => {
            let values = call.primitive::<Int64Type>(0)?.iter();
            texts(values.map(|value| Some(format!("{:X}", value?))))
        }
        DataType::Binary => texts(
            values
                .as_binary::<i32>()
                .iter()
                .map(|bytes| bytes.map(hex_of)),
        ),
        _ => texts(
            call.text(0)?
                .iter()
                .map(|text| text.map(|text| hex_of(text.as_bytes()))),
        ),
    })
}

/// A digit of a base of up to 36.
fn digit(value: u8) -> char {
    char::from(match value {
        0..10 => b'0' + value,
        _ => b'A' + (value - 10),
    })
}

fn hex_of(bytes: &[u8]) -> String {
    let pairs = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    pairs.collect()
}

/// The bytes that hexadecimal digits stand for; an odd first digit is a byte of its own.
pub(in crate::functions) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|value| value as u8));
    let digits = digits.collect::<Option<Vec<u8>>>()?;
    let (first, pairs) = digits.split_at(digits.len() % 2);
    let (pairs, _) = pairs.as_chunks();
    let pairs = pairs.iter().map(|[high, low]| high << 4 | low);
    Some(first.iter().copied().chain(pairs).collect())
}

fn conv(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.text(0)?.iter();
    let bases = call
        .primitive::<Int32Type>(1)?
        .iter()
        .zip(call.primitive::<Int32Type>(2)?);
    let rows = numbers
        .zip(bases)
        .map(|(number, bases)| match (number, bases) {
            (Some(number), (Some(from), Some(to))) => converted(number.trim(), from, to),
            _ => Ok(None),
        });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

fn converted(number: &str, from: i32, to: i32) -> Result<Option<String>> {
    let is_base = |base: u32| (2..=36).contains(&base);
    let (Ok(from), base) = (u32::try_from(from), to.unsigned_abs()) else {
        return Ok(None);
    };
    if number.is_empty() || !is_base(from) || !is_base(base) {
        return Ok(None);
    }
    let (mut is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    // What stands behind the first sign that is no digit does not count.
    let mut value: u64 = 0;
    for digit in number.chars().map_while(|digit| digit.to_digit(from)) {
        let next = value.checked_mul(u64::from(from));
        let next = next.and_then(|value| value.checked_add(u64::from(digit)));
        value = next.ok_or_else(|| {
            Error::runtime(format!("conv('{number}') is out of the range of 64 bits"))
                .with_condition("ARITHMETIC_OVERFLOW")
                .with_hint("convert a number with fewer digits")
        })?;
    }
    let has_sign_bit = value > i64::MAX as u64;
    if is_negative && to > 0 {
        value = if has_sign_bit {
            u64::MAX
        } else {
            value.wrapping_neg()
        };
    } else if to < 0 && has_sign_bit {
        value = value.wrapping_neg();
        is_negative = true;
    }
    let sign = if is_negative && to < 0 { "-" } else { "" };
    Ok(Some(format!("{sign}{}", in_base(value, u64::from(base)))))
}

fn in_base(mut value: u64, base: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(digit((value % base) as u8));
        value /= base;
        if value == 0 {
            return digits.iter().rev().collect();
        }
    }
}
