//! The loop: one batch after the other, each planned in the offset log before it runs and noted
//! in the commit log after it.
//!
//! **Nothing shows in a sink before its offsets are in the log**, but for triggers whose rows leave as
//! they come: see `follow`.

mod epoch;
mod follow;
mod logged_offsets;
mod reports;
mod resume;
mod setup;

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{poll_immediate, select, try_join_all};
use tokio::sync::oneshot;

use self::epoch::Epoch;
pub(crate) use self::setup::{QuerySetup, RunEnd};
pub(crate) use self::setup::{SOURCES, STATEFUL_OPERATORS, WATERMARK_POLICY};
use super::fault::FaultPoint;
use super::progress_reporter::{BatchReport, Phase, TriggerTimer};
use super::stream_execution::StreamExecution;
use super::trigger_executor::Ticker;
use super::watermark_tracker::WatermarkTracker;
use super::why_reporter::WhyReporter;
use crate::checkpointing::{CommitLog, CommitMetadata, OffsetSeq, OffsetSeqLog, OffsetSeqMetadata};
use crate::clock::{Stopwatch, format_iso8601};
use crate::error::{Error, Result};
use crate::operators::{Batch, EventTimeStats, InputPart};
use crate::sinks::Part;
use crate::sources::{Offset, ReadLimit};
use crate::streaming_query_listener::StreamingQueryEvent;
use crate::trigger::Trigger;
use crate::user_functions::panic_message;

/// What the status of a query says when there is nothing new.
const WAITING: &str = "Waiting for data to arrive";

/// The loop's own state.
pub(crate) struct MicroBatchExecution {
    setup: QuerySetup,
    run: Arc<StreamExecution>,
    offset_log: OffsetSeqLog,
    commit_log: CommitLog,
    tracker: WatermarkTracker,
    /// The batch that runs next.
    batch_id: i64,
    /// Where the last batch ended, per source.
    committed: Vec<Option<Offset>>,
    /// A batch that was planned before a restart and did not finish.
    unfinished: Option<OffsetSeq>,
    /// Whether this engine has written the checkpoint.
    written_here: bool,
    /// The watermark that the last batch of this run used.
    last_watermark_ms: Option<i64>,
    /// The watermark of the batch before the next, for late rows.
    previous_watermark_ms: i64,
    previous_trigger_ms: Option<i64>,
    last_idle_ms: Option<i64>,
    /// Whether the sink has counted the rows of the last batch of this run.
    counts_rows: bool,
    /// Batches of this run.
    batches_run: u64,
    /// Rows that they have read.
    rows_read: u64,
    why: WhyReporter,
    /// The batch whose rows leave as they come, while it lasts and nothing of it is under way.
    epoch: Option<Epoch>,
}

/// What a trigger did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Triggered {
    Batch,
    Nothing,
}

impl MicroBatchExecution {
    /// Reads the checkpoint and prepares the first batch. What is wrong is found here, at start.
    pub(crate) fn try_new(setup: QuerySetup, run: Arc<StreamExecution>) -> Result<Self> {
        let delays = setup
            .execution
            .watermarks
            .iter()
            .map(|watermark| watermark.delay_ms);
        let mut this = Self {
            offset_log: OffsetSeqLog::new(&setup.checkpoint),
            commit_log: CommitLog::new(&setup.checkpoint),
            tracker: WatermarkTracker::new(setup.watermark_policy, delays.collect()),
            batch_id: 0,
            committed: vec![None; setup.sources.len()],
            unfinished: None,
            written_here: true,
            last_watermark_ms: None,
            previous_watermark_ms: 0,
            previous_trigger_ms: None,
            last_idle_ms: None,
            counts_rows: false,
            batches_run: 0,
            rows_read: 0,
            why: WhyReporter::new(&setup.execution),
            epoch: None,
            setup,
            run,
        };
        let sources = this.setup.sources.iter();
        let inspected = sources.map(|source| (source.description(), source.inspector()));
        this.run.set_sources(inspected.collect());
        this.resume()?;
        this.check_output()?;
        this.open_state()?;
        Ok(this)
    }

