//! What has become of the messages of a batch.

use std::sync::Arc;

use parking_lot::Mutex;
use rdkafka::Message as _;
use rdkafka::error::KafkaError;
use rdkafka::producer::DeliveryResult;
use tokio::sync::Notify;

use crate::kafka::Delivery;

/// Counts messages that are under way.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    under_way: u64,
    failed: Option<Failed>,
}

/// The first message that will never be delivered.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub error: KafkaError,
    pub topic: String,
    pub partition: i32,
}

impl Deliveries {
    /// A message is about to be sent.
    pub(super) fn sending(&self) {
        self.state.lock().under_way += 1;
    }

    /// It was not, after all.
    pub(super) fn not_sent(&self) {
        self.state.lock().under_way -= 1;
    }

    /// The first failure, if there was one.
    pub(super) fn failed(&self) -> Option<Failed> {
        self.state.lock().failed.clone()
    }

    /// A new batch begins.
    pub(super) fn forget(&self) {
        self.state.lock().failed = None;
    }

    /// Resolves when something was delivered, or has failed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Resolves when nothing is under way.
    pub(super) async fn all(&self) {
        while self.state.lock().under_way > 0 {
            self.changed.notified().await;
        }
    }
}

impl Delivery for Arc<Deliveries> {
    fn delivered(&self, result: &DeliveryResult<'_>) {
        let mut state = self.state.lock();
        state.under_way -= 1;
        if let Err((error, message)) = result
            && state.failed.is_none()
        {
            state.failed = Some(Failed {
                error: error.clone(),
                topic: message.topic().to_string(),
                partition: message.partition(),
            });
        }
        drop(state);
        self.changed.notify_one();
    }
}
