//! The bits of whole numbers. The operators are functions of their own names.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int32Array};
use arrow::compute::cast;
use arrow::compute::kernels::bitwise;
use arrow::datatypes::{ArrowNumericType, DataType, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow::error::ArrowError;

use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result, from_datafusion};

/// Functions of bits.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        call: |call| of_two(call, Two::And),
        doc: "The bits that both whole numbers have.",
        example: "SELECT 6 & 3",
        ..operator("&")
    },
    Scalar {
        call: |call| of_two(call, Two::Xor),
        doc: "The bits that one of two whole numbers has.",
        example: "SELECT 6 ^ 3",
        ..operator("^")
    },
    Scalar {
        call: |call| of_two(call, Two::Or),
        doc: "The bits that any of two whole numbers has.",
        example: "SELECT 6 | 3",
        ..operator("|")
    },
    Scalar {
        name: "~",
        forms: &[&[Takes::Integral]],
        returns: Returns::Like(0),
        call: not,
        doc: "The bits that a whole number does not have.",
        example: "SELECT ~5",
        ..SCALAR
    },
    Scalar {
        name: "bit_count",
        forms: &[&[Takes::Whole], &[Takes::Boolean]],
        returns: Returns::Int,
        call: bit_count,
        doc: "How many bits of a whole number, as a BIGINT, are set.",
        example: "SELECT bit_count(7)",
        ..SCALAR
    },
    Scalar {
        name: "bit_get",
        aliases: &["getbit"],
        forms: &[&[Takes::Whole, Takes::Int]],
        returns: Returns::By(|_| Ok(DataType::Int8)),
        call: bit_get,
        doc: "The bit at a position, which is 0 at the right.",
        example: "SELECT bit_get(5, 2)",
        ..SCALAR
    },
    Scalar {
        aliases: &["<<"],
        call: |call| shifted(call, |value, by| value << by, |value, by| value << by),
        doc: "The bits of a whole number, moved to the left.",
        example: "SELECT shiftleft(3, 2)",
        ..shift("shiftleft")
    },
    Scalar {
        aliases: &[">>"],
        call: |call| shifted(call, |value, by| value >> by, |value, by| value >> by),
        doc: "The bits of a whole number, moved to the right; the sign stays.",
        example: "SELECT shiftright(12, 2)",
        ..shift("shiftright")
    },
    Scalar {
        aliases: &[">>>"],
        call: |call| {
            shifted(
                call,
                |value, by| (value.cast_unsigned() >> by).cast_signed(),
                |value, by| (value.cast_unsigned() >> by).cast_signed(),
            )
        },
        doc: "The bits of a whole number, moved to the right; zeros come after them.",
        example: "SELECT shiftrightunsigned(-1, 28)",
        ..shift("shiftrightunsigned")
    },
];

const fn operator(name: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Integral, Takes::Integral]],
        returns: Returns::By(|inputs: &Inputs<'_>| {
            Ok(wider(inputs.data_type(0)?, inputs.data_type(1)?).clone())
        }),
        ..SCALAR
    }
}

const fn shift(name: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Int, Takes::Int], &[Takes::Whole, Takes::Int]],
        returns: Returns::By(|inputs: &Inputs<'_>| match inputs.data_type(0)? {
            DataType::Int64 => Ok(DataType::Int64),
            _ => Ok(DataType::Int32),
        }),
        ..SCALAR
    }
}

fn wider<'a>(left: &'a DataType, right: &'a DataType) -> &'a DataType {
    let width = |data_type: &DataType| data_type.primitive_width().unwrap_or(0);
    match width(left) >= width(right) {
        true => left,
        false => right,
    }
}

enum Two {
    And,
    Or,
    Xor,
}

fn of_two(call: &Call<'_>, operation: Two) -> Result<ArrayRef> {
    let [left, right] = call.first()?;
    let left = cast(left, &DataType::Int64).map_err(failed)?;
    let right = cast(right, &DataType::Int64).map_err(failed)?;
    let (left, right) = (
        left.as_primitive::<Int64Type>(),
        right.as_primitive::<Int64Type>(),
    );
    let bits = match operation {
        Two::And => bitwise::bitwise_and(left, right),
        Two::Or => bitwise::bitwise_or(left, right),
        Two::Xor => bitwise::bitwise_xor(left, right),
    };
    cast(&bits.map_err(failed)?, call.returns).map_err(failed)
}

fn not(call: &Call<'_>) -> Result<ArrayRef> {
    fn of<T: ArrowNumericType>(call: &Call<'_>) -> Result<ArrayRef>
    where
        T::Native: std::ops::Not<Output = T::Native>,
    {
        Ok(Arc::new(
            bitwise::bitwise_not(call.primitive::<T>(0)?).map_err(failed)?,
        ))
    }
    match call.returns {
        DataType::Int8 => of::<Int8Type>(call),
        DataType::Int16 => of::<Int16Type>(call),
        DataType::Int32 => of::<Int32Type>(call),
        _ => of::<Int64Type>(call),
    }
}

fn bit_count(call: &Call<'_>) -> Result<ArrayRef> {
    let values = cast(call.argument(0)?, &DataType::Int64).map_err(failed)?;
    let values = values.as_primitive::<Int64Type>();
    let counts: Int32Array = values.unary(|value| value.count_ones().cast_signed());
    Ok(Arc::new(counts))
}

fn bit_get(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    let bits = values.data_type().primitive_width().unwrap_or(8) * 8;
    let values = cast(values, &DataType::Int64).map_err(failed)?;
    let pairs = values
        .as_primitive::<Int64Type>()
        .iter()
        .zip(call.primitive::<Int32Type>(1)?);
    let rows = pairs.map(|(value, position)| {
        let (Some(value), Some(position)) = (value, position) else {
            return Ok(None);
        };
        if usize::try_from(position).is_ok_and(|position| position < bits) {
            return Ok(Some((value >> position & 1) as i8));
        }
        Err(Error::runtime(format!(
            "there is no bit {position} in a number of {bits} bits"
        ))
        .with_condition("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE")
        .with_hint(format!("give a position from 0 to {}", bits - 1)))
    });
    Ok(Arc::new(rows.collect::<Result<Int8Array>>()?))
}

/// A shift counts around: one bit more than there are is one bit.
fn shifted(
    call: &Call<'_>,
    int: impl Fn(i32, i32) -> i32,
    long: impl Fn(i64, i32) -> i64,
) -> Result<ArrayRef> {
    let values = cast(call.argument(0)?, call.returns).map_err(failed)?;
    let by = call.primitive::<Int32Type>(1)?;
    Ok(match call.returns {
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>();
            let shifted = arrow::compute::binary::<_, _, _, Int64Type>(values, by, |value, by| {
                long(value, by & 63)
            });
            Arc::new(shifted.map_err(failed)?)
        }
        _ => {
            let values = values.as_primitive::<Int32Type>();
            let shifted = arrow::compute::binary::<_, _, _, Int32Type>(values, by, |value, by| {
                int(value, by & 31)
            });
            Arc::new(shifted.map_err(failed)?)
        }
    })
}

fn failed(error: ArrowError) -> Error {
    from_datafusion(error.into())
}
