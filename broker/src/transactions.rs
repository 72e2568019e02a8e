//! The transaction coordinator: who may write under a transactional id, and what its open transaction
//! touches. A transaction is ended in one step, under one lock, so there is no prepared state.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::clock::now_millis;
use crate::groups::Groups;
use crate::memory::{Full, Memory, Reservation};
use crate::topics::Topics;

/// Kafka's `transaction.max.timeout.ms`.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// What a transactional id costs, and what each partition or group of its transaction does.
const BYTES_PER_ID: usize = 512;

/// All producers that have an id, and the transactions of those that have a transactional id.
#[derive(Debug)]
pub(crate) struct Transactions {
    memory: Arc<Memory>,
    topics: Arc<Topics>,
    groups: Arc<Groups>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_producer_id: i64,
    by_id: HashMap<String, Transaction>,
    /// Whose transaction a producer's batches belong to.
    by_producer: HashMap<i64, String>,
}

/// A transactional id and its last transaction.
#[derive(Debug)]
struct Transaction {
    producer: Producer,
    timeout: Duration,
    phase: Phase,
    partitions: BTreeSet<(String, i32)>,
    groups: BTreeSet<String>,
    /// The producer that asked for a higher epoch and got the present one.
    bumped: Option<Producer>,
    held: Reservation,
}

/// Whoever writes: an id, and which of those that had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub id: i64,
    pub epoch: i16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// None was begun with this epoch.
    Empty,
    /// Something was written since then.
    Ongoing(Instant),
    /// The last one was ended, by a commit or an abort.
    Ended(bool),
}

impl Transactions {
    pub(crate) fn new(memory: Arc<Memory>, topics: Arc<Topics>, groups: Arc<Groups>) -> Self {
        Self {
            memory,
            topics,
            groups,
            state: Mutex::default(),
        }
    }

    /// An id for a producer that numbers its batches.
    pub(crate) fn new_producer(&self) -> Producer {
        self.state.lock().new_producer()
    }

    /// The next producer of a transactional id; the one before it is fenced and its transaction aborted.
    /// `known` is what the producer says that it is, if it was one already.
    pub(crate) fn init(
        &self,
        id: &str,
        timeout: Duration,
        known: Option<Producer>,
    ) -> Result<Producer, ResponseError> {
        if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(transaction) = state.by_id.get_mut(id) else {
            let held = self.memory.reserve(BYTES_PER_ID);
            let held = held.map_err(|Full| ResponseError::PolicyViolation)?;
            let producer = state.new_producer();
            let transaction = Transaction {
                producer,
                timeout,
                phase: Phase::Empty,
                partitions: BTreeSet::new(),
                groups: BTreeSet::new(),
                bumped: None,
                held,
            };
            state.by_id.insert(id.to_owned(), transaction);
            state.by_producer.insert(producer.id, id.to_owned());
            return Ok(producer);
        };
        if known.is_some() && known == transaction.bumped && transaction.phase == Phase::Empty {
            // Our answer did not arrive.
            return Ok(transaction.producer);
        }
        if known.is_some_and(|known| known != transaction.producer) {
            return Err(ResponseError::ProducerFenced);
        }
        transaction.bumped = known;
        transaction.timeout = timeout;
        self.fence(transaction);
        if transaction.producer.epoch == i16::MAX - 1 {
            state.by_producer.remove(&transaction.producer.id);
            state.next_producer_id += 1;
            transaction.producer = Producer {
                id: state.next_producer_id,
                epoch: 0,
            };
            state
                .by_producer
                .insert(transaction.producer.id, id.to_owned());
        }
        Ok(transaction.producer)
    }

    /// Adds partitions to the transaction of a producer, which begins with that.
    pub(crate) fn add_partitions(
        &self,
        id: &str,
        producer: Producer,
        partitions: &[(String, i32)],
    ) -> Result<(), ResponseError> {
        let mut state = self.state.lock();
        let transaction = state.of(id, producer)?;
        transaction.begin();
        for partition in partitions {
            if !transaction.partitions.contains(partition) {
                transaction.hold()?;
                transaction.partitions.insert(partition.clone());
            }
        }
        Ok(())
    }

    /// Adds a group whose offsets the producer is going to commit with its transaction.
    pub(crate) fn add_group(
        &self,
        id: &str,
        producer: Producer,
        group: &str,
    ) -> Result<(), ResponseError> {
        let mut state = self.state.lock();
        let transaction = state.of(id, producer)?;
        transaction.begin();
        if !transaction.groups.contains(group) {
            transaction.hold()?;
            transaction.groups.insert(group.to_owned());
        }
        Ok(())
    }

