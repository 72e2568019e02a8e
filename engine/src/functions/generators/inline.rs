//! `inline`, whose rows are structs, and what the outer form of every generator does: a row of NULL
//! where there is none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field};

use super::explode::struct_item;
use crate::error::{Error, Result};
use crate::functions::collections::lists::{Lists, Picks, failed};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "inline_rows",
        forms: &[&[Takes::Arrays]],
        returns: Returns::By(nullable),
        call: |call| rows(call, false),
        doc: "The rows of inline: the structs of an array, each field a column.",
        example: "SELECT inline(array(struct(1, 'a'), struct(2, 'b')))",
        ..SCALAR
    },
    Scalar {
        name: "outer_rows",
        forms: &[&[Takes::Arrays]],
        returns: Returns::By(nullable),
        call: |call| rows(call, true),
        doc: "The rows of a generator, or one row of NULL where it has none.",
        example: "SELECT explode_outer(array())",
        ..SCALAR
    },
];

/// The same type, in which every field may be NULL.
fn nullable(inputs: &Inputs<'_>) -> Result<DataType> {
    let given = inputs.data_type(0)?;
    let Ok((_, fields)) = struct_item(given) else {
        return Err(Error::analysis(format!(
            "inline takes an array of structs, not {}",
            sql_type(given)
        ))
        .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"));
    };
    let fields = fields
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true));
    Ok(list_of(DataType::Struct(
        fields.collect::<Vec<Field>>().into(),
    )))
}

fn rows(call: &Call<'_>, outer: bool) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let (item, fields) = struct_item(call.returns)?;
    let picks = Picks::of_rows(call.rows, |row, picks| {
        match lists.row(row) {
            Some(range) if !(outer && range.is_empty()) => picks.extend(0, range),
            None if !outer => return None,
            _ => picks.nulls(1),
        }
        Some(())
    });
    let structs = picks.values(&[lists.elements()])?;
    let structs = structs.as_struct();
    let columns = structs
        .columns()
        .iter()
        .map(|column| masked(column, structs.nulls()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let structs = StructArray::try_new_with_length(fields.clone(), columns, None, structs.len());
    picks.of_values(item, Arc::new(structs.map_err(failed)?))
}

/// The values, NULL where their struct is.
fn masked(column: &ArrayRef, structs: Option<&NullBuffer>) -> Result<ArrayRef> {
    match structs {
        None => Ok(Arc::clone(column)),
        Some(_) if column.data_type().is_null() => Ok(Arc::clone(column)),
        Some(valid) => {
            let is_null = BooleanArray::new(!valid.inner(), None);
            nullif(column, &is_null).map_err(failed)
        }
    }
}
