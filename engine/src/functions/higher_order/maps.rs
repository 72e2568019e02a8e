//! Lambdas of the entries of maps: `map_filter`, `map_zip_with`, `transform_keys`,
//! `transform_values`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::arrays::{is_true, rows_of, truths};
use super::function::{Call, HigherOrder, entry};
use crate::error::Result;
use crate::functions::collections::entries::{check_key_type, common, key_and_value, widened};
use crate::functions::collections::keys::keys;
use crate::functions::collections::lists::{Maps, Picks, failed};
use crate::functions::takes::{Takes, map_of};

const MAP: &[&[Takes]] = &[&[Takes::Map]];

pub(super) static TABLE: &[HigherOrder] = &[
    HigherOrder {
        name: "map_filter",
        aliases: &[],
        values: MAP,
        lambdas: (1, 1),
        variables: |types| Ok(vec![entry(types.value(0)?)?.to_vec()]),
        returns: |types| types.if_predicate().cloned(),
        call: map_filter,
        doc: "The entries for which a lambda of key and value is true.",
        example: "SELECT map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)",
    },
    HigherOrder {
        name: "transform_keys",
        aliases: &[],
        values: MAP,
        lambdas: (1, 1),
        variables: |types| Ok(vec![entry(types.value(0)?)?.to_vec()]),
        returns: |types| {
            let [_, value] = entry(types.value(0)?)?;
            let key = types.body(0)?;
            check_key_type(key)?;
            Ok(map_of(key.clone(), value))
        },
        call: transform_keys,
        doc: "The map with the keys that a lambda gives for key and value.",
        example: "SELECT transform_keys(map('a', 1), (k, v) -> upper(k))",
    },
    HigherOrder {
        name: "transform_values",
        aliases: &[],
        values: MAP,
        lambdas: (1, 1),
        variables: |types| Ok(vec![entry(types.value(0)?)?.to_vec()]),
        returns: |types| {
            let [key, _] = entry(types.value(0)?)?;
            Ok(map_of(key, types.body(0)?.clone()))
        },
        call: transform_values,
        doc: "The map with the values that a lambda gives for key and value.",
        example: "SELECT transform_values(map('a', 1), (k, v) -> v + 1)",
    },
    HigherOrder {
        name: "map_zip_with",
        aliases: &[],
        values: &[&[Takes::Map, Takes::Map]],
        lambdas: (1, 1),
        variables: |types| {
            let [key, one] = entry(types.value(0)?)?;
            let [other_key, other] = entry(types.value(1)?)?;
            Ok(vec![vec![
                common("map_zip_with", [&key, &other_key])?,
                one,
                other,
            ]])
        },
        returns: |types| {
            let [key, _] = entry(types.value(0)?)?;
            let [other_key, _] = entry(types.value(1)?)?;
            let key = common("map_zip_with", [&key, &other_key])?;
            Ok(map_of(key, types.body(0)?.clone()))
        },
        call: map_zip_with,
        doc: "A map of the keys of two maps and what a lambda gives for the key and its two values, of which one may be missing: NULL.",
        example: "SELECT map_zip_with(map('a', 1), map('a', 2, 'b', 3), (k, v1, v2) -> coalesce(v1, 0) + v2)",
    },
];

/// The entries of all rows: which they are, keys, values, and what the lambda gives for them.
struct Evaluated {
    picks: Picks,
    keys: ArrayRef,
    values: ArrayRef,
    given: ArrayRef,
}

fn evaluated(call: &Call<'_>) -> Result<Evaluated> {
    let maps = Maps::new(call.value(0)?);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        picks.extend(0, maps.row(row)?);
        Some(())
    });
    let (keys, values) = (picks.values(&[&maps.keys])?, picks.values(&[&maps.values])?);
    let variables = [Arc::clone(&keys), Arc::clone(&values)];
    let given = call.evaluate(0, &variables, &rows_of(&picks))?;
    Ok(Evaluated {
        picks,
        keys,
        values,
        given,
    })
}

fn map_filter(call: &Call<'_>) -> Result<ArrayRef> {
    let all = evaluated(call)?;
    let truths = truths(&all.given)?;
    let kept = all.picks.chosen(|entry| is_true(&truths, entry));
    kept.maps(&[&all.keys], &[&all.values], call.returns)
}

fn transform_keys(call: &Call<'_>) -> Result<ArrayRef> {
    let all = evaluated(call)?;
    all.picks.maps_of(all.given, all.values, call.returns)
}

fn transform_values(call: &Call<'_>) -> Result<ArrayRef> {
    let all = evaluated(call)?;
    all.picks.maps_of(all.keys, all.given, call.returns)
}

fn map_zip_with(call: &Call<'_>) -> Result<ArrayRef> {
    let [one, other] = call.first()?.each_ref().map(Maps::new);
    let key_type: &DataType = key_and_value(call.returns)?.0.data_type();
    let (ours, theirs) = (
        widened(&one.keys, key_type)?,
        widened(&other.keys, key_type)?,
    );
    let [our_keys, their_keys] = keys([&ours, &theirs])?;
    // The values of the entries that are picked.
    let mut sides: [Vec<Option<u32>>; 2] = Default::default();
    let picks = Picks::of_rows(call.rows, |row, picks| {
        let (first, second) = (one.row(row)?, other.row(row)?);
        let theirs = second
            .clone()
            .map(|entry| (their_keys.row(entry), entry as u32));
        let mut theirs: HashMap<_, _> = theirs.collect();
        for entry in first {
            picks.push(0, entry);
            sides[0].push(Some(entry as u32));
            sides[1].push(theirs.remove(&our_keys.row(entry)));
        }
        for entry in second {
            if theirs.contains_key(&their_keys.row(entry)) {
                picks.push(1, entry);
                sides[0].push(None);
                sides[1].push(Some(entry as u32));
            }
        }
        Some(())
    });
    let keys = picks.values(&[&ours, &theirs])?;
    let [left, right] = sides.map(UInt32Array::from);
    let left = take(&one.values, &left, None).map_err(failed)?;
    let right = take(&other.values, &right, None).map_err(failed)?;
    let variables = [Arc::clone(&keys), left, right];
    let values = call.evaluate(0, &variables, &rows_of(&picks))?;
    picks.maps_of(keys, values, call.returns)
}
