//! The consumers of a source. One fetches all partitions, ahead of the batches, so that a batch finds
//! its records here; parts of one partition that are read at once have consumers of their own.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use tokio::sync::Notify;
use uuid::Uuid;

use super::options::{GroupName, KafkaOptions};
use crate::error::{Error, Result};
use crate::kafka::{ClientSettings, ConsumerClient, Events, TopicPartition, from_kafka};

/// Consumers, made as they are needed.
pub(super) struct ConsumerPool {
    settings: ClientSettings,
    group: String,
    members: Mutex<Vec<Member>>,
}

/// A consumer. No partition is assigned to it twice.
struct Member {
    assigned: HashSet<TopicPartition>,
    /// Partitions that nobody reads at the moment.
    idle: HashMap<TopicPartition, Queue>,
    client: ConsumerClient,
}

/// Where the messages of one partition arrive.
struct Queue {
    messages: PartitionQueue<Events>,
    arrived: Arc<Notify>,
    /// The offset of the message that comes next, or of a later one if that does not exist.
    next: i64,
}

impl ConsumerPool {
    pub(super) fn new(options: &KafkaOptions) -> Self {
        let group = match &options.group {
            GroupName::Given(group) => group.clone(),
            GroupName::Prefix(prefix) => format!("{prefix}-{}-executor", Uuid::new_v4()),
        };
        Self {
            settings: options.settings.with("group.id", &group),
            group,
            members: Mutex::default(),
        }
    }

    /// What its consumers call themselves.
    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// Makes the first consumer, which takes a moment to connect.
    pub(super) fn prepare(&self) -> Result<()> {
        let mut members = self.members.lock();
        if members.is_empty() {
            members.push(self.member()?);
        }
        Ok(())
    }

    fn member(&self) -> Result<Member> {
        Ok(Member {
            assigned: HashSet::new(),
            idle: HashMap::new(),
            client: ConsumerClient::new(&self.settings)?,
        })
    }

    /// Reads `partition` from `start` on.
    pub(super) fn read(
        self: &Arc<Self>,
        partition: &TopicPartition,
        start: i64,
    ) -> Result<PartitionLease> {
        let mut members = self.members.lock();
        let is_there = |member: &Member| {
            member
                .idle
                .get(partition)
                .is_some_and(|queue| queue.next == start)
        };
        let index = members
            .iter()
            .position(is_there)
            .or_else(|| {
                members
                    .iter()
                    .position(|member| member.idle.contains_key(partition))
            })
            .or_else(|| {
                members
                    .iter()
                    .position(|member| !member.assigned.contains(partition))
            });
        let index = match index {
            Some(index) => index,
            None => {
                members.push(self.member()?);
                members.len() - 1
            }
        };
        let member = members.get_mut(index);
        let member = member.ok_or_else(|| Error::internal("a consumer has left its pool"))?;
        let queue = match member.idle.remove(partition) {
            Some(queue) if queue.next == start => queue,
            Some(queue) => {
                drop(queue);
                member.unassign(partition)?;
                member.assign(partition, start)?
            }
            None => member.assign(partition, start)?,
        };
        Ok(PartitionLease {
            pool: Arc::clone(self),
            member: index,
            partition: partition.clone(),
            queue: Some(queue),
        })
    }
}

impl Member {
    fn assign(&mut self, partition: &TopicPartition, start: i64) -> Result<Queue> {
        let failed = |error: &KafkaError| {
            from_kafka(&format!("read {partition}"), &self.client.servers, error)
        };
        let TopicPartition {
            topic,
            partition: number,
        } = partition;
        // Before any message can come: afterwards some would be in the consumer's own queue.
        let messages = self.client.consumer.split_partition_queue(topic, *number);
        let mut messages = messages
            .ok_or_else(|| Error::internal(format!("the partition {partition} has no queue")))?;
        let arrived = Arc::new(Notify::new());
        let notify = Arc::clone(&arrived);
        messages.set_nonempty_callback(move || notify.notify_one());
        let list = listed(partition, Some(start)).map_err(|error| failed(&error))?;
        let assigned = self.client.consumer.incremental_assign(&list);
        assigned.map_err(|error| failed(&error))?;
        self.assigned.insert(partition.clone());
        Ok(Queue {
            messages,
            arrived,
            next: start,
        })
    }

