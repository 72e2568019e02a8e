//! Maps that were read from objects in which a name comes twice: the last of its values stays.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use crate::error::Result;
use crate::functions::collections::keys::keys;
use crate::functions::collections::lists::{Maps, Picks, failed};

/// The values without entries of maps that others of the same key follow.
pub(super) fn last_wins(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_maps(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    Ok(match array.data_type() {
        DataType::Map(..) => maps(array)?,
        DataType::List(field) => {
            let (_, offsets, values, nulls) = array.as_list::<i32>().clone().into_parts();
            let lists = ListArray::try_new(Arc::clone(field), offsets, last_wins(&values)?, nulls);
            Arc::new(lists.map_err(failed)?)
        }
        _ => {
            let (fields, columns, nulls) = array.as_struct().clone().into_parts();
            let columns = columns.iter().map(last_wins).collect::<Result<_>>()?;
            let structs = StructArray::try_new_with_length(fields, columns, nulls, array.len());
            Arc::new(structs.map_err(failed)?)
        }
    })
}

fn has_maps(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::List(item) => has_maps(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_maps(field.data_type())),
        _ => false,
    }
}

fn maps(array: &ArrayRef) -> Result<ArrayRef> {
    let maps = Maps::new(array);
    let values = last_wins(&maps.values)?;
    let [rows] = keys([&maps.keys])?;
    let mut last = HashMap::new();
    let mut of_values = Vec::with_capacity(maps.keys.len());
    let picks = Picks::of_rows(array.len(), |row, picks| {
        let entries = maps.row(row)?;
        last.clear();
        last.extend(entries.clone().map(|entry| (rows.row(entry), entry as u32)));
        for entry in entries {
            // The key stands where it came first.
            if let Some(value) = last.remove(&rows.row(entry)) {
                picks.push(0, entry);
                of_values.push(value);
            }
        }
        Some(())
    });
    let of_values = take(&values, &UInt32Array::from(of_values), None).map_err(failed)?;
    picks.maps_of(picks.values(&[&maps.keys])?, of_values, array.data_type())
}
