//! The schema of JSON that was given none: Spark's rules. Columns are in order of their names,
//! whole numbers are BIGINT, others DOUBLE, and values that have no type in common STRING.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};

use super::options::JsonOptions;
use super::parser::{MAX_DEPTH, Parser, SyntaxError, is_number};
use crate::formats::line_format::LineSchemaInference;
use crate::formats::record_options::ParseMode;

/// Looks at records one after the other.
#[derive(Debug)]
pub(in crate::formats) struct SchemaInference {
    options: JsonOptions,
    record: Shapes,
    malformed: bool,
}

/// The fields of an object.
type Shapes = BTreeMap<String, Shape>;

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Null,
    Boolean,
    Integer,
    Float,
    String,
    List(Box<Shape>),
    Object(Shapes),
}

impl SchemaInference {
    /// Nothing seen yet.
    pub(in crate::formats) fn new(options: JsonOptions) -> Self {
        Self {
            options,
            record: Shapes::new(),
            malformed: false,
        }
    }

    /// The records of a line, or `None` if it has something else.
    fn records(&self, line: &[u8]) -> Option<Vec<Shapes>> {
        let text = str::from_utf8(line).ok()?;
        let mut json = Parser::new(text, self.options.leniency);
        if json.is_at_end() {
            return Some(Vec::new());
        }
        if json.peek().ok()? == b'{' {
            return Some(vec![self.object(&mut json, 0).ok()?]);
        }
        let mut records = Vec::new();
        let mut next = (json.peek().ok()? == b'[').then(|| json.first_element().ok())??;
        while let Some(first) = next {
            let record = (first == b'{').then(|| self.object(&mut json, 1).ok())??;
            records.push(record);
            next = json.next_element().ok()?;
        }
        Some(records)
    }

    fn object(&self, json: &mut Parser<'_>, depth: usize) -> Result<Shapes, SyntaxError> {
        let mut shapes = Shapes::new();
        let mut more = json.enter_object()?;
        while more {
            let name = json.name()?.to_string();
            let shape = self.shape(json, depth + 1)?;
            merge(shapes.entry(name).or_insert(Shape::Null), shape);
            more = json.next_field()?;
        }
        Ok(shapes)
    }

    fn shape(&self, json: &mut Parser<'_>, depth: usize) -> Result<Shape, SyntaxError> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError("it is nested too deeply"));
        }
        let shape = match json.peek()? {
            b'{' => return Ok(Shape::Object(self.object(json, depth)?)),
            b'[' => {
                let mut element = Shape::Null;
                let mut next = json.first_element()?;
                while next.is_some() {
                    merge(&mut element, self.shape(json, depth + 1)?);
                    next = json.next_element()?;
                }
                return Ok(Shape::List(Box::new(element)));
            }
            first if is_number(first) => {
                let number = json.number()?;
                let is_bigint = number.whole && number.text.parse::<i64>().is_ok();
                if is_bigint {
                    Shape::Integer
                } else {
                    Shape::Float
                }
            }
            first => {
                json.skip()?;
                match first {
                    b'n' => return Ok(Shape::Null),
                    b't' | b'f' => Shape::Boolean,
                    _ => Shape::String,
                }
            }
        };
        match self.options.primitives_as_string {
            true => Ok(Shape::String),
            false => Ok(shape),
        }
    }
}

impl LineSchemaInference for SchemaInference {
    fn line(&mut self, line: &[u8]) -> bool {
        match self.records(line) {
            Some(records) => {
                for (name, shape) in records.into_iter().flatten() {
                    merge(self.record.entry(name).or_insert(Shape::Null), shape);
                }
            }
            None => self.malformed = true,
        }
        true
    }

    /// In PERMISSIVE mode, malformed lines ask for a column that takes their text.
    fn finish(&mut self) -> SchemaRef {
        let mut record = std::mem::take(&mut self.record);
        if self.malformed && self.options.mode == ParseMode::Permissive {
            record.insert(self.options.corrupt_record_column.clone(), Shape::String);
        }
        Arc::new(Schema::new(fields(record)))
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

fn fields(shapes: Shapes) -> Fields {
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

    fn inferred(options: JsonOptions, lines: &[&str]) -> SchemaRef {
        let mut inference = SchemaInference::new(options);
        lines.iter().for_each(|line| {
            inference.line(line.as_bytes());
        });
        inference.finish()
    }

    #[test]
    fn types_are_the_widest_that_fit() {
        let schema = inferred(
            JsonOptions::default(),
            &[
                r#"{"n":1,"mixed":1,"o":{"a":1},"l":[1,null],"e":{}}"#,
                r#"[{'n':NaN,"mixed":true,"o":{"b":"x"},"null":null}]"#,
                "",
                "oops",
                r#"{"z":1} and more"#,
                r#"{"not":1,"counted"}"#,
            ],
        );
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
            ("z", DataType::Int64),
        ];
        let expected = expected.map(|(name, data_type)| Field::new(name, data_type, true));
        assert_eq!(*schema, Schema::new(expected.to_vec()));
    }

    #[test]
    fn primitives_may_be_strings() {
        let options = JsonOptions {
            primitives_as_string: true,
            ..JsonOptions::default()
        };
        let schema = inferred(options, &[r#"{"a":1,"b":[true],"c":{"d":1.5}}"#]);
        let object = vec![Field::new("d", DataType::Utf8, true)];
        let expected = [
            ("a", DataType::Utf8),
            ("b", DataType::new_list(DataType::Utf8, true)),
            ("c", DataType::Struct(object.into())),
        ];
        let expected = expected.map(|(name, data_type)| Field::new(name, data_type, true));
        assert_eq!(*schema, Schema::new(expected.to_vec()));
    }
}
