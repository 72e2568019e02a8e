//! `element_at(array, index)` and `element_at(map, key)`, and the forms that give NULL for what is
//! not there: `try_element_at`, and `get`, which counts from 0.

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, UInt32Array};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, ErrorKind, Result};

/// `element_at`, `try_element_at` and `get`.
pub(super) fn element_functions() -> Vec<ScalarUDF> {
    [Function::ElementAt, Function::TryElementAt, Function::Get]
        .map(element_function)
        .into()
}

/// `element_at(array, index)` or `element_at(map, key)`.
pub(in crate::connect) fn element_at() -> ScalarUDF {
    element_function(Function::ElementAt)
}

fn element_function(function: Function) -> ScalarUDF {
    ScalarUDF::from(ElementFunction {
        function,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    /// Counts from 1, or from the end with -1; an index outside of the array fails.
    ElementAt,
    /// The same, and an index outside of the array gives NULL.
    TryElementAt,
    /// Counts from 0, and an index outside of the array gives NULL.
    Get,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ElementFunction {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for ElementFunction {
    fn name(&self) -> &str {
        match self.function {
            Function::ElementAt => "element_at",
            Function::TryElementAt => "try_element_at",
            Function::Get => "get",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        match types {
            [list @ DataType::List(_), index] if index.is_integer() || index.is_null() => {
                Ok(vec![list.clone(), DataType::Int64])
            }
            [map @ DataType::Map(..), _] if self.function != Function::Get => {
                let (key, _) = entry_types(map)?;
                Ok(vec![map.clone(), key])
            }
            [container, key] => Err(Error::analysis(format!(
                "{} cannot take {container} and {key}",
                self.name()
            ))
            .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
            .into()),
            _ => Err(
                Error::analysis(format!("{} needs two arguments", self.name()))
                    .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                    .into(),
            ),
        }
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        match types.first() {
            Some(DataType::List(item)) => Ok(item.data_type().clone()),
            Some(map @ DataType::Map(..)) => Ok(entry_types(map)?.1),
            _ => datafusion::common::internal_err!("{} needs an array or a map", self.name()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let found = match arrays[0].data_type() {
            DataType::Map(..) => {
                let map = arrays[0].as_map();
                take(map.values(), &value_indices(map, &arrays[1])?, None)?
            }
            _ => {
                let lists = arrays[0].as_list::<i32>();
                let items = self.item_indices(lists, &arrays[1])?;
                take(lists.values(), &items, None)?
            }
        };
        Ok(ColumnarValue::Array(found))
    }
}

impl ElementFunction {
    /// Where in the values of all lists the items are.
    fn item_indices(&self, lists: &ListArray, indices: &ArrayRef) -> Result<UInt32Array> {
        let indices = indices.as_primitive::<Int64Type>();
        let item = |row| {
            if lists.is_null(row) || indices.is_null(row) {
                return Ok(None);
            }
            let (index, length) = (indices.value(row), i64::from(lists.value_length(row)));
            let at = match (self.function, index) {
                (Function::Get, index) => index,
                (_, 0) => return Err(index_of_zero(self.name())),
                (_, index) if index < 0 => length + index,
                (_, index) => index - 1,
            };
            if (0..length).contains(&at) {
                let first = i64::from(lists.value_offsets()[row]);
                return Ok(Some((first + at) as u32));
            }
            match self.function {
                Function::ElementAt => Err(out_of_bounds(index, length)),
                Function::TryElementAt | Function::Get => Ok(None),
            }
        };
        (0..lists.len()).map(item).collect()
    }
}

/// Where in the values of all maps those of the keys are; none for a key that is not there.
fn value_indices(maps: &MapArray, keys: &ArrayRef) -> DataFusionResult<UInt32Array> {
    let offsets = maps.value_offsets();
    let entries = |row: usize| offsets[row] as u32..offsets[row + 1] as u32;
    let first = offsets[0] as usize;
    // For each entry the key that is looked for.
    let rows = (0..maps.len()).flat_map(|row| entries(row).map(move |_| row as u32));
    let wanted = take(keys, &UInt32Array::from_iter_values(rows), None)?;
    let own = maps.keys().slice(first, wanted.len());
    let is_found = eq(&own, &wanted)?;
    let found = (0..maps.len()).map(|row| {
        let mut entries = entries(row);
        let is_key = |entry: &u32| {
            let entry = *entry as usize - first;
            is_found.is_valid(entry) && is_found.value(entry)
        };
        match maps.is_null(row) {
            true => None,
            false => entries.find(is_key),
        }
    });
    Ok(found.collect())
}

fn entry_types(map: &DataType) -> DataFusionResult<(DataType, DataType)> {
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((key.data_type().clone(), value.data_type().clone()));
    }
    datafusion::common::internal_err!("{map} is no map")
}

fn index_of_zero(function: &str) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!("{function} counts from 1, so there is no element 0"),
    )
    .with_condition("INVALID_INDEX_OF_ZERO")
}

fn out_of_bounds(index: i64, length: i64) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!("index {index} is outside of an array of {length} elements"),
    )
    .with_condition("INVALID_ARRAY_INDEX_IN_ELEMENT_AT")
    .with_hint("use try_element_at(array, index) to get NULL instead")
}
