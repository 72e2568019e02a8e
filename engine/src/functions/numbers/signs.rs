//! Signs of numbers and intervals.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray, Float64Array};
use arrow::datatypes::ArrowPrimitiveType;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result};

/// A number or an interval, as it is.
const ONE: &[&[Takes]] = &[&[Takes::Number], &[Takes::Interval]];

/// Functions of signs.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "abs",
        forms: ONE,
        returns: Returns::Like(0),
        call: |call| by_type!(call.returns, absolute(call)).unwrap_or_else(|| not_a_number(call)),
        doc: "A number or an interval without its sign.",
        example: "SELECT abs(-5)",
        ..SCALAR
    },
    Scalar {
        name: "negative",
        forms: ONE,
        returns: Returns::Like(0),
        call: |call| by_type!(call.returns, negated(call)).unwrap_or_else(|| not_a_number(call)),
        doc: "A number or an interval with the other sign.",
        example: "SELECT negative(5)",
        ..SCALAR
    },
    Scalar {
        name: "positive",
        forms: ONE,
        returns: Returns::Like(0),
        call: |call| Ok(Arc::clone(call.argument(0)?)),
        doc: "A number or an interval as it is.",
        example: "SELECT positive(5)",
        ..SCALAR
    },
    Scalar {
        name: "signum",
        aliases: &["sign"],
        forms: &[&[Takes::Double], &[Takes::Interval]],
        returns: Returns::Double,
        call: |call| {
            let data_type = call.argument(0)?.data_type();
            by_type!(data_type, sign(call)).unwrap_or_else(|| not_a_number(call))
        },
        doc: "1 for what is more than 0, -1 for what is less, 0 for 0.",
        example: "SELECT signum(-5)",
        ..SCALAR
    },
];

fn not_a_number(call: &Call<'_>) -> Result<ArrayRef> {
    let data_type = call.argument(0)?.data_type();
    Err(Error::internal(format!("{} got {data_type}", call.name)))
}

fn absolute<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef> {
    checked::<T>(call, |value| match value.is_lt(T::Native::ZERO) {
        true => value.neg_checked().ok().or(wrapped(call, value)),
        false => Some(value),
    })
}

fn negated<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef> {
    checked::<T>(call, |value| {
        value.neg_checked().ok().or(wrapped(call, value))
    })
}

/// The number with the other sign that is out of its range, if that does not matter.
fn wrapped<N: ArrowNativeTypeOp>(call: &Call<'_>, value: N) -> Option<N> {
    (!call.ansi && call.returns.is_integer()).then(|| value.neg_wrapping())
}

fn checked<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    compute: impl Fn(T::Native) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = call.argument(0)?.as_primitive::<T>();
    let values = values.try_unary::<_, T, Error>(|value| {
        compute(value).ok_or_else(|| {
            let message = format!("{}({value:?}) is out of the range of its type", call.name);
            Error::runtime(message)
                .with_condition("ARITHMETIC_OVERFLOW")
                .with_hint("compute with a wider type: CAST(x AS BIGINT)")
        })
    })?;
    Ok(Arc::new(values.with_data_type(call.returns.clone())))
}

fn sign<T: ArrowPrimitiveType>(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?.as_primitive::<T>();
    let zero = T::Native::ZERO;
    let signs: Float64Array = values.unary(|value| match value {
        // A NaN is neither.
        value if value.is_ne(value) => f64::NAN,
        value if value == zero => 0.0,
        value if value.is_gt(zero) => 1.0,
        _ => -1.0,
    });
    Ok(Arc::new(signs))
}
