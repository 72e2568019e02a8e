//! The offsets that a group has committed, and those that become so with a transaction.

use std::collections::{BTreeMap, HashMap};

use crate::memory::{Full, Memory, Reservation};
use std::sync::Arc;

/// What an offset costs beside its texts.
const BYTES_PER_OFFSET: usize = 160;

/// A partition of a topic.
pub(crate) type TopicPartition = (String, i32);

/// How far a group has come in a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Committed {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
}

/// The offsets of a group.
#[derive(Debug)]
pub(crate) struct Offsets {
    committed: BTreeMap<TopicPartition, Committed>,
    /// Those of transactions that have not ended, by producer.
    pending: HashMap<i64, BTreeMap<TopicPartition, Committed>>,
    held: Reservation,
}

impl Offsets {
    pub(crate) fn new(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Full> {
        Ok(Self {
            committed: BTreeMap::new(),
            pending: HashMap::new(),
            held: memory.reserve(bytes)?,
        })
    }

    pub(crate) fn commit(
        &mut self,
        partition: TopicPartition,
        offset: Committed,
    ) -> Result<(), Full> {
        self.held.grow(cost(&partition, &offset))?;
        self.put(partition, offset);
        Ok(())
    }

    /// Keeps it until the transaction of that producer ends.
    pub(crate) fn commit_with(
        &mut self,
        producer_id: i64,
        partition: TopicPartition,
        offset: Committed,
    ) -> Result<(), Full> {
        self.held.grow(cost(&partition, &offset))?;
        let pending = self.pending.entry(producer_id).or_default();
        if let Some(before) = pending.insert(partition.clone(), offset) {
            self.held.shrink(cost(&partition, &before));
        }
        Ok(())
    }

    pub(crate) fn end_transaction(&mut self, producer_id: i64, commit: bool) {
        for (partition, offset) in self.pending.remove(&producer_id).unwrap_or_default() {
            match commit {
                true => self.put(partition, offset),
                false => self.held.shrink(cost(&partition, &offset)),
            }
        }
    }

    /// What is put is reserved already.
    fn put(&mut self, partition: TopicPartition, offset: Committed) {
        if let Some(before) = self.committed.insert(partition.clone(), offset) {
            self.held.shrink(cost(&partition, &before));
        }
    }

    pub(crate) fn get(&self, partition: &TopicPartition) -> Option<&Committed> {
        self.committed.get(partition)
    }

    pub(crate) fn all(&self) -> &BTreeMap<TopicPartition, Committed> {
        &self.committed
    }

    /// Whether a transaction that has not ended may change it.
    pub(crate) fn is_pending(&self, partition: &TopicPartition) -> bool {
        self.pending
            .values()
            .any(|pending| pending.contains_key(partition))
    }

    /// The topic is deleted.
    pub(crate) fn forget(&mut self, topic: &str) {
        let gone = self.committed.extract_if(.., |(name, _), _| name == topic);
        for (partition, offset) in gone.collect::<Vec<_>>() {
            self.held.shrink(cost(&partition, &offset));
        }
    }
}

fn cost(partition: &TopicPartition, offset: &Committed) -> usize {
    BYTES_PER_OFFSET + partition.0.len() + offset.metadata.len()
}
