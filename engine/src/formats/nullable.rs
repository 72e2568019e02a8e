//! Schemas of what promises nothing: files and messages.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

/// The schema with every column, also inside of others, nullable: files promise nothing.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(nullable_fields(schema.fields())))
}

fn nullable_fields(fields: &Fields) -> Fields {
    fields.iter().map(nullable_field).collect()
}

fn nullable_field(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(nullable_fields(fields)),
        DataType::List(element) => DataType::List(nullable_field(element)),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) => {
                // A key is never NULL.
                let key = fields.iter().take(1).cloned();
                let value = fields.iter().skip(1).map(nullable_field);
                let pair: Fields = key.chain(value).collect();
                let entries = Field::new(entries.name(), DataType::Struct(pair), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            other => other.clone(),
        },
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), data_type, true).with_metadata(field.metadata().clone()))
}
