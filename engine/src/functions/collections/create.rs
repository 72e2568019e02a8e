//! Arrays of given values: `array`, `array_repeat`.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Int32Type;

use super::lists::{Picks, check_length};
use crate::error::Result;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "array",
        forms: &[&[Takes::Rest(&Takes::Alike)]],
        returns: Returns::By(|inputs| {
            let item = inputs.types.first().cloned();
            Ok(list_of(item.unwrap_or(arrow::datatypes::DataType::Null)))
        }),
        call: array,
        doc: "The arguments as an array; all are cast to their common type.",
        example: "SELECT array(1, 2, NULL)",
        ..SCALAR
    },
    Scalar {
        name: "array_repeat",
        forms: &[&[Takes::Any, Takes::Small]],
        returns: Returns::By(|inputs| Ok(list_of(inputs.data_type(0)?.clone()))),
        call: array_repeat,
        doc: "An array that has the value so many times; none if the number is not positive.",
        example: "SELECT array_repeat('ab', 3)",
        ..SCALAR
    },
];

fn array(call: &Call<'_>) -> Result<ArrayRef> {
    let picks = Picks::of_rows(call.rows, |row, picks| {
        (0..call.len()).for_each(|argument| picks.push(argument, row));
        Some(())
    });
    let none = arrow::array::new_null_array(&arrow::datatypes::DataType::Null, 0);
    let sources: Vec<&ArrayRef> = match call.len() {
        0 => vec![&none],
        _ => call.arguments.iter().collect(),
    };
    picks.lists(&sources, call.returns)
}

fn array_repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let counts = call.primitive::<Int32Type>(1)?;
    let picks = Picks::try_of_rows(call.rows, |row, picks| {
        let count = if counts.is_valid(row) {
            counts.value(row)
        } else {
            return Ok(None);
        };
        check_length(i64::from(count))?;
        (0..count).for_each(|_| picks.push(0, row));
        Ok(Some(()))
    })?;
    picks.lists(&[call.argument(0)?], call.returns)
}
