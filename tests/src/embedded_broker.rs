//! The kernel's own broker for tests: the broker for lessons, one for all tests of a program.

use std::sync::OnceLock;

use tidebook_broker::{Broker, BrokerOptions};
use tokio::runtime::Runtime;

/// A broker that lives as long as the program.
pub struct EmbeddedBroker {
    address: String,
    _running: (Runtime, Broker),
}

impl EmbeddedBroker {
    /// The broker that all tests of this program share: name your topics and groups so that they are
    /// nobody else's.
    ///
    /// # Panics
    /// If it does not start; the message says why.
    #[expect(clippy::panic, reason = "a test without its broker has failed")]
    pub fn shared() -> &'static EmbeddedBroker {
        static SHARED: OnceLock<EmbeddedBroker> = OnceLock::new();
        SHARED.get_or_init(|| {
            // Tests have runtimes of their own, and inside one nobody may wait for another.
            let started = std::thread::spawn(EmbeddedBroker::start).join();
            match started {
                Ok(Ok(broker)) => broker,
                Ok(Err(error)) => panic!("{error:#}"),
                Err(_) => panic!("the broker for lessons panicked"),
            }
        })
    }

    /// Where it listens, as `kafka.bootstrap.servers` wants it.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn start() -> anyhow::Result<EmbeddedBroker> {
        let runtime = Runtime::new()?;
        let broker = runtime.block_on(Broker::start(BrokerOptions::default()))?;
        Ok(EmbeddedBroker {
            address: broker.address(),
            _running: (runtime, broker),
        })
    }
}
