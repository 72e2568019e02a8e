//! Arrays as sets, in which NULL is equal to NULL and NaN to NaN.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::keys::{keys, normalized};
use super::lists::{Lists, Picks};
use crate::error::Result;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

const TWO: &[&[Takes]] = &[&[Takes::TightArrays, Takes::TightArrays]];

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "array_distinct",
        forms: &[&[Takes::Array]],
        returns: Returns::Like(0),
        call: array_distinct,
        doc: "The array without the elements that came before.",
        example: "SELECT array_distinct(array(1, 2, 1, NULL, NULL))",
        ..SCALAR
    },
    Scalar {
        name: "array_union",
        forms: TWO,
        returns: Returns::Like(0),
        call: array_union,
        doc: "The elements of both arrays, each once.",
        example: "SELECT array_union(array(1, 2), array(2, 3))",
        ..SCALAR
    },
    Scalar {
        name: "array_intersect",
        forms: TWO,
        returns: Returns::Like(0),
        call: |call| those_of_first(call, true),
        doc: "The elements of the first array that the second has too, each once.",
        example: "SELECT array_intersect(array(1, 2, 3), array(3, 2))",
        ..SCALAR
    },
    Scalar {
        name: "array_except",
        forms: TWO,
        returns: Returns::Like(0),
        call: |call| those_of_first(call, false),
        doc: "The elements of the first array that the second does not have, each once.",
        example: "SELECT array_except(array(1, 2, 3), array(3))",
        ..SCALAR
    },
    Scalar {
        name: "arrays_overlap",
        forms: TWO,
        returns: Returns::Boolean,
        call: arrays_overlap,
        doc: "Whether two arrays have an element in common; NULL if only a NULL could be it.",
        example: "SELECT arrays_overlap(array(1, 2), array(2, 3))",
        ..SCALAR
    },
];

fn array_distinct(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let [rows] = keys([lists.elements()])?;
    // Here Spark gives 0.0 for -0.0, unlike in the other functions of sets.
    let elements = normalized(lists.elements())?;
    let mut seen = HashSet::new();
    let picks = Picks::of_rows(call.rows, |row, picks| {
        seen.clear();
        for element in lists
            .row(row)?
            .filter(|element| seen.insert(rows.row(*element)))
        {
            picks.push(0, element);
        }
        Some(())
    });
    picks.lists(&[&elements], call.returns)
}

fn array_union(call: &Call<'_>) -> Result<ArrayRef> {
    let [first, second] = call.first()?.each_ref().map(Lists::new);
    let [ours, theirs] = keys([first.elements(), second.elements()])?;
    let mut seen = HashSet::new();
    let picks = Picks::of_rows(call.rows, |row, picks| {
        seen.clear();
        for (source, lists, rows) in [(0, &first, &ours), (1, &second, &theirs)] {
            for element in lists.row(row)? {
                if seen.insert(rows.row(element)) {
                    picks.push(source, element);
                }
            }
        }
        Some(())
    });
    picks.lists(&[first.elements(), second.elements()], call.returns)
}

/// The elements of the first array that the second has, or has not.
fn those_of_first(call: &Call<'_>, shared: bool) -> Result<ArrayRef> {
    let [first, second] = call.first()?.each_ref().map(Lists::new);
    let [ours, theirs] = keys([first.elements(), second.elements()])?;
    let (mut others, mut seen) = (HashSet::new(), HashSet::new());
    let picks = Picks::of_rows(call.rows, |row, picks| {
        others.clear();
        seen.clear();
        let elements = first.row(row)?;
        others.extend(second.row(row)?.map(|element| theirs.row(element)));
        for element in elements {
            let key = ours.row(element);
            if others.contains(&key) == shared && seen.insert(key) {
                picks.push(0, element);
            }
        }
        Some(())
    });
    picks.lists(&[first.elements()], call.returns)
}

fn arrays_overlap(call: &Call<'_>) -> Result<ArrayRef> {
    let [first, second] = call.first()?.each_ref().map(Lists::new);
    let [ours, theirs] = keys([first.elements(), second.elements()])?;
    let mut others = HashSet::new();
    let overlap = (0..call.rows).map(|row| {
        let (one, other) = (first.row(row)?, second.row(row)?);
        others.clear();
        let known = other.clone().filter(|element| !second.is_null(*element));
        others.extend(known.map(|element| theirs.row(element)));
        if one
            .clone()
            .any(|element| others.contains(&ours.row(element)))
        {
            return Some(true);
        }
        let has_null = one.clone().any(|element| first.is_null(element))
            || other.clone().any(|element| second.is_null(element));
        let unknown = has_null && !one.is_empty() && !other.is_empty();
        (!unknown).then_some(false)
    });
    Ok(Arc::new(overlap.collect::<BooleanArray>()))
}
