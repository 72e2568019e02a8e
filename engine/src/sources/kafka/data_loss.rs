//! Records that are gone before they were read: the query fails or goes on, as the user wants.

use super::offsets_json::shown;
use super::ranges::OffsetRange;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::kafka::TopicPartition;

/// What was lost.
#[derive(Debug)]
pub(super) enum DataLoss<'a> {
    /// A partition that is new to the query does not begin with its first record.
    AddedPartition(&'a TopicPartition, i64),
    /// Partitions that are new to the query are gone again.
    NoInitialOffset(Vec<&'a TopicPartition>),
    /// Partitions that the query has read are gone.
    Deleted(Vec<&'a TopicPartition>),
    /// A partition ends before the place up to which it was read.
    OffsetChanged(&'a TopicPartition, i64, i64),
    /// Records of a batch are gone.
    CouldNotRead {
        range: &'a OffsetRange,
        from: i64,
        group: &'a str,
    },
}

impl DataLoss<'_> {
    /// Fails if the user wants that; else notes it and goes on.
    pub(super) fn report(&self, fails: bool) -> Result<()> {
        let (condition, reason) = self.reason();
        if !fails {
            tracing::warn!(condition, "data loss: {reason}");
            return Ok(());
        }
        let message = format!(
            "Some data may have been lost because they are not available in Kafka any more;\n\
             either the data was aged out by Kafka or the topic may have been deleted before all the data in the\n\
             topic was processed.\n\
             If you don't want your streaming query to fail on such cases, set the source option failOnDataLoss to false.\n\
             Reason: {reason}"
        );
        Err(Error::new(ErrorKind::Runtime, message)
            .with_condition(format!("KAFKA_DATA_LOSS.{condition}"))
            .with_hint([
                hint::say("add "),
                hint::option("failOnDataLoss", "false"),
                hint::say(" to go on with what is left"),
            ]))
    }

    fn reason(&self) -> (&'static str, String) {
        match self {
            Self::AddedPartition(partition, start) => (
                "ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO",
                format!("Added partition {partition} starts from {start} instead of 0."),
            ),
            Self::NoInitialOffset(partitions) => (
                "INITIAL_OFFSET_NOT_FOUND_FOR_PARTITIONS",
                format!(
                    "Cannot find initial offsets for partitions {}. They may have been deleted.",
                    shown(partitions.iter().copied())
                ),
            ),
            Self::Deleted(partitions) => (
                "PARTITIONS_DELETED",
                format!(
                    "Partitions {} have been deleted.",
                    shown(partitions.iter().copied())
                ),
            ),
            Self::OffsetChanged(partition, from, to) => (
                "PARTITION_OFFSET_CHANGED",
                format!(
                    "Partition {partition} offset was changed from {from} to {to}.\n\
                     This could be either 1) a user error that the start offset is set beyond available offset when starting query, or 2) the kafka topic-partition is deleted and re-created."
                ),
            ),
            Self::CouldNotRead { range, from, group } => (
                "COULD_NOT_READ_OFFSET_RANGE",
                format!(
                    "Could not read records in offset [{from}, {}) for topic partition {}\n\
                     with consumer group {group}.",
                    range.end, range.partition
                ),
            ),
        }
    }
}
