//! Kafka in lessons: the broker inside of the kernel, and which broker a session talks to.
//!
//! Topics are made, listed and written by Kafka's protocol, so that a notebook does the same with the
//! lesson's broker and with any other.

mod client;
mod producing;

use std::sync::Arc;

use parking_lot::Mutex;
use tidebook_broker::{Broker, BrokerOptions};
use tidebook_engine::Session;
use tokio::task::JoinHandle;

pub(crate) use client::{Topic, is_topic_name};
pub(crate) use producing::{Message, Pace, Produced, Producer, messages};

use crate::error::{CellError, Result};

/// The option by which sources and sinks find their broker.
const BOOTSTRAP: &str = "kafka.bootstrap.servers";

/// What a session knows of Kafka.
#[derive(Default)]
pub(crate) struct Kafka {
    /// One thing at a time is done to the lesson's broker.
    broker: tokio::sync::Mutex<Option<Broker>>,
    address: Mutex<Option<String>>,
    /// Topics that were seen last, for completion.
    topics: Mutex<Vec<String>>,
    producing: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Kafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = &*self.address.lock();
        f.debug_struct("Kafka")
            .field("address", address)
            .finish_non_exhaustive()
    }
}

impl Kafka {
    /// Starts the lesson's broker; gives its address, and whether it was running already.
    pub(crate) async fn up(&self, session: &Session, port: u16) -> Result<(String, bool)> {
        let mut broker = self.broker.lock().await;
        if let Some(running) = &*broker {
            let address = running.address();
            if port != 0 && !address.ends_with(&format!(":{port}")) {
                return Err(CellError::usage(format!(
                    "the lesson's broker is up already, at {address}"
                ))
                .hint("%kafka down first, or leave out --port"));
            }
            self.set_address(session, &address);
            return Ok((address, true));
        }
        let options = BrokerOptions {
            port,
            ..BrokerOptions::default()
        };
        let started = Broker::start(options).await.map_err(of_broker)?;
        let address = started.address();
        *broker = Some(started);
        self.set_address(session, &address);
        Ok((address, false))
    }

    /// Ends the lesson's broker and all that is produced in the background; whether it ran.
    pub(crate) async fn down(&self, session: &Session) -> bool {
        for stopped in self.stop_producing() {
            // It was told to end; that it did so is no news.
            let _ = stopped.await;
        }
        let Some(broker) = self.broker.lock().await.take() else {
            return false;
        };
        let address = broker.address();
        broker.shutdown().await;
        if self
            .address
            .lock()
            .take_if(|known| *known == address)
            .is_some()
        {
            session.set_format_default(BOOTSTRAP, None);
        }
        self.topics.lock().clear();
        true
    }

    /// From now on another broker is meant.
    pub(crate) fn set_address(&self, session: &Session, address: &str) {
        session.set_format_default(BOOTSTRAP, Some(address));
        *self.address.lock() = Some(address.to_owned());
    }

    /// The broker that is meant.
    pub(crate) fn address(&self) -> Result<String> {
        self.address.lock().clone().ok_or_else(|| {
            CellError::usage("there is no broker yet")
                .hint("%kafka up starts one for lessons; %kafka use ADDRESS takes another")
        })
    }

    /// How many bytes the lesson's broker holds, if it is the one that is meant.
    pub(crate) async fn memory_used(&self) -> Option<usize> {
        let broker = self.broker.lock().await;
        let broker = broker.as_ref()?;
        let is_meant = self.address.lock().as_deref() == Some(&broker.address());
        is_meant.then(|| broker.memory_used())
    }

    /// Names of topics, as they were last seen.
    pub(crate) fn known_topics(&self) -> Vec<String> {
        self.topics.lock().clone()
    }

    fn remember(&self, topics: Vec<String>) {
        *self.topics.lock() = topics;
    }

    /// Ends what is produced in the background; gives the tasks, which end soon.
    pub(crate) fn stop_producing(&self) -> Vec<JoinHandle<()>> {
        let producing = std::mem::take(&mut *self.producing.lock());
        producing.iter().for_each(JoinHandle::abort);
        producing
    }

    /// Notes a task that produces in the background.
    pub(crate) fn watch(&self, task: JoinHandle<()>) {
        let mut producing = self.producing.lock();
        producing.retain(|task| !task.is_finished());
        producing.push(task);
    }

    /// All topics of the broker.
    pub(crate) async fn list(&self) -> Result<Vec<Topic>> {
        let topics = client::topics(&self.address()?).await?;
        self.remember(topics.iter().map(|topic| topic.name.clone()).collect());
        Ok(topics)
    }

    /// Makes a topic.
    pub(crate) async fn create(&self, name: &str, partitions: i32) -> Result<()> {
        client::create(&self.address()?, name, partitions).await?;
        self.list().await.map(drop)
    }

    /// Deletes a topic.
    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        client::delete(&self.address()?, name).await?;
        self.topics.lock().retain(|topic| topic != name);
        Ok(())
    }

    /// What sends messages to the broker.
    pub(crate) fn producer(self: &Arc<Self>) -> Result<Producer> {
        Producer::new(&self.address()?)
    }
}

fn of_broker(error: tidebook_broker::Error) -> CellError {
    let cell = CellError::new("KafkaException", error.message());
    match error.hint() {
        Some(hint) => cell.hint(hint),
        None => cell,
    }
}
