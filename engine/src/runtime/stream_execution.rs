//! The life of one run of a query, as others see it: status, progress, its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use uuid::Uuid;

use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::sources::SourceInspector;
use crate::streaming_query_listener::StreamingQueryEvent;
use crate::streaming_query_progress::{StreamingQueryProgress, StreamingQueryStatus};
use crate::why::{BatchWhy, SourceWhy};

/// How many progresses Spark keeps with its default of `spark.sql.streaming.numRecentProgressUpdates`,
/// which is one more.
const RECENT_PROGRESS: usize = 99;

/// Who a run is.
#[derive(Debug, Clone)]
pub(crate) struct StreamIdentity {
    /// Stays the same over restarts from one checkpoint.
    pub id: Uuid,
    /// New with every start.
    pub run_id: Uuid,
    /// The query's name.
    pub name: Option<String>,
}

impl StreamIdentity {
    /// How messages call the query.
    pub(crate) fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

/// Receives the events of a run.
pub(super) type EventSink = Arc<dyn Fn(&StreamingQueryEvent) + Send + Sync>;

/// One run of a query. The loop writes, handles read.
pub(crate) struct StreamExecution {
    identity: StreamIdentity,
    events: EventSink,
    cancellation: Cancellation,
    status: RwLock<StreamingQueryStatus>,
    progress: RwLock<VecDeque<StreamingQueryProgress>>,
    exception: Mutex<Option<Error>>,
    state: watch::Sender<RunState>,
    changes: watch::Sender<u64>,
    /// What its last batch did, and how its sources are asked.
    why: RwLock<WhyState>,
    /// How many triggers found nothing new.
    idle_triggers: watch::Sender<u64>,
    /// How many triggers somebody waits for to find nothing new.
    awaited_idle_triggers: watch::Sender<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunState {
    Running,
    Stopping,
    Ended,
}

/// What a run knows for whoever asks it why.
#[derive(Default)]
struct WhyState {
    batch: Option<BatchWhy>,
    /// Rows that came out in this run.
    num_output_rows: i64,
    sources: Vec<InspectedSource>,
    /// What users call them, if they have a name.
    names: Vec<Option<String>>,
    /// What the sources of an ended run had at its end, if nothing came out of it.
    at_end: Vec<SourceWhy>,
}

/// The description of a source, and who looks at it.
pub(super) type InspectedSource = (String, Option<Arc<dyn SourceInspector>>);

impl std::fmt::Debug for StreamExecution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamExecution")
            .field("identity", &self.identity)
            .field("status", &*self.status.read())
            .finish_non_exhaustive()
    }
}