    /// Runs on a thread of its own until the query ends. `started` is told once the run is live.
    pub(crate) fn spawn(
        mut self,
        runtime: tokio::runtime::Handle,
        started: oneshot::Sender<()>,
    ) -> Result<()> {
        let run = Arc::clone(&self.run);
        let name = format!("stream-{}", run.identity().label());
        let span = tracing::info_span!(
            "query",
            query = run.identity().label(),
            run_id = %run.identity().run_id
        );
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _entered = span.enter();
            run.post(&StreamingQueryEvent::Started {
                id: run.identity().id,
                run_id: run.identity().run_id,
                name: run.identity().name.clone(),
                timestamp: format_iso8601(self.setup.clock.now_ms()),
            });
            let body = std::panic::AssertUnwindSafe(self.run_until_stopped(started)).catch_unwind();
            let result = runtime
                .block_on(body)
                .unwrap_or_else(|panic| Err(panicked(&*panic)));
            // What is still running of a batch that has failed is not wanted any more.
            run.cancellation().cancel();
            runtime.block_on(self.setup.sink.close());
            // What the run holds is freed before anyone learns that it has ended.
            let temporary = self.setup.temporary.take();
            let lock = self.setup.lock.take();
            drop(self);
            drop(temporary);
            drop(lock);
            let label = run.identity().label();
            let exception = result.err().map(|error| {
                tracing::warn!(%error, "query failed");
                let context = format!("query '{label}' failed");
                error.into_streaming_query().context(context)
            });
            run.ended(exception);
        });
        spawned
            .map(drop)
            .map_err(|error| Error::io("start the query's thread", error))
    }

    async fn run_until_stopped(&mut self, started: oneshot::Sender<()>) -> Result<()> {
        let run = Arc::clone(&self.run);
        let body = async {
            // What needs not wait is done before anyone learns that the run is live; whoever starts
            // a query does not wait for a broker.
            self.run.set_status("Initializing sources", false, false);
            let mut preparing = Box::pin(self.prepare());
            let prepared = poll_immediate(&mut preparing).await;
            let _ = started.send(());
            match prepared {
                Some(prepared) => prepared?,
                None => preparing.as_mut().await?,
            }
            drop(preparing);
            match self.setup.trigger {
                Trigger::Once => self.trigger(ReadLimit::AllAvailable).await.map(drop),
                Trigger::AvailableNow => {
                    while self.trigger(ReadLimit::Options).await? == Triggered::Batch {
                        if self.has_reached_end() {
                            break;
                        }
                    }
                    Ok(())
                }
                Trigger::Continuous(interval) | Trigger::RealTime(interval) => {
                    self.follow(interval).await
                }
                Trigger::ProcessingTime(interval) => {
                    let mut ticker = Ticker::new(interval);
                    let is_immediate = ticker.is_immediate();
                    loop {
                        let clock = Arc::clone(&self.setup.clock);
                        let tick = ticker.tick_after(clock.now_ms());
                        let done = self.trigger(ReadLimit::Options).await?;
                        if self.run.is_stopping() || self.has_reached_end() {
                            return Ok(());
                        }
                        let did_something = done == Triggered::Batch;
                        let tick = ticker.corrected(tick, clock.now_ms());
                        let wait = ticker.wait(clock.as_ref(), tick, did_something);
                        match is_immediate {
                            // Whoever waits for what there is does not wait for the next look.
                            true => {
                                select(pin!(wait), pin!(run.is_awaited())).await;
                            }
                            false => wait.await,
                        }
                        tokio::task::yield_now().await;
                    }
                }
            }
        };
        let ended = tokio::select! {
            biased;
            () = run.stop_requested() => Ok(()),
            result = body => match result {
                // User code that had to return before the request to stop was seen here.
                Err(error) if error.is_cancelled() && run.is_stopping() => Ok(()),
                result => result,
            },
        };
        ended?;
        self.end_last_epoch().await
    }

    /// What sources and the sink do before the first batch.
    async fn prepare(&mut self) -> Result<()> {
        let identity = self.run.identity();
        self.setup.sink.open(identity.id, identity.run_id).await?;
        if self.setup.trigger == Trigger::AvailableNow {
            let sources = self.setup.sources.iter_mut();
            try_join_all(sources.map(|source| source.prepare_for_trigger_available_now())).await?;
        }
        Ok(())
    }

    fn has_reached_end(&self) -> bool {
        let reached = |end: Option<u64>, done: u64| end.is_some_and(|end| done >= end);
        reached(self.setup.end.batches, self.batches_run)
            || reached(self.setup.end.rows, self.rows_read)
    }

    async fn trigger(&mut self, limit: ReadLimit) -> Result<Triggered> {
        let clock = Arc::clone(&self.setup.clock);
        let mut timer = TriggerTimer::start(clock.now_ms(), self.previous_trigger_ms);
        self.previous_trigger_ms = Some(timer.start_ms);
        let Some(planned) = self.construct_next_batch(&mut timer, limit).await? else {
            self.run.set_status(&self.waiting(), false, false);
            self.run.found_nothing_new();
            self.report_idle(timer);
            return Ok(Triggered::Nothing);
        };
        let report = self.run_batch(&mut timer, planned).await?;
        self.report(timer, report);
        self.run
            .set_status("Waiting for next trigger", false, false);
        Ok(Triggered::Batch)
    }

    /// Spark's sentence, and what the sources have to say.
    fn waiting(&self) -> Cow<'static, str> {
        let remarks = self.setup.sources.iter();
        let remarks: Vec<String> = remarks.filter_map(|source| source.remark()).collect();
        match remarks.is_empty() {
            true => Cow::Borrowed(WAITING),
            false => Cow::Owned(format!("{WAITING}: {}", remarks.join("; "))),
        }
    }

    /// Tells everyone what a batch did.
    fn report(&mut self, timer: TriggerTimer, report: BatchReport) {
        let progress = timer.finish(self.run.identity(), report);
        self.batches_run += 1;
        self.rows_read += u64::try_from(progress.num_input_rows).unwrap_or(0);
        self.counts_rows = progress.sink.num_output_rows >= 0;
        self.last_idle_ms = Some(self.setup.clock.now_ms());
        self.run.add_progress(progress.clone());
        self.run
            .post(&StreamingQueryEvent::Progress(Box::new(progress)));
    }

    /// Decides whether there is a batch to run, and if so writes its plan to the offset log.
    async fn construct_next_batch(
        &mut self,
        timer: &mut TriggerTimer,
        limit: ReadLimit,
    ) -> Result<Option<OffsetSeq>> {
        if let Some(unfinished) = self.unfinished.take() {
            return Ok(Some(unfinished));
        }
        let watch = Stopwatch::start();
        let ends = self.ask_sources(limit).await?;
        timer.record(Phase::LatestOffset, watch);
        let has_new_data = self.has_new_data(&ends);
        let wants_another =
            self.setup.trigger != Trigger::Once && self.wants_another(timer.start_ms);
        if !has_new_data && !wants_another {
            return Ok(None);
        }
        self.run
            .set_status("Writing offsets to log", has_new_data, true);
        let planned = OffsetSeq {
            offsets: ends,
            metadata: OffsetSeqMetadata {
                batch_watermark_ms: self.tracker.current_ms(),
                batch_timestamp_ms: timer.start_ms,
                conf: self.setup.conf.clone(),
            },
        };
        let before = self.committed.clone();
        self.log_offsets(timer, &planned, &before).await?;
        Ok(Some(planned))
    }

    /// How far every source can be read now.
    async fn ask_sources(&mut self, limit: ReadLimit) -> Result<Vec<Option<Offset>>> {
        // A query that is asking all the time need not say so.
        let is_followed = |epoch: &Epoch| epoch.parts > 0 || self.batches_run > 0;
        let tells = !self.epoch.as_ref().is_some_and(is_followed);
        let sources = self.setup.sources.iter_mut().zip(&self.committed);
        let asked = sources.map(async |(source, start)| {
            let description = source.description();
            let mut asking = source.latest_offset(start.as_ref(), limit);
            // A source that answers at once is nothing to tell about.
            if let Some(end) = poll_immediate(&mut asking).await {
                return end;
            }
            if tells {
                let message = format!("Getting offsets from {description}");
                self.run.set_status(&message, false, true);
            }
            asking.await
        });
        let ends = try_join_all(asked).await?;
        self.fault(FaultPoint::SourcesAsked)?;
        Ok(ends)
    }

    fn has_new_data(&self, ends: &[Option<Offset>]) -> bool {
        let mut pairs = ends.iter().zip(&self.committed);
        pairs.any(|(end, start)| end.is_some() && end != start)
    }

    /// Whether a batch without new rows would do something.
    fn wants_another(&self, now_ms: i64) -> bool {
        let (setup, watermark_ms) = (&self.setup, self.tracker.current_ms());
        let moved = |used| {
            let execution = &setup.execution;
            execution.should_run_another_batch(used, watermark_ms, now_ms)
        };
        setup.no_data_batches && self.last_watermark_ms.is_some_and(moved)
    }

    /// Writes down what the batch reads; `before` is where the one before it ended.
    async fn log_offsets(
        &mut self,
        timer: &mut TriggerTimer,
        planned: &OffsetSeq,
        before: &[Option<Offset>],
    ) -> Result<()> {
        let watch = Stopwatch::start();
        self.offset_log
            .add(self.batch_id, &self.in_places(planned))?;
        for (source, committed) in self.setup.sources.iter_mut().zip(before) {
            if let Some(committed) = committed {
                source.commit(committed).await?;
            }
        }
        let expired = self.batch_id - self.setup.batches_to_retain;
        if expired > 0 {
            self.offset_log.purge(expired)?;
            self.commit_log.purge(expired)?;
        }
        timer.record(Phase::WalCommit, watch);
        self.fault(FaultPoint::OffsetsLogged)
    }

    async fn run_batch(
        &mut self,
        timer: &mut TriggerTimer,
        planned: OffsetSeq,
    ) -> Result<BatchReport> {
        let (inputs, written) = self.process(timer, &planned, None).await?;
        let stats = self.observe();
        self.commit(timer).await?;
        let watermark_ms = planned.metadata.batch_watermark_ms;
        let mut event_time = EventTimeStats::default();
        stats.iter().for_each(|stats| event_time.merge(stats));
        let counts = self.source_counts(&inputs);
        let operators = self.operator_progress();
        let execution = &self.setup.execution;
        let why = self
            .why
            .batch(self.batch_id, execution, &self.tracker, &stats, &inputs);
        self.run.set_why(why.clone());
        let report = BatchReport {
            batch_id: self.batch_id,
            sources: self.source_reports(&self.committed, &planned.offsets, counts),
            watermark_ms: (!stats.is_empty()).then_some(watermark_ms),
            event_time,
            operators,
            sink: self.sink_progress(written),
            why,
        };
        self.went_on_to(planned);
        self.batch_id += 1;
        Ok(report)
    }

    /// Runs the plan on what is new in `planned`, and hands the rows to the sink: as the batch, or as
    /// this part of it.
    async fn process(
        &mut self,
        timer: &mut TriggerTimer,
        planned: &OffsetSeq,
        part: Option<i64>,
    ) -> Result<(Vec<Option<Arc<InputPart>>>, Option<i64>)> {
        self.check_lock()?;
        let watch = Stopwatch::start();
        let inputs = self.inputs(planned).await?;
        let has_data = inputs.iter().any(Option::is_some);
        timer.record(Phase::GetBatch, watch);

        let message = if has_data {
            "Processing new data"
        } else {
            "No new data but cleaning up state"
        };
        // With a part in every millisecond nobody could follow; Spark says nothing else meanwhile.
        if !matches!(self.setup.trigger, Trigger::Continuous(_)) || part.is_none() {
            self.run.set_status(message, has_data, true);
        }
        let watch = Stopwatch::start();
        let watermark_ms = planned.metadata.batch_watermark_ms;
        self.setup
            .execution
            .set_watermarks(self.previous_watermark_ms, watermark_ms);
        self.setup.execution.context.set(Batch {
            timestamp_ms: planned.metadata.batch_timestamp_ms,
            inputs: inputs.clone(),
        });
        let is_first = part.is_none_or(|number| number == 0);
        let rows = self.why.counted(self.setup.execution.execute()?, is_first);
        timer.record(Phase::QueryPlanning, watch);

        let watch = Stopwatch::start();
        let mode = self.setup.execution.output_mode;
        let (sink, batch_id) = (&self.setup.sink, self.batch_id);
        let written = match part {
            None => sink.add_batch(batch_id, mode, rows).await,
            Some(number) => sink.add_part(Part { batch_id, number }, mode, rows).await,
        };
        self.setup.execution.context.clear_inputs();
        let written = self.or_abort(written).await?;
        timer.record(Phase::AddBatch, watch);
        self.fault(FaultPoint::SinkDone)?;
        Ok((inputs, written))
    }

    /// Takes up the event times that were seen: from here on the watermark is that of the next batch.
    fn observe(&mut self) -> Vec<EventTimeStats> {
        let observers = self.setup.execution.watermarks.iter();
        let stats: Vec<EventTimeStats> = observers.map(|observer| observer.take()).collect();
        self.tracker.update(&stats);
        stats
    }

    /// Everything up to the ends in `done` is read.
    fn went_on_to(&mut self, done: OffsetSeq) {
        let watermark_ms = done.metadata.batch_watermark_ms;
        self.committed = done.offsets;
        self.previous_watermark_ms = watermark_ms;
        self.last_watermark_ms = Some(watermark_ms);
    }

    /// Commits the state and then the batch.
    async fn commit(&mut self, timer: &mut TriggerTimer) -> Result<()> {
        let watch = Stopwatch::start();
        self.or_abort(self.check_lock()).await?;
        let mut operators = self.setup.execution.operators.iter();
        let committed = operators.try_for_each(|operator| operator.state().commit());
        self.or_abort(committed).await?;
        timer.record(Phase::AddBatch, watch);
        self.fault(FaultPoint::StateCommitted)?;

        let watch = Stopwatch::start();
        let commit = CommitMetadata {
            next_batch_watermark_ms: self.tracker.current_ms(),
        };
        let logged = self.commit_log.add(self.batch_id, commit);
        self.or_abort(logged).await?;
        self.fault(FaultPoint::CommitLogged)?;
        self.setup.sink.commit(self.batch_id).await?;
        self.fault(FaultPoint::SinkCommitted)?;
        timer.record(Phase::CommitOffsets, watch);
        Ok(())
    }

    /// An error if another query may write to the checkpoint by now.
    fn check_lock(&self) -> Result<()> {
        self.setup.lock.as_ref().map_or(Ok(()), |lock| lock.check())
    }

    /// Until a batch is in the commit log, its failure is one that the sink hears of.
    async fn or_abort<T>(&self, step: Result<T>) -> Result<T> {
        if step.is_err() {
            self.setup.sink.abort(self.batch_id).await;
        }
        step
    }

    async fn inputs(&mut self, planned: &OffsetSeq) -> Result<Vec<Option<Arc<InputPart>>>> {
        let partitions = self.setup.partitions;
        let sources = self.setup.sources.iter_mut().zip(&self.committed);
        let ends = sources.zip(&planned.offsets);
        let inputs = ends.map(|((source, start), end)| async move {
            let Some(end) = end.as_ref().filter(|end| start.as_ref() != Some(*end)) else {
                return Ok(None);
            };
            let rows = source.get_batch(start.as_ref(), end).await?;
            Ok(Some(Arc::new(InputPart {
                partitions: rows.partitions(partitions).clamp(1, partitions),
                rows,
                num_rows: Default::default(),
            })))
        });
        try_join_all(inputs).await
    }

    fn fault(&self, point: FaultPoint) -> Result<()> {
        match &self.setup.fault {
            Some(hook) => hook(point, self.batch_id),
            None => Ok(()),
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    Error::internal(format!("the query panicked: {}", panic_message(panic)))
}
