//! What whoever runs a broker holds in hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::options::BrokerOptions;
use crate::server;
use crate::state::State;
use crate::topics::Topic;

/// A running broker. It ends with [`Broker::shutdown`], and when this is dropped.
#[derive(Debug)]
pub struct Broker {
    state: Arc<State>,
    server: JoinHandle<()>,
    /// Dropped with this, which the server takes for a word to stop.
    stop: Option<oneshot::Sender<()>>,
}

/// A topic and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Its partitions, in order.
    pub partitions: Vec<PartitionDescription>,
    /// How many records can be read, those of transactions that were aborted among them.
    pub records: u64,
    /// The size of its batches, as they are kept.
    pub bytes: usize,
}

/// A partition and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// The first offset that can be read.
    pub earliest: i64,
    /// The offset that the next record gets.
    pub latest: i64,
    /// How many records can be read: fewer than the offsets where transactions were ended.
    pub records: u64,
    /// The size of its batches, as they are kept.
    pub bytes: usize,
}

impl Broker {
    /// Starts a broker without topics on 127.0.0.1; it serves when this returns. Needs a Tokio runtime
    /// with time and network, and runs on it.
    pub async fn start(options: BrokerOptions) -> Result<Broker> {
        if options.default_partitions < 1 {
            let given = options.default_partitions;
            return Err(
                Error::new(format!("a topic cannot have {given} partitions"))
                    .with_hint("default_partitions: 1 or more"),
            );
        }
        let port = options.port;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| {
            Error::new(format!("listen on 127.0.0.1:{port}: {error}"))
                .with_hint("another port, or 0 for one that is free")
        })?;
        let address = listener.local_addr();
        let address = address.map_err(|error| Error::new(format!("listen: {error}")))?;
        let state = Arc::new(State::new(options, address));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Broker {
            state,
            server,
            stop: Some(stop),
        })
    }

    /// Where it listens, as clients want it in `bootstrap.servers`: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.socket_address().to_string()
    }

    fn socket_address(&self) -> SocketAddr {
        self.state.address
    }

    /// Makes a topic.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<()> {
        let config = self.state.default_config();
        self.state
            .create_topic(name, partitions, config)
            .map(drop)
            .map_err(Error::from)
    }

    /// Deletes a topic with all its records.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        self.state.delete_topic(name).map_err(Error::from)
    }

    /// All topics, by name.
    pub fn topics(&self) -> Vec<TopicDescription> {
        let topics = self.state.topics.all();
        topics.iter().map(|topic| describe(topic)).collect()
    }

    /// How many bytes topics, offsets and members take of [`BrokerOptions::memory_limit`].
    pub fn memory_used(&self) -> usize {
        self.state.memory.used()
    }

    /// Closes all connections, also those that wait for an answer, and the port.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Err(error) = (&mut self.server).await {
            tracing::debug!(%error, "the server of a broker ended");
        }
    }
}

fn describe(topic: &Topic) -> TopicDescription {
    let partitions: Vec<PartitionDescription> = topic
        .partitions()
        .iter()
        .map(|partition| {
            let log = partition.lock();
            PartitionDescription {
                earliest: log.start(),
                latest: log.end(),
                records: log.records(),
                bytes: log.bytes(),
            }
        })
        .collect();
    TopicDescription {
        name: topic.name.clone(),
        records: partitions.iter().map(|partition| partition.records).sum(),
        bytes: partitions.iter().map(|partition| partition.bytes).sum(),
        partitions,
    }
}
