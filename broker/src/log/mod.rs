//! The log of one partition: batches one after the other, where transactions are open and which were
//! aborted. Offsets are given here and nowhere else.

pub(crate) mod batch;
mod producers;
mod records;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::memory::{Full, Memory, Reservation};
use batch::{Header, NO_PRODUCER};
use producers::{BYTES_PER_PRODUCER, Producers, Sequence};
pub(crate) use records::{Undecodable, first_since, latest};

/// There is one node, so it has led every partition from the beginning.
pub(crate) const LEADER_EPOCH: i32 = 0;
/// What a batch costs beside its bytes.
const BYTES_PER_BATCH: usize = 96;

/// The batches of a partition.
#[derive(Debug)]
pub(crate) struct Log {
    batches: VecDeque<Stored>,
    start: i64,
    end: i64,
    producers: Producers,
    /// The first offset of each transaction that has not ended, by its producer.
    open: BTreeMap<i64, i64>,
    aborted: Vec<Aborted>,
    /// The size of all batches.
    bytes: usize,
    held: Reservation,
    waiting: Vec<Weak<Notify>>,
}

#[derive(Debug)]
struct Stored {
    base: i64,
    last: i64,
    max_timestamp: i64,
    is_control: bool,
    bytes: Bytes,
    /// What is reserved for it.
    cost: usize,
}

/// A transaction whose records are not to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub producer_id: i64,
    pub first_offset: i64,
    last_offset: i64,
}

/// Which records a reader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// All.
    ReadUncommitted,
    /// Only those before the first open transaction; it leaves out aborted ones itself.
    ReadCommitted,
}

/// Where a batch has come to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub base_offset: i64,
    /// The time of its records, if that is the broker's.
    pub append_time: Option<i64>,
}

/// Why a batch is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    OutOfOrder,
    Fenced,
    Full,
}

/// What a reader gets.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub batches: Vec<Bytes>,
    pub bytes: usize,
    pub aborted: Vec<Aborted>,
}

/// An offset that the log does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfRange;

/// A record's place in the log and in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub offset: i64,
    pub timestamp: i64,
}

/// How a batch gets its times, and when the oldest ones go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub log_append_time: bool,
    pub retention_bytes: Option<usize>,
}

impl Log {
    pub(crate) fn new(memory: &Arc<Memory>, bytes: usize) -> Result<Self, Full> {
        Ok(Self {
            batches: VecDeque::new(),
            start: 0,
            end: 0,
            producers: Producers::default(),
            open: BTreeMap::new(),
            aborted: Vec::new(),
            bytes: 0,
            held: memory.reserve(bytes)?,
            waiting: Vec::new(),
        })
    }

    /// The first offset that can be read.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// The offset that the next record gets.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// The last stable offset: that of the first record of a transaction that has not ended.
    pub(crate) fn stable_end(&self) -> i64 {
        self.open.values().min().copied().unwrap_or(self.end)
    }

