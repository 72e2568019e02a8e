//! The broker for lessons answers as Apache Kafka's own does: the same tests run against both, with
//! librdkafka, with Kafka's Java client and with requests that no client sends.

mod groups;
mod idempotence;
mod java;
mod limits;
mod malformed;
mod offsets;
mod raw;
mod records;
mod topics;
mod transactions;

use std::sync::atomic::{AtomicUsize, Ordering};

use acceptance::real_broker::RealBroker;
use tidebook_broker::{Broker, BrokerOptions};
use tokio::runtime::Runtime;

/// A broker under test.
pub(crate) struct Tested {
    pub address: String,
    prefix: String,
    /// Ours, with what it runs on.
    ours: Option<(Runtime, Broker)>,
}

impl Tested {
    pub(crate) fn ours() -> Self {
        Self::ours_with(BrokerOptions::default())
    }

    pub(crate) fn ours_with(options: BrokerOptions) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let broker = runtime.block_on(Broker::start(options)).expect("a broker");
        Self {
            address: broker.address(),
            prefix: String::new(),
            ours: Some((runtime, broker)),
        }
    }

    /// Kafka's own, which other tests use at the same time.
    pub(crate) fn apache_kafka() -> Self {
        static TESTS: AtomicUsize = AtomicUsize::new(0);
        Self {
            address: RealBroker::shared().address(),
            prefix: format!("test-{}-", TESTS.fetch_add(1, Ordering::Relaxed)),
            ours: None,
        }
    }

    /// A name for a topic, a group or a transactional id that nobody else has.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A new topic that can be used at once.
    pub(crate) fn topic(&self, name: &str, partitions: i32) -> String {
        let name = self.name(name);
        acceptance::kafka::create_topic(&self.address, &name, partitions, &[]).expect("a topic");
        name
    }

    pub(crate) fn broker(&self) -> &Broker {
        &self.ours.as_ref().expect("ours").1
    }

    /// Ends ours.
    pub(crate) fn shut_down(&mut self) {
        let (runtime, broker) = self.ours.take().expect("ours");
        runtime.block_on(broker.shutdown());
    }
}

/// Makes two tests of each function: for our broker and for Kafka's.
macro_rules! on_both_brokers {
    ($($scenario:ident),* $(,)?) => {
        mod ours {
            $(#[test]
            fn $scenario() {
                super::$scenario(&super::super::Tested::ours());
            })*
        }
        mod apache_kafka {
            $(#[test]
            fn $scenario() {
                super::$scenario(&super::super::Tested::apache_kafka());
            })*
        }
    };
}
use on_both_brokers;
