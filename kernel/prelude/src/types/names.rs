//! How types are called, one by one and as a tree.

use super::{DataType, StructField};

/// Spark's `simpleString`.
pub(super) fn simple(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_string(),
        DataType::Boolean => "boolean".to_string(),
        DataType::Byte => "tinyint".to_string(),
        DataType::Short => "smallint".to_string(),
        DataType::Integer => "int".to_string(),
        DataType::Long => "bigint".to_string(),
        DataType::Float => "float".to_string(),
        DataType::Double => "double".to_string(),
        DataType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        DataType::String { collation } if plain(collation) => "string".to_string(),
        DataType::String { collation } => format!("string collate {collation}"),
        DataType::Char { length } => format!("char({length})"),
        DataType::Varchar { length } => format!("varchar({length})"),
        DataType::Binary => "binary".to_string(),
        DataType::Date => "date".to_string(),
        DataType::Timestamp => "timestamp".to_string(),
        DataType::TimestampNtz => "timestamp_ntz".to_string(),
        DataType::Array { element_type, .. } => format!("array<{}>", simple(element_type)),
        DataType::Map {
            key_type,
            value_type,
            ..
        } => {
            format!("map<{},{}>", simple(key_type), simple(value_type))
        }
        DataType::Struct { fields } => {
            let field =
                |field: &StructField| format!("{}:{}", field.name, simple(&field.data_type));
            format!(
                "struct<{}>",
                fields.iter().map(field).collect::<Vec<_>>().join(",")
            )
        }
        DataType::Unparsed { data_type_string } => data_type_string.clone(),
    }
}

/// Spark's `treeString`.
pub(super) fn tree(data_type: &DataType) -> String {
    let mut text = String::from("root\n");
    fields(data_type, " |", &mut text);
    text
}

fn plain(collation: &str) -> bool {
    collation.is_empty() || collation == "UTF8_BINARY"
}

fn fields(data_type: &DataType, indent: &str, text: &mut String) {
    for field in data_type.fields() {
        line(
            &field.name,
            &field.data_type,
            "nullable",
            field.nullable,
            indent,
            text,
        );
    }
}

fn line(
    name: &str,
    data_type: &DataType,
    flag: &str,
    value: bool,
    indent: &str,
    text: &mut String,
) {
    text.push_str(&format!(
        "{indent}-- {name}: {} ({flag} = {value})\n",
        tree_name(data_type)
    ));
    let inner = format!("{indent}    |");
    match data_type {
        DataType::Struct { .. } => fields(data_type, &inner, text),
        DataType::Array {
            element_type,
            contains_null,
        } => {
            line(
                "element",
                element_type,
                "containsNull",
                *contains_null,
                &inner,
                text,
            );
        }
        DataType::Map {
            key_type,
            value_type,
            value_contains_null,
        } => {
            text.push_str(&format!("{inner}-- key: {}\n", tree_name(key_type)));
            let flag = "valueContainsNull";
            line(
                "value",
                value_type,
                flag,
                *value_contains_null,
                &inner,
                text,
            );
        }
        _ => {}
    }
}

/// Spark's `typeName`, which trees use.
fn tree_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Byte => "byte".to_string(),
        DataType::Short => "short".to_string(),
        DataType::Integer => "integer".to_string(),
        DataType::Long => "long".to_string(),
        DataType::Array { .. } => "array".to_string(),
        DataType::Map { .. } => "map".to_string(),
        DataType::Struct { .. } => "struct".to_string(),
        other => simple(other),
    }
}
