//! The queries of one session.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use uuid::Uuid;

use super::StreamingQuery;
use crate::error::{Error, Result, hint};
use crate::nearest::nearest;
use crate::streaming_query_listener::{StreamingQueryEvent, StreamingQueryListener};

/// So many ended runs can still be found by their ids.
const ENDED_RUNS: usize = 100;

/// The queries of one session.
pub struct StreamingQueryManager {
    runs: Mutex<Vec<Run>>,
    listeners: Arc<RwLock<Vec<Arc<dyn StreamingQueryListener>>>>,
    /// The run that `await_any_termination` tells about: the first that ended since the last reset,
    /// or the last that failed.
    terminated: watch::Sender<Option<Uuid>>,
}

/// A run of a query.
struct Run {
    query: StreamingQuery,
    /// Whether a later one has taken its place in the list of all queries.
    replaced: bool,
}

impl std::fmt::Debug for StreamingQueryManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingQueryManager")
            .field("runs", &self.runs.lock().len())
            .finish_non_exhaustive()
    }
}

impl StreamingQueryManager {
    pub(super) fn new() -> Self {
        Self {
            runs: Mutex::default(),
            listeners: Arc::default(),
            terminated: watch::Sender::new(None),
        }
    }

    /// Queries that are running, by start.
    pub fn active(&self) -> Vec<StreamingQuery> {
        self.select(|run| run.query.is_active())
    }

    /// All queries of the session that were started, ended ones included; of one name, the last.
    pub fn all(&self) -> Vec<StreamingQuery> {
        self.select(|run| !run.replaced)
    }

    /// All runs by start, also those in whose place a later one has come: of these the last
    /// hundred.
    pub fn runs(&self) -> Vec<StreamingQuery> {
        self.select(|_| true)
    }

    /// The query of this name (the last one started), running or ended.
    /// An unknown name is an error that offers the nearest known one.
    pub fn get(&self, name: &str) -> Result<StreamingQuery> {
        let named = |query: &StreamingQuery| has_name(query, name);
        self.last(named).ok_or_else(|| self.unknown(name))
    }

    /// The query of this name, id or run id, running or ended; of several, the last one started.
    /// An unknown one is an error that offers the nearest known name.
    pub fn find(&self, name_or_id: &str) -> Result<StreamingQuery> {
        let found = Uuid::parse_str(name_or_id).ok().and_then(|id| {
            let by_run = self.last(|query| query.run_id() == id);
            by_run.or_else(|| self.last(|query| query.id() == id))
        });
        found.map_or_else(|| self.get(name_or_id), Ok)
    }

    /// Waits until any query has ended since the session began or [`Self::reset_terminated`] was
    /// called. `Ok(true)`: one ended; `Ok(false)`: the timeout came first; `Err`: one failed, the
    /// error is its own. Waits also while no query runs. Dropping the future only stops the waiting.
    pub fn await_any_termination(&self, timeout: Option<Duration>) -> BoxFuture<'_, Result<bool>> {
        async move {
            let mut terminated = self.terminated.subscribe();
            let any = async {
                let ended = terminated.wait_for(Option::is_some).await;
                // The sender lives in `self`, so waiting cannot fail while we are borrowed.
                let run_id = ended.ok().and_then(|ended| *ended)?;
                let query = self.last(|query| query.run_id() == run_id)?;
                Some(query.await_termination(None).await)
            };
            let ended = match timeout {
                Some(timeout) => match tokio::time::timeout(timeout, any).await {
                    Ok(ended) => ended,
                    Err(_) => return Ok(false),
                },
                None => any.await,
            };
            ended.unwrap_or(Ok(true))
        }
        .boxed()
    }

    /// Forgets the queries that have ended, for [`Self::await_any_termination`].
    pub fn reset_terminated(&self) {
        self.terminated.send_replace(None);
    }

    /// Adds a listener for the events of all queries.
    pub fn add_listener(&self, listener: Arc<dyn StreamingQueryListener>) {
        self.listeners.write().push(listener);
    }

    /// Removes a listener; one that was never added is none to remove.
    pub fn remove_listener(&self, listener: &Arc<dyn StreamingQueryListener>) {
        let mut listeners = self.listeners.write();
        listeners.retain(|other| !Arc::ptr_eq(other, listener));
    }

    /// Stops every running query and waits until each has ended.
    pub fn stop_all(&self) -> BoxFuture<'_, Result<()>> {
        async move {
            let stopping = self.active();
            futures::future::join_all(stopping.iter().map(StreamingQuery::stop)).await;
            Ok(())
        }
        .boxed()
    }

    /// Takes in a query that is about to run, in the place of an ended one of the same name.
    pub(super) fn add(&self, query: StreamingQuery) {
        let mut runs = self.runs.lock();
        for run in runs.iter_mut() {
            let other = &run.query;
            let stays =
                other.is_active() || (other.name().is_some() && other.name() != query.name());
            if !stays {
                run.replaced = true;
                other.release_checkpoint();
            }
        }
        let replaced = runs.iter().filter(|run| run.replaced).count();
        let mut forgotten = replaced.saturating_sub(ENDED_RUNS);
        runs.retain(|run| {
            let forget = run.replaced && forgotten > 0;
            forgotten -= usize::from(forget);
            !forget
        });
        runs.push(Run {
            query,
            replaced: false,
        });
    }

    pub(super) fn event_sink(&self) -> Arc<dyn Fn(&StreamingQueryEvent) + Send + Sync> {
        let listeners = Arc::clone(&self.listeners);
        let terminated = self.terminated.clone();
        Arc::new(move |event| {
            let listeners = listeners.read().clone();
            for listener in listeners {
                // One that panics must not keep the others, or the query's end, from being told.
                let told = AssertUnwindSafe(|| listener.on_event(event));
                if catch_unwind(told).is_err() {
                    tracing::error!("a listener of streaming queries panicked");
                }
            }
            if let StreamingQueryEvent::Terminated {
                run_id, exception, ..
            } = event
            {
                note_termination(&terminated, *run_id, exception.is_some());
            }
        })
    }

    fn select(&self, wanted: impl Fn(&Run) -> bool) -> Vec<StreamingQuery> {
        let runs = self.runs.lock();
        let wanted = runs.iter().filter(|run| wanted(run));
        wanted.map(|run| run.query.clone()).collect()
    }

    /// The last query started that is `wanted`.
    fn last(&self, wanted: impl Fn(&StreamingQuery) -> bool) -> Option<StreamingQuery> {
        let runs = self.runs.lock();
        let mut queries = runs.iter().rev().map(|run| &run.query);
        queries.find(|query| wanted(query)).cloned()
    }

    fn unknown(&self, name: &str) -> Error {
        let all = self.all();
        let names: Vec<&str> = all.iter().filter_map(StreamingQuery::name).collect();
        let error = Error::illegal_argument(format!("there is no query named '{name}'"));
        match nearest(name, names.iter().copied()) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None if names.is_empty() => {
                error.with_hint([hint::say("start one with "), hint::start_query()])
            }
            None => error.with_hint(format!("the queries are {}", names.join(", "))),
        }
    }
}

fn has_name(query: &StreamingQuery, name: &str) -> bool {
    query
        .name()
        .is_some_and(|other| other.eq_ignore_ascii_case(name))
}

fn note_termination(terminated: &watch::Sender<Option<Uuid>>, run_id: Uuid, failed: bool) {
    terminated.send_if_modified(|last| {
        let news = last.is_none() || failed;
        if news {
            *last = Some(run_id);
        }
        news
    });
}
