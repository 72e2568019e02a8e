//! `slice(array, start, length)`.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Int32Type;

use super::lists::{Lists, Picks};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "slice",
    forms: &[&[Takes::Array, Takes::Int, Takes::Int]],
    returns: Returns::Like(0),
    call: slice,
    doc: "So many elements from a place on, counted from 1 or from behind with -1.",
    example: "SELECT slice(array(1, 2, 3, 4), -2, 2)",
    ..SCALAR
}];

fn slice(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let (starts, lengths) = (
        call.primitive::<Int32Type>(1)?,
        call.primitive::<Int32Type>(2)?,
    );
    let picks = Picks::try_of_rows(call.rows, |row, picks| {
        let known = starts.is_valid(row) && lengths.is_valid(row);
        let Some(range) = lists.row(row).filter(|_| known) else {
            return Ok(None);
        };
        let (start, wanted) = (i64::from(starts.value(row)), i64::from(lengths.value(row)));
        let length = range.len() as i64;
        let first = match start {
            0 => return Err(invalid("start", "START", "positive or negative", 0)),
            start if start > 0 => start - 1,
            start => length + start,
        };
        if wanted < 0 {
            return Err(invalid("length", "LENGTH", "0 or more", wanted));
        }
        if (0..length).contains(&first) {
            let end = (first + wanted).min(length);
            picks.extend(0, range.start + first as usize..range.start + end as usize);
        }
        Ok(Some(()))
    })?;
    picks.lists(&[lists.elements()], call.returns)
}

fn invalid(what: &str, condition: &str, expected: &str, given: i64) -> Error {
    Error::runtime(format!(
        "the {what} of slice must be {expected}, but it is {given}"
    ))
    .with_condition(format!("INVALID_PARAMETER_VALUE.{condition}"))
    .with_hint("places count from 1, or from the end with -1")
}
