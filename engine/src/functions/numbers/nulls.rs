//! What is NULL, what is not a number, and what equals what.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, make_comparator};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{SortOptions, cast, is_not_null, is_null};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result, from_datafusion};

/// Functions that give BOOLEAN.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "equal_null",
        aliases: &["<=>"],
        forms: &[&[Takes::Alike, Takes::Alike]],
        call: |call| {
            let [left, right] = call.first()?;
            Ok(Arc::new(equal(left, right)?))
        },
        doc: "Whether two values are equal, where NULL equals NULL.",
        example: "SELECT equal_null(NULL, NULL)",
        ..TRUTH
    },
    Scalar {
        name: "isnan",
        forms: &[&[Takes::Number]],
        call: is_nan,
        doc: "Whether a number is NaN; NULL is not.",
        example: "SELECT isnan(sqrt(-1))",
        ..TRUTH
    },
    Scalar {
        name: "isnotnull",
        forms: &[&[Takes::Any]],
        call: |call| Ok(Arc::new(is_not_null(call.argument(0)?).map_err(failed)?)),
        doc: "Whether a value is not NULL.",
        example: "SELECT isnotnull(1)",
        ..TRUTH
    },
    Scalar {
        name: "isnull",
        forms: &[&[Takes::Any]],
        call: |call| Ok(Arc::new(is_null(call.argument(0)?).map_err(failed)?)),
        doc: "Whether a value is NULL.",
        example: "SELECT isnull(NULL)",
        ..TRUTH
    },
];

const TRUTH: Scalar = Scalar {
    returns: Returns::Boolean,
    ..SCALAR
};

/// Whether values of one type are equal, row by row; NULL equals NULL.
pub(super) fn equal(left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    if left.data_type().is_null() {
        return Ok(BooleanArray::from(vec![true; left.len()]));
    }
    if !left.data_type().is_nested() && !left.data_type().is_floating() {
        return not_distinct(left, right).map_err(failed);
    }
    let zero = |values: &ArrayRef| -> ArrayRef {
        match values.data_type() {
            // A negative zero is a zero.
            DataType::Float64 => Arc::new(
                values
                    .as_primitive::<Float64Type>()
                    .unary::<_, Float64Type>(|value| value + 0.0),
            ),
            DataType::Float32 => Arc::new(
                values
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(|value| value + 0.0),
            ),
            _ => Arc::clone(values),
        }
    };
    let (left, right) = (zero(left), zero(right));
    let compare = make_comparator(&left, &right, SortOptions::default()).map_err(failed)?;
    let rows = (0..left.len()).map(|row| Some(compare(row, row) == Ordering::Equal));
    Ok(rows.collect())
}

fn is_nan(call: &Call<'_>) -> Result<ArrayRef> {
    let values = cast(call.argument(0)?, &DataType::Float64).map_err(failed)?;
    let values = values.as_primitive::<Float64Type>().iter();
    let truths = values.map(|value| Some(value.is_some_and(f64::is_nan)));
    Ok(Arc::new(truths.collect::<BooleanArray>()))
}

fn failed(error: ArrowError) -> Error {
    from_datafusion(error.into())
}
