//! What all connections of a broker share.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::error::Failure;
use crate::groups::Groups;
use crate::memory::Memory;
use crate::options::BrokerOptions;
use crate::topic_config::TopicConfig;
use crate::topics::{Topic, Topics};
use crate::transactions::Transactions;

/// The one node there is.
pub(crate) const NODE_ID: i32 = 1;
/// What the requests that are just being read may take beside what is kept.
const BYTES_OF_REQUESTS: usize = 128 << 20;

/// A broker, but for its socket.
#[derive(Debug)]
pub(crate) struct State {
    pub options: BrokerOptions,
    pub address: SocketAddr,
    pub cluster_id: String,
    pub memory: Arc<Memory>,
    pub requests: Arc<Memory>,
    pub topics: Arc<Topics>,
    pub groups: Arc<Groups>,
    pub transactions: Transactions,
    /// Told when there is a deadline that may be earlier than all that were known.
    pub changed: Arc<Notify>,
}

impl State {
    pub(crate) fn new(options: BrokerOptions, address: SocketAddr) -> Self {
        let memory = Memory::new(options.memory_limit);
        let changed = Arc::new(Notify::new());
        let topics = Arc::new(Topics::new(Arc::clone(&memory)));
        let groups = Arc::new(Groups::new(Arc::clone(&memory), Arc::clone(&changed)));
        Self {
            options,
            address,
            cluster_id: Uuid::new_v4().simple().to_string(),
            requests: Memory::new(BYTES_OF_REQUESTS),
            transactions: Transactions::new(
                Arc::clone(&memory),
                Arc::clone(&topics),
                Arc::clone(&groups),
            ),
            memory,
            topics,
            groups,
            changed,
        }
    }

    /// The settings of a topic for which nobody gave any.
    pub(crate) fn default_config(&self) -> TopicConfig {
        TopicConfig::with_max_message_bytes(self.options.max_message_bytes)
    }

    pub(crate) fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, Failure> {
        let topic = self.topics.create(name, partitions, config)?;
        self.changed.notify_one();
        Ok(topic)
    }

    pub(crate) fn delete_topic(&self, name: &str) -> Result<(), Failure> {
        self.topics.delete(name)?;
        self.groups.forget_topic(name);
        Ok(())
    }
}
