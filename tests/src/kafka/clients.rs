//! Clients of librdkafka's: produce records and know where they came to stand, read a topic to its end.
//! Nothing here waits for a time: each call ends when what it is for has happened, or with an error.

use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Result, bail};
use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};

use super::record::{Record, Seen};
use super::topics::partitions;
use super::{PATIENCE, STEP};

/// A client's settings: the address of a broker, and more.
pub fn config(address: &str, more: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    // One connection that is lost is tried again at once.
    config
        .set("reconnect.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "100");
    for (key, value) in more {
        config.set(*key, *value);
    }
    config
}

/// What became of records that were sent, in the order of the broker's answers.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<Vec<Delivery>>);

/// Partition and offset of a record, or why it has none.
pub type Delivery = Result<(i32, i64), RDKafkaErrorCode>;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        let delivery = match result {
            Ok(message) => Ok((message.partition(), message.offset())),
            Err((error, _)) => Err(code(error)),
        };
        if let Ok(mut deliveries) = self.0.lock() {
            deliveries.push(delivery);
        }
    }
}

/// The code of an error of a client's.
pub fn code(error: &KafkaError) -> RDKafkaErrorCode {
    let code = error.rdkafka_error_code();
    code.unwrap_or(RDKafkaErrorCode::Unknown)
}

/// A producer.
pub fn producer(address: &str, more: &[(&str, &str)]) -> Result<BaseProducer<Deliveries>> {
    Ok(config(address, more).create_with_context(Deliveries::default())?)
}

/// Hands a record to a producer, without waiting for the broker.
pub fn send(producer: &BaseProducer<Deliveries>, topic: &str, record: &Record) -> Result<()> {
    let mut sent = BaseRecord::<[u8], [u8]>::to(topic);
    if !record.headers.is_empty() {
        let headers = record.headers.iter();
        let headers = headers.fold(OwnedHeaders::new(), |headers, (key, value)| {
            let value = value.as_ref();
            headers.insert(Header { key, value })
        });
        sent = sent.headers(headers);
    }
    sent.partition = record.partition;
    sent.key = record.key.as_deref();
    sent.payload = record.value.as_deref();
    sent.timestamp = record.timestamp;
    while let Err((error, unsent)) = producer.send(sent) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => {
                producer.poll(STEP);
            }
            _ => return Err(error.into()),
        }
        sent = unsent;
    }
    Ok(())
}

/// Sends records and waits until the broker has answered for each of them.
pub fn produce(
    producer: &BaseProducer<Deliveries>,
    topic: &str,
    records: &[Record],
) -> Result<Vec<Delivery>> {
    for record in records {
        send(producer, topic, record)?;
    }
    delivered(producer)
}

/// Waits until the broker has answered for all that was sent; what became of it since the last time.
pub fn delivered(producer: &BaseProducer<Deliveries>) -> Result<Vec<Delivery>> {
    producer.flush(PATIENCE)?;
    let mut deliveries = producer.context().0.lock();
    let deliveries = deliveries
        .as_mut()
        .map_err(|_| anyhow::anyhow!("a delivery failed"))?;
    Ok(std::mem::take(deliveries))
}

/// A consumer that says where a partition ends and commits nothing by itself.
pub fn consumer(address: &str, more: &[(&str, &str)]) -> Result<BaseConsumer> {
    let mut config = config(
        address,
        &[
            ("group.id", "nobody"),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "error"),
        ],
    );
    for (key, value) in more {
        config.set(*key, *value);
    }
    Ok(config.create()?)
}

/// The next record or error of a consumer: it gives nothing, now and then, although more comes.
pub fn next(consumer: &BaseConsumer) -> Result<Result<Seen, KafkaError>> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(message) = consumer.poll(STEP) {
            return Ok(message.map(|message| Seen::of(&message)));
        }
    }
    bail!("the broker does not answer")
}

/// All records of a topic, until each partition has ended; sorted by partition and offset.
pub fn read_all(address: &str, topic: &str, more: &[(&str, &str)]) -> Result<Vec<Seen>> {
    let consumer = consumer(address, more)?;
    let partitions = partitions(&consumer, topic)?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..partitions {
        assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let mut seen = read_to_ends(&consumer, partitions)?;
    seen.sort_by_key(|seen| (seen.partition, seen.offset));
    Ok(seen)
}

/// What a consumer gets until so many partitions have ended.
pub fn read_to_ends(consumer: &BaseConsumer, partitions: i32) -> Result<Vec<Seen>> {
    let mut seen = Vec::new();
    let mut ended = 0;
    while ended < partitions {
        match next(consumer)? {
            Ok(record) => seen.push(record),
            Err(KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(seen)
}
