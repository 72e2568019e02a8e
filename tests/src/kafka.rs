//! Topics and messages for tests and figures, by librdkafka: what a user does with Kafka's own tools.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};

/// How long Kafka may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time of the first message of [`Kafka::fill`], in milliseconds; each next one is a second later.
pub const FIRST_TIME: i64 = 1_700_000_000_000;

/// A cluster as tests see it.
pub struct Kafka {
    address: String,
    admin: AdminClient<DefaultClientContext>,
    producer: BaseProducer,
}

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; a message without one is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Where it goes; none lets Kafka choose.
    pub partition: Option<i32>,
    /// When it was made, in milliseconds; now if it is missing.
    pub timestamp: Option<i64>,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// A message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its key.
    pub key: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// Where it was.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its headers, if it has any.
    pub headers: Option<Vec<(String, Option<String>)>>,
}

impl Kafka {
    /// The cluster at `address`.
    pub fn new(address: &str) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        Ok(Self {
            address: address.to_owned(),
            admin: config.create()?,
            producer: config.clone().set("linger.ms", "1").create()?,
        })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes a topic and waits until it can be used.
    pub async fn create(&self, topic: &str, partitions: i32) -> Result<()> {
        self.create_with(topic, partitions, &[]).await
    }

    /// The same with settings of the topic.
    pub async fn create_with(
        &self,
        topic: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let new = settings
            .iter()
            .fold(new, |new, (name, value)| new.set(name, value));
        let made = self.admin.create_topics([&new], &options()).await?;
        for result in made {
            result.map_err(|(topic, code)| anyhow::anyhow!("create {topic}: {code}"))?;
        }
        self.wait_for(topic, |found| found == partitions).await
    }

    /// Makes a topic larger and waits until that can be used.
    pub async fn add_partitions(&self, topic: &str, partitions: i32) -> Result<()> {
        let new = NewPartitions::new(topic, usize::try_from(partitions)?);
        for result in self.admin.create_partitions([&new], &options()).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("enlarge {topic}: {code}"))?;
        }
        self.wait_for(topic, |found| found == partitions).await
    }

    /// Removes a topic and waits until it is gone.
    pub async fn delete(&self, topic: &str) -> Result<()> {
        for result in self.admin.delete_topics(&[topic], &options()).await? {
            result.map_err(|(topic, code)| anyhow::anyhow!("delete {topic}: {code}"))?;
        }
        self.wait_for(topic, |found| found == 0).await
    }

    /// Removes what is before these offsets.
    pub async fn delete_records(&self, topic: &str, before: &[(i32, i64)]) -> Result<()> {
        let mut offsets = TopicPartitionList::new();
        for (partition, offset) in before {
            offsets.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
        }
        self.admin.delete_records(&offsets, &options()).await?;
        Ok(())
    }

    /// Whether there is such a topic.
    pub fn exists(&self, topic: &str) -> Result<bool> {
        Ok(self.partitions(topic)? > 0)
    }

    fn partitions(&self, topic: &str) -> Result<i32> {
        // All topics: to ask for one would make it.
        let metadata = self.admin.inner().fetch_metadata(None, PATIENCE)?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let leading = found.map_or(0, |found| {
            let leading = found.partitions().iter().filter(|one| one.leader() >= 0);
            leading.count()
        });
        Ok(i32::try_from(leading)?)
    }

    async fn wait_for(&self, topic: &str, is_right: impl Fn(i32) -> bool) -> Result<()> {
        let watch = std::time::Instant::now();
        while !is_right(self.partitions(topic)?) {
            if watch.elapsed() > PATIENCE {
                bail!(
                    "the topic '{topic}' has {} partitions",
                    self.partitions(topic)?
                );
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Sends messages and waits until they are there.
    pub fn send(&self, topic: &str, messages: &[Outgoing]) -> Result<()> {
        for message in messages {
            let mut headers = OwnedHeaders::new();
            for (key, value) in &message.headers {
                let value = value.as_ref();
                headers = headers.insert(Header { key, value });
            }
            let mut record = BaseRecord::<Vec<u8>, Vec<u8>>::to(topic);
            record.key = message.key.as_ref();
            record.payload = message.value.as_ref();
            record.partition = message.partition;
            record.timestamp = message.timestamp;
            record.headers = (!message.headers.is_empty()).then_some(headers);
            while let Err((error, unsent)) = self.producer.send(record) {
                match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) => {}
                    // A partition that the client has not heard of yet.
                    Some(RDKafkaErrorCode::UnknownPartition) => {
                        self.producer
                            .client()
                            .fetch_metadata(Some(topic), PATIENCE)?;
                    }
                    _ => return Err(error).with_context(|| format!("send to {topic}")),
                }
                self.producer.poll(Duration::from_millis(10));
                record = unsent;
            }
        }
        self.flush()
    }

    fn flush(&self) -> Result<()> {
        let watch = std::time::Instant::now();
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            if watch.elapsed() > PATIENCE {
                bail!("messages do not arrive at {}", self.address);
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// So many messages per partition: keys `k0`, `k1`, …, values `TAG` + partition + `-0`, `-1`, …
    pub fn fill(&self, topic: &str, counts: &[(i32, usize)], tag: &str) -> Result<()> {
        let messages = counts.iter().flat_map(|(partition, count)| {
            (0..*count).map(move |n| Outgoing {
                key: Some(format!("k{n}").into_bytes()),
                value: Some(format!("{tag}{partition}-{n}").into_bytes()),
                partition: Some(*partition),
                timestamp: Some(FIRST_TIME + 1000 * n as i64),
                headers: Vec::new(),
            })
        });
        self.send(topic, &messages.collect::<Vec<_>>())
    }

    /// Sends values, to partition 0.
    pub fn values(&self, topic: &str, values: &[&str]) -> Result<()> {
        let messages = values.iter().map(|value| Outgoing {
            value: Some(value.as_bytes().to_vec()),
            partition: Some(0),
            timestamp: Some(FIRST_TIME),
            ..Outgoing::default()
        });
        self.send(topic, &messages.collect::<Vec<_>>())
    }

    /// All messages of a topic, those of transactions that were not committed left out.
    pub fn read(&self, topic: &str) -> Result<Vec<Received>> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.address)
            .set("group.id", format!("read-{topic}"))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .create()?;
        let partitions = self.partitions(topic)?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&list)?;
        let mut received = BTreeMap::new();
        let mut ended = 0;
        while ended < partitions {
            match consumer.poll(PATIENCE) {
                None => bail!("nothing comes of '{topic}'"),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(message)) => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let headers = message.headers().map(|headers| {
                        let pairs = headers.iter();
                        let pairs = pairs.map(|one| (one.key.to_owned(), one.value.map(text)));
                        pairs.collect()
                    });
                    let place = (message.partition(), message.offset());
                    received.insert(
                        place,
                        Received {
                            key: message.key().map(text),
                            value: message.payload().map(text),
                            partition: place.0,
                            offset: place.1,
                            headers,
                        },
                    );
                }
            }
        }
        Ok(received.into_values().collect())
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .operation_timeout(Some(PATIENCE))
        .request_timeout(Some(PATIENCE))
}
