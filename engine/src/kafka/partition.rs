//! Partitions of topics, and an offset for each.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One partition of one topic, in order of topic, then number. Shown as Kafka does: `clicks-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// The next offset to read, per partition.
pub(crate) type PartitionOffsets = BTreeMap<TopicPartition, i64>;

impl TopicPartition {
    pub(crate) fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        let topic = topic.into();
        Self { topic, partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
