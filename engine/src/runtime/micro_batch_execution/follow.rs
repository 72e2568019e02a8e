//! The triggers whose rows leave as they come: continuous and real-time.
//!
//! A batch, which Spark also calls an epoch, lasts as long as its interval, and its sources are followed
//! meanwhile: as soon as one has something new, the plan runs on just that and the sink takes what comes
//! out, as one *part* of the batch. A part is a micro-batch in all but its logs: it reads the state that
//! the part before it has left, and its watermark. Once per interval, offsets, state and commit are
//! written as those of one batch.
//!
//! So rows show before their offsets are in the log. After a crash the query goes on from the last batch
//! in the commit log, and what later parts have shown may show again: **at least once**. A query that is
//! stopped commits what it has shown.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::MicroBatchExecution;
use super::epoch::Epoch;
use crate::checkpointing::{OffsetSeq, OffsetSeqMetadata};
use crate::clock::Stopwatch;
use crate::error::Result;
use crate::operators::EventTimeStats;
use crate::runtime::progress_reporter::{BatchReport, Phase, TriggerTimer};
use crate::runtime::trigger_executor::{IdlePolls, Ticker};
use crate::sources::ReadLimit;
use crate::trigger::Trigger;

impl MicroBatchExecution {
    /// Runs batch after batch, each as long as `interval`, until the run has reached its end.
    pub(super) async fn follow(&mut self, interval: Duration) -> Result<()> {
        if self.unfinished.is_some() {
            self.trigger(ReadLimit::Options).await?;
        }
        let ticker = Ticker::new(interval);
        while !self.has_reached_end() {
            let end = ticker.tick_after(self.setup.clock.now_ms());
            self.follow_until(&ticker, end).await?;
            if let Some(epoch) = self.epoch.take() {
                self.end_epoch(epoch).await?;
            }
        }
        Ok(())
    }

    /// One batch, all but its end.
    async fn follow_until(&mut self, ticker: &Ticker, end: i64) -> Result<()> {
        let mut polls = IdlePolls::default();
        loop {
            let ran = self.part().await?;
            let in_epoch = self.epoch.as_ref().map_or(0, Epoch::num_rows);
            let rows = self.rows_read + in_epoch;
            let now = self.setup.clock.now_ms();
            let end = ticker.corrected(end, now);
            let is_full = self.setup.end.rows.is_some_and(|end| rows >= end);
            let is_over = match ticker.is_immediate() {
                true => ran,
                false => now >= end,
            };
            if is_over || is_full {
                return Ok(());
            }
            if ran {
                polls.reset();
                tokio::task::yield_now().await;
                continue;
            }
            self.run.found_nothing_new();
            if self.wait_for_more(ticker, end, &mut polls).await {
                polls.reset();
            }
        }
    }

    /// Runs the plan on what is new, if anything is, and says whether it did.
    async fn part(&mut self) -> Result<bool> {
        if self.epoch.is_none() {
            self.epoch = Some(self.begin_epoch());
        }
        let now = self.setup.clock.now_ms();
        let watch = Stopwatch::start();
        let ends = self.ask_sources(ReadLimit::Options).await?;
        let runs = self.has_new_data(&ends) || self.wants_another(now);
        // While it is not in its place, nobody commits what is only half done.
        let Some(mut epoch) = self.epoch.take_if(|epoch| {
            epoch.timer.record(Phase::LatestOffset, watch);
            runs
        }) else {
            return Ok(false);
        };
        epoch.watermark_ms = self.tracker.current_ms();
        epoch.timestamp_ms = now;
        let part = OffsetSeq {
            offsets: ends,
            metadata: OffsetSeqMetadata {
                batch_watermark_ms: epoch.watermark_ms,
                batch_timestamp_ms: now,
                conf: Default::default(),
            },
        };
        let number = Some(epoch.parts);
        let (inputs, written) = self.process(&mut epoch.timer, &part, number).await?;
        let stats = self.observe();
        epoch.add(self.source_counts(&inputs), &stats, written);
        self.why.saw(self.batch_id, &self.tracker, &stats);
        self.went_on_to(part);
        self.epoch = Some(epoch);
        Ok(true)
    }

    fn begin_epoch(&mut self) -> Epoch {
        let now = self.setup.clock.now_ms();
        let timer = TriggerTimer::start(now, self.previous_trigger_ms);
        self.previous_trigger_ms = Some(now);
        Epoch {
            timer,
            start: self.committed.clone(),
            counts: self.no_counts(),
            event_time: EventTimeStats::default(),
            written: None,
            parts: 0,
            watermark_ms: self.tracker.current_ms(),
            timestamp_ms: now,
        }
    }

    /// Writes down a batch whose rows have left.
    async fn end_epoch(&mut self, mut epoch: Epoch) -> Result<()> {
        let has_rows = epoch.num_rows() > 0;
        let done = OffsetSeq {
            offsets: self.committed.clone(),
            metadata: OffsetSeqMetadata {
                batch_watermark_ms: epoch.watermark_ms,
                batch_timestamp_ms: epoch.timestamp_ms,
                conf: self.setup.conf.clone(),
            },
        };
        self.log_offsets(&mut epoch.timer, &done, &epoch.start)
            .await?;
        self.commit(&mut epoch.timer).await?;
        let has_watermark = !self.setup.execution.watermarks.is_empty();
        let operators = self.operator_progress();
        let why = self.why.epoch(&self.setup.execution, &self.tracker);
        self.run.set_why(why.clone());
        let report = BatchReport {
            batch_id: self.batch_id,
            sources: self.source_reports(&epoch.start, &done.offsets, epoch.counts),
            watermark_ms: has_watermark.then_some(epoch.watermark_ms),
            event_time: epoch.event_time,
            operators,
            why,
            sink: self.sink_progress(match epoch.parts {
                // A batch without rows has written none.
                0 => Some(0),
                _ => epoch.written,
            }),
        };
        let batch_id = self.batch_id;
        self.batch_id += 1;
        self.report(epoch.timer, report);
        match self.setup.trigger {
            Trigger::Continuous(_) => {
                let message = format!("Committing epoch {batch_id}");
                self.run.set_status(&message, has_rows, true);
            }
            _ if has_rows => {}
            _ => self
                .run
                .set_status("Waiting for data to arrive", false, true),
        }
        Ok(())
    }

    /// Commits what a query has shown that is stopped.
    pub(super) async fn end_last_epoch(&mut self) -> Result<()> {
        match self.epoch.take() {
            Some(epoch) if epoch.parts > 0 => self.end_epoch(epoch).await,
            _ => Ok(()),
        }
    }

    /// Waits until a source has something new, the batch is over, or it is time to ask sources that
    /// tell nobody. Says whether a source has told something.
    async fn wait_for_more(&self, ticker: &Ticker, end: i64, polls: &mut IdlePolls) -> bool {
        let clock = self.setup.clock.as_ref();
        let sources = self.setup.sources.iter();
        let mut news: FuturesUnordered<_> =
            sources.filter_map(|source| source.new_data()).collect();
        let is_over = async {
            match ticker.is_immediate() {
                true => std::future::pending().await,
                false => clock.wait_until(end).await,
            }
        };
        tokio::select! {
            biased;
            Some(()) = news.next() => true,
            () = is_over => false,
            () = clock.pause(polls.next_wait()) => false,
        }
    }
}