    /// Where a reader has read everything.
    pub(crate) fn end_for(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.end,
            Isolation::ReadCommitted => self.stable_end(),
        }
    }

    /// Keeps a batch of data.
    pub(crate) fn append(
        &mut self,
        bytes: &[u8],
        header: &Header,
        settings: Settings,
        now: i64,
    ) -> Result<Appended, Refused> {
        let append_time = settings.log_append_time.then_some(now);
        let numbered = header.producer_id != NO_PRODUCER;
        if numbered {
            match self.producers.check(header) {
                Sequence::Next => {}
                Sequence::Duplicate(base_offset) => {
                    return Ok(Appended {
                        base_offset,
                        append_time,
                    });
                }
                Sequence::OutOfOrder => return Err(Refused::OutOfOrder),
                Sequence::Fenced => return Err(Refused::Fenced),
            }
        }
        let of_producer = match numbered && !self.producers.knows(header.producer_id) {
            true => BYTES_PER_PRODUCER,
            false => 0,
        };
        if let Some(limit) = settings.retention_bytes {
            self.retain_bytes(limit.saturating_sub(bytes.len()));
        }
        let cost = bytes.len() + BYTES_PER_BATCH;
        let grown = self.held.grow(cost + of_producer);
        grown.map_err(|Full| Refused::Full)?;
        let base_offset = self.end;
        self.push(bytes, header, append_time, cost);
        if numbered {
            self.producers.kept(header, base_offset, now);
        }
        if header.is_transactional() {
            self.open.entry(header.producer_id).or_insert(base_offset);
        }
        Ok(Appended {
            base_offset,
            append_time,
        })
    }

    /// Ends a transaction. What ends one that has records is always kept: else no reader would get past
    /// it.
    pub(crate) fn end_transaction(&mut self, producer_id: i64, epoch: i16, commit: bool, now: i64) {
        let marker = batch::end_marker(producer_id, epoch, commit, now);
        let cost = marker.len() + BYTES_PER_BATCH;
        let cost = self.held.grow(cost).map_or(0, |()| cost);
        let Some(header) = Header::of_kept(&marker) else {
            return;
        };
        if cost == 0 && !self.open.contains_key(&producer_id) {
            return;
        }
        let last_offset = self.end;
        self.push(&marker, &header, None, cost);
        self.producers.ended(producer_id, epoch, now);
        if let Some(first_offset) = self.open.remove(&producer_id)
            && !commit
        {
            self.aborted.push(Aborted {
                producer_id,
                first_offset,
                last_offset,
            });
        }
    }

    fn push(&mut self, bytes: &[u8], header: &Header, append_time: Option<i64>, cost: usize) {
        let base = self.end;
        let last = base + i64::from(header.last_offset_delta);
        self.batches.push_back(Stored {
            base,
            last,
            max_timestamp: append_time.unwrap_or(header.max_timestamp),
            is_control: header.is_control(),
            bytes: batch::placed(bytes, base, append_time),
            cost,
        });
        self.bytes += bytes.len();
        self.end = last + 1;
        self.wake();
    }

    /// Whole batches from the one that has `offset` on, until they have `max_bytes`; with
    /// `at_least_one` the first one whatever its size.
    pub(crate) fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        at_least_one: bool,
        isolation: Isolation,
    ) -> Result<Read, OutOfRange> {
        if offset < self.start || offset > self.end {
            return Err(OutOfRange);
        }
        let end = self.end_for(isolation);
        let mut read = Read::default();
        let mut upper = offset;
        for stored in self.batches_from(offset) {
            let fits = read.bytes + stored.bytes.len() <= max_bytes;
            let first = at_least_one && read.batches.is_empty();
            if stored.base >= end || !(fits || first) {
                break;
            }
            read.bytes += stored.bytes.len();
            read.batches.push(stored.bytes.clone());
            upper = stored.last + 1;
        }
        if isolation == Isolation::ReadCommitted {
            let within =
                |aborted: &&Aborted| aborted.last_offset >= offset && aborted.first_offset < upper;
            read.aborted = self.aborted.iter().filter(within).copied().collect();
        }
        Ok(read)
    }

    fn batches_from(&self, offset: i64) -> impl Iterator<Item = &Stored> {
        let first = self.batches.partition_point(|stored| stored.last < offset);
        self.batches.range(first..)
    }

    /// The batches to look into for the first record of `timestamp` or later.
    pub(crate) fn batches_since(&self, timestamp: i64) -> Vec<Bytes> {
        let late = |stored: &&Stored| stored.max_timestamp >= timestamp;
        // What is late in the first one may be deleted already; in the second one it is not.
        let found = self.batches.iter().filter(late).take(2);
        found.map(|stored| stored.bytes.clone()).collect()
    }

    /// The batch with the latest time.
    pub(crate) fn latest_in_time(&self) -> Option<Bytes> {
        // Of those with the same time the first.
        let latest = self
            .batches
            .iter()
            .rev()
            .max_by_key(|stored| stored.max_timestamp);
        latest.map(|stored| stored.bytes.clone())
    }

    /// Forgets what is before `offset`.
    pub(crate) fn delete_before(&mut self, offset: i64) -> Result<(), OutOfRange> {
        if offset < 0 || offset > self.end {
            return Err(OutOfRange);
        }
        self.start = self.start.max(offset);
        while self
            .batches
            .front()
            .is_some_and(|first| first.last < self.start)
        {
            self.drop_first();
        }
        let start = self.start;
        self.aborted.retain(|aborted| aborted.last_offset >= start);
        Ok(())
    }

    /// Forgets the oldest batches until the rest has at most so many bytes.
    fn retain_bytes(&mut self, limit: usize) {
        while self.bytes > limit && self.may_drop_first() {
            self.drop_first();
        }
    }

    /// Forgets the batches at the beginning whose times are before `time`.
    pub(crate) fn retain_since(&mut self, time: i64) {
        while self
            .batches
            .front()
            .is_some_and(|first| first.max_timestamp < time)
            && self.may_drop_first()
        {
            self.drop_first();
        }
    }

    /// A transaction that is open keeps its records.
    fn may_drop_first(&self) -> bool {
        let stable_end = self.stable_end();
        self.batches
            .front()
            .is_some_and(|first| first.last < stable_end)
    }

    fn drop_first(&mut self) {
        if let Some(first) = self.batches.pop_front() {
            self.start = self.start.max(first.last + 1);
            self.held.shrink(first.cost);
            self.bytes -= first.bytes.len();
        }
    }

    /// Forgets producers that are silent since long.
    pub(crate) fn expire_producers(&mut self, now: i64) {
        let before = self.producers.len();
        let open = &self.open;
        self.producers.expire(now, |id| open.contains_key(&id));
        self.held
            .shrink((before - self.producers.len()) * BYTES_PER_PRODUCER);
    }

    /// How many records there are to read, end markers of transactions left out.
    pub(crate) fn records(&self) -> u64 {
        let of = |stored: &Stored| stored.last + 1 - stored.base.max(self.start);
        let data = self.batches.iter().filter(|stored| !stored.is_control);
        data.map(of)
            .filter_map(|count| u64::try_from(count).ok())
            .sum()
    }

    /// The size of all batches.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// `reader` is told once when there is more, or nothing any more.
    pub(crate) fn tell(&mut self, reader: &Arc<Notify>) {
        self.waiting.retain(|waiting| waiting.strong_count() > 0);
        self.waiting.push(Arc::downgrade(reader));
    }

    /// Tells all who wait.
    pub(crate) fn wake(&mut self) {
        for reader in self.waiting.drain(..).filter_map(|reader| reader.upgrade()) {
            reader.notify_one();
        }
    }
}
