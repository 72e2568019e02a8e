//! `from_json(text, schema[, options])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Fields, Schema};

use super::last_wins::last_wins;
use super::{check_options, json_options};
use crate::error::{Error, Result};
use crate::formats::json::{JsonDecoder, JsonOptions, ParseMode};
use crate::functions::collections::lists::failed;
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::sql::parse_schema;

/// What stands for a value that is not an object, which JSON lines are made of.
const VALUE: &str = "value";

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "from_json",
    forms: &[
        &[Takes::Text, Takes::Text],
        &[Takes::Text, Takes::Text, Takes::Map],
    ],
    returns: Returns::By(|inputs| schema_argument(inputs, "from_json")),
    call: from_json,
    doc: "The value that a JSON text stands for, of a type that a schema tells; what does not fit is NULL.",
    example: "SELECT from_json('{\"id\":7,\"tags\":[\"a\"]}', 'id INT, tags ARRAY<STRING>')",
    ..SCALAR
}];

/// The type that the second argument tells.
pub(in crate::functions) fn schema_argument(
    inputs: &Inputs<'_>,
    function: &str,
) -> Result<DataType> {
    check_options(inputs.types.get(2))?;
    match inputs.text(1) {
        Some(ddl) => parse_schema(ddl),
        None => Err(Error::analysis(format!(
            "{function} needs its schema as text, the same for all rows"
        ))
        .with_condition("INVALID_SCHEMA.NON_STRING_LITERAL")
        .with_hint(format!("{function}(payload, 'id INT, name STRING')"))),
    }
}

/// The rest of a file's modes: no row can be left out of a column.
pub(in crate::functions) fn check_mode(function: &str, mode: ParseMode) -> Result<()> {
    match mode {
        ParseMode::DropMalformed => Err(Error::analysis(format!(
            "{function} has no mode DROPMALFORMED"
        ))
        .with_condition("PARSE_MODE_UNSUPPORTED")
        .with_hint("use the mode PERMISSIVE or FAILFAST")),
        _ => Ok(()),
    }
}

/// A text that is no JSON gives a struct of NULLs; nothing but blanks gives NULL.
fn from_json(call: &Call<'_>) -> Result<ArrayRef> {
    let options = json_options(call, 2)?;
    check_mode(call.name, options.mode)?;
    let fields = match call.returns {
        DataType::Struct(fields) => fields.clone(),
        other => Fields::from(vec![Field::new(VALUE, other.clone(), true)]),
    };
    let read = match call.returns {
        DataType::Struct(_) => structs(call, &options, fields)?,
        _ => values(call, &options, fields)?,
    };
    last_wins(&read)
}

fn decoder(call: &Call<'_>, options: &JsonOptions, fields: &Fields) -> Result<JsonDecoder> {
    let columns: Vec<usize> = (0..fields.len()).collect();
    JsonDecoder::new(options, &Schema::new(fields.clone()), &columns, call.rows)
}

fn structs(call: &Call<'_>, options: &JsonOptions, fields: Fields) -> Result<ArrayRef> {
    let mut decoder = decoder(call, options, &fields)?;
    let texts = call.text(0)?;
    let mut rows = Vec::with_capacity(call.rows);
    for text in texts {
        let before = decoder.num_rows();
        if let Some(text) = text {
            match text.trim_start().starts_with('[') {
                true => decoder.malformed(text.as_bytes(), "it is an array, not an object")?,
                false => decoder.decode_text(text)?,
            }
        }
        rows.push((decoder.num_rows() > before).then_some(before as u32));
    }
    // Mostly every text is one object, and nothing has to be moved.
    let in_place = decoder.num_rows() == call.rows && rows.iter().all(Option::is_some);
    let Some(batch) = decoder.flush()? else {
        return Ok(new_null_array(call.returns, call.rows));
    };
    let columns = batch.columns().to_vec();
    let read = StructArray::try_new_with_length(fields, columns, None, batch.num_rows());
    let read = read.map_err(failed)?;
    match in_place {
        true => Ok(Arc::new(read)),
        false => take(&read, &UInt32Array::from(rows), None).map_err(failed),
    }
}

/// Values that are no structs, each as the only field of one.
fn values(call: &Call<'_>, options: &JsonOptions, fields: Fields) -> Result<ArrayRef> {
    let mut decoder = decoder(call, options, &fields)?;
    let texts = call.text(0)?;
    let of_structs = matches!(call.returns, DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)));
    let mut rows = Vec::with_capacity(call.rows);
    for text in texts {
        let before = decoder.num_rows();
        if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
            // One object is an array of it.
            let line = match of_structs && text.starts_with('{') {
                true => format!("{{\"{VALUE}\":[{text}]}}"),
                false => format!("{{\"{VALUE}\":{text}}}"),
            };
            decoder.decode_text(&line)?;
        }
        rows.push((decoder.num_rows() > before).then_some(before as u32));
    }
    match decoder.flush()? {
        Some(batch) => take(batch.column(0), &UInt32Array::from(rows), None).map_err(failed),
        None => Ok(new_null_array(call.returns, call.rows)),
    }
}
