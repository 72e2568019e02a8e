//! A handle on a streaming query, running or ended.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::{Clock, QueryClock, format_iso8601};
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::runtime::{StreamExecution, next_trigger};
use crate::sources::SourceDefinition;
use crate::storage::Location;
use crate::streaming_query_progress::{StreamingQueryProgress, StreamingQueryStatus};
use crate::trigger::Trigger;
use crate::why::QueryWhy;

/// A handle on a streaming query. Cheap to clone; dropping it does not stop the query.
#[derive(Debug, Clone)]
pub struct StreamingQuery {
    run: Arc<StreamExecution>,
    facts: Arc<QueryFacts>,
}

/// What was settled at the start.
#[derive(Debug)]
pub(super) struct QueryFacts {
    pub(super) output_mode: OutputMode,
    pub(super) trigger: Trigger,
    pub(super) sink: String,
    pub(super) table: Option<String>,
    pub(super) schema: SchemaRef,
    pub(super) explain: String,
    pub(super) manual_clock: Option<QueryClock>,
    pub(super) started_ms: i64,
    pub(super) streams: Vec<Arc<dyn SourceDefinition>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) checkpoint: Location,
    pub(super) has_state: bool,
    /// The checkpoint's folder, if nobody named one and there is state to look at in it.
    pub(super) temporary: Mutex<Option<Arc<TempDir>>>,
}

impl StreamingQuery {
    pub(super) fn new(run: Arc<StreamExecution>, facts: QueryFacts) -> Self {
        Self {
            run,
            facts: Arc::new(facts),
        }
    }

    /// Stays the same over restarts from one checkpoint.
    pub fn id(&self) -> Uuid {
        self.run.identity().id
    }

    /// New with every start.
    pub fn run_id(&self) -> Uuid {
        self.run.identity().run_id
    }

    /// The query's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.run.identity().name.as_deref()
    }

    /// The name, or else the id.
    pub fn label(&self) -> String {
        self.run.identity().label()
    }

    /// The mode it was started with.
    pub fn output_mode(&self) -> OutputMode {
        self.facts.output_mode
    }

    /// The trigger it was started with.
    pub fn trigger(&self) -> Trigger {
        self.facts.trigger
    }

    /// The sink's description, e.g. `MemorySink`.
    pub fn sink(&self) -> String {
        self.facts.sink.clone()
    }

    /// The table that its rows can be read from while it runs, if its sink keeps them.
    pub fn table(&self) -> Option<&str> {
        self.facts.table.as_deref()
    }

    /// The columns it writes.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.facts.schema)
    }

    /// Whether it is running.
    pub fn is_active(&self) -> bool {
        self.run.is_active()
    }

    /// What it is doing right now.
    pub fn status(&self) -> StreamingQueryStatus {
        self.run.status()
    }

    /// The newest progress.
    pub fn last_progress(&self) -> Option<StreamingQueryProgress> {
        self.run.last_progress()
    }

    /// The newest progresses, oldest first (at most 100).
    pub fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        self.run.recent_progress()
    }

    /// Why it gives what it gives: what became of the rows of its last batch, what it waits for, what
    /// its sources have.
    pub fn why(&self) -> BoxFuture<'_, Result<QueryWhy>> {
        async move {
            let run = Arc::clone(&self.run);
            // Folders may be on a slow disk, or behind a URL.
            let sources = tokio::task::spawn_blocking(move || run.inspect_sources()).await;
            let interval = match self.facts.trigger {
                Trigger::ProcessingTime(interval) if !interval.is_zero() => Some(interval),
                _ => None,
            };
            let now_ms = self.facts.clock.now_ms();
            let next_trigger = interval
                .filter(|_| self.is_active())
                .map(|interval| format_iso8601(next_trigger(interval, now_ms)));
            Ok(QueryWhy {
                batch: self.run.last_why(),
                sources: sources.map_err(|error| {
                    Error::internal(format!("the sources could not be looked at: {error}"))
                })?,
                next_trigger,
                now: Some(format_iso8601(now_ms)),
            })
        }
        .boxed()
    }

    /// Why it failed, if it did.
    pub fn exception(&self) -> Option<Error> {
        self.run.exception()
    }

    /// Its logical and physical plan as text.
    pub fn explain(&self) -> String {
        self.facts.explain.clone()
    }

    /// Waits until the query ends. `Ok(true)`: it ended; `Ok(false)`: the timeout came first;
    /// `Err`: it failed. Dropping the future only stops the waiting.
    pub fn await_termination(&self, timeout: Option<Duration>) -> BoxFuture<'_, Result<bool>> {
        async move { self.run.await_termination(timeout).await }.boxed()
    }

    /// Waits until everything the sources had at the call is processed and in the sink.
    pub fn process_all_available(&self) -> BoxFuture<'_, Result<()>> {
        async move { self.run.process_all_available().await }.boxed()
    }

    /// Whether it lives by the session's manual clock.
    pub fn is_on_manual_clock(&self) -> bool {
        self.facts.manual_clock.is_some()
    }

    /// Waits until a query on the manual clock has done what is due and sleeps until a later time,
    /// and gives that time; `None` if it has ended. Never comes for one that does not sleep,
    /// because it has no interval or lives by another clock.
    pub fn asleep(&self) -> BoxFuture<'_, Option<i64>> {
        async move {
            let asleep = async {
                match &self.facts.manual_clock {
                    Some(clock) => clock.asleep().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = self.run.await_termination(None) => None,
                until = asleep => Some(until),
            }
        }
        .boxed()
    }

    /// When it was started: ISO 8601, UTC.
    pub fn started_at(&self) -> String {
        format_iso8601(self.facts.started_ms)
    }

    /// The streams that it reads.
    pub(super) fn streams(&self) -> &[Arc<dyn SourceDefinition>] {
        &self.facts.streams
    }

    /// Where its checkpoint is, or was if it went with the query.
    pub(super) fn checkpoint(&self) -> &Location {
        &self.facts.checkpoint
    }

    /// Whether it has stateful operators.
    pub(super) fn has_state(&self) -> bool {
        self.facts.has_state
    }

    /// Lets go of a checkpoint that nobody named: the query has ended and another is in its place.
    pub(super) fn release_checkpoint(&self) {
        self.facts.temporary.lock().take();
    }

    /// Stops the query and waits until it has ended. Stopping an ended query does nothing.
    pub fn stop(&self) -> BoxFuture<'_, Result<()>> {
        async move {
            self.run.stop().await;
            Ok(())
        }
        .boxed()
    }

    /// Changes after every progress and every change of status or of being active.
    /// The value only counts up; look at the query for what changed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.run.watch()
    }
}
