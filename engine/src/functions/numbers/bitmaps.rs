//! Bitmaps: numbers as bits in buckets of 32 768.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::Result;

/// The bits of a bucket.
const BITS: i64 = 32_768;

/// Functions of bitmaps.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "bitmap_bit_position",
        call: |call| {
            map(call, |value| match value > 0 {
                true => (value - 1) % BITS,
                false => value.wrapping_neg() % BITS,
            })
        },
        doc: "The bit that stands for a number in its bucket.",
        example: "SELECT bitmap_bit_position(32769)",
        ..LONG
    },
    Scalar {
        name: "bitmap_bucket_number",
        call: |call| {
            map(call, |value| match value > 0 {
                true => 1 + (value - 1) / BITS,
                false => value / BITS,
            })
        },
        doc: "The bucket of a number.",
        example: "SELECT bitmap_bucket_number(32769)",
        ..LONG
    },
    Scalar {
        name: "bitmap_count",
        forms: &[&[Takes::Binary]],
        call: |call| {
            let ones = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum();
            let bitmaps = call.argument(0)?.as_binary::<i32>().iter();
            Ok(Arc::new(
                bitmaps.map(|bytes| bytes.map(ones)).collect::<Int64Array>(),
            ))
        },
        doc: "How many bits of a bitmap are set.",
        example: "SELECT bitmap_count(X'0F')",
        ..LONG
    },
];

const LONG: Scalar = Scalar {
    forms: &[&[Takes::Long]],
    returns: Returns::Long,
    ..SCALAR
};

fn map(call: &Call<'_>, compute: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let values: Int64Array = call.primitive::<Int64Type>(0)?.unary(compute);
    Ok(Arc::new(values))
}