    /// Runs `write` if the producer's transaction has that partition; no transaction ends meanwhile.
    pub(crate) fn write<T>(
        &self,
        producer: Producer,
        topic: &str,
        partition: i32,
        write: impl FnOnce() -> T,
    ) -> Result<T, ResponseError> {
        let mut state = self.state.lock();
        let transaction = state.of_producer(producer)?;
        let has = |(name, index): &(String, i32)| name == topic && *index == partition;
        if !transaction.is_ongoing() || !transaction.partitions.iter().any(has) {
            return Err(ResponseError::InvalidTxnState);
        }
        Ok(write())
    }

    /// Runs `write` if the producer's transaction has that group; no transaction ends meanwhile.
    pub(crate) fn write_offsets<T>(
        &self,
        id: &str,
        producer: Producer,
        group: &str,
        write: impl FnOnce() -> T,
    ) -> Result<T, ResponseError> {
        let mut state = self.state.lock();
        let transaction = state.of(id, producer)?;
        if !transaction.is_ongoing() || !transaction.groups.contains(group) {
            return Err(ResponseError::InvalidTxnState);
        }
        Ok(write())
    }

    /// Commits or aborts the transaction of a producer.
    pub(crate) fn end(
        &self,
        id: &str,
        producer: Producer,
        commit: bool,
    ) -> Result<(), ResponseError> {
        let mut state = self.state.lock();
        let transaction = state.of(id, producer)?;
        match transaction.phase {
            Phase::Ongoing(_) => {
                self.end_in_all(transaction, commit);
                Ok(())
            }
            // Our answer did not arrive.
            Phase::Ended(committed) if committed == commit => Ok(()),
            Phase::Ended(_) | Phase::Empty => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Aborts what has been open for longer than its producer allowed; gives the time of the next such.
    pub(crate) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let mut next: Option<Instant> = None;
        for transaction in state.by_id.values_mut() {
            let Phase::Ongoing(since) = transaction.phase else {
                continue;
            };
            let deadline = since + transaction.timeout;
            if deadline <= now {
                self.fence(transaction);
            } else {
                next = Some(next.map_or(deadline, |next| next.min(deadline)));
            }
        }
        next
    }

    /// From now on the producer so far is refused, and what it has begun is aborted.
    fn fence(&self, transaction: &mut Transaction) {
        transaction.producer.epoch = transaction.producer.epoch.saturating_add(1);
        if transaction.is_ongoing() {
            self.end_in_all(transaction, false);
        }
        transaction.phase = Phase::Empty;
    }

    fn end_in_all(&self, transaction: &mut Transaction, commit: bool) {
        let Producer { id, epoch } = transaction.producer;
        for (topic, index) in &transaction.partitions {
            if let Some(partition) = self.topics.partition(topic, *index) {
                let mut log = partition.lock();
                log.end_transaction(id, epoch, commit, now_millis());
            }
        }
        for group in &transaction.groups {
            self.groups.end_transaction(group, id, commit);
        }
        transaction.partitions.clear();
        transaction.groups.clear();
        transaction
            .held
            .shrink(transaction.held.bytes() - BYTES_PER_ID);
        transaction.phase = Phase::Ended(commit);
    }
}

impl State {
    fn new_producer(&mut self) -> Producer {
        self.next_producer_id += 1;
        Producer {
            id: self.next_producer_id,
            epoch: 0,
        }
    }

    fn of(&mut self, id: &str, producer: Producer) -> Result<&mut Transaction, ResponseError> {
        let transaction = self.by_id.get_mut(id);
        let transaction = transaction.ok_or(ResponseError::InvalidProducerIdMapping)?;
        transaction.check(producer)?;
        Ok(transaction)
    }

    fn of_producer(&mut self, producer: Producer) -> Result<&mut Transaction, ResponseError> {
        let id = self.by_producer.get(&producer.id);
        let transaction = id.and_then(|id| self.by_id.get_mut(id));
        let transaction = transaction.ok_or(ResponseError::InvalidProducerIdMapping)?;
        transaction.check(producer)?;
        Ok(transaction)
    }
}

impl Transaction {
    fn check(&self, producer: Producer) -> Result<(), ResponseError> {
        if producer.id != self.producer.id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        match producer.epoch == self.producer.epoch {
            true => Ok(()),
            false => Err(ResponseError::ProducerFenced),
        }
    }

    fn begin(&mut self) {
        if !self.is_ongoing() {
            self.phase = Phase::Ongoing(Instant::now());
        }
    }

    fn is_ongoing(&self) -> bool {
        matches!(self.phase, Phase::Ongoing(_))
    }

    fn hold(&mut self) -> Result<(), ResponseError> {
        let grown = self.held.grow(BYTES_PER_ID);
        grown.map_err(|Full| ResponseError::PolicyViolation)
    }
}
