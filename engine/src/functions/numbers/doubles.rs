//! Functions of DOUBLEs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::Float64Type;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::Result;

/// A function that gives a DOUBLE for one.
pub(super) const fn of_one(
    name: &'static str,
    call: fn(&Call<'_>) -> Result<ArrayRef>,
    doc: &'static str,
    example: &'static str,
) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Double]],
        returns: Returns::Double,
        call,
        doc,
        example,
        ..SCALAR
    }
}

/// A function that gives a DOUBLE for two.
pub(super) const fn of_two(
    name: &'static str,
    call: fn(&Call<'_>) -> Result<ArrayRef>,
    doc: &'static str,
    example: &'static str,
) -> Scalar {
    Scalar {
        forms: &[&[Takes::Double, Takes::Double]],
        ..of_one(name, call, doc, example)
    }
}

/// `compute` of the only argument.
pub(super) fn map(call: &Call<'_>, compute: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let values: Float64Array = call.primitive::<Float64Type>(0)?.unary(compute);
    Ok(Arc::new(values))
}

/// The same, where some values have none.
pub(super) fn map_some(call: &Call<'_>, compute: impl Fn(f64) -> Option<f64>) -> Result<ArrayRef> {
    let values: Float64Array = call.primitive::<Float64Type>(0)?.unary_opt(compute);
    Ok(Arc::new(values))
}

/// `compute` of the two arguments.
pub(super) fn map_two(
    call: &Call<'_>,
    compute: impl Fn(f64, f64) -> Option<f64>,
) -> Result<ArrayRef> {
    let (left, right) = (
        call.primitive::<Float64Type>(0)?,
        call.primitive::<Float64Type>(1)?,
    );
    let pairs = left.iter().zip(right);
    let values = pairs.map(|(left, right)| compute(left?, right?));
    Ok(Arc::new(values.collect::<Float64Array>()))
}
