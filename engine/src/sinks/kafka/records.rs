//! Rows as messages: which columns there must be, and what each row says.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int32Array, ListArray, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use rdkafka::message::{Header, OwnedHeaders};

use crate::error::{Error, ErrorKind, Result, hint};
use crate::kafka::invalid_topic;
use crate::type_names::simple_string;

const HEADERS: &str = "array<struct<key:string,value:binary>>";

/// Where the parts of a message stand in a row.
#[derive(Debug, Clone)]
pub(super) struct RecordLayout {
    value: usize,
    key: Option<usize>,
    topic: Topic,
    partition: Option<usize>,
    headers: Option<usize>,
}

/// Where a message goes. The option wins over the column.
#[derive(Debug, Clone)]
enum Topic {
    Option(Arc<str>),
    Column(usize),
}

impl RecordLayout {
    /// Refuses rows that cannot be messages. Names of columns are taken as they are written.
    pub(super) fn new(schema: &SchemaRef, topic: Option<&str>) -> Result<Self> {
        let column = |name: &str, allowed: &[&str], shown: &str| -> Result<Option<usize>> {
            let Ok(index) = schema.index_of(name) else {
                return Ok(None);
            };
            let found = simple_string(schema.field(index).data_type());
            match allowed.contains(&found.as_str()) {
                true => Ok(Some(index)),
                false => Err(Error::analysis(format!(
                    "{name} attribute unsupported type {found}. {name} must be a(n) {shown}"
                ))
                .with_hint(hint_for(name))),
            }
        };
        let text = ["string", "binary"];
        let topic = match topic {
            Some(topic) => {
                check_topic(topic)?;
                Topic::Option(topic.into())
            }
            None => {
                let found = column("topic", &["string"], "string")?;
                let missing = || {
                    Error::analysis("topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.")
                        .with_hint([
                            hint::say("use "),
                            hint::sink("kafka", "TOPIC"),
                            hint::say(", or select a column AS topic"),
                        ])
                };
                Topic::Column(found.ok_or_else(missing)?)
            }
        };
        let value = column("value", &text, "string or binary")?.ok_or_else(|| {
            Error::analysis("Required attribute 'value' not found")
                .with_hint("select what the messages are to hold, e.g. to_json(struct(*)) AS value")
        })?;
        Ok(Self {
            value,
            key: column("key", &text, "string or binary")?,
            topic,
            partition: column("partition", &["int"], "int")?,
            headers: column("headers", &[HEADERS], HEADERS)?,
        })
    }

    /// The topic that all rows go to, if there is one.
    pub(super) fn topic(&self) -> Option<&str> {
        match &self.topic {
            Topic::Option(topic) => Some(topic),
            Topic::Column(_) => None,
        }
    }

    /// The messages of a batch.
    pub(super) fn records(&self, rows: &RecordBatch) -> Result<Records> {
        let column = |index: usize, data_type| -> Result<ArrayRef> {
            cast(rows.column(index), &data_type).map_err(|error| {
                Error::internal(format!("make messages of rows: {error}")).with_source(error)
            })
        };
        let binary = |index: usize| -> Result<BinaryArray> {
            Ok(column(index, DataType::Binary)?.as_binary::<i32>().clone())
        };
        Ok(Records {
            value: binary(self.value)?,
            key: self.key.map(binary).transpose()?,
            topic: match &self.topic {
                Topic::Option(topic) => TopicOf::All(Arc::clone(topic)),
                Topic::Column(index) => {
                    let names = column(*index, DataType::Utf8)?;
                    TopicOf::Each(names.as_string::<i32>().clone())
                }
            },
            partition: self.partition.map(|index| {
                let numbers = rows.column(index);
                numbers.as_primitive::<Int32Type>().clone()
            }),
            headers: self
                .headers
                .and_then(|index| rows.column(index).as_list_opt::<i32>().cloned()),
        })
    }
}

fn hint_for(name: &str) -> &'static str {
    match name {
        "value" => {
            "make it text, e.g. CAST(value AS STRING) AS value or to_json(struct(*)) AS value"
        }
        "key" => "make it text: CAST(key AS STRING) AS key",
        "topic" => "make it text: CAST(topic AS STRING) AS topic",
        "partition" => "make it a number: CAST(partition AS INT) AS partition",
        _ => "make it an array of named_struct('key', 'NAME', 'value', CAST('…' AS BINARY))",
    }
}

/// The messages of a batch.
pub(super) struct Records {
    value: BinaryArray,
    key: Option<BinaryArray>,
    topic: TopicOf,
    partition: Option<Int32Array>,
    headers: Option<ListArray>,
}

