//! Kafka in tests by librdkafka: produce records and know where they came to stand, read a topic to its
//! end, make topics and wait until they can be used. Nothing here waits for a time: each call ends when
//! what it is for has happened, or with an error.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::{ClientContext, DefaultClientContext};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};

/// Only against a broker that never answers: everything here takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(100);

/// A record to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Where to; the client chooses if nobody says.
    pub partition: Option<i32>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its time in milliseconds; now if nobody says.
    pub timestamp: Option<i64>,
    /// Its headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// A record with a value and nothing else.
    pub fn of(value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }

    /// The same with a time.
    pub fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// The same for a partition.
    pub fn to(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub partition: i32,
    /// And at which offset.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its time in milliseconds.
    pub timestamp: Option<i64>,
    /// Its headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Seen {
    /// What a client has got.
    pub fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message
            .headers()
            .into_iter()
            .flat_map(|headers| headers.iter());
        let header =
            |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(<[u8]>::to_vec));
        Self {
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            timestamp: message.timestamp().to_millis(),
            headers: headers.map(header).collect(),
        }
    }

    /// Its value as text; empty if it has none.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default()).into_owned()
    }
}

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
    let mut headers = OwnedHeaders::new();
    for (key, value) in &record.headers {
        headers = headers.insert(Header {
            key,
            value: value.as_ref(),
        });
    }
    let mut sent = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
    sent.partition = record.partition;
    sent.key = record.key.as_deref();
    sent.payload = record.value.as_deref();
    sent.timestamp = record.timestamp;
    producer.send(sent).map_err(|(error, _)| error.into())
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

/// How many partitions a topic has.
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

/// A client for topics and groups.
pub fn admin(address: &str) -> Result<AdminClient<DefaultClientContext>> {
    Ok(config(address, &[]).create()?)
}

/// Makes a topic and waits until it can be written and read.
pub fn create_topic(
    address: &str,
    name: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Result<()> {
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for (key, value) in settings {
        topic = topic.set(key, value);
    }
    let created = block_on(admin(address)?.create_topics(&[topic], &AdminOptions::new()))?;
    for result in created {
        result.map_err(|(name, code)| anyhow::anyhow!("create {name}: {code}"))?;
    }
    wait_for_topic(address, name, partitions)
}

/// Waits until all partitions of a topic can be read: Kafka answers before its leaders know.
pub fn wait_for_topic(address: &str, name: &str, partitions: i32) -> Result<()> {
    let consumer = consumer(address, &[])?;
    for partition in 0..partitions {
        while consumer.fetch_watermarks(name, partition, STEP).is_err() {}
    }
    Ok(())
}

/// Deletes a topic, and waits until the broker does not know it any more.
pub fn delete_topic(address: &str, name: &str) -> Result<()> {
    let deleted = block_on(admin(address)?.delete_topics(&[name], &AdminOptions::new()))?;
    for result in deleted {
        result.map_err(|(name, code)| anyhow::anyhow!("delete {name}: {code}"))?;
    }
    let consumer = consumer(address, &[])?;
    while partitions(&consumer, name).is_ok() {}
    Ok(())
}
