//! Kafka for tests and figures, by librdkafka: what a user does with Kafka's own tools. [`Kafka`] is a
//! cluster with a producer; beside it stand the clients and the topics that it is made of.

mod between;
mod clients;
mod record;
mod topics;

use std::time::Duration;

use anyhow::{Result, bail};
use rdkafka::producer::{BaseProducer, Producer as _};

pub use between::{Before, Between};
pub use clients::{
    Deliveries, Delivery, code, config, consumer, delivered, next, produce, producer, read_all,
    read_to_ends, send,
};
pub use record::{Record, Seen};
pub use topics::{
    add_partitions, admin, create_topic, delete_records, delete_topic, exists, partitions,
    wait_for_topic,
};

/// Only against a broker that never answers: everything here takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(100);
/// The time of the first message of [`Kafka::fill`], in milliseconds; each next one is a second later.
pub const FIRST_TIME: i64 = 1_700_000_000_000;

/// A cluster as tests see it.
pub struct Kafka {
    address: String,
    producer: BaseProducer<Deliveries>,
}

impl Kafka {
    /// The cluster at `address`.
    pub fn new(address: &str) -> Result<Self> {
        Ok(Self {
            address: address.to_owned(),
            producer: producer(address, &[("linger.ms", "1")])?,
        })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes a topic and waits until it can be used.
    pub fn create(&self, topic: &str, partitions: i32) -> Result<()> {
        self.create_with(topic, partitions, &[])
    }

    /// The same with settings of the topic.
    pub fn create_with(
        &self,
        topic: &str,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Result<()> {
        create_topic(&self.address, topic, partitions, settings)?;
        self.tell_producer(topic)
    }

    /// Makes a topic larger and waits until that can be used.
    pub fn add_partitions(&self, topic: &str, partitions: i32) -> Result<()> {
        add_partitions(&self.address, topic, partitions)?;
        self.tell_producer(topic)
    }

    /// Removes a topic and waits until it is gone.
    pub fn delete(&self, topic: &str) -> Result<()> {
        delete_topic(&self.address, topic)
    }

    /// Removes what is before these offsets.
    pub fn delete_records(&self, topic: &str, before: &[(i32, i64)]) -> Result<()> {
        delete_records(&self.address, topic, before)
    }

    /// Whether there is such a topic.
    pub fn exists(&self, topic: &str) -> Result<bool> {
        exists(&self.address, topic)
    }

    /// Sends messages and waits until they are there.
    pub fn send(&self, topic: &str, messages: &[Record]) -> Result<()> {
        for delivery in produce(&self.producer, topic, messages)? {
            if let Err(error) = delivery {
                bail!("a message for '{topic}' did not arrive: {error}");
            }
        }
        Ok(())
    }

    /// So many messages per partition: keys `k0`, `k1`, …, values `TAG` + partition + `-0`, `-1`, …
    pub fn fill(&self, topic: &str, counts: &[(i32, usize)], tag: &str) -> Result<()> {
        let messages = counts.iter().flat_map(|(partition, count)| {
            (0..*count).map(move |n| Record {
                key: Some(format!("k{n}").into_bytes()),
                ..Record::of(format!("{tag}{partition}-{n}"))
                    .to(*partition)
                    .at(FIRST_TIME + 1000 * n as i64)
            })
        });
        self.send(topic, &messages.collect::<Vec<_>>())
    }

    /// Sends values, to partition 0.
    pub fn values(&self, topic: &str, values: &[&str]) -> Result<()> {
        let messages = values.iter();
        let messages = messages.map(|value| Record::of(*value).to(0).at(FIRST_TIME));
        self.send(topic, &messages.collect::<Vec<_>>())
    }

    /// All messages of a topic, those of transactions that were not committed left out.
    pub fn read(&self, topic: &str) -> Result<Vec<Seen>> {
        read_all(&self.address, topic, &[])
    }

    /// A client that has heard of fewer partitions refuses messages for the others.
    fn tell_producer(&self, topic: &str) -> Result<()> {
        let client = self.producer.client();
        client.fetch_metadata(Some(topic), PATIENCE)?;
        Ok(())
    }
}
