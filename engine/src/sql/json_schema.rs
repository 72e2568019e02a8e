//! Schemas as Spark writes them in JSON: `{"type":"struct","fields":[…]}`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde_json::Value;

use super::COMMENT;
use super::types::{parse_ddl, parse_type};
use crate::error::{Error, Result, check_unique_columns};

/// A schema in JSON, or as a list of columns with their types.
pub fn parse_schema_of_columns(text: &str) -> Result<SchemaRef> {
    if !text.trim_start().starts_with('{') {
        return parse_ddl(text);
    }
    let DataType::Struct(fields) = json_type(text)? else {
        return Err(
            Error::illegal_argument("the schema is no struct of columns")
                .with_condition("INVALID_SCHEMA.NON_STRUCT_TYPE"),
        );
    };
    check_unique_columns(fields.iter().map(|field| field.name().as_str()))?;
    Ok(Arc::new(Schema::new(fields)))
}

/// A schema that is one type, `array<int>`, or a list of columns, which make a struct; also in JSON.
pub(crate) fn parse_schema(text: &str) -> Result<DataType> {
    if text.trim_start().starts_with('{') {
        return json_type(text);
    }
    parse_type(text).or_else(|_| Ok(DataType::Struct(parse_ddl(text)?.fields().clone())))
}

fn json_type(text: &str) -> Result<DataType> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Error::illegal_argument(format!("the schema is no JSON: {error}")).with_source(error)
    })?;
    type_of(&value)
}

fn type_of(value: &Value) -> Result<DataType> {
    if let Value::String(name) = value {
        return parse_type(name);
    }
    let part = |key: &str| value.get(key).ok_or_else(|| incomplete(value, key));
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(true);
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields = part("fields")?.as_array();
            let fields = fields.ok_or_else(|| incomplete(value, "fields"))?;
            let fields = fields.iter().map(field_of).collect::<Result<Vec<_>>>()?;
            Ok(DataType::Struct(fields.into()))
        }
        Some("array") => {
            let item = type_of(part("elementType")?)?;
            Ok(DataType::new_list(item, flag("containsNull")))
        }
        Some("map") => {
            let key = Field::new("key", type_of(part("keyType")?)?, false);
            let value_type = type_of(part("valueType")?)?;
            let value = Field::new("value", value_type, flag("valueContainsNull"));
            let entries = DataType::Struct(vec![key, value].into());
            Ok(DataType::Map(
                Field::new("entries", entries, false).into(),
                false,
            ))
        }
        Some("udt") => type_of(part("sqlType")?),
        _ => Err(incomplete(value, "type")),
    }
}

fn field_of(value: &Value) -> Result<Field> {
    let part = |key: &str| value.get(key).ok_or_else(|| incomplete(value, key));
    let name = part("name")?
        .as_str()
        .ok_or_else(|| incomplete(value, "name"))?;
    let nullable = value
        .get("nullable")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let field = Field::new(name, type_of(part("type")?)?, nullable);
    let comment = value
        .get("metadata")
        .and_then(|metadata| metadata.get(COMMENT));
    Ok(match comment.and_then(Value::as_str) {
        Some(comment) => {
            field.with_metadata(HashMap::from([(COMMENT.to_string(), comment.to_string())]))
        }
        None => field,
    })
}

fn incomplete(value: &Value, key: &str) -> Error {
    Error::illegal_argument(format!("the schema's part {value} lacks its '{key}'"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::nullable;

    #[test]
    fn json_is_the_same_as_columns() {
        let json = r#"{"type":"struct","fields":[
            {"name":"id","type":"long","nullable":false,"metadata":{}},
            {"name":"price","type":"decimal(10,2)","nullable":true,"metadata":{}},
            {"name":"tags","type":{"type":"array","elementType":"string","containsNull":true},"nullable":true},
            {"name":"m","type":{"type":"map","keyType":"string","valueType":"integer","valueContainsNull":true}}]}"#;
        let columns =
            "id BIGINT NOT NULL, price DECIMAL(10, 2), tags ARRAY<STRING>, m MAP<STRING, INT>";
        let from_json = parse_schema_of_columns(json).unwrap();
        assert!(!from_json.field(0).is_nullable());
        assert_eq!(
            nullable(&from_json),
            parse_schema_of_columns(columns).unwrap()
        );
        for wrong in [
            "{",
            r#"{"type":"struct"}"#,
            r#"{"type":"array","elementType":"int"}"#,
        ] {
            assert!(parse_schema_of_columns(wrong).is_err(), "{wrong}");
        }
    }
}
