//! `greatest` and `least` of the values of a row, NULLs aside.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, make_comparator, new_null_array};
use arrow::compute::{SortOptions, interleave};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Result, from_datafusion};

/// Both functions.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "greatest",
        call: |call| extreme(call, Ordering::Greater),
        doc: "The greatest of some values that is not NULL; a NaN is greater than all numbers.",
        example: "SELECT greatest(1, 3, 2)",
        ..OF_ANY
    },
    Scalar {
        name: "least",
        call: |call| extreme(call, Ordering::Less),
        doc: "The least of some values that is not NULL.",
        example: "SELECT least(1, 3, 2)",
        ..OF_ANY
    },
];

const OF_ANY: Scalar = Scalar {
    forms: &[&[Takes::Same, Takes::Same, Takes::Rest(&Takes::Same)]],
    returns: Returns::Like(0),
    ..SCALAR
};

fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    if call.returns.is_null() {
        return Ok(new_null_array(call.returns, call.rows));
    }
    // The argument that has it so far, of each row.
    let mut best = vec![0; call.rows];
    for (index, values) in call.arguments.iter().enumerate().skip(1) {
        let others = call.arguments.iter().take(index).map(|other| {
            let compare = make_comparator(values, other, SortOptions::default());
            Ok((
                other,
                compare.map_err(|error| from_datafusion(error.into()))?,
            ))
        });
        let others = others.collect::<Result<Vec<_>>>()?;
        for (row, best) in best.iter_mut().enumerate() {
            let is_better = values.is_valid(row)
                && others.get(*best).is_none_or(|(other, compare)| {
                    other.is_null(row) || compare(row, row) == wanted
                });
            if is_better {
                *best = index;
            }
        }
    }
    let arrays: Vec<&dyn Array> = call.arguments.iter().map(AsRef::as_ref).collect();
    let places: Vec<(usize, usize)> = best
        .into_iter()
        .enumerate()
        .map(|(row, index)| (index, row))
        .collect();
    interleave(&arrays, &places).map_err(|error| from_datafusion(error.into()))
}