enum TopicOf {
    All(Arc<str>),
    Each(StringArray),
}

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.value.len()
    }

    pub(super) fn value(&self, row: usize) -> Option<&[u8]> {
        self.value.is_valid(row).then(|| self.value.value(row))
    }

    pub(super) fn key(&self, row: usize) -> Option<&[u8]> {
        let key = self.key.as_ref().filter(|key| key.is_valid(row));
        key.map(|key| key.value(row))
    }

    pub(super) fn topic(&self, row: usize) -> Result<&str> {
        match &self.topic {
            TopicOf::All(topic) => Ok(topic),
            TopicOf::Each(topics) if topics.is_null(row) => Err(Error::new(
                ErrorKind::Runtime,
                "The Kafka message data sent to the producer contains a null topic. Use the `topic` option for setting a default topic.",
            )
            .with_condition("KAFKA_NULL_TOPIC_IN_DATA")
            .with_hint([
                hint::say("use "),
                hint::sink("kafka", "TOPIC"),
                hint::say(", or leave out rows without a topic"),
            ])),
            TopicOf::Each(topics) => {
                let topic = topics.value(row);
                check_topic(topic).map(|()| topic)
            }
        }
    }

    pub(super) fn partition(&self, row: usize) -> Result<Option<i32>> {
        let partition = self.partition.as_ref().filter(|one| one.is_valid(row));
        match partition.map(|partition| partition.value(row)) {
            Some(partition) if partition < 0 => Err(Error::new(
                ErrorKind::Runtime,
                format!("Invalid partition: {partition}. Partition number should always be non-negative or null."),
            )
            .with_hint("use NULL to let Kafka choose the partition")),
            partition => Ok(partition),
        }
    }

    pub(super) fn headers(&self, row: usize) -> Option<OwnedHeaders> {
        let headers = self
            .headers
            .as_ref()
            .filter(|headers| headers.is_valid(row))?;
        let entries = headers.value(row);
        let entries = entries.as_struct_opt()?;
        let keys = entries.column(0).as_string_opt::<i32>()?;
        let values = entries.column(1).as_binary_opt::<i32>()?;
        let mut owned = OwnedHeaders::new_with_capacity(entries.len());
        for entry in 0..entries.len() {
            owned = owned.insert(Header {
                key: keys.value(entry),
                value: values.is_valid(entry).then(|| values.value(entry)),
            });
        }
        Some(owned)
    }
}

/// Refuses what cannot be the name of a topic: the broker would be asked for it again and again.
fn check_topic(topic: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_name = (1..=249).contains(&topic.len()) && topic.chars().all(is_allowed);
    match is_name && topic != "." && topic != ".." {
        true => Ok(()),
        false => Err(invalid_topic(topic)),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, Fields, Schema};

    use super::*;

    fn layout(columns: &[(&str, DataType)], topic: Option<&str>) -> Result<RecordLayout> {
        let fields = columns
            .iter()
            .map(|(name, kind)| Field::new(*name, kind.clone(), true));
        RecordLayout::new(&Arc::new(Schema::new(fields.collect::<Vec<_>>())), topic)
    }

    /// In Spark's words.
    #[test]
    fn rows_that_cannot_be_messages_are_refused() {
        use DataType::{Int32, Int64, Utf8};
        let a: Fields = vec![Field::new("a", Int32, true)].into();
        for (columns, topic, expected) in [
            (
                vec![("key", Utf8)],
                Some("t"),
                "Required attribute 'value' not found",
            ),
            (
                vec![("VALUE", Utf8)],
                Some("t"),
                "Required attribute 'value' not found",
            ),
            (
                vec![("value", Int32)],
                Some("t"),
                "value attribute unsupported type int. value must be a(n) string or binary",
            ),
            (
                vec![("value", DataType::Struct(a))],
                Some("t"),
                "value attribute unsupported type struct<a:int>. value must be a(n) string or binary",
            ),
            (
                vec![("value", Utf8), ("key", Int32)],
                Some("t"),
                "key attribute unsupported type int. key must be a(n) string or binary",
            ),
            (
                vec![("value", Utf8)],
                None,
                "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.",
            ),
            (
                vec![("value", Utf8), ("topic", Int32)],
                None,
                "topic attribute unsupported type int. topic must be a(n) string",
            ),
            (
                vec![("value", Utf8), ("partition", Int64)],
                Some("t"),
                "partition attribute unsupported type bigint. partition must be a(n) int",
            ),
            (
                vec![("value", Utf8), ("headers", Utf8)],
                Some("t"),
                "headers attribute unsupported type string. headers must be a(n) array<struct<key:string,value:binary>>",
            ),
            (
                vec![("value", Utf8)],
                Some("bad name!"),
                "Invalid topics: [bad name!]",
            ),
            (vec![("value", Utf8)], Some(""), "Invalid topics: []"),
        ] {
            let error = layout(&columns, topic).unwrap_err();
            assert_eq!(error.message(), expected);
            assert!(error.hint().is_some());
        }
        // What is not looked at may be anything.
        let layout = layout(
            &[("value", Utf8), ("topic", Int32), ("n", Int64)],
            Some("t"),
        );
        assert_eq!(layout.unwrap().topic(), Some("t"));
    }
}
