//! One value or another, where both may be computed. Those of which only one may are CASEs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, Int32Array, Scalar as OneValue};
use arrow::compute::kernels::boolean::and;
use arrow::compute::kernels::nullif::nullif;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, is_not_null, is_null};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use datafusion::scalar::ScalarValue;

use super::super::common_type::common_type;
use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::nulls::equal;
use crate::error::{Error, Result, from_datafusion};

/// Functions that choose.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "nanvl",
        forms: &[&[Takes::Number, Takes::Number]],
        returns: Returns::By(|inputs: &Inputs<'_>| match inputs.types.as_slice() {
            [DataType::Float32, DataType::Float32] => Ok(DataType::Float32),
            _ => Ok(DataType::Float64),
        }),
        call: nanvl,
        doc: "A number, or another where it is NaN.",
        example: "SELECT nanvl(sqrt(-1), 0)",
        ..SCALAR
    },
    Scalar {
        name: "nullif",
        forms: &[&[Takes::Any, Takes::Any]],
        returns: Returns::Like(0),
        call: |call| {
            let [values, others] = call.first()?;
            without(values, others)
        },
        doc: "A value, or NULL where it equals another.",
        example: "SELECT nullif('-', '-')",
        ..SCALAR
    },
    Scalar {
        name: "nullifzero",
        forms: &[&[Takes::Any]],
        returns: Returns::Like(0),
        call: |call| {
            let zeros: ArrayRef = Arc::new(Int32Array::from(vec![0; call.rows]));
            without(call.argument(0)?, &zeros)
        },
        doc: "A number, or NULL where it is 0.",
        example: "SELECT nullifzero(0)",
        ..SCALAR
    },
    Scalar {
        name: "zeroifnull",
        forms: &[&[Takes::Any]],
        returns: Returns::By(|inputs: &Inputs<'_>| {
            let types = [inputs.data_type(0)?.clone(), DataType::Int32];
            Ok(common_type(&types).unwrap_or(DataType::Int32))
        }),
        call: |call| {
            let values = cast(call.argument(0)?, call.returns).map_err(failed)?;
            let is_null = is_null(&values).map_err(failed)?;
            let zero = ScalarValue::new_zero(call.returns).and_then(|zero| zero.to_array());
            let zero = OneValue::new(zero.map_err(from_datafusion)?);
            choose(&is_null, &zero, &values)
        },
        doc: "A number, or 0 where it is NULL.",
        example: "SELECT zeroifnull(NULL)",
        ..SCALAR
    },
];

fn nanvl(call: &Call<'_>) -> Result<ArrayRef> {
    let [numbers, others] = call.first()?;
    let given = |values: &ArrayRef| cast(values, call.returns).map_err(failed);
    let wide = cast(numbers, &DataType::Float64).map_err(failed)?;
    let wide = wide.as_primitive::<Float64Type>().iter();
    let is_nan: BooleanArray = wide
        .map(|value| Some(value.is_some_and(f64::is_nan)))
        .collect();
    choose(&is_nan, &given(others)?, &given(numbers)?)
}

fn choose(truths: &BooleanArray, one: &dyn Datum, other: &dyn Datum) -> Result<ArrayRef> {
    zip(truths, one, other).map_err(failed)
}

/// Values, or NULL where they equal others.
fn without(left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
    if left.data_type().is_null() {
        return Ok(Arc::clone(left));
    }
    let types = [left.data_type().clone(), right.data_type().clone()];
    let common = common_type(&types).ok_or_else(|| {
        let [left, right] = types.map(|data_type| crate::type_names::sql_type(&data_type));
        Error::analysis(format!("{left} and {right} cannot be compared"))
            .with_condition("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES")
            .with_hint("cast one of them: CAST(x AS type)")
    })?;
    let as_common = |values: &ArrayRef| cast(values, &common).map_err(failed);
    let (one, other) = (as_common(left)?, as_common(right)?);
    let both = and(
        &is_not_null(&one).map_err(failed)?,
        &is_not_null(&other).map_err(failed)?,
    );
    let same = and(&both.map_err(failed)?, &equal(&one, &other)?).map_err(failed)?;
    nullif(left, &same).map_err(failed)
}

fn failed(error: ArrowError) -> Error {
    from_datafusion(error.into())
}
