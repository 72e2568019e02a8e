//! `schema_of_json(text[, options])`: a schema as text, which `from_json` takes.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};

use super::{check_options, json_options};
use crate::error::{Error, Result};
use crate::formats::json::schema_of_line;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "schema_of_json",
    forms: &[&[Takes::Text], &[Takes::Text, Takes::Map]],
    returns: Returns::By(|inputs| {
        check_options(inputs.types.get(1))?;
        Ok(DataType::Utf8)
    }),
    call: schema_of_json,
    doc: "The schema of a JSON text, as from_json takes it.",
    example: "SELECT schema_of_json('{\"id\":7,\"tags\":[\"a\"]}')",
    ..SCALAR
}];

fn schema_of_json(call: &Call<'_>) -> Result<ArrayRef> {
    let options = json_options(call, 1)?;
    let corrupt = &options.corrupt_record_column;
    let schema = |text: &str| {
        if text.trim().is_empty() {
            return Ok("STRING".to_string());
        }
        let schema = schema_of_line(&format!("{{\"value\":{text}}}"), options.clone());
        match schema.field_with_name("value") {
            Ok(value) => Ok(ddl(value.data_type())),
            Err(_) if schema.field_with_name(corrupt).is_err() => Ok("STRUCT<>".to_string()),
            Err(_) => Err(Error::runtime(format!("'{text}' is no JSON"))
                .with_condition("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")),
        }
    };
    let schemas = call
        .text(0)?
        .iter()
        .map(|text| text.map(schema).transpose());
    Ok(Arc::new(schemas.collect::<Result<StringArray>>()?))
}

/// A type in SQL; names that need them stand in backticks.
pub(in crate::functions) fn ddl(data_type: &DataType) -> String {
    sql_type(&quoted(data_type))
}

fn quoted(data_type: &DataType) -> DataType {
    let item = |field: &FieldRef| {
        Arc::new(
            field
                .as_ref()
                .clone()
                .with_data_type(quoted(field.data_type())),
        )
    };
    match data_type {
        DataType::List(field) => DataType::List(item(field)),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| {
                let name = field.name();
                let part = |char: char| char.is_ascii_alphanumeric() || char == '_';
                let plain = name.chars().all(part)
                    && name.starts_with(|first: char| !first.is_ascii_digit());
                let name = match plain {
                    true => name.clone(),
                    false => format!("`{}`", name.replace('`', "``")),
                };
                Field::new(name, quoted(field.data_type()), true)
            });
            DataType::Struct(fields.collect())
        }
        other => other.clone(),
    }
}
