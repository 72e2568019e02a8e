//! One question to the brokers each: which partitions topics have, and which offsets those have. Whether
//! an error may be over a moment later is known here too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::boundary::LATEST;
use super::topics::Topics;
use crate::error::Error;
use crate::kafka::{
    ConsumerClient, PartitionOffsets, TopicPartition, code, from_kafka, unknown_topic,
};

/// What became of one attempt.
pub(super) enum Attempt<T> {
    Done(T),
    /// It may work a moment later.
    NotYet(Error),
}

/// No broker is there, or none answers.
pub(super) fn is_silence(error: &KafkaError) -> bool {
    let silent = [
        Code::AllBrokersDown,
        Code::BrokerTransportFailure,
        Code::OperationTimedOut,
        Code::Resolve,
    ];
    code(error).is_some_and(|code| silent.contains(&code))
}

/// What may be over a moment later: a broker is not yet, or no more, the leader of what it was asked
/// for.
pub(super) fn is_passing(error: &KafkaError) -> bool {
    let passing = [
        Code::BrokerNotAvailable,
        Code::CoordinatorLoadInProgress,
        Code::FencedLeaderEpoch,
        Code::LeaderNotAvailable,
        Code::NetworkException,
        Code::NotLeaderForPartition,
        Code::OffsetNotAvailable,
        Code::ReplicaNotAvailable,
        Code::RequestTimedOut,
        Code::UnknownLeaderEpoch,
    ];
    is_unknown(error) || code(error).is_some_and(|code| passing.contains(&code))
}

/// There is no such topic or partition, or not yet, as far as a broker knows.
pub(super) fn is_unknown(error: &KafkaError) -> bool {
    let unknown = [
        Code::UnknownPartition,
        Code::UnknownTopic,
        Code::UnknownTopicOrPartition,
    ];
    code(error).is_some_and(|code| unknown.contains(&code))
}

pub(super) enum TopicState {
    Exists(Vec<TopicPartition>),
    Unknown,
    NotYet(Error),
}

pub(super) fn assigned(
    client: &ConsumerClient,
    topics: &Topics,
    timeout: Duration,
) -> Result<Attempt<BTreeSet<TopicPartition>>, KafkaError> {
    let mut assigned = BTreeSet::new();
    let Some(named) = topics.named() else {
        let metadata = client.consumer.fetch_metadata(None, timeout)?;
        for topic in metadata
            .topics()
            .iter()
            .filter(|topic| topics.matches(topic.name()))
        {
            let name: Arc<str> = topic.name().into();
            let partitions = topic.partitions().iter();
            assigned.extend(partitions.map(|one| TopicPartition::new(Arc::clone(&name), one.id())));
        }
        return Ok(Attempt::Done(assigned));
    };
    for topic in named {
        match topic_partitions(client, &topic, timeout)? {
            TopicState::Exists(partitions) => assigned.extend(partitions),
            TopicState::NotYet(error) => return Ok(Attempt::NotYet(error)),
            TopicState::Unknown => {
                let metadata = client.consumer.fetch_metadata(None, timeout)?;
                let names = metadata
                    .topics()
                    .iter()
                    .map(|topic| topic.name().to_string());
                let names: Vec<String> = names.filter(|name| !name.starts_with("__")).collect();
                return Ok(Attempt::NotYet(unknown_topic(&topic, &names)));
            }
        }
    }
    assigned.retain(|partition| topics.takes(partition));
    Ok(Attempt::Done(assigned))
}

pub(super) fn topic_partitions(
    client: &ConsumerClient,
    topic: &str,
    timeout: Duration,
) -> Result<TopicState, KafkaError> {
    let metadata = client.consumer.fetch_metadata(Some(topic), timeout)?;
    let Some(found) = metadata.topics().iter().find(|one| one.name() == topic) else {
        return Ok(TopicState::Unknown);
    };
    if let Some(error) = found.error() {
        let error: Code = error.into();
        return Ok(match error {
            Code::UnknownTopicOrPartition | Code::UnknownTopic => TopicState::Unknown,
            code => {
                let error = KafkaError::MetadataFetch(code);
                let what = format!("look at the topic '{topic}'");
                TopicState::NotYet(from_kafka(&what, &client.servers, &error))
            }
        });
    }
    let name: Arc<str> = topic.into();
    let partitions = found.partitions().iter();
    let partitions = partitions.map(|one| TopicPartition::new(Arc::clone(&name), one.id()));
    Ok(TopicState::Exists(partitions.collect()))
}

pub(super) fn offsets_for(
    client: &ConsumerClient,
    times: &PartitionOffsets,
    timeout: Duration,
) -> Result<PartitionOffsets, KafkaError> {
    if times.is_empty() {
        return Ok(PartitionOffsets::new());
    }
    let mut asked = TopicPartitionList::with_capacity(times.len());
    for (partition, time) in times {
        let time = rdkafka::Offset::from_raw(*time);
        asked.add_partition_offset(&partition.topic, partition.partition, time)?;
    }
    let answered = client.consumer.offsets_for_times(asked, timeout)?;
    let mut names: BTreeMap<&str, Arc<str>> = BTreeMap::new();
    for partition in times.keys() {
        names.insert(&partition.topic, Arc::clone(&partition.topic));
    }
    let mut offsets = PartitionOffsets::new();
    for element in answered.elements() {
        element.error()?;
        let Some(topic) = names.get(element.topic()) else {
            continue;
        };
        let partition = TopicPartition::new(Arc::clone(topic), element.partition());
        offsets.insert(partition, element.offset().to_raw().unwrap_or(LATEST));
    }
    Ok(offsets)
}

/// All of them at the same offset, or one of the special ones.
pub(super) fn all_at<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
    offset: i64,
) -> PartitionOffsets {
    let partitions = partitions.into_iter();
    partitions.map(|one| (one.clone(), offset)).collect()
}

/// Those of the partitions that exist.
pub(super) fn existing(
    client: &ConsumerClient,
    partitions: &BTreeSet<TopicPartition>,
    timeout: Duration,
) -> Result<Attempt<BTreeSet<TopicPartition>>, KafkaError> {
    let topics: BTreeSet<_> = partitions.iter().map(|one| one.topic.to_string()).collect();
    let mut existing = BTreeSet::new();
    for topic in topics {
        match topic_partitions(client, &topic, timeout)? {
            TopicState::Exists(found) => existing.extend(found),
            TopicState::Unknown => {}
            TopicState::NotYet(error) => return Ok(Attempt::NotYet(error)),
        }
    }
    existing.retain(|one| partitions.contains(one));
    Ok(Attempt::Done(existing))
}
