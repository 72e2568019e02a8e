//! Batches in transactions. Beside its messages a transaction holds the number of the batch, as an
//! offset that is committed for a consumer group of the query's own. **A crash leaves a batch in doubt
//! only until that offset is read**: the messages are there if and only if it is.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::Producer as _;
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use super::writer::{Producer, Writer};
use crate::clock::Stopwatch;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::{ClientSettings, ConsumerClient, TopicPartition, blocking, code, unknown_topic};

/// How long one attempt of a call may take, and all of them.
const ATTEMPT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a topic may take to be made, and when it is looked for again.
const TOPIC: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(50);
/// How long a transaction that nobody wants is given to end.
const ABORT: Duration = Duration::from_secs(5);

/// The id of the transactions of a query.
pub(super) fn transactional_id(query_id: Uuid) -> String {
    format!("tidebook-sink-{query_id}")
}

/// Where the number of the last batch is kept.
pub(super) struct Marker {
    consumer: Arc<ConsumerClient>,
    partition: TopicPartition,
}

impl Marker {
    /// Under the first partition of `topic`.
    pub(super) fn new(settings: &ClientSettings, query_id: Uuid, topic: &str) -> Result<Self> {
        let settings = settings.with("group.id", &transactional_id(query_id));
        let settings = settings.with("isolation.level", "read_committed");
        Ok(Self {
            consumer: Arc::new(ConsumerClient::new(&settings)?),
            partition: TopicPartition::new(topic, 0),
        })
    }

    /// Waits for the topic, which the broker may have to make first.
    async fn find_topic(&self, writer: &Writer) -> Result<()> {
        let (producer, topic) = (writer.producer()?, Arc::clone(&self.partition.topic));
        let found = blocking(move || {
            let watch = Stopwatch::start();
            loop {
                let metadata = producer.client().fetch_metadata(Some(&topic), ATTEMPT)?;
                let found = metadata.topics().first();
                if found.is_some_and(|topic| topic.error().is_none()) {
                    return Ok(true);
                }
                if watch.elapsed() > TOPIC {
                    return Ok(false);
                }
                producer.poll(AGAIN);
            }
        });
        let found: Result<bool, KafkaError> = found.await?;
        match found {
            Ok(true) => Ok(()),
            Ok(false) => Err(unknown_topic(&self.partition.topic, &[])),
            Err(error) => Err(writer.call_failed("look for the topic", &error)),
        }
    }

    /// The number of the last batch whose transaction was committed. Nothing may be under way.
    async fn latest(&self, writer: &Writer) -> Result<Option<i64>> {
        let (consumer, partition) = (Arc::clone(&self.consumer), self.partition.clone());
        let read = move |timeout| {
            let mut list = TopicPartitionList::with_capacity(1);
            list.add_partition(&partition.topic, partition.partition);
            let committed = consumer.consumer.committed_offsets(list, timeout)?;
            let found = committed.find_partition(&partition.topic, partition.partition);
            Ok(match found.map(|found| found.offset()) {
                Some(Offset::Offset(next)) => Some(next - 1),
                _ => None,
            })
        };
        patiently(writer, "look for the last batch", read).await
    }
}

/// The transactions of one run.
pub(super) struct Transactions {
    marker: Option<Marker>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<i64>,
    is_open: bool,
}

impl std::fmt::Debug for Transactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transactions")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Transactions {
    /// Ends what an earlier run has left, and finds out which batch was written last.
    pub(super) async fn open(writer: &Writer, marker: Option<Marker>) -> Result<Self> {
        let producer = writer.producer()?;
        let init = move |timeout: Duration| producer.init_transactions(timeout);
        patiently(writer, "begin transactions", init).await?;
        let latest = match &marker {
            Some(marker) => {
                marker.find_topic(writer).await?;
                marker.latest(writer).await?
            }
            None => None,
        };
        Ok(Self {
            marker,
            state: Mutex::new(State {
                latest,
                is_open: false,
            }),
        })
    }

    /// The last batch that was written.
    pub(super) fn latest(&self) -> Option<i64> {
        self.state.lock().latest
    }

    pub(super) fn begin(&self, writer: &Writer) -> Result<()> {
        let begun = writer.producer()?.begin_transaction();
        begun.map_err(|error| failure(writer, "begin a transaction", &error))?;
        self.state.lock().is_open = true;
        Ok(())
    }

    /// Shows the messages since [`Self::begin`], with the number of their batch.
    pub(super) async fn commit(&self, writer: &Writer, batch_id: i64) -> Result<()> {
        if let Some(marker) = &self.marker {
            let producer = writer.producer()?;
            let (consumer, partition) = (Arc::clone(&marker.consumer), marker.partition.clone());
            let mark = move |timeout: Duration| {
                let group = consumer.consumer.group_metadata();
                let group = group.ok_or(KafkaError::OffsetFetch(Code::UnknownGroup))?;
                let mut list = TopicPartitionList::with_capacity(1);
                let next = Offset::Offset(batch_id + 1);
                list.add_partition_offset(&partition.topic, partition.partition, next)?;
                producer.send_offsets_to_transaction(&list, &group, timeout)
            };
            patiently(writer, "note the batch in the transaction", mark).await?;
        }
        let producer = writer.producer()?;
        let commit = move |timeout: Duration| producer.commit_transaction(timeout);
        patiently(writer, "commit the transaction", commit).await?;
        *self.state.lock() = State {
            latest: Some(batch_id),
            is_open: false,
        };
        Ok(())
    }

    /// Takes back what was sent since [`Self::begin`], without waiting for it: what is not done now is
    /// done when the query starts again.
    pub(super) fn abort(&self, writer: &Writer) {
        if !std::mem::take(&mut self.state.lock().is_open) {
            return;
        }
        if let Ok(producer) = writer.producer() {
            let named = std::thread::Builder::new().name("kafka-abort".to_string());
            let aborted = named.spawn(move || abort(&producer));
            if let Err(error) = aborted {
                tracing::debug!(%error, "a transaction is left to its time limit");
            }
        }
    }
}

fn abort(producer: &Producer) {
    if let Err(error) = producer.abort_transaction(ABORT) {
        tracing::debug!(%error, "a transaction is left to its time limit");
    }
}

/// Calls, and calls again while that may help.
async fn patiently<T: Send + 'static>(
    writer: &Writer,
    what: &str,
    call: impl Fn(Duration) -> Result<T, KafkaError> + Send + Sync + 'static,
) -> Result<T> {
    let call = Arc::new(call);
    let watch = Stopwatch::start();
    loop {
        let called = Arc::clone(&call);
        match blocking(move || called(ATTEMPT)).await? {
            Ok(answer) => return Ok(answer),
            Err(error) if may_help(&error) && watch.elapsed() < PATIENCE => {}
            Err(error) => return Err(failure(writer, what, &error)),
        }
    }
}

fn may_help(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => error.is_retriable(),
        error => matches!(
            code(error),
            Some(
                Code::OperationTimedOut
                    | Code::CoordinatorLoadInProgress
                    | Code::WaitingForCoordinator
            )
        ),
    }
}

fn failure(writer: &Writer, what: &str, error: &KafkaError) -> Error {
    match code(error) {
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch) => Error::new(
            ErrorKind::StreamingQuery,
            "another run of this query has taken over its transactions",
        )
        .with_condition("CONCURRENT_QUERY")
        .with_source(error.clone())
        .with_hint("let one of them run: a checkpoint belongs to one query"),
        _ => writer.call_failed(what, error),
    }
}
