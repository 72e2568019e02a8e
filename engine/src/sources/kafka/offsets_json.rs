//! Offsets and partitions as Spark writes them in JSON: `{"clicks":{"0":23,"1":-2}}`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::kafka::{PartitionOffsets, TopicPartition};

const OFFSETS: &str = r#"{"topicA":{"0":23,"1":-1},"topicB":{"0":-2}}"#;
const PARTITIONS: &str = r#"{"topicA":[0,1],"topicB":[0,1]}"#;

/// Reads a number for each partition.
pub(super) fn parse_offsets(text: &str) -> Result<PartitionOffsets> {
    let json = serde_json::from_str(text).ok();
    json.and_then(|json| offsets(&json))
        .ok_or_else(|| unexpected(OFFSETS, text))
}

/// The same of JSON; `None` if it is anything else.
pub(super) fn offsets(json: &Value) -> Option<PartitionOffsets> {
    let mut offsets = PartitionOffsets::new();
    for (topic, partitions) in json.as_object()? {
        let topic: Arc<str> = topic.as_str().into();
        for (partition, offset) in partitions.as_object()? {
            let partition = TopicPartition::new(Arc::clone(&topic), partition.parse().ok()?);
            offsets.insert(partition, offset.as_i64()?);
        }
    }
    Some(offsets)
}

/// Writes a number for each partition.
pub(super) fn to_json(offsets: &PartitionOffsets) -> Value {
    let mut topics = Map::new();
    for (partition, offset) in offsets {
        let topic = topics.entry(partition.topic.as_ref());
        let of_topic = topic.or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(of_topic) = of_topic {
            of_topic.insert(partition.partition.to_string(), Value::from(*offset));
        }
    }
    Value::Object(topics)
}

/// Reads a list of partitions for each topic.
pub(super) fn parse_assignment(text: &str) -> Result<BTreeSet<TopicPartition>> {
    let json: Option<Value> = serde_json::from_str(text).ok();
    json.and_then(|json| assignment(&json))
        .filter(|partitions| !partitions.is_empty())
        .ok_or_else(|| unexpected(PARTITIONS, text))
}

fn assignment(json: &Value) -> Option<BTreeSet<TopicPartition>> {
    let mut assignment = BTreeSet::new();
    for (topic, partitions) in json.as_object()? {
        let topic: Arc<str> = topic.as_str().into();
        for partition in partitions.as_array()? {
            let partition = i32::try_from(partition.as_i64()?).ok()?;
            assignment.insert(TopicPartition::new(Arc::clone(&topic), partition));
        }
    }
    Some(assignment)
}

fn unexpected(example: &str, text: &str) -> Error {
    Error::illegal_argument(format!("Expected e.g. {example}, got {text}"))
        .with_hint("write JSON, with the names of topics and partitions in double quotes")
}

/// Partitions as Scala shows a set.
pub(super) fn shown<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> String {
    let names: Vec<String> = partitions.into_iter().map(ToString::to_string).collect();
    format!("Set({})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_written_in_order_of_their_numbers() {
        let text = r#"{"a":{"0":1,"2":3,"10":2},"b":{"0":-2}}"#;
        let offsets = parse_offsets(r#"{"b":{"0":-2},"a":{"10":2,"0":1,"2":3}}"#).unwrap();
        assert_eq!(to_json(&offsets).to_string(), text);
        assert_eq!(parse_offsets(text).unwrap(), offsets);
    }

    #[test]
    fn anything_else_is_shown_beside_an_example() {
        for text in ["first", r#"{"t":{"0":}}"#, r#"{"t":3}"#, r#"{"t":{"x":1}}"#] {
            let error = parse_offsets(text).unwrap_err();
            assert_eq!(
                error.message(),
                format!("Expected e.g. {OFFSETS}, got {text}")
            );
        }
        let error = parse_assignment(r#"{"t":1}"#).unwrap_err();
        assert!(error.message().ends_with(r#", got {"t":1}"#), "{error}");
    }
}
