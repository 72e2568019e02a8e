//! Lambdas of the elements of arrays: `transform`, `filter`, `exists`, `forall`, `zip_with`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt32Array};
use arrow::datatypes::DataType;

use super::function::{Call, HigherOrder, element};
use crate::error::{Error, Result};
use crate::functions::collections::entries::widened;
use crate::functions::collections::lists::{Lists, Picks};
use crate::functions::takes::{Takes, list_of};

const ARRAY: &[&[Takes]] = &[&[Takes::Array]];

pub(super) static TABLE: &[HigherOrder] = &[
    HigherOrder {
        name: "transform",
        aliases: &[],
        values: ARRAY,
        lambdas: (1, 1),
        variables: |types| Ok(vec![vec![element(types.value(0)?), DataType::Int32]]),
        returns: |types| Ok(list_of(types.body(0)?.clone())),
        call: transform,
        doc: "What a lambda gives for each element, or for each element and its place, counted from 0.",
        example: "SELECT transform(array(1, 2, 3), x -> x * 10)",
    },
    HigherOrder {
        name: "filter",
        aliases: &[],
        values: ARRAY,
        lambdas: (1, 1),
        variables: |types| Ok(vec![vec![element(types.value(0)?), DataType::Int32]]),
        returns: |types| types.if_predicate().cloned(),
        call: filter,
        doc: "The elements for which a lambda of them, or of them and their places, is true.",
        example: "SELECT filter(array(1, 2, 3), x -> x > 1)",
    },
    HigherOrder {
        name: "exists",
        aliases: &[],
        values: ARRAY,
        lambdas: (1, 1),
        variables: |types| Ok(vec![vec![element(types.value(0)?)]]),
        returns: |types| types.if_predicate().map(|_| DataType::Boolean),
        call: |call| quantified(call, true),
        doc: "Whether a lambda is true for an element; NULL if only those for which it is NULL could be it.",
        example: "SELECT exists(array(1, 2, 3), x -> x > 2)",
    },
    HigherOrder {
        name: "forall",
        aliases: &[],
        values: ARRAY,
        lambdas: (1, 1),
        variables: |types| Ok(vec![vec![element(types.value(0)?)]]),
        returns: |types| types.if_predicate().map(|_| DataType::Boolean),
        call: |call| quantified(call, false),
        doc: "Whether a lambda is true for all elements; NULL if it is NULL for some and false for none.",
        example: "SELECT forall(array(1, 2, 3), x -> x > 0)",
    },
    HigherOrder {
        name: "zip_with",
        aliases: &[],
        values: &[&[Takes::Array, Takes::Array]],
        lambdas: (1, 1),
        variables: |types| {
            Ok(vec![vec![
                element(types.value(0)?),
                element(types.value(1)?),
            ]])
        },
        returns: |types| Ok(list_of(types.body(0)?.clone())),
        call: zip_with,
        doc: "What a lambda gives for the elements of two arrays side by side; NULL stands where one has no more.",
        example: "SELECT zip_with(array(1, 2), array(10, 20), (x, y) -> x + y)",
    },
];

/// The elements of all arrays that are not NULL.
pub(super) fn all_elements(lists: &Lists<'_>, rows: usize) -> Picks {
    Picks::of_rows(rows, |row, picks| {
        picks.extend(0, lists.row(row)?);
        Some(())
    })
}

/// For each value that was picked its row.
pub(super) fn rows_of(picks: &Picks) -> UInt32Array {
    picks.rows().map(|row| row as u32).collect()
}

/// The elements of all rows, and what the lambda gives for them.
fn evaluated(call: &Call<'_>) -> Result<(Picks, ArrayRef, ArrayRef)> {
    let lists = Lists::new(call.value(0)?);
    let picks = all_elements(&lists, call.rows);
    let elements = picks.values(&[lists.elements()])?;
    let places: ArrayRef = Arc::new(Int32Array::from_iter_values(picks.places()));
    let variables = [Arc::clone(&elements), places];
    let values = call.evaluate(0, &variables, &rows_of(&picks))?;
    Ok((picks, elements, values))
}

fn transform(call: &Call<'_>) -> Result<ArrayRef> {
    let (picks, _, values) = evaluated(call)?;
    result(call, &picks, &values)
}

/// The arrays of what a lambda gave.
fn result(call: &Call<'_>, picks: &Picks, values: &ArrayRef) -> Result<ArrayRef> {
    let DataType::List(item) = call.returns else {
        return Err(Error::internal(format!("{} is no array", call.returns)));
    };
    picks.of_values(item, widened(values, item.data_type())?)
}

/// What a predicate gave.
pub(super) fn truths(values: &ArrayRef) -> Result<BooleanArray> {
    Ok(widened(values, &DataType::Boolean)?.as_boolean().clone())
}

/// Whether it is true for a value.
pub(super) fn is_true(truths: &BooleanArray, index: usize) -> bool {
    truths.is_valid(index) && truths.value(index)
}

fn filter(call: &Call<'_>) -> Result<ArrayRef> {
    let (picks, elements, values) = evaluated(call)?;
    let truths = truths(&values)?;
    let kept = picks.chosen(|element| is_true(&truths, element));
    kept.lists(&[&elements], call.returns)
}

/// Whether a predicate is `deciding` for an element; if it is for none and NULL for some, NULL.
fn quantified(call: &Call<'_>, deciding: bool) -> Result<ArrayRef> {
    let (picks, _, values) = evaluated(call)?;
    let truths = truths(&values)?;
    let found = picks.ranges().map(|range| {
        let mut range = range?;
        let unknown = range.clone().any(|element| truths.is_null(element));
        let decided = |element| truths.is_valid(element) && truths.value(element) == deciding;
        match (range.any(decided), unknown) {
            (true, _) => Some(deciding),
            (false, true) => None,
            (false, false) => Some(!deciding),
        }
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}

fn zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let [left, right] = call.first()?.each_ref().map(Lists::new);
    let side = |lists: &Lists<'_>| {
        Picks::of_rows(call.rows, |row, picks| {
            let longest = left.row(row)?.len().max(right.row(row)?.len());
            let range = lists.row(row)?;
            let missing = longest - range.len();
            picks.extend(0, range);
            picks.nulls(missing);
            Some(())
        })
    };
    let [left, right] = [&left, &right].map(|lists| (side(lists), lists.elements()));
    let variables = [left.0.values(&[left.1])?, right.0.values(&[right.1])?];
    let values = call.evaluate(0, &variables, &rows_of(&left.0))?;
    result(call, &left.0, &values)
}
