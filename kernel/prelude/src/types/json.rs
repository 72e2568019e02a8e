//! Types in Spark's JSON, as the kernel sends them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DataType, StructField, ddl};
use crate::error::{Error, Result};

pub(super) fn parse(value: &Value) -> Result<DataType> {
    match value {
        Value::String(name) => Ok(named(name)),
        Value::Object(_) => nested(value),
        _ => Err(not_a_type(value)),
    }
}

/// JSON has names of its own for some types; the others have those of DDL.
fn named(name: &str) -> DataType {
    match name {
        "byte" => DataType::Byte,
        "short" => DataType::Short,
        "integer" => DataType::Integer,
        "long" => DataType::Long,
        other => ddl::parse_type(other).unwrap_or_else(|_| DataType::Unparsed {
            data_type_string: other.to_string(),
        }),
    }
}

fn nested(value: &Value) -> Result<DataType> {
    let inner = |key: &str| parse(&value[key]).map(Box::new);
    let flag = |key: &str| value[key].as_bool().unwrap_or(true);
    match value["type"].as_str() {
        Some("struct") => {
            let fields = value["fields"]
                .as_array()
                .ok_or_else(|| not_a_type(value))?;
            let fields = fields.iter().map(field).collect::<Result<_>>()?;
            Ok(DataType::Struct { fields })
        }
        Some("array") => Ok(DataType::Array {
            element_type: inner("elementType")?,
            contains_null: flag("containsNull"),
        }),
        Some("map") => Ok(DataType::Map {
            key_type: inner("keyType")?,
            value_type: inner("valueType")?,
            value_contains_null: flag("valueContainsNull"),
        }),
        _ => Err(not_a_type(value)),
    }
}

fn field(value: &Value) -> Result<StructField> {
    let name = value["name"].as_str().ok_or_else(|| not_a_type(value))?;
    let metadata: Option<BTreeMap<String, Value>> = value["metadata"].as_object().map(|map| {
        map.iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    });
    Ok(StructField {
        name: name.to_string(),
        data_type: parse(&value["type"])?,
        nullable: value["nullable"].as_bool().unwrap_or(true),
        metadata: metadata.unwrap_or_default(),
    })
}

fn not_a_type(value: &Value) -> Error {
    Error::new(format!("{value} is not a type in Spark's JSON"))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_spark_writes() {
        let schema = serde_json::json!({"type": "struct", "fields": [
            {"name": "n", "type": "long", "nullable": false, "metadata": {}},
            {"name": "tags", "nullable": true, "metadata": {},
             "type": {"type": "array", "elementType": "string", "containsNull": false}},
            {"name": "price", "type": "decimal(10,2)", "nullable": true, "metadata": {}},
        ]});
        let schema = parse(&schema).unwrap();
        assert_eq!(
            schema.simple_string(),
            "struct<n:bigint,tags:array<string>,price:decimal(10,2)>"
        );
        let tree = "root\n |-- n: long (nullable = false)\n |-- tags: array (nullable = true)\n |    \
                    |-- element: string (containsNull = false)\n |-- price: decimal(10,2) \
                    (nullable = true)\n";
        assert_eq!(schema.tree_string().unwrap(), tree);
    }
}
