//! A small Kafka broker **for lessons**: one node, in memory, on loopback, speaking Kafka's protocol, so that a
//! notebook can produce, read by offset and by time, commit in transactions and watch a consumer group
//! share its work, with nothing to install. What it holds is gone when it ends: it is no place for data
//! that anybody needs.
//!
//! ```
//! use tidebook_broker::{Broker, BrokerOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> tidebook_broker::Result<()> {
//! let broker = Broker::start(BrokerOptions::default()).await?;
//! broker.create_topic("clicks", 3)?;
//! // Any client of Kafka's: bootstrap.servers = broker.address()
//! assert_eq!(broker.topics()[0].partitions.len(), 3);
//! broker.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//!  socket ─► server ─► apis (one request → one answer, by the codec of `kafka-protocol`)
//!                        ├─► topics ─► log: batches, offsets, numbered producers, transactions' ends
//!                        ├─► groups: who shares the work, how far it has come
//!                        └─► transactions: who may write under which id, what it touches
//!            memory: what may be kept · housekeeping: what happens because time passes
//! ```
//!
//! # Invariants
//! - **What is kept is reserved first**: beyond [`BrokerOptions::memory_limit`] a producer gets an error that
//!   says so, and nothing else changes.
//! - **A request that cannot be read ends its connection and nothing else.**
//! - **Batches stay as they were sent**, compression included: only offsets are written into them, and
//!   times where the topic says so.
//! - **A transaction is ended in all its partitions and groups at once**, under one lock; locks are taken
//!   in the order transactions, groups, topics, log.
//!
//! # What it leaves out, on purpose
//! Other nodes and replicas, files, TLS and logins, quotas, compaction, the consumer group protocol of
//! Kafka 4 (clients fall back to the classic one), share groups and formats of before Kafka 0.11.

mod apis;
mod broker;
mod clock;
mod error;
mod groups;
mod housekeeping;
mod log;
mod memory;
mod options;
mod server;
mod state;
mod topic_config;
mod topics;
mod transactions;

pub use broker::{Broker, PartitionDescription, TopicDescription};
pub use error::{Error, Result};
pub use options::BrokerOptions;
