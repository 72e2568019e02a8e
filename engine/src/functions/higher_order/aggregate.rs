//! `aggregate(array, start, merge[, finish])`: one value of all elements, one after the other.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;

use super::function::{Call, HigherOrder, Types, element, wrong_body};
use crate::error::Result;
use crate::functions::collections::entries::widened;
use crate::functions::collections::lists::{Lists, failed};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

pub(super) static TABLE: &[HigherOrder] = &[HigherOrder {
    name: "aggregate",
    aliases: &["reduce"],
    values: &[&[Takes::Array, Takes::Any]],
    lambdas: (1, 2),
    variables: |types| {
        let (array, state) = (types.value(0)?, types.value(1)?);
        Ok(vec![
            vec![state.clone(), element(array)],
            vec![state.clone()],
        ])
    },
    returns,
    call: aggregate,
    doc: "The state that a lambda makes of a state and each element, one after the other, beginning with a start; a second lambda may make the result of the last state.",
    example: "SELECT aggregate(array(1, 2, 3), 0, (state, x) -> state + x, state -> state * 10)",
}];

fn returns(types: &Types<'_>) -> Result<DataType> {
    let (start, merged) = (types.value(1)?, types.body(0)?);
    let state = sql_type(start);
    // Types that differ in what may be NULL are the same.
    if sql_type(merged) != state {
        return Err(wrong_body(
            types.name,
            &format!("{state} as its start"),
            merged,
        ));
    }
    Ok(types.bodies.get(1).unwrap_or(start).clone())
}

/// All rows take their first element, then their second: those with the most elements come first, so
/// that the rows that still have some are always the first ones.
fn aggregate(call: &Call<'_>) -> Result<ArrayRef> {
    let [arrays, starts] = call.first()?;
    let lists = Lists::new(arrays);
    let known = (0..call.rows).filter_map(|row| Some((row as u32, lists.row(row)?)));
    let mut known: Vec<(u32, std::ops::Range<usize>)> = known.collect();
    known.sort_by_key(|(_, range)| std::cmp::Reverse(range.len()));
    let rows = UInt32Array::from_iter_values(known.iter().map(|(row, _)| *row));
    let mut states = take(starts, &rows, None).map_err(failed)?;
    let mut done: Vec<ArrayRef> = Vec::new();
    for round in 0.. {
        let active = known.partition_point(|(_, range)| range.len() > round);
        if active < states.len() {
            done.push(states.slice(active, states.len() - active));
            states = states.slice(0, active);
        }
        if active == 0 {
            break;
        }
        let elements = known
            .iter()
            .take(active)
            .map(|(_, range)| (range.start + round) as u32);
        let elements = UInt32Array::from_iter_values(elements);
        let elements = take(lists.elements(), &elements, None).map_err(failed)?;
        let merged = call.evaluate(0, &[states, elements], &rows.slice(0, active))?;
        states = widened(&merged, starts.data_type())?;
    }
    done.push(states);
    let parts: Vec<&dyn Array> = done.iter().rev().map(|part| part.as_ref()).collect();
    let mut states = concat(&parts).map_err(failed)?;
    if call.lambdas.len() > 1 {
        states = call.evaluate(1, &[states], &rows)?;
    }
    let mut places = vec![None; call.rows];
    for (place, (row, _)) in (0..).zip(&known) {
        if let Some(of_row) = places.get_mut(*row as usize) {
            *of_row = Some(place);
        }
    }
    let states = widened(&states, call.returns)?;
    take(&states, &UInt32Array::from(places), None).map_err(failed)
}
