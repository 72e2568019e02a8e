//! Values of any type as bytes that compare as Spark compares the values: NULL is smallest and equal
//! to NULL, NaN is greatest and equal to NaN, 0.0 is -0.0.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, ListArray, MapArray, PrimitiveArray, StructArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::row::{RowConverter, Rows, SortField};

use super::lists::failed;
use crate::error::Result;

/// The bytes of arrays of one type.
pub(in crate::functions) fn keys<const N: usize>(arrays: [&ArrayRef; N]) -> Result<[Rows; N]> {
    let field = SortField::new(arrays[0].data_type().clone());
    let converter = RowConverter::new(vec![field]).map_err(failed)?;
    let rows = |array| {
        let columns = [normalized(array)?];
        converter.convert_columns(&columns).map_err(failed)
    };
    let mut all = [const { None }; N];
    for (slot, array) in all.iter_mut().zip(arrays) {
        *slot = Some(rows(array)?);
    }
    Ok(all.map(|rows| rows.unwrap_or_else(|| converter.empty_rows(0, 0))))
}

/// Whether a type has fractions in it.
pub(crate) fn has_fractions(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float32 | DataType::Float64 => true,
        DataType::List(field) | DataType::Map(field, _) => has_fractions(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_fractions(field.data_type())),
        _ => false,
    }
}

/// The values, with one NaN and one zero.
pub(in crate::functions) fn normalized(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_fractions(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match array.data_type() {
        DataType::Float32 => {
            let one = |value: f32| {
                if value.is_nan() {
                    f32::NAN
                } else {
                    value + 0.0
                }
            };
            let values: PrimitiveArray<Float32Type> =
                array.as_primitive::<Float32Type>().unary(one);
            Arc::new(values)
        }
        DataType::Float64 => {
            let one = |value: f64| {
                if value.is_nan() {
                    f64::NAN
                } else {
                    value + 0.0
                }
            };
            let values: PrimitiveArray<Float64Type> =
                array.as_primitive::<Float64Type>().unary(one);
            Arc::new(values)
        }
        DataType::List(field) => {
            let (_, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            let lists = ListArray::try_new(Arc::clone(field), offsets, normalized(&values)?, nulls);
            Arc::new(lists.map_err(failed)?)
        }
        DataType::Map(field, sorted) => {
            let (_, offsets, entries, nulls, _) = array.as_map().clone().into_parts();
            let entries = normalized(&(Arc::new(entries) as ArrayRef))?;
            let entries = entries.as_struct().clone();
            let maps = MapArray::try_new(Arc::clone(field), offsets, entries, nulls, *sorted);
            Arc::new(maps.map_err(failed)?)
        }
        _ => {
            let (fields, columns, nulls) = array.as_struct().clone().into_parts();
            let columns = columns.iter().map(normalized).collect::<Result<_>>()?;
            let structs = StructArray::try_new_with_length(fields, columns, nulls, array.len());
            Arc::new(structs.map_err(failed)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::Float64Array;

    use super::*;

    #[test]
    fn bytes_compare_as_values() {
        let values = [
            None,
            Some(-1.0),
            Some(-0.0),
            Some(0.0),
            Some(f64::INFINITY),
            Some(-f64::NAN),
        ];
        let values: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        let [rows] = keys([&values]).unwrap();
        assert!(rows.row(0) < rows.row(1) && rows.row(1) < rows.row(2));
        assert!(rows.row(2) == rows.row(3) && rows.row(3) < rows.row(4));
        assert!(rows.row(4) < rows.row(5));
    }
}
