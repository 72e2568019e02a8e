//! Sends rows as messages and waits until the brokers have them.

use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};

use super::delivery::{Deliveries, Failed};
use super::records::{RecordLayout, Records};
use crate::error::{Error, ErrorKind, Result, hint};
use crate::kafka::{
    ClientSettings, ProducerClient, ProducerEvents, blocking, cannot_reach, code, from_kafka,
    invalid_topic, unknown_topic,
};
use crate::sinks::failed;

/// How long a broker may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(8);

/// A producer of librdkafka's.
pub(super) type Producer = ThreadedProducer<ProducerEvents<Arc<Deliveries>>>;

/// Writes rows to topics.
pub(super) struct Writer {
    layout: RecordLayout,
    deliveries: Arc<Deliveries>,
    client: ProducerClient<Arc<Deliveries>>,
    servers: String,
    max_size: String,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("layout", &self.layout)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Connects to nothing yet.
    pub(super) fn new(settings: &ClientSettings, layout: RecordLayout) -> Result<Self> {
        let deliveries = Arc::new(Deliveries::default());
        Ok(Self {
            client: ProducerClient::new(settings, Arc::clone(&deliveries))?,
            deliveries,
            layout,
            servers: settings.servers().to_string(),
            max_size: settings
                .get("message.max.bytes")
                .unwrap_or_default()
                .to_string(),
        })
    }

    /// The producer, for calls that wait.
    pub(super) fn producer(&self) -> Result<Arc<Producer>> {
        let producer = self.client.shared();
        producer.ok_or_else(|| Error::internal("the Kafka producer is closed"))
    }

    /// Fails if no broker answers.
    pub(super) async fn connect(&self) -> Result<()> {
        let producer = self.producer()?;
        let answer = blocking(move || producer.client().fetch_cluster_id(FIRST_ANSWER)).await?;
        match answer {
            Some(_) => Ok(()),
            None => Err(self.unreachable()),
        }
    }

    /// Sends all rows; returns how many once the brokers have them.
    pub(super) async fn write(&self, mut rows: SendableRecordBatchStream) -> Result<i64> {
        self.deliveries.forget();
        let producer = self.producer()?;
        let mut count = 0;
        while let Some(batch) = rows.try_next().await.map_err(failed)? {
            let records = self.layout.records(&batch)?;
            for row in 0..records.len() {
                self.send(&producer, &records, row).await?;
            }
            count += records.len() as i64;
            self.check()?;
        }
        self.deliveries.all().await;
        self.check()?;
        Ok(count)
    }

    async fn send(&self, producer: &Producer, records: &Records, row: usize) -> Result<()> {
        let topic = records.topic(row)?;
        let mut record = BaseRecord::<[u8], [u8]>::to(topic);
        record.key = records.key(row);
        record.payload = records.value(row);
        record.partition = records.partition(row)?;
        record.headers = records.headers(row);
        loop {
            self.deliveries.sending();
            let Err((error, unsent)) = producer.send(record) else {
                return Ok(());
            };
            self.deliveries.not_sent();
            match code(&error) {
                Some(Code::QueueFull) => {
                    self.deliveries.changed().await;
                    self.check()?;
                    record = unsent;
                }
                Some(Code::MessageSizeTooLarge) => return Err(self.too_large(records, row)),
                _ => {
                    return Err(self.undelivered(&Failed {
                        error,
                        topic: topic.to_string(),
                        partition: unsent.partition.unwrap_or(-1),
                    }));
                }
            }
        }
    }

    fn check(&self) -> Result<()> {
        match self.deliveries.failed() {
            None => Ok(()),
            Some(failed) => Err(self.undelivered(&failed)),
        }
    }

    fn too_large(&self, records: &Records, row: usize) -> Error {
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let size = length(records.key(row)) + length(records.value(row));
        let message = format!(
            "The message is {size} bytes, which is larger than {}, which is the value of the max.request.size configuration.",
            self.max_size
        );
        Error::new(ErrorKind::Runtime, message).with_hint([
            hint::say("write less in a row, or set "),
            hint::option("kafka.max.request.size", "BYTES"),
            hint::say(" and the topic's max.message.bytes"),
        ])
    }

    fn undelivered(&self, failed: &Failed) -> Error {
        let Failed {
            error,
            topic,
            partition,
        } = failed;
        match code(error) {
            Some(Code::UnknownTopic | Code::UnknownTopicOrPartition) => unknown_topic(topic, &[]),
            Some(Code::InvalidTopic) => invalid_topic(topic),
            Some(Code::UnknownPartition) => Error::new(
                ErrorKind::Runtime,
                format!("Partition {partition} of topic {topic} does not exist."),
            )
            .with_hint("choose an existing partition, or NULL to let Kafka choose"),
            Some(Code::MessageSizeTooLarge) => Error::new(
                ErrorKind::Runtime,
                format!("a message is larger than the topic '{topic}' takes"),
            )
            .with_hint("write less in a row, or set the topic's max.message.bytes"),
            Some(Code::MessageTimedOut | Code::AllBrokersDown) => self.unreachable(),
            _ => from_kafka(
                &format!("write to the topic '{topic}'"),
                &self.servers,
                error,
            ),
        }
    }

    fn unreachable(&self) -> Error {
        let producer = self.client.shared();
        let problem = producer.and_then(|producer| producer.context().problem());
        cannot_reach(&self.servers, problem)
    }

    /// A call to the brokers has failed.
    pub(super) fn call_failed(&self, what: &str, error: &KafkaError) -> Error {
        match code(error) {
            Some(Code::OperationTimedOut | Code::BrokerTransportFailure) => self.unreachable(),
            _ => from_kafka(what, &self.servers, error),
        }
    }
}
