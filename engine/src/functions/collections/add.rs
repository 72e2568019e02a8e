//! Arrays with more elements: `array_append`, `array_prepend`, `array_insert`.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Int32Type;

use super::lists::{Lists, Picks, check_length};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "array_append",
        forms: &[&[Takes::TightArrays, Takes::TightItem]],
        returns: Returns::Like(0),
        call: |call| at_end(call, true),
        doc: "The array with the value behind its last element.",
        example: "SELECT array_append(array(1, 2), 3)",
        ..SCALAR
    },
    Scalar {
        name: "array_prepend",
        forms: &[&[Takes::TightArrays, Takes::TightItem]],
        returns: Returns::Like(0),
        call: |call| at_end(call, false),
        doc: "The array with the value before its first element.",
        example: "SELECT array_prepend(array(2, 3), 1)",
        ..SCALAR
    },
    Scalar {
        name: "array_insert",
        forms: &[&[Takes::TightArrays, Takes::Small, Takes::TightItem]],
        returns: Returns::Like(0),
        call: array_insert,
        doc: "The array with the value at a place, counted from 1, or from behind with -1; NULL fills what is between.",
        example: "SELECT array_insert(array(1, 2, 4), 3, 3)",
        ..SCALAR
    },
];

fn at_end(call: &Call<'_>, behind: bool) -> Result<ArrayRef> {
    let [arrays, values] = call.first()?;
    let lists = Lists::new(arrays);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let range = lists.row(row)?;
        if !behind {
            picks.push(1, row);
        }
        picks.extend(0, range);
        if behind {
            picks.push(1, row);
        }
        Some(())
    });
    picks.lists(&[lists.elements(), values], call.returns)
}

fn array_insert(call: &Call<'_>) -> Result<ArrayRef> {
    let [arrays, _, values] = call.first()?;
    let lists = Lists::new(arrays);
    let positions = call.primitive::<Int32Type>(1)?;
    let picks = Picks::try_of_rows(call.rows, |row, picks| {
        let Some(range) = lists.row(row).filter(|_| positions.is_valid(row)) else {
            return Ok(None);
        };
        let length = range.len() as i64;
        let at = match i64::from(positions.value(row)) {
            0 => return Err(index_of_zero(call.name)),
            position if position > 0 => position - 1,
            position => length + position + 1,
        };
        // So many are missing before the first element, or behind the last.
        let (before, behind) = ((-at).max(0), (at - length).max(0));
        check_length(length.max(at) + before + 1)?;
        let split = range.start + at.clamp(0, length) as usize;
        picks.extend(0, range.start..split);
        picks.nulls(behind as usize);
        picks.push(1, row);
        picks.nulls(before as usize);
        picks.extend(0, split..range.end);
        Ok(Some(()))
    })?;
    picks.lists(&[lists.elements(), values], call.returns)
}

/// There is no element 0.
pub(super) fn index_of_zero(function: &str) -> Error {
    Error::runtime(format!(
        "{function} counts from 1, so there is no element 0"
    ))
    .with_condition("INVALID_INDEX_OF_ZERO")
    .with_hint("count from 1, or from the end with -1")
}
