//! What a partition remembers of the producers that number their batches: enough to keep each batch
//! once and in order, and to refuse a producer that another one has replaced.

use std::collections::{HashMap, VecDeque};

use super::batch::Header;

/// So many batches a producer may have on their way at once.
const REMEMBERED_BATCHES: usize = 5;
/// Producers that were silent so long are forgotten, as Kafka does.
const EXPIRES_AFTER_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// What a producer costs, all in all.
pub(super) const BYTES_PER_PRODUCER: usize = 400;

/// The producers of a partition by their id.
#[derive(Debug, Default)]
pub(super) struct Producers(HashMap<i64, Producer>);

#[derive(Debug)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Batch>,
    last_seen: i64,
}

/// A batch that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Batch {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequence {
    /// Keep it.
    Next,
    /// It stands at this offset already: the producer did not get our answer.
    Duplicate(i64),
    /// Batches before it are missing.
    OutOfOrder,
    /// Another producer took its place.
    Fenced,
}

impl Producers {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn knows(&self, producer_id: i64) -> bool {
        self.0.contains_key(&producer_id)
    }

    pub(super) fn check(&self, header: &Header) -> Sequence {
        // Whoever is not known, any more, may begin anywhere.
        let Some(producer) = self.0.get(&header.producer_id) else {
            return Sequence::Next;
        };
        if header.producer_epoch < producer.epoch {
            return Sequence::Fenced;
        }
        if header.producer_epoch > producer.epoch {
            return in_order(None, header.base_sequence);
        }
        let same = |batch: &&Batch| {
            batch.first_sequence == header.base_sequence
                && batch.last_sequence == header.last_sequence()
        };
        if let Some(batch) = producer.batches.iter().find(same) {
            return Sequence::Duplicate(batch.base_offset);
        }
        let last = producer.batches.back().map(|batch| batch.last_sequence);
        in_order(last, header.base_sequence)
    }

    /// Remembers a batch of data that was kept.
    pub(super) fn kept(&mut self, header: &Header, base_offset: i64, now: i64) {
        let producer = self.at_epoch(header.producer_id, header.producer_epoch, now);
        if producer.batches.len() == REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Batch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
        });
    }

    /// Remembers that a transaction was ended: by its producer, or in its place with a higher epoch.
    pub(super) fn ended(&mut self, producer_id: i64, epoch: i16, now: i64) {
        self.at_epoch(producer_id, epoch, now);
    }

    fn at_epoch(&mut self, producer_id: i64, epoch: i16, now: i64) -> &mut Producer {
        let producer = self.0.entry(producer_id).or_insert_with(|| Producer {
            epoch,
            batches: VecDeque::new(),
            last_seen: now,
        });
        if epoch > producer.epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        producer.last_seen = now;
        producer
    }

    /// Forgets those that were silent for a day, but for the ones that `busy` names.
    pub(super) fn expire(&mut self, now: i64, busy: impl Fn(i64) -> bool) {
        self.0.retain(|&id, producer| {
            now.saturating_sub(producer.last_seen) < EXPIRES_AFTER_MILLIS || busy(id)
        });
    }
}

fn in_order(last: Option<i32>, next: i32) -> Sequence {
    let expected = last.map_or(0, |last| last.wrapping_add(1) & i32::MAX);
    match next == expected {
        true => Sequence::Next,
        false => Sequence::OutOfOrder,
    }
}
