//! `nearest_rank(values, percentage)`: the value that a percentage of the values does not exceed,
//! which is what Spark's `percentile_approx` gives for as many values as its accuracy.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::{concat, sort_to_indices, take};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, ErrorKind, Result};

/// The function over the array of all values, which has no NULLs; the percentage is one from 0 to 1
/// or an array of such, as is the result.
pub(super) fn nearest_rank() -> ScalarUDF {
    ScalarUDF::from(NearestRank {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NearestRank {
    signature: Signature,
}

impl ScalarUDFImpl for NearestRank {
    fn name(&self) -> &str {
        "nearest_rank"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        match types {
            [values @ DataType::List(_), DataType::List(_)] => Ok(vec![
                values.clone(),
                DataType::new_list(DataType::Float64, true),
            ]),
            [values @ DataType::List(_), one] if one.is_numeric() => {
                Ok(vec![values.clone(), DataType::Float64])
            }
            _ => Err(
                Error::analysis("a percentage must be a number or an array of numbers")
                    .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                    .into(),
            ),
        }
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        match types {
            [DataType::List(item), DataType::List(_)] => Ok(DataType::List(Arc::new(
                Field::new_list_field(item.data_type().clone(), true),
            ))),
            [DataType::List(item), _] => Ok(item.data_type().clone()),
            _ => datafusion::common::internal_err!("nearest_rank needs an array"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (lists, percentages) = (arrays[0].as_list::<i32>(), &arrays[1]);
        let data_type = args.return_field.data_type();
        if lists.is_empty() {
            return Ok(ColumnarValue::Array(new_null_array(data_type, 0)));
        }
        let rows = (0..lists.len()).map(|row| -> DataFusionResult<ArrayRef> {
            let has_values = lists.is_valid(row) && lists.value_length(row) > 0;
            if !has_values || percentages.is_null(row) {
                return Ok(new_null_array(data_type, 1));
            }
            let values = lists.value(row);
            match percentages.as_list_opt::<i32>() {
                Some(percentages) => {
                    let ranked = ranked(&values, &percentages.value(row))?;
                    let list = SingleRowListArrayBuilder::new(ranked).build_list_array();
                    Ok(Arc::new(list))
                }
                None => ranked(&values, &percentages.slice(row, 1)),
            }
        });
        let rows: Vec<ArrayRef> = rows.collect::<DataFusionResult<_>>()?;
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&rows)?))
    }
}

/// The values at these percentages.
fn ranked(values: &ArrayRef, percentages: &ArrayRef) -> DataFusionResult<ArrayRef> {
    let order = sort_to_indices(values, None, None)?;
    let positions = percentages.as_primitive::<Float64Type>().iter();
    let positions = positions.map(|percentage| {
        let percentage = percentage.unwrap_or(f64::NAN);
        if !(0.0..=1.0).contains(&percentage) {
            return Err(out_of_range(percentage));
        }
        let rank = (percentage * values.len() as f64).ceil() as usize;
        Ok(order.value(rank.max(1) - 1))
    });
    let positions: UInt32Array = positions
        .map(|found| found.map(Some))
        .collect::<Result<_>>()?;
    Ok(take(values, &positions, None)?)
}

fn out_of_range(percentage: f64) -> Error {
    let message = format!("the percentage {percentage} is not between 0 and 1");
    Error::new(ErrorKind::Analysis, message).with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
}
