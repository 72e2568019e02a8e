//! Arrow's types as Spark Connect's.

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema};
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::data_type as kinds;
use tidebook_engine::connect::proto::data_type::Kind;
use tidebook_engine::simple_string;

/// The type of a row.
pub(crate) fn of_schema(schema: &Schema) -> proto::DataType {
    kind(Kind::Struct(struct_of(
        schema.fields().iter().map(AsRef::as_ref),
    )))
}

fn kind(kind: Kind) -> proto::DataType {
    proto::DataType { kind: Some(kind) }
}

fn struct_of<'a>(fields: impl Iterator<Item = &'a Field>) -> kinds::Struct {
    let fields = fields.map(|field| kinds::StructField {
        name: field.name().clone(),
        data_type: Some(of_type(field.data_type())),
        nullable: field.is_nullable(),
        metadata: None,
    });
    kinds::Struct {
        fields: fields.collect(),
        type_variation_reference: 0,
    }
}

/// The type of a value.
pub(crate) fn of_type(data_type: &DataType) -> proto::DataType {
    kind(match data_type {
        DataType::Null => Kind::Null(kinds::Null::default()),
        DataType::Boolean => Kind::Boolean(kinds::Boolean::default()),
        DataType::Int8 => Kind::Byte(kinds::Byte::default()),
        DataType::Int16 | DataType::UInt8 => Kind::Short(kinds::Short::default()),
        DataType::Int32 | DataType::UInt16 => Kind::Integer(kinds::Integer::default()),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Kind::Long(kinds::Long::default()),
        DataType::Float16 | DataType::Float32 => Kind::Float(kinds::Float::default()),
        DataType::Float64 => Kind::Double(kinds::Double::default()),
        DataType::Decimal128(precision, scale) => Kind::Decimal(kinds::Decimal {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            type_variation_reference: 0,
        }),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::String(kinds::String {
            collation: "UTF8_BINARY".to_string(),
            ..Default::default()
        }),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Kind::Binary(kinds::Binary::default())
        }
        DataType::Date32 | DataType::Date64 => Kind::Date(kinds::Date::default()),
        DataType::Timestamp(_, Some(_)) => Kind::Timestamp(kinds::Timestamp::default()),
        DataType::Timestamp(_, None) => Kind::TimestampNtz(kinds::TimestampNtz::default()),
        DataType::Time64(_) => Kind::Time(kinds::Time {
            precision: Some(6),
            type_variation_reference: 0,
        }),
        DataType::Duration(_) => Kind::DayTimeInterval(day_time(&simple_string(data_type))),
        DataType::Interval(IntervalUnit::YearMonth) => {
            Kind::YearMonthInterval(kinds::YearMonthInterval {
                start_field: Some(0),
                end_field: Some(1),
                type_variation_reference: 0,
            })
        }
        DataType::Interval(_) => Kind::CalendarInterval(kinds::CalendarInterval::default()),
        DataType::Struct(fields) => Kind::Struct(struct_of(fields.iter().map(AsRef::as_ref))),
        DataType::List(item) | DataType::LargeList(item) => Kind::Array(Box::new(kinds::Array {
            element_type: Some(Box::new(of_type(item.data_type()))),
            contains_null: item.is_nullable(),
            type_variation_reference: 0,
        })),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let part = |index: usize| pair.get(index).map(|field| of_type(field.data_type()));
                Kind::Map(Box::new(kinds::Map {
                    key_type: part(0).map(Box::new),
                    value_type: part(1).map(Box::new),
                    value_contains_null: pair.get(1).is_some_and(|value| value.is_nullable()),
                    type_variation_reference: 0,
                }))
            }
            other => return of_type(other),
        },
        DataType::Dictionary(_, value) => return of_type(value),
        other => Kind::Unparsed(kinds::Unparsed {
            data_type_string: simple_string(other),
        }),
    })
}

/// The fields of an interval by its name, `interval day to second`.
fn day_time(name: &str) -> kinds::DayTimeInterval {
    const FIELDS: [&str; 4] = ["day", "hour", "minute", "second"];
    let place = |word: &str| {
        let place = FIELDS.iter().position(|field| *field == word);
        place.and_then(|place| i32::try_from(place).ok())
    };
    let mut words = name.split(' ').filter_map(place);
    let start = words.next().unwrap_or(0);
    kinds::DayTimeInterval {
        start_field: Some(start),
        end_field: Some(words.next().unwrap_or(start)),
        type_variation_reference: 0,
    }
}

/// The type as `printSchema` shows it.
pub(crate) fn tree_string(schema: &Schema, level: Option<i32>) -> String {
    let mut text = "root\n".to_string();
    let level = level.and_then(|level| usize::try_from(level).ok());
    for field in schema.fields() {
        push_field(
            &mut text,
            field.name(),
            field,
            1,
            level.unwrap_or(usize::MAX),
        );
    }
    text
}

fn push_field(text: &mut String, name: &str, field: &Field, depth: usize, most: usize) {
    let nullable = field.is_nullable();
    push_type(
        text,
        name,
        field.data_type(),
        ("nullable", nullable),
        depth,
        most,
    );
}

fn push_type(
    text: &mut String,
    name: &str,
    data_type: &DataType,
    (word, is_nullable): (&str, bool),
    depth: usize,
    most: usize,
) {
    if depth > most {
        return;
    }
    let indent = " |   ".repeat(depth.saturating_sub(1));
    let short = match data_type {
        DataType::Struct(_) => "struct".to_string(),
        DataType::List(_) | DataType::LargeList(_) => "array".to_string(),
        DataType::Map(..) => "map".to_string(),
        DataType::Int64 => "long".to_string(),
        DataType::Int32 => "integer".to_string(),
        DataType::Int16 => "short".to_string(),
        DataType::Int8 => "byte".to_string(),
        other => simple_string(other),
    };
    text.push_str(&format!(
        "{indent} |-- {name}: {short} ({word} = {is_nullable})\n"
    ));
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                push_field(text, field.name(), field, depth + 1, most);
            }
        }
        DataType::List(item) | DataType::LargeList(item) => {
            let contains_null = ("containsNull", item.is_nullable());
            push_type(
                text,
                "element",
                item.data_type(),
                contains_null,
                depth + 1,
                most,
            );
        }
        DataType::Map(entries, _) => {
            if let DataType::Struct(pair) = entries.data_type()
                && let [key, value] = pair.as_ref()
            {
                // Spark says nothing about the nulls of a key.
                let mut of_key = String::new();
                push_type(
                    &mut of_key,
                    "key",
                    key.data_type(),
                    ("", false),
                    depth + 1,
                    most,
                );
                text.push_str(&of_key.replacen(" ( = false)", "", 1));
                let contains_null = ("valueContainsNull", value.is_nullable());
                push_type(
                    text,
                    "value",
                    value.data_type(),
                    contains_null,
                    depth + 1,
                    most,
                );
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_as_spark_prints_it() {
        let item = Field::new_list_field(DataType::Int32, true);
        let inner = vec![Field::new("x", DataType::Float64, false)];
        let schema = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("xs", DataType::List(item.into()), true),
            Field::new("s", DataType::Struct(inner.into()), true),
        ]);
        assert_eq!(
            tree_string(&schema, None),
            "root\n |-- id: long (nullable = false)\n |-- xs: array (nullable = true)\n \
             |    |-- element: integer (containsNull = true)\n |-- s: struct (nullable = true)\n \
             |    |-- x: double (nullable = false)\n"
        );
        assert_eq!(tree_string(&schema, Some(1)).lines().count(), 4);
    }
}
