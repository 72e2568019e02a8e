//! `json_tuple(json, name, …)`: one row of the fields of an object.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder, StructArray};
use arrow::datatypes::{DataType, Field};

use super::explode::struct_item;
use crate::error::{Error, Result};
use crate::functions::collections::lists::{Picks, failed};
use crate::functions::json::fields_of_object;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar, text_at};
use crate::functions::takes::{Takes, list_of};

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "json_tuple_rows",
    forms: &[&[Takes::Text, Takes::Text, Takes::Rest(&Takes::Text)]],
    returns: Returns::By(|inputs| {
        let fields = (1..inputs.types.len())
            .map(|index| Field::new(format!("c{}", index - 1), DataType::Utf8, true));
        Ok(list_of(DataType::Struct(fields.collect())))
    }),
    call: json_tuple,
    doc: "The row of json_tuple: the named fields of a JSON object as texts, c0, c1 and so on.",
    example: "SELECT json_tuple('{\"a\":1, \"b\":\"x\"}', 'a', 'b')",
    ..SCALAR
}];

fn json_tuple(call: &Call<'_>) -> Result<ArrayRef> {
    let (item, fields) = struct_item(call.returns)?;
    let mut columns: Vec<StringBuilder> = fields.iter().map(|_| StringBuilder::new()).collect();
    let texts = call.texts();
    let Some((jsons, names)) = texts.split_first() else {
        return Err(Error::internal("json_tuple got no JSON"));
    };
    for row in 0..call.rows {
        let names: Vec<Option<&str>> = names.iter().map(|names| text_at(names, row)).collect();
        let found = text_at(jsons, row).and_then(|json| fields_of_object(json, &names));
        let mut found = found.into_iter().flatten();
        for column in &mut columns {
            column.append_option(found.next().flatten());
        }
    }
    let columns = columns
        .iter_mut()
        .map(|column| Arc::new(column.finish()) as ArrayRef);
    let structs = StructArray::try_new(fields.clone(), columns.collect(), None);
    let shape = Picks::of_rows(call.rows, |row, picks| {
        picks.push(0, row);
        Some(())
    });
    shape.of_values(item, Arc::new(structs.map_err(failed)?))
}
