//! Reads one range of one partition to its end, also where records are missing: transactions and
//! compaction leave gaps, and what has aged out is a loss.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use rdkafka::Message as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::columns::Rows;
use super::consumer_pool::{ConsumerPool, PartitionLease, Polled};
use super::data_loss::DataLoss;
use super::offset_reader::OffsetReader;
use super::ranges::OffsetRange;
use crate::clock::{Clock, Stopwatch};
use crate::error::Result;
use crate::kafka::code;

/// If nothing has come for so long, the brokers are asked why.
const SILENCE: Duration = Duration::from_secs(1);

/// What reading takes beside the ranges.
#[derive(Debug)]
pub(super) struct Reading {
    pub pool: Arc<ConsumerPool>,
    pub offsets: Arc<OffsetReader>,
    pub fail_on_data_loss: bool,
    /// How long to wait for a record that should be there.
    pub poll_timeout: Duration,
    pub clock: Arc<dyn Clock>,
}

/// Reads a range.
pub(super) struct RangeReader<'a> {
    reading: &'a Reading,
    range: &'a OffsetRange,
    lease: PartitionLease,
    /// The next offset that is wanted.
    next: i64,
    /// Since when nothing has come.
    silent: Stopwatch,
    /// The brokers have said that there is more, so if the end comes first, there is not.
    confirming: bool,
    /// The consumer has given up on the partition.
    troubled: bool,
}

/// Takes the batches; false if nobody wants them any more.
pub(super) trait Output {
    async fn give(&mut self, batch: RecordBatch) -> bool;
}

impl<'a> RangeReader<'a> {
    pub(super) fn new(reading: &'a Reading, range: &'a OffsetRange) -> Result<Self> {
        Ok(Self {
            reading,
            range,
            lease: reading.pool.read(&range.partition, range.start)?,
            next: range.start,
            silent: Stopwatch::start(),
            confirming: false,
            troubled: false,
        })
    }

    /// Reads all of it into `rows`, and gives out full batches.
    pub(super) async fn read(&mut self, rows: &mut Rows, output: &mut impl Output) -> Result<()> {
        while self.next < self.range.end {
            let is_quiet = self.take_what_is_there(rows)?;
            if rows.is_full()
                && let Some(batch) = rows.take()?
                && !output.give(batch).await
            {
                return Ok(());
            }
            if is_quiet && self.next < self.range.end {
                self.wait().await?;
            }
        }
        Ok(())
    }

    /// Takes messages until the rows are full, the range ends or nothing comes; true in the last case.
    fn take_what_is_there(&mut self, rows: &mut Rows) -> Result<bool> {
        let mut has_come = false;
        let quiet = loop {
            match self.lease.poll() {
                Polled::Message(message) => {
                    has_come = true;
                    let offset = message.offset();
                    if offset >= self.range.end {
                        self.next = self.range.end;
                        // The next reader wants this message too.
                        drop(message);
                        self.lease.forget();
                        break false;
                    }
                    if offset >= self.next {
                        rows.append(&message)?;
                        self.next = offset + 1;
                    }
                    if self.next >= self.range.end || rows.is_full() {
                        break false;
                    }
                }
                Polled::End => {
                    let given_out = self.lease.position();
                    if self.confirming || given_out.is_some_and(|at| at >= self.range.end) {
                        self.next = self.range.end;
                        break false;
                    }
                }
                Polled::Nothing => break true,
                Polled::Failed(error) => {
                    if self.is_final(&error) {
                        return Err(self.lease.failed(&error));
                    }
                    self.troubled = true;
                    break true;
                }
            }
        };
        if has_come {
            self.silent = Stopwatch::start();
            (self.confirming, self.troubled) = (false, false);
        }
        self.lease.set_next(self.next);
        Ok(quiet)
    }

    fn is_final(&self, error: &KafkaError) -> bool {
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return true;
        }
        let finals = [
            Code::BadMessage,
            Code::BadCompression,
            Code::Fatal,
            Code::GroupAuthorizationFailed,
            Code::InvalidMessage,
            Code::NotImplemented,
            Code::TopicAuthorizationFailed,
            Code::UnsupportedFeature,
        ];
        code(error).is_some_and(|code| finals.contains(&code))
    }

    /// Waits for more; where nothing comes, finds out why.
    async fn wait(&mut self) -> Result<()> {
        let arrived = self.lease.arrived();
        let clock = Arc::clone(&self.reading.clock);
        // Trouble is looked into at once, but not again and again.
        if !self.troubled || self.confirming {
            tokio::select! {
                biased;
                () = arrived.notified() => return Ok(()),
                () = clock.pause(SILENCE) => {}
            }
        }
        let offsets = Arc::clone(&self.reading.offsets);
        let bounds = tokio::select! {
            biased;
            () = arrived.notified() => return Ok(()),
            bounds = offsets.bounds(&self.range.partition) => bounds,
        };
        let is_over = self.silent.elapsed() >= self.reading.poll_timeout;
        match bounds {
            Err(error) if is_over => Err(error),
            // The brokers may come back.
            Err(_) => Ok(()),
            Ok(None) => self.lost(self.range.end),
            Ok(Some((earliest, _))) if earliest > self.next => {
                self.lost(earliest.min(self.range.end))
            }
            Ok(Some((_, latest))) if latest <= self.next => self.lost(self.range.end),
            Ok(Some(_)) if is_over => self.lost(self.range.end),
            Ok(Some(_)) if self.confirming && !self.troubled => Ok(()),
            Ok(Some(_)) => {
                self.lease.seek(self.next)?;
                (self.confirming, self.troubled) = (true, false);
                Ok(())
            }
        }
    }

    /// What is before `next` is gone.
    fn lost(&mut self, next: i64) -> Result<()> {
        let loss = DataLoss::CouldNotRead {
            range: self.range,
            from: self.next,
            group: self.lease.group(),
        };
        let reported = loss.report(self.reading.fail_on_data_loss);
        self.next = next;
        if reported.is_err() || next >= self.range.end {
            self.lease.forget();
            return reported;
        }
        self.lease.seek(next)
    }
}
