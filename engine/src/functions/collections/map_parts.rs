//! Parts of maps: `map_keys`, `map_values`, `map_contains_key`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};

use super::element::places_of_keys;
use super::entries::{common_key, key_and_value};
use super::lists::{Maps, Picks};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};
use crate::text::is_null;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "map_keys",
        forms: &[&[Takes::Map]],
        returns: Returns::By(|inputs| {
            let (key, _) = key_and_value(inputs.data_type(0)?)?;
            Ok(list_of(key.data_type().clone()))
        }),
        call: |call| part(call, |maps| &maps.keys),
        doc: "The keys of a map as an array.",
        example: "SELECT map_keys(map('a', 1, 'b', 2))",
        ..SCALAR
    },
    Scalar {
        name: "map_values",
        forms: &[&[Takes::Map]],
        returns: Returns::By(|inputs| {
            let (_, value) = key_and_value(inputs.data_type(0)?)?;
            Ok(list_of(value.data_type().clone()))
        }),
        call: |call| part(call, |maps| &maps.values),
        doc: "The values of a map as an array.",
        example: "SELECT map_values(map('a', 1, 'b', 2))",
        ..SCALAR
    },
    Scalar {
        name: "map_contains_key",
        forms: &[&[Takes::Map, Takes::Any]],
        returns: Returns::By(|inputs| {
            let [map, wanted] = inputs.first()?;
            let (key, _) = key_and_value(map)?;
            if wanted.is_null() {
                return Err(
                    Error::analysis("map_contains_key looks for a key, not for NULL")
                        .with_condition("DATATYPE_MISMATCH.NULL_TYPE"),
                );
            }
            common_key("map_contains_key", key.data_type(), wanted)?;
            Ok(arrow::datatypes::DataType::Boolean)
        }),
        call: map_contains_key,
        doc: "Whether a map has a key.",
        example: "SELECT map_contains_key(map('a', 1), 'a')",
        ..SCALAR
    },
];

fn part(call: &Call<'_>, part: for<'a> fn(&'a Maps<'_>) -> &'a ArrayRef) -> Result<ArrayRef> {
    let maps = Maps::new(call.argument(0)?);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        picks.extend(0, maps.row(row)?);
        Some(())
    });
    picks.lists(&[part(&maps)], call.returns)
}

fn map_contains_key(call: &Call<'_>) -> Result<ArrayRef> {
    let [maps, wanted] = call.first()?;
    let maps = Maps::new(maps);
    let places = places_of_keys(&maps, wanted, call)?;
    let found = (0..call.rows).map(|row| {
        maps.row(row)?;
        (!is_null(wanted, row)).then(|| places.is_valid(row))
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}
