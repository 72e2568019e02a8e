//! One element of an array or a value of a map: `element_at`, `try_element_at`, `get`, and what
//! brackets stand for.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::logical_expr::ScalarUDF;

use super::add::index_of_zero;
use super::entries::{common_key, key_and_value, widened};
use super::keys::keys;
use super::lists::{Lists, Maps, failed};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar, udf};
use crate::functions::takes::Takes;
use crate::text::is_null;

pub(super) static TABLE: &[Scalar] = &FUNCTIONS;

static FUNCTIONS: [Scalar; 4] = [
    Scalar {
        name: "element_at",
        forms: &[&[Takes::Arrays, Takes::Small], &[Takes::Map, Takes::Any]],
        returns: Returns::By(found),
        call: |call| element(call, From::One, Some("INVALID_ARRAY_INDEX_IN_ELEMENT_AT")),
        doc: "The element of an array at a place, counted from 1 or from behind with -1, which must be there; or the value of a map's key, NULL if the key is not there.",
        example: "SELECT element_at(array('a', 'b'), -1)",
        ..SCALAR
    },
    Scalar {
        name: "get_array_item",
        forms: &[&[Takes::Arrays, Takes::Int]],
        returns: Returns::By(found),
        call: |call| element(call, From::Zero, Some("INVALID_ARRAY_INDEX")),
        doc: "The element of an array at a place, counted from 0, which must be there: what brackets stand for.",
        example: "SELECT array('a', 'b')[1]",
        ..SCALAR
    },
    Scalar {
        name: "try_element_at",
        forms: &[&[Takes::Arrays, Takes::Small], &[Takes::Map, Takes::Any]],
        returns: Returns::By(found),
        call: |call| element(call, From::One, None),
        doc: "As element_at, and NULL for a place outside of the array.",
        example: "SELECT try_element_at(array('a', 'b'), 3)",
        ..SCALAR
    },
    Scalar {
        name: "get",
        forms: &[&[Takes::Arrays, Takes::Int]],
        returns: Returns::By(found),
        call: |call| element(call, From::Zero, None),
        doc: "The element of an array at a place, counted from 0; NULL outside of the array.",
        example: "SELECT get(array('a', 'b'), 0)",
        ..SCALAR
    },
];

/// `element_at(array, index)` or `element_at(map, key)`.
pub(crate) fn element_at() -> ScalarUDF {
    let [element_at, ..] = &FUNCTIONS;
    udf(element_at)
}

/// `get_array_item(array, index)`, which is what the brackets stand for.
pub(crate) fn array_item() -> ScalarUDF {
    let [_, array_item, ..] = &FUNCTIONS;
    udf(array_item)
}

/// What the first element of an array is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Zero,
    One,
}

fn found(inputs: &Inputs<'_>) -> Result<DataType> {
    let [from, key_or_index] = inputs.first()?;
    match from {
        DataType::List(item) => Ok(item.data_type().clone()),
        map => {
            let (key, value) = key_and_value(map)?;
            common_key("element_at", key.data_type(), key_or_index)?;
            Ok(value.data_type().clone())
        }
    }
}

/// The elements; an index outside of the array fails with a condition, if there is one.
fn element(call: &Call<'_>, from: From, outside: Option<&str>) -> Result<ArrayRef> {
    let from_what = call.argument(0)?;
    if matches!(from_what.data_type(), DataType::Map(..)) {
        return value_of_key(call);
    }
    let lists = Lists::new(from_what);
    let indices = call.primitive::<Int32Type>(1)?;
    let items = (0..call.rows).map(|row| {
        let Some(range) = lists.row(row).filter(|_| indices.is_valid(row)) else {
            return Ok(None);
        };
        let (index, length) = (i64::from(indices.value(row)), range.len() as i64);
        let at = match (from, index) {
            (From::Zero, index) => index,
            (From::One, 0) => return Err(index_of_zero(call.name)),
            (From::One, index) if index < 0 => length + index,
            (From::One, index) => index - 1,
        };
        match (outside, (0..length).contains(&at)) {
            (_, true) => Ok(Some((range.start + at as usize) as u32)),
            (None, false) => Ok(None),
            (Some(condition), false) => Err(out_of_bounds(index, length, condition)),
        }
    });
    let items: UInt32Array = items.collect::<Result<_>>()?;
    take(lists.elements(), &items, None).map_err(failed)
}

/// The values of keys; NULL for a key that is not there.
fn value_of_key(call: &Call<'_>) -> Result<ArrayRef> {
    let [maps, wanted] = call.first()?;
    let maps = Maps::new(maps);
    let found = places_of_keys(&maps, wanted, call)?;
    take(&maps.values, &found, None).map_err(failed)
}

/// Where the keys that are looked for are among the entries of all rows.
pub(super) fn places_of_keys(
    maps: &Maps<'_>,
    wanted: &ArrayRef,
    call: &Call<'_>,
) -> Result<UInt32Array> {
    let data_type = common_key(call.name, maps.keys.data_type(), wanted.data_type())?;
    let (own, wanted) = (
        widened(&maps.keys, &data_type)?,
        widened(wanted, &data_type)?,
    );
    let [own, keys] = keys([&own, &wanted])?;
    let found = (0..call.rows).map(|row| {
        let mut entries = maps.row(row).filter(|_| !is_null(&wanted, row))?;
        let key = keys.row(row);
        let found = entries.find(|entry| own.row(*entry) == key);
        found.map(|entry| entry as u32)
    });
    Ok(found.collect())
}

fn out_of_bounds(index: i64, length: i64, condition: &str) -> Error {
    let error = Error::runtime(format!(
        "index {index} is outside of an array of {length} elements"
    ))
    .with_condition(condition)
    .with_parameter("indexValue", index.to_string())
    .with_parameter("arraySize", length.to_string());
    error.with_hint(match condition {
        "INVALID_ARRAY_INDEX" => "use get(array, index) to get NULL instead",
        _ => "use try_element_at(array, index) to get NULL instead",
    })
}
