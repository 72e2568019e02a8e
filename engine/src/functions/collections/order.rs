//! Arrays in the order of their elements: `array_min`, `array_max`, `array_sort`, `sort_array`.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::keys::keys;
use super::lists::{Lists, Picks, failed};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "array_max",
        forms: &[&[Takes::Array]],
        returns: Returns::By(item),
        call: |call| extreme(call, true),
        doc: "The greatest element; NULL elements do not count, and NaN is greater than any number.",
        example: "SELECT array_max(array(1, 3, NULL))",
        ..SCALAR
    },
    Scalar {
        name: "array_min",
        forms: &[&[Takes::Array]],
        returns: Returns::By(item),
        call: |call| extreme(call, false),
        doc: "The smallest element; NULL elements do not count.",
        example: "SELECT array_min(array(1, 3, NULL))",
        ..SCALAR
    },
    Scalar {
        name: "array_sort",
        forms: &[&[Takes::Arrays]],
        returns: Returns::By(ordered),
        call: array_sort,
        doc: "The elements from the smallest to the greatest, NULL last.",
        example: "SELECT array_sort(array(3, NULL, 1))",
        ..SCALAR
    },
    Scalar {
        name: "sort_array",
        forms: &[&[Takes::Array], &[Takes::Array, Takes::Boolean]],
        returns: Returns::By(ordered),
        call: sort_array,
        doc: "The elements from the smallest to the greatest, NULL first; or with false the other way round.",
        example: "SELECT sort_array(array(3, NULL, 1), false)",
        ..SCALAR
    },
];

/// The type of the elements.
pub(super) fn item(inputs: &Inputs<'_>) -> Result<DataType> {
    match ordered(inputs)? {
        DataType::List(item) => Ok(item.data_type().clone()),
        other => Err(Error::internal(format!("{other} is no array"))),
    }
}

/// The type of the array, whose elements must have an order.
fn ordered(inputs: &Inputs<'_>) -> Result<DataType> {
    fn has_order(data_type: &DataType) -> bool {
        match data_type {
            DataType::Map(..) => false,
            DataType::List(item) => has_order(item.data_type()),
            DataType::Struct(fields) => fields.iter().all(|field| has_order(field.data_type())),
            _ => true,
        }
    }
    let array = inputs.data_type(0)?;
    match has_order(array) {
        true => Ok(array.clone()),
        false => Err(
            Error::analysis(format!("values of {} have no order", sql_type(array)))
                .with_condition("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"),
        ),
    }
}

fn extreme(call: &Call<'_>, greatest: bool) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let [rows] = keys([lists.elements()])?;
    let found = (0..call.rows).map(|row| {
        let mut known = lists.row(row)?.filter(|element| !lists.is_null(*element));
        let first = known.next()?;
        let best = known.fold(first, |best, element| {
            let (one, other) = (rows.row(element), rows.row(best));
            let is_better = if greatest { one > other } else { one < other };
            if is_better { element } else { best }
        });
        Some(best as u32)
    });
    take(lists.elements(), &found.collect::<UInt32Array>(), None).map_err(failed)
}

fn array_sort(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let [rows] = keys([lists.elements()])?;
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let mut elements: Vec<usize> = lists.row(row)?.collect();
        elements.sort_by_key(|element| (lists.is_null(*element), rows.row(*element)));
        elements.iter().for_each(|element| picks.push(0, *element));
        Some(())
    });
    picks.lists(&[lists.elements()], call.returns)
}

fn sort_array(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let [rows] = keys([lists.elements()])?;
    let directions = (call.len() > 1).then(|| call.boolean(1)).transpose()?;
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let upwards = match directions {
            Some(directions) => directions.is_valid(row).then(|| directions.value(row))?,
            None => true,
        };
        let mut elements: Vec<usize> = lists.row(row)?.collect();
        elements.sort_by(|one, other| {
            let order = rows.row(*one).cmp(&rows.row(*other));
            if upwards { order } else { order.reverse() }
        });
        elements.iter().for_each(|element| picks.push(0, *element));
        Some(())
    });
    picks.lists(&[lists.elements()], call.returns)
}