    fn unassign(&mut self, partition: &TopicPartition) -> Result<()> {
        self.assigned.remove(partition);
        let list = listed(partition, None);
        let unassigned = list.and_then(|list| self.client.consumer.incremental_unassign(&list));
        unassigned.map_err(|error| {
            from_kafka(
                &format!("stop reading {partition}"),
                &self.client.servers,
                &error,
            )
        })
    }
}

fn listed(partition: &TopicPartition, start: Option<i64>) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(1);
    match start {
        None => drop(list.add_partition(&partition.topic, partition.partition)),
        Some(start) => list.add_partition_offset(
            &partition.topic,
            partition.partition,
            rdkafka::Offset::Offset(start),
        )?,
    }
    Ok(list)
}

impl fmt::Debug for ConsumerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerPool")
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// What a partition gives.
pub(super) enum Polled<'a> {
    Message(BorrowedMessage<'a>),
    /// For a moment there was nothing after what has come.
    End,
    /// Nothing has arrived.
    Nothing,
    Failed(KafkaError),
}

/// One partition, read by one reader at a time. When it is dropped, the next one goes on from there.
pub(super) struct PartitionLease {
    pool: Arc<ConsumerPool>,
    member: usize,
    partition: TopicPartition,
    queue: Option<Queue>,
}

impl PartitionLease {
    /// What comes next, without waiting.
    pub(super) fn poll(&self) -> Polled<'_> {
        let Some(queue) = &self.queue else {
            return Polled::Nothing;
        };
        match queue.messages.poll(Duration::ZERO) {
            None => Polled::Nothing,
            Some(Ok(message)) => Polled::Message(message),
            Some(Err(KafkaError::PartitionEOF(_))) => Polled::End,
            Some(Err(error)) => Polled::Failed(error),
        }
    }

    /// Resolves once something may have arrived.
    pub(super) fn arrived(&self) -> Arc<Notify> {
        let arrived = self.queue.as_ref().map(|queue| Arc::clone(&queue.arrived));
        arrived.unwrap_or_default()
    }

    /// Notes that everything before `next` has been read.
    pub(super) fn set_next(&mut self, next: i64) {
        if let Some(queue) = &mut self.queue {
            queue.next = next;
        }
    }

    /// Up to where the consumer has given out everything there is, markers of transactions included,
    /// if it knows.
    pub(super) fn position(&self) -> Option<i64> {
        let members = self.pool.members.lock();
        let member = members.get(self.member)?;
        let positions = member.client.consumer.position().ok()?;
        let found = positions.find_partition(&self.partition.topic, self.partition.partition);
        found?.offset().to_raw().filter(|offset| *offset >= 0)
    }

    /// Goes on at `next`, whatever has arrived.
    pub(super) fn seek(&mut self, next: i64) -> Result<()> {
        self.queue = None;
        let mut members = self.pool.members.lock();
        if let Some(member) = members.get_mut(self.member) {
            member.unassign(&self.partition)?;
            self.queue = Some(member.assign(&self.partition, next)?);
        }
        Ok(())
    }

    /// It cannot go on from where it is; the next reader begins anew.
    pub(super) fn forget(&mut self) {
        self.queue = None;
    }

    /// A failure while reading it.
    pub(super) fn failed(&self, error: &KafkaError) -> Error {
        let servers = self.pool.settings.servers();
        from_kafka(&format!("read {}", self.partition), servers, error)
    }

    /// The group under whose name it is read.
    pub(super) fn group(&self) -> &str {
        self.pool.group()
    }
}

impl Drop for PartitionLease {
    fn drop(&mut self) {
        let queue = self.queue.take();
        let mut members = self.pool.members.lock();
        let Some(member) = members.get_mut(self.member) else {
            return;
        };
        match queue {
            // Only the first consumer fetches ahead.
            Some(queue) if self.member == 0 => {
                member.idle.insert(self.partition.clone(), queue);
            }
            queue => {
                drop(queue);
                if let Err(error) = member.unassign(&self.partition) {
                    tracing::debug!(%error, "a partition could not be given up");
                }
            }
        }
    }
}