impl StreamExecution {
    /// A run that is about to start; `cancellation` is what its plan was made with.
    pub(crate) fn new(
        identity: StreamIdentity,
        events: EventSink,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            identity,
            events,
            cancellation,
            status: RwLock::new(StreamingQueryStatus {
                message: "Initializing StreamExecution".into(),
                is_data_available: false,
                is_trigger_active: false,
            }),
            progress: RwLock::default(),
            exception: Mutex::default(),
            state: watch::Sender::new(RunState::Running),
            changes: watch::Sender::new(0),
            why: RwLock::default(),
            idle_triggers: watch::Sender::new(0),
            awaited_idle_triggers: watch::Sender::new(0),
        }
    }

    /// Who the run is.
    pub(crate) fn identity(&self) -> &StreamIdentity {
        &self.identity
    }

    /// What it is doing.
    pub(crate) fn status(&self) -> StreamingQueryStatus {
        self.status.read().clone()
    }

    /// The newest progresses, oldest first.
    pub(crate) fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        self.progress.read().iter().cloned().collect()
    }

    /// The newest progress.
    pub(crate) fn last_progress(&self) -> Option<StreamingQueryProgress> {
        self.progress.read().back().cloned()
    }

    /// Why it failed.
    pub(crate) fn exception(&self) -> Option<Error> {
        self.exception.lock().clone()
    }

    /// Whether it has not ended.
    pub(crate) fn is_active(&self) -> bool {
        *self.state.borrow() != RunState::Ended
    }

    /// Changes after every progress and every change of status.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What its last batch did.
    pub(crate) fn last_why(&self) -> Option<BatchWhy> {
        self.why.read().batch.clone()
    }

    /// What its sources have now; of an ended run, had at its end. May read folders.
    pub(crate) fn inspect_sources(&self) -> Vec<SourceWhy> {
        let state = self.why.read();
        if !state.at_end.is_empty() {
            return state.at_end.clone();
        }
        let (sources, names) = (state.sources.clone(), state.names.clone());
        // Who looks at a folder must not keep the loop waiting.
        drop(state);
        let names = names.into_iter().chain(std::iter::repeat(None));
        let sources = sources.into_iter().zip(names);
        let inspected = sources.map(|((description, inspector), name)| SourceWhy {
            name,
            description,
            // What cannot be looked at is told by the query that reads it.
            input: inspector.and_then(|inspector| inspector.inspect().ok()),
        });
        inspected.collect()
    }

    /// Waits for the end: `Ok(true)` ended, `Ok(false)` timed out, `Err` failed.
    pub(crate) async fn await_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        let mut state = self.state.subscribe();
        let ended = state.wait_for(|state| *state == RunState::Ended);
        if let Some(timeout) = timeout {
            if tokio::time::timeout(timeout, ended).await.is_err() {
                return Ok(false);
            }
        } else {
            // The sender lives in `self`, so waiting cannot fail while we are borrowed.
            let _ = ended.await;
        }
        self.exception().map_or(Ok(true), Err)
    }

    /// Asks the loop to end and waits until it has.
    pub(crate) async fn stop(&self) {
        self.state.send_if_modified(|state| {
            let running = *state == RunState::Running;
            if running {
                *state = RunState::Stopping;
            }
            running
        });
        // The loop may stand in user code and see the request only when that returns.
        self.cancellation.cancel();
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| *state == RunState::Ended).await;
    }

    /// Waits until a trigger that began after the call has found nothing new.
    pub(crate) async fn process_all_available(&self) -> Result<()> {
        let mut idle_triggers = self.idle_triggers.subscribe();
        // The trigger under way may have looked at the sources before the call.
        let target = *idle_triggers.borrow() + 2;
        self.awaited_idle_triggers
            .send_modify(|awaited| *awaited = target.max(*awaited));
        let mut state = self.state.subscribe();
        // The senders live in `self`, so waiting cannot fail while we are borrowed.
        tokio::select! {
            biased;
            _ = state.wait_for(|state| *state == RunState::Ended) => {
                self.exception().map_or(Ok(()), Err)
            }
            _ = idle_triggers.wait_for(|found| *found >= target) => Ok(()),
        }
    }

    /// What its user code looks at while it waits.
    pub(super) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// Returns once the run should end.
    pub(super) async fn stop_requested(&self) {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| *state != RunState::Running).await;
    }

    /// Whether the run should end.
    pub(super) fn is_stopping(&self) -> bool {
        *self.state.borrow() != RunState::Running
    }

    pub(super) fn set_status(&self, message: &str, data: bool, active: bool) {
        {
            let mut status = self.status.write();
            if status.message == message
                && status.is_data_available == data
                && status.is_trigger_active == active
            {
                return;
            }
            status.message.clear();
            status.message.push_str(message);
            status.is_data_available = data;
            status.is_trigger_active = active;
        }
        self.changed();
    }

    /// Only who waits for all data hears of it: nothing about the query has changed.
    pub(super) fn found_nothing_new(&self) {
        self.idle_triggers.send_modify(|found| *found += 1);
    }

    /// Returns when somebody waits for what there is to be processed.
    pub(super) async fn is_awaited(&self) {
        let found = *self.idle_triggers.borrow();
        let mut awaited = self.awaited_idle_triggers.subscribe();
        let _ = awaited.wait_for(|awaited| *awaited > found).await;
    }

    pub(super) fn add_progress(&self, progress: StreamingQueryProgress) {
        {
            let mut recent = self.progress.write();
            while recent.len() >= RECENT_PROGRESS {
                recent.pop_front();
            }
            recent.push_back(progress);
        }
        self.changed();
    }

    pub(super) fn set_sources(&self, sources: Vec<InspectedSource>) {
        self.why.write().sources = sources;
    }

    /// What users call the sources.
    pub(crate) fn set_source_names(&self, names: Vec<Option<String>>) {
        self.why.write().names = names;
    }

    pub(super) fn set_why(&self, why: BatchWhy) {
        let mut state = self.why.write();
        state.num_output_rows += why.num_output_rows;
        state.batch = Some(why);
    }

    /// Lets go of the sources; what they had at the end of a run that gave nothing stays known.
    fn forget_sources(&self) {
        let is_silent = self.why.read().num_output_rows == 0;
        let at_end = match is_silent {
            true => self.inspect_sources(),
            false => Vec::new(),
        };
        let mut state = self.why.write();
        state.sources.clear();
        state.at_end = at_end;
    }

    pub(super) fn post(&self, event: &StreamingQueryEvent) {
        (self.events)(event);
    }

    /// The loop has ended, with an error or without.
    pub(super) fn ended(&self, exception: Option<Error>) {
        self.forget_sources();
        match &exception {
            Some(error) => {
                let message = format!("Terminated with exception: {}", error.message());
                self.set_status(&message, false, false);
            }
            None => self.set_status("Stopped", false, false),
        }
        self.exception.lock().clone_from(&exception);
        self.post(&StreamingQueryEvent::Terminated {
            id: self.identity.id,
            run_id: self.identity.run_id,
            exception,
        });
        // Who learns of the end finds that something has changed, however soon it looks.
        self.changes.send_modify(|version| {
            self.state.send_replace(RunState::Ended);
            *version += 1;
        });
    }

    fn changed(&self) {
        self.changes.send_modify(|version| *version += 1);
    }
}
