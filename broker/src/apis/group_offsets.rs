//! The offsets that groups commit, and read again.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::names::{code, text, topic_name};
use crate::groups::{Caller, Committed, TopicPartition};
use crate::memory::Full;
use crate::state::State;

/// Kafka's `offset.metadata.max.bytes`.
const LONGEST_METADATA: usize = 4096;
/// From this version on several groups are asked for at once.
const SEVERAL: i16 = 8;

pub(super) fn commit(state: &State, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let caller = Caller {
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
    };
    let group = &request.group_id;
    let checked = state.groups.check_commit(group, caller);
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let committed = checked.and_then(|()| {
                let offset = offset_of(partition);
                let at = (topic.name.to_string(), partition.partition_index);
                commit_one(state, group, None, at, offset)
            });
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(&committed))
        });
        let partitions = partitions.collect();
        OffsetCommitResponseTopic::default()
            .with_name(topic.name)
            .with_partitions(partitions)
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn offset_of(partition: &OffsetCommitRequestPartition) -> Committed {
    Committed {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: metadata_of(partition.committed_metadata.as_ref()),
    }
}

pub(super) fn metadata_of(metadata: Option<&StrBytes>) -> String {
    metadata
        .map(|metadata| metadata.to_string())
        .unwrap_or_default()
}

/// Commits an offset, at once or with the transaction of a producer.
pub(super) fn commit_one(
    state: &State,
    group: &str,
    producer_id: Option<i64>,
    partition: TopicPartition,
    offset: Committed,
) -> Result<(), ResponseError> {
    if offset.metadata.len() > LONGEST_METADATA {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    if state.topics.partition(&partition.0, partition.1).is_none() {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    let committed = state.groups.commit(group, producer_id, partition, offset);
    committed.map_err(|Full| ResponseError::PolicyViolation)
}

/// An offset as it is told, whatever the version calls it.
struct Told {
    index: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: String,
    error: i16,
}

pub(super) fn fetch(
    state: &State,
    version: i16,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let stable = request.require_stable;
    if version < SEVERAL {
        let wanted = request.topics.map(|topics| {
            let names = topics.into_iter();
            names
                .map(|topic| (topic.name, topic.partition_indexes))
                .collect()
        });
        let topics = offsets(state, &request.group_id, wanted, stable).into_iter();
        let topics = topics.map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|told| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(told.index)
                    .with_committed_offset(told.offset)
                    .with_committed_leader_epoch(told.leader_epoch)
                    .with_metadata(Some(text(told.metadata)))
                    .with_error_code(told.error)
            });
            OffsetFetchResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        return OffsetFetchResponse::default().with_topics(topics.collect());
    }
    let groups = request.groups.into_iter().map(|group| {
        let wanted = group.topics.map(|topics| {
            let names = topics.into_iter();
            names
                .map(|topic| (topic.name, topic.partition_indexes))
                .collect()
        });
        let topics = offsets(state, &group.group_id, wanted, stable).into_iter();
        let topics = topics.map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|told| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(told.index)
                    .with_committed_offset(told.offset)
                    .with_committed_leader_epoch(told.leader_epoch)
                    .with_metadata(Some(text(told.metadata)))
                    .with_error_code(told.error)
            });
            OffsetFetchResponseTopics::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        let topics = topics.collect();
        OffsetFetchResponseGroup::default()
            .with_group_id(group.group_id)
            .with_topics(topics)
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

/// The offsets of a group in the partitions that are asked for, or in all that it has any in.
fn offsets(
    state: &State,
    group: &str,
    wanted: Option<Vec<(TopicName, Vec<i32>)>>,
    stable: bool,
) -> Vec<(TopicName, Vec<Told>)> {
    state.groups.offsets(group, |offsets| {
        let told = |topic: &str, index: i32| {
            let at = (topic.to_owned(), index);
            let pending = stable && offsets.is_some_and(|offsets| offsets.is_pending(&at));
            let committed = offsets.and_then(|offsets| offsets.get(&at));
            let committed = committed.filter(|_| !pending);
            Told {
                index,
                offset: committed.map_or(-1, |committed| committed.offset),
                leader_epoch: committed.map_or(-1, |committed| committed.leader_epoch),
                metadata: committed.map(|c| c.metadata.clone()).unwrap_or_default(),
                error: match pending {
                    true => ResponseError::UnstableOffsetCommit.code(),
                    false => 0,
                },
            }
        };
        let wanted = wanted.unwrap_or_else(|| {
            let all = offsets.into_iter().flat_map(|offsets| offsets.all().keys());
            let mut topics: Vec<(TopicName, Vec<i32>)> = Vec::new();
            for (topic, index) in all {
                match topics.last_mut().filter(|(name, _)| ***name == **topic) {
                    Some((_, indexes)) => indexes.push(*index),
                    None => topics.push((topic_name(topic), vec![*index])),
                }
            }
            topics
        });
        let of_topic = |(name, indexes): (TopicName, Vec<i32>)| {
            let partitions = indexes.into_iter().map(|index| told(&name, index));
            let partitions = partitions.collect();
            (name, partitions)
        };
        wanted.into_iter().map(of_topic).collect()
    })
}
