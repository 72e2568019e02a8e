//! Topics: made, enlarged, emptied and deleted, and waited for until that can be seen.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::clients::{config, consumer};
use super::{PATIENCE, STEP};

/// A client for topics and groups.
pub fn admin(address: &str) -> Result<AdminClient<DefaultClientContext>> {
    Ok(config(address, &[]).create()?)
}

/// How many partitions a topic has; an error if there is none.
pub fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let topic = metadata
        .topics()
        .first()
        .context("no topic in the answer")?;
    if let Some(error) = topic.error() {
        bail!("{}: {:?}", topic.name(), RDKafkaErrorCode::from(error));
    }
    Ok(i32::try_from(topic.partitions().len())?)
}

/// Makes a topic and waits until it can be written and read.
pub fn create_topic(
    address: &str,
    name: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Result<()> {
    let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let new = settings
        .iter()
        .fold(new, |new, (key, value)| new.set(key, value));
    all_done(
        "create",
        block_on(admin(address)?.create_topics(&[new], &options()))?,
    )?;
    wait_for_topic(address, name, partitions)
}

/// Makes a topic larger and waits until that can be used.
pub fn add_partitions(address: &str, name: &str, partitions: i32) -> Result<()> {
    let new = NewPartitions::new(name, usize::try_from(partitions)?);
    all_done(
        "enlarge",
        block_on(admin(address)?.create_partitions(&[new], &options()))?,
    )?;
    wait_for_topic(address, name, partitions)
}

/// Deletes a topic, and waits until the broker does not know it any more.
pub fn delete_topic(address: &str, name: &str) -> Result<()> {
    all_done(
        "delete",
        block_on(admin(address)?.delete_topics(&[name], &options()))?,
    )?;
    let consumer = consumer(address, &[])?;
    until("the topic is gone", || Ok(!is_known(&consumer, name)?))
}

/// Removes the records before these offsets.
pub fn delete_records(address: &str, topic: &str, before: &[(i32, i64)]) -> Result<()> {
    let mut offsets = TopicPartitionList::new();
    for (partition, offset) in before {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    block_on(admin(address)?.delete_records(&offsets, &options()))?;
    Ok(())
}

/// Whether there is such a topic.
pub fn exists(address: &str, name: &str) -> Result<bool> {
    is_known(&consumer(address, &[])?, name)
}

/// Waits until all partitions of a topic can be read: Kafka answers before its leaders know.
pub fn wait_for_topic(address: &str, name: &str, partitions: i32) -> Result<()> {
    let consumer = consumer(address, &[])?;
    for partition in 0..partitions {
        until("its partitions can be read", || {
            Ok(consumer.fetch_watermarks(name, partition, STEP).is_ok())
        })?;
    }
    Ok(())
}

/// Among all topics: to ask for one would make it.
fn is_known(consumer: &BaseConsumer, name: &str) -> Result<bool> {
    let metadata = consumer.fetch_metadata(None, PATIENCE)?;
    Ok(metadata.topics().iter().any(|topic| topic.name() == name))
}

fn until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let since = Instant::now();
    while !is_so()? {
        if since.elapsed() > PATIENCE {
            bail!("the broker does not get so far that {what}");
        }
    }
    Ok(())
}

fn all_done(what: &str, results: Vec<Result<String, (String, RDKafkaErrorCode)>>) -> Result<()> {
    for result in results {
        result.map_err(|(topic, code)| anyhow::anyhow!("{what} {topic}: {code}"))?;
    }
    Ok(())
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}
