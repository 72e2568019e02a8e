//! `stack(n, value, …)`: the values as n rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StructArray, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field};

use super::explode::struct_item;
use crate::error::{Error, Result};
use crate::functions::collections::entries::{common, widened};
use crate::functions::collections::lists::{Picks, failed};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "stack_rows",
    forms: &[&[Takes::Small, Takes::Rest(&Takes::Any)]],
    returns: Returns::By(rows_type),
    call: stack,
    doc: "The rows of stack: so many rows of the values that follow, in columns col0, col1 and so on.",
    example: "SELECT stack(2, 1, 2, 3, 4)",
    ..SCALAR
}];

fn rows_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let rows = inputs.integer(0).filter(|rows| *rows > 0).ok_or_else(|| {
        Error::analysis(
            "the first argument of stack must be a positive number, the same for all rows",
        )
        .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
        .with_hint("stack(2, a, b, c, d)")
    })?;
    let values = inputs.types.iter().skip(1);
    let columns = values.len().div_ceil(rows as usize);
    let fields = (0..columns).map(|column| {
        let types = values.clone().skip(column).step_by(columns);
        let mut names = types
            .clone()
            .filter(|data_type| !data_type.is_null())
            .map(sql_type);
        if let Some(first) = names.next()
            && let Some(other) = names.find(|name| *name != first)
        {
            return Err(Error::analysis(format!(
                "column {column} of stack is {first} in one row and {other} in another"
            ))
            .with_condition("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES")
            .with_hint("cast the values of a column to one type: CAST(x AS type)"));
        }
        Ok(Field::new(
            format!("col{column}"),
            common("stack", types)?,
            true,
        ))
    });
    let fields = fields.collect::<Result<Vec<Field>>>()?;
    Ok(list_of(DataType::Struct(fields.into())))
}

fn stack(call: &Call<'_>) -> Result<ArrayRef> {
    let (item, fields) = struct_item(call.returns)?;
    let values = call.arguments.iter().skip(1);
    let width = fields.len();
    let height = match call.constants.first() {
        Some(Some(value)) => value.to_string().parse().unwrap_or(0),
        _ => 0,
    };
    let columns = fields.iter().enumerate().map(|(column, field)| {
        let data_type = field.data_type();
        let parts = values.clone().skip(column).step_by(width);
        let mut parts = parts
            .map(|part| widened(part, data_type))
            .collect::<Result<Vec<_>>>()?;
        parts.resize(height, new_null_array(data_type, call.rows));
        let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
        let at = (0..call.rows).flat_map(|row| (0..height).map(move |part| (part, row)));
        interleave(&parts, &at.collect::<Vec<_>>()).map_err(failed)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let structs =
        StructArray::try_new_with_length(fields.clone(), columns, None, height * call.rows);
    let shape = Picks::of_rows(call.rows, |row, picks| {
        (0..height).for_each(|_| picks.push(0, row));
        Some(())
    });
    shape.of_values(item, Arc::new(structs.map_err(failed)?))
}
