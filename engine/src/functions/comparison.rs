//! What Spark compares in place of a value: fractions have one NaN and one zero, and a struct or an
//! array is smaller than another one where the first part that differs is, NULL smallest of all.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryBuilder};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::logical_expr::ScalarUDF;

use super::collections::keys;
use super::scalar::{Call, Returns, SCALAR, Scalar, udf};
use super::takes::Takes;
use crate::error::Result;

static FUNCTIONS: [Scalar; 3] = [
    Scalar {
        name: "canonical",
        returns: Returns::Like(0),
        call: |call| keys::normalized(call.argument(0)?),
        ..OF_ANY
    },
    Scalar {
        name: "one_nan",
        returns: Returns::Like(0),
        call: |call| Ok(one_nan(call.argument(0)?)),
        ..OF_ANY
    },
    Scalar {
        name: "comparison_key",
        returns: Returns::Binary,
        call: comparison_key,
        ..OF_ANY
    },
];

const OF_ANY: Scalar = Scalar {
    forms: &[&[Takes::Any]],
    ..SCALAR
};

/// The value with one NaN and one zero.
pub(crate) fn canonical() -> ScalarUDF {
    udf(&FUNCTIONS[0])
}

/// The number, a NaN as the one that is greater than all numbers.
pub(crate) fn one_nan_of() -> ScalarUDF {
    udf(&FUNCTIONS[1])
}

/// Bytes that compare as the values do; NULL for NULL.
pub(crate) fn comparison_key_of() -> ScalarUDF {
    udf(&FUNCTIONS[2])
}

/// Whether a type has fractions in it.
pub(crate) use keys::has_fractions;

fn one_nan(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float32 => {
            let values = arrow::array::AsArray::as_primitive::<Float32Type>(values);
            let one = |value: f32| if value.is_nan() { f32::NAN } else { value };
            Arc::new(values.unary::<_, Float32Type>(one))
        }
        DataType::Float64 => {
            let values = arrow::array::AsArray::as_primitive::<Float64Type>(values);
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value };
            Arc::new(values.unary::<_, Float64Type>(one))
        }
        _ => Arc::clone(values),
    }
}

fn comparison_key(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    let [rows] = keys::keys([values])?;
    let mut keys = BinaryBuilder::with_capacity(values.len(), 0);
    for row in 0..values.len() {
        match values.is_null(row) {
            true => keys.append_null(),
            false => keys.append_value(rows.row(row).as_ref()),
        }
    }
    Ok(Arc::new(keys.finish()))
}
