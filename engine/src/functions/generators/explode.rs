//! `explode` and `posexplode`: a row for each element of an array or each entry of a map.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use crate::error::{Error, Result};
use crate::functions::collections::entries::key_and_value;
use crate::functions::collections::lists::{Lists, Maps, Picks, failed};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

const ARRAY_OR_MAP: &[&[Takes]] = &[&[Takes::Arrays], &[Takes::Map]];

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "explode_rows",
        forms: ARRAY_OR_MAP,
        returns: Returns::By(|inputs| rows_type(inputs, false)),
        call: |call| rows(call, false),
        doc: "The rows of explode: each element as col, or each entry as key and value.",
        example: "SELECT explode(array(10, 20))",
        ..SCALAR
    },
    Scalar {
        name: "posexplode_rows",
        forms: ARRAY_OR_MAP,
        returns: Returns::By(|inputs| rows_type(inputs, true)),
        call: |call| rows(call, true),
        doc: "The rows of posexplode: those of explode with their place as pos, counted from 0.",
        example: "SELECT posexplode(array(10, 20))",
        ..SCALAR
    },
];

fn rows_type(inputs: &Inputs<'_>, with_place: bool) -> Result<DataType> {
    let named = |name: &str, field: &FieldRef| field.as_ref().clone().with_name(name);
    let mut fields = match inputs.data_type(0)? {
        DataType::List(item) => vec![named("col", item)],
        map => {
            let (key, value) = key_and_value(map)?;
            vec![named("key", key), named("value", value)]
        }
    };
    if with_place {
        fields.insert(0, Field::new("pos", DataType::Int32, false));
    }
    Ok(list_of(DataType::Struct(fields.into())))
}

fn rows(call: &Call<'_>, with_place: bool) -> Result<ArrayRef> {
    let argument = call.argument(0)?;
    if let DataType::Map(..) = argument.data_type() {
        let maps = Maps::new(argument);
        let picks = Picks::of_rows(call.rows, |row, picks| {
            picks.extend(0, maps.row(row)?);
            Some(())
        });
        return structs(call, &picks, &[&maps.keys, &maps.values], with_place);
    }
    let lists = Lists::new(argument);
    let picks = Picks::of_rows(call.rows, |row, picks| {
        picks.extend(0, lists.row(row)?);
        Some(())
    });
    structs(call, &picks, &[lists.elements()], with_place)
}

fn structs(
    call: &Call<'_>,
    picks: &Picks,
    parts: &[&ArrayRef],
    with_place: bool,
) -> Result<ArrayRef> {
    let (item, fields) = struct_item(call.returns)?;
    let mut columns: Vec<ArrayRef> = Vec::new();
    if with_place {
        columns.push(Arc::new(Int32Array::from_iter_values(picks.places())));
    }
    for part in parts {
        columns.push(picks.values(&[part])?);
    }
    let length = columns.first().map_or(0, |column| column.len());
    let structs = StructArray::try_new_with_length(fields.clone(), columns, None, length);
    picks.of_values(item, Arc::new(structs.map_err(failed)?))
}

/// The fields of the structs of an array.
pub(super) fn struct_item(list: &DataType) -> Result<(&FieldRef, &Fields)> {
    if let DataType::List(item) = list
        && let DataType::Struct(fields) = item.data_type()
    {
        return Ok((item, fields));
    }
    Err(Error::internal(format!("{list} is no array of structs")))
}
