//! The schema of JSON that was given none: Spark's rules. Columns are in order of their names,
//! whole numbers are BIGINT, others DOUBLE, and values that have no type in common STRING.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use serde_json::{Map, Value};

use super::options::{JsonOptions, ParseMode};
use crate::error::Result;

/// Looks at records one after the other.
#[derive(Debug, Default)]
pub struct SchemaInference {
    record: BTreeMap<String, Shape>,
    malformed: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Null,
    Boolean,
    Integer,
    Float,
    String,
    List(Box<Shape>),
    Object(BTreeMap<String, Shape>),
}

impl SchemaInference {
    /// Looks at one line.
    pub fn line(&mut self, line: &[u8]) {
        let mut values = serde_json::Deserializer::from_slice(line).into_iter::<Value>();
        match values.next() {
            None => {}
            Some(Ok(Value::Object(record))) => add(&mut self.record, &record),
            Some(Ok(Value::Array(records))) => {
                for record in &records {
                    match record {
                        Value::Object(record) => add(&mut self.record, record),
                        _ => self.malformed = true,
                    }
                }
            }
            Some(_) => self.malformed = true,
        }
    }

    /// The schema of what was seen. In PERMISSIVE mode, malformed lines ask for a column that
    /// takes their text.
    pub fn finish(mut self, options: &JsonOptions) -> Result<SchemaRef> {
        if self.malformed && options.mode == ParseMode::Permissive {
            let column = options.corrupt_record_column.clone();
            self.record.insert(column, Shape::String);
        }
        Ok(Arc::new(Schema::new(fields(self.record))))
    }
}

fn add(shapes: &mut BTreeMap<String, Shape>, record: &Map<String, Value>) {
    for (name, value) in record {
        let shape = shape(value);
        match shapes.get_mut(name) {
            Some(known) => merge(known, shape),
            None => {
                shapes.insert(name.clone(), shape);
            }
        }
    }
}

fn shape(value: &Value) -> Shape {
    match value {
        Value::Null => Shape::Null,
        Value::Bool(_) => Shape::Boolean,
        Value::Number(number) if number.is_i64() => Shape::Integer,
        Value::Number(_) => Shape::Float,
        Value::String(_) => Shape::String,
        Value::Array(values) => {
            let mut element = Shape::Null;
            values
                .iter()
                .for_each(|value| merge(&mut element, shape(value)));
            Shape::List(Box::new(element))
        }
        Value::Object(record) => {
            let mut shapes = BTreeMap::new();
            add(&mut shapes, record);
            Shape::Object(shapes)
        }
    }
}

fn merge(known: &mut Shape, other: Shape) {
    match (&mut *known, other) {
        (_, Shape::Null) => {}
        (known @ Shape::Null, other) => *known = other,
        (Shape::Integer, Shape::Float) => *known = Shape::Float,
        (Shape::Float, Shape::Integer) => {}
        (Shape::List(known), Shape::List(other)) => merge(known, *other),
        (Shape::Object(known), Shape::Object(other)) => {
            for (name, shape) in other {
                merge(known.entry(name).or_insert(Shape::Null), shape);
            }
        }
        (known, other) => {
            if *known != other {
                *known = Shape::String;
            }
        }
    }
}

fn fields(shapes: BTreeMap<String, Shape>) -> Fields {
    let fields = shapes.into_iter().filter_map(|(name, shape)| {
        let data_type = data_type(shape)?;
        Some(Field::new(name, data_type, true))
    });
    fields.collect()
}

/// An object without fields has no type, and neither has a list of such.
fn data_type(shape: Shape) -> Option<DataType> {
    Some(match shape {
        Shape::Null | Shape::String => DataType::Utf8,
        Shape::Boolean => DataType::Boolean,
        Shape::Integer => DataType::Int64,
        Shape::Float => DataType::Float64,
        Shape::List(element) => DataType::new_list(data_type(*element)?, true),
        Shape::Object(shapes) => {
            let fields = fields(shapes);
            if fields.is_empty() {
                return None;
            }
            DataType::Struct(fields)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_the_widest_that_fit() {
        let mut inference = SchemaInference::default();
        for line in [
            r#"{"n":1,"mixed":1,"o":{"a":1},"l":[1,null],"e":{}}"#,
            r#"[{"n":2.5,"mixed":true,"o":{"b":"x"},"null":null}]"#,
            "",
            "oops",
        ] {
            inference.line(line.as_bytes());
        }
        let schema = inference.finish(&JsonOptions::default()).unwrap();
        let point = [
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Utf8, true),
        ];
        let expected = [
            ("_corrupt_record", DataType::Utf8),
            ("l", DataType::new_list(DataType::Int64, true)),
            ("mixed", DataType::Utf8),
            ("n", DataType::Float64),
            ("null", DataType::Utf8),
            ("o", DataType::Struct(point.into_iter().collect())),
        ];
        let expected = expected.map(|(name, data_type)| Field::new(name, data_type, true));
        assert_eq!(*schema, Schema::new(expected.to_vec()));
    }
}
