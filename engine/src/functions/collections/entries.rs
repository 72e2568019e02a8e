//! The entries of maps: their types, and what keys cannot be.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef};

use super::keys::keys;
use super::lists::failed;
use crate::error::{Error, Result};
use crate::functions::common_type::{common_type, without_text};
use crate::text::format_value;
use crate::type_names::sql_type;

/// The fields of a map's entries.
pub(in crate::functions) fn key_and_value(map: &DataType) -> Result<(&FieldRef, &FieldRef)> {
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((key, value));
    }
    Err(Error::internal(format!("{map} is no map")))
}

/// Refuses keys that are NULL or come twice in a row.
pub(super) fn check_keys(of_all: &ArrayRef, offsets: &[i32]) -> Result<()> {
    if of_all.logical_null_count() > 0 {
        return Err(Error::runtime("a key of a map cannot be NULL")
            .with_condition("NULL_MAP_KEY")
            .with_hint("leave such entries out, or give the key a value: coalesce(key, '')"));
    }
    let [rows] = keys([of_all])?;
    let mut seen = HashSet::new();
    for [start, end] in offsets.array_windows() {
        seen.clear();
        for key in *start as usize..*end as usize {
            if !seen.insert(rows.row(key)) {
                let key = format_value(of_all, key);
                return Err(
                    Error::runtime(format!("the key {key} comes twice in a map"))
                        .with_condition("DUPLICATED_MAP_KEY")
                        .with_hint("leave one of the two entries out"),
                );
            }
        }
    }
    Ok(())
}

/// Refuses types that keys cannot have.
pub(in crate::functions) fn check_key_type(key: &DataType) -> Result<()> {
    match key {
        DataType::Map(..) => Err(Error::analysis("a key of a map cannot be a map")
            .with_condition("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE")),
        _ => Ok(()),
    }
}

/// The common type of some of the arguments of a function.
pub(in crate::functions) fn common<'a>(
    function: &str,
    types: impl IntoIterator<Item = &'a DataType> + Clone,
) -> Result<DataType> {
    common_type(types.clone()).ok_or_else(|| {
        let types: Vec<String> = types.into_iter().map(sql_type).collect();
        let types = types.join(", ");
        Error::analysis(format!(
            "{function} needs values of one type, but they are {types}"
        ))
        .with_condition("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
        .with_hint("cast them: CAST(x AS type)")
    })
}

/// The common type of a map's keys and a value that is looked for.
pub(in crate::functions) fn common_key(
    function: &str,
    key: &DataType,
    wanted: &DataType,
) -> Result<DataType> {
    without_text([key, wanted]).ok_or_else(|| {
        let (key, wanted) = (sql_type(key), sql_type(wanted));
        Error::analysis(format!(
            "{function} cannot look for {wanted} among keys that are {key}"
        ))
        .with_condition("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES")
        .with_hint(format!("cast it: CAST(x AS {key})"))
    })
}

/// Values in a wider type.
pub(in crate::functions) fn widened(values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if values.data_type() == to {
        return Ok(ArrayRef::clone(values));
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(values, to, &strict).map_err(failed)
}
