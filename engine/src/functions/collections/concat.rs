//! Values one behind the other: `concat` of texts, bytes and arrays, and `flatten`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use arrow::datatypes::DataType;

use super::entries::widened;
use super::lists::{Lists, Picks};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "concat",
        forms: &[
            &[Takes::Rest(&Takes::Bytes)],
            &[Takes::Rest(&Takes::Arrays)],
        ],
        returns: Returns::By(|inputs| {
            let binary = |data_type: &DataType| data_type == &DataType::Binary;
            Ok(match inputs.types.first() {
                Some(list @ DataType::List(_)) => list.clone(),
                Some(_) if inputs.types.iter().all(binary) => DataType::Binary,
                _ => DataType::Utf8,
            })
        }),
        call: concat,
        doc: "Texts, bytes or arrays, one behind the other; NULL if one of them is.",
        example: "SELECT concat('stream', '-', 7)",
        ..SCALAR
    },
    Scalar {
        name: "flatten",
        forms: &[&[Takes::Array]],
        returns: Returns::By(|inputs| match inputs.data_type(0)? {
            DataType::List(item) if matches!(item.data_type(), DataType::List(_)) => {
                Ok(item.data_type().clone())
            }
            other => Err(Error::analysis(format!(
                "flatten takes an array of arrays, not {}",
                sql_type(other)
            ))
            .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")),
        }),
        call: flatten,
        doc: "The elements of arrays in an array as one array; NULL if one of them is NULL.",
        example: "SELECT flatten(array(array(1, 2), array(3)))",
        ..SCALAR
    },
];

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    if let DataType::List(_) = call.returns {
        return concat_arrays(call);
    }
    let parts = call
        .arguments
        .iter()
        .map(|part| widened(part, call.returns));
    let parts: Vec<ArrayRef> = parts.collect::<Result<_>>()?;
    let is_null = |row| parts.iter().any(|part| part.is_null(row));
    if call.returns == &DataType::Binary {
        let mut out = BinaryBuilder::new();
        for row in 0..call.rows {
            let bytes = parts
                .iter()
                .flat_map(|part| part.as_binary::<i32>().value(row));
            out.append_option((!is_null(row)).then(|| bytes.copied().collect::<Vec<u8>>()));
        }
        return Ok(Arc::new(out.finish()));
    }
    let parts_of_row = |row| {
        parts
            .iter()
            .map(move |part| part.as_string::<i32>().value(row))
    };
    let mut out = StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        if is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        parts_of_row(row).for_each(|part| text.push_str(part));
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

fn concat_arrays(call: &Call<'_>) -> Result<ArrayRef> {
    let lists: Vec<Lists<'_>> = call.arguments.iter().map(Lists::new).collect();
    let picks = Picks::of_rows(call.rows, |row, picks| {
        for (source, lists) in lists.iter().enumerate() {
            picks.extend(source, lists.row(row)?);
        }
        Some(())
    });
    let sources: Vec<&ArrayRef> = lists.iter().map(Lists::elements).collect();
    picks.lists(&sources, call.returns)
}

fn flatten(call: &Call<'_>) -> Result<ArrayRef> {
    let outer = Lists::new(call.argument(0)?);
    let inner = Lists::new(outer.elements());
    let picks = Picks::of_rows(call.rows, |row, picks| {
        for list in outer.row(row)? {
            picks.extend(0, inner.row(list)?);
        }
        Some(())
    });
    picks.lists(&[inner.elements()], call.returns)
}
