//! Clients of librdkafka. **No call that waits for a broker is made on a thread of the engine's**, and
//! a client is given up on a thread of its own: who waits can always walk away.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext, ThreadedProducer};
use tokio::sync::oneshot;

use super::settings::ClientSettings;
use crate::error::{Error, Result};

/// How long the events of a client may lie, and its thread live on, after nobody wants it.
const EVENT_POLL: Duration = Duration::from_millis(100);

/// Runs a call that blocks, for as long as its own time limit, on a thread of its own. The thread is
/// left behind if nobody waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    let named = std::thread::Builder::new().name("kafka-call".to_string());
    named
        .spawn(move || drop(answer.send(call())))
        .map_err(|error| Error::io("start a thread for a call to Kafka", error))?;
    let lost = |_| Error::internal("a call to Kafka panicked");
    answered.await.map_err(lost)
}

/// What went wrong with a client, in its own words.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub code: Option<RDKafkaErrorCode>,
    pub reason: String,
}

/// What a client tells beside the answers to its calls.
#[derive(Debug, Default)]
pub(crate) struct Events {
    problem: Mutex<Option<Problem>>,
}

impl Events {
    /// What went wrong last.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.problem.lock().clone()
    }

    fn note(&self, error: &KafkaError, reason: &str) {
        // Every error comes here, also what is none.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        tracing::debug!(%error, reason, "kafka client");
        let mut problem = self.problem.lock();
        // That all brokers are down says less than why.
        let says_little = matches!(error, KafkaError::Global(RDKafkaErrorCode::AllBrokersDown));
        if problem.is_none() || !says_little {
            *problem = Some(Problem {
                code: error.rdkafka_error_code(),
                reason: reason.to_string(),
            });
        }
    }
}

fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Debug => tracing::trace!(target: "librdkafka", facility, message),
        _ => tracing::debug!(target: "librdkafka", facility, message),
    }
}

impl ClientContext for Events {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(&error, reason);
    }
}

impl ConsumerContext for Events {}

/// A consumer whose events are served.
pub(crate) struct ConsumerClient {
    pub consumer: Arc<BaseConsumer<Events>>,
    /// Where its brokers are, for messages.
    pub servers: String,
    closing: Arc<AtomicBool>,
}

impl ConsumerClient {
    pub(crate) fn new(settings: &ClientSettings) -> Result<Self> {
        let created = settings.config().create_with_context(Events::default());
        let consumer: BaseConsumer<Events> = created.map_err(|error| settings.refused(&error))?;
        let consumer = Arc::new(consumer);
        let closing = Arc::new(AtomicBool::new(false));
        let (served, ends) = (Arc::clone(&consumer), Arc::clone(&closing));
        let named = std::thread::Builder::new().name("kafka-events".to_string());
        named
            .spawn(move || {
                while !ends.load(Ordering::Acquire) {
                    // Partitions have queues of their own: no message comes here.
                    let _ = served.poll(EVENT_POLL);
                }
            })
            .map_err(|error| Error::io("start a thread for a Kafka client", error))?;
        Ok(Self {
            consumer,
            servers: settings.servers().to_string(),
            closing,
        })
    }

    /// What went wrong last.
    pub(crate) fn problem(&self) -> Option<Problem> {
        use rdkafka::consumer::Consumer as _;
        self.consumer.context().problem()
    }
}

impl Drop for ConsumerClient {
    fn drop(&mut self) {
        // The thread that serves it, or one that is in a call, is the last to hold it.
        self.closing.store(true, Ordering::Release);
    }
}

impl fmt::Debug for ConsumerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerClient")
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

/// Receives what becomes of the messages of a producer.
pub(crate) trait Delivery: Send + Sync + 'static {
    /// A message was delivered, or will never be.
    fn delivered(&self, result: &DeliveryResult<'_>);
}

/// The context of a producer.
pub(crate) struct ProducerEvents<D> {
    events: Events,
    pub delivery: D,
}

impl<D> ProducerEvents<D> {
    /// What went wrong last.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.events.problem()
    }
}

impl<D: Delivery> ClientContext for ProducerEvents<D> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.events.note(&error, reason);
    }
}

impl<D: Delivery> ProducerContext for ProducerEvents<D> {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.delivery.delivered(result);
    }
}

/// A producer whose events are served by a thread of its own.
pub(crate) struct ProducerClient<D: Delivery> {
    producer: Option<Arc<ThreadedProducer<ProducerEvents<D>>>>,
}

impl<D: Delivery> ProducerClient<D> {
    pub(crate) fn new(settings: &ClientSettings, delivery: D) -> Result<Self> {
        let events = ProducerEvents {
            events: Events::default(),
            delivery,
        };
        let created = settings.config().create_with_context(events);
        let producer = created.map_err(|error| settings.refused(&error))?;
        Ok(Self {
            producer: Some(Arc::new(producer)),
        })
    }

    /// The producer, for a call on another thread.
    pub(crate) fn shared(&self) -> Option<Arc<ThreadedProducer<ProducerEvents<D>>>> {
        self.producer.clone()
    }
}

impl<D: Delivery> Drop for ProducerClient<D> {
    fn drop(&mut self) {
        let producer = self.producer.take();
        // It waits for its threads, and for a moment for messages that are under way.
        let named = std::thread::Builder::new().name("kafka-close".to_string());
        let _ = named.spawn(move || drop(producer));
    }
}
