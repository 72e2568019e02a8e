//! `array[index]`: counted from 0, and an index outside of the array fails (ANSI mode).

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, ErrorKind};

/// `get_array_item(array, index)`, which is what the brackets stand for.
pub(in crate::connect) fn array_item() -> ScalarUDF {
    ScalarUDF::from(ArrayItem {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayItem {
    signature: Signature,
}

impl ScalarUDFImpl for ArrayItem {
    fn name(&self) -> &str {
        "get_array_item"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        match types {
            [list @ DataType::List(_), index] if index.is_integer() || index.is_null() => {
                Ok(vec![list.clone(), DataType::Int64])
            }
            [list, index] => Err(Error::analysis(format!(
                "an array and a whole number were expected, not {list} and {index}"
            ))
            .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
            .into()),
            _ => datafusion::common::internal_err!("get_array_item needs two arguments"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        match types.first() {
            Some(DataType::List(item)) => Ok(item.data_type().clone()),
            _ => datafusion::common::internal_err!("get_array_item needs an array"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let lists = arrays[0].as_list::<i32>();
        let indices = arrays[1].as_primitive::<Int64Type>();
        let items: UInt32Array = (0..lists.len())
            .map(|row| {
                if lists.is_null(row) || indices.is_null(row) {
                    return Ok(None);
                }
                let (index, length) = (indices.value(row), i64::from(lists.value_length(row)));
                if !(0..length).contains(&index) {
                    return Err(out_of_bounds(index, length));
                }
                let first = i64::from(lists.value_offsets()[row]);
                Ok(Some((first + index) as u32))
            })
            .collect::<Result<_, Error>>()?;
        Ok(ColumnarValue::Array(take(lists.values(), &items, None)?))
    }
}

fn out_of_bounds(index: i64, length: i64) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!("index {index} is outside of an array of {length} elements"),
    )
    .with_condition("INVALID_ARRAY_INDEX")
    .with_hint("indices count from 0; compare the index with size(array) first")
}
