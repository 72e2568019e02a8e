//! `arrays_zip(array, …)`: the n-th elements of several arrays as one struct.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray};
use arrow::datatypes::{DataType, Field, Fields};

use super::lists::{Lists, Picks, failed};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "arrays_zip",
        forms: &[&[Takes::Rest(&Takes::Array)]],
        returns: Returns::By(|inputs| {
            let names = (0..inputs.types.len()).map(|index| index.to_string());
            zipped(names, &inputs.types)
        }),
        call: |call| arrays_zip(call, &call.arguments),
        doc: "An array of structs: the first elements of all arrays, then the second, and so on; NULL where an array has no more.",
        example: "SELECT arrays_zip(array(1, 2), array('a', 'b'))",
        ..SCALAR
    },
    // What the analyzer makes of arrays that have names: all names first, then all arrays.
    Scalar {
        name: "named_arrays_zip",
        forms: &[&[Takes::Rest(&Takes::Any)]],
        returns: Returns::By(named),
        call: |call| arrays_zip(call, halves(&call.arguments).1),
        doc: "As arrays_zip, with names for the fields of the structs: names first, then arrays.",
        example: "SELECT named_arrays_zip('id', 'name', array(1, 2), array('a', 'b'))",
        ..SCALAR
    },
];

fn zipped(names: impl Iterator<Item = String>, types: &[DataType]) -> Result<DataType> {
    let fields = names.zip(types).map(|(name, data_type)| match data_type {
        DataType::List(item) => Ok(Field::new(name, item.data_type().clone(), true)),
        other => Err(
            Error::analysis(format!("arrays_zip takes arrays, not {other}"))
                .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
        ),
    });
    Ok(list_of(DataType::Struct(
        fields.collect::<Result<Fields>>()?,
    )))
}

/// Names and arrays.
fn halves<T>(arguments: &[T]) -> (&[T], &[T]) {
    arguments.split_at(arguments.len() / 2)
}

fn named(inputs: &Inputs<'_>) -> Result<DataType> {
    let (names, types) = halves(&inputs.types);
    let names = (0..names.len()).map(|index| inputs.text(index).unwrap_or_default().to_string());
    zipped(names, types)
}

fn arrays_zip(call: &Call<'_>, arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let DataType::List(item) = call.returns else {
        return Err(Error::internal("arrays_zip gives an array"));
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(Error::internal("arrays_zip gives structs"));
    };
    let lists: Vec<Lists<'_>> = arrays.iter().map(Lists::new).collect();
    let longest = |row| {
        let lengths = lists
            .iter()
            .map(|lists| lists.row(row).map(|range| range.len()));
        lengths
            .collect::<Option<Vec<usize>>>()?
            .into_iter()
            .max()
            .or(Some(0))
    };
    let column = |lists: &Lists<'_>| {
        Picks::of_rows(call.rows, |row, picks| {
            let (length, range) = (longest(row)?, lists.row(row)?);
            let missing = length - range.len();
            picks.extend(0, range);
            picks.nulls(missing);
            Some(())
        })
    };
    let columns = lists
        .iter()
        .map(|lists| column(lists).values(&[lists.elements()]));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let length = columns.first().map_or(0, |column| column.len());
    let structs = StructArray::try_new_with_length(fields.clone(), columns, None, length);
    let structs = structs.map_err(failed)?;
    let shape = match lists.first() {
        Some(first) => column(first),
        None => Picks::of_rows(call.rows, |_, _| Some(())),
    };
    shape.of_values(item, Arc::new(structs))
}
