//! The queries of one session.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::StreamingQuery;
use crate::error::{Error, Result};
use crate::options::nearest;
use crate::streaming_query_listener::{StreamingQueryEvent, StreamingQueryListener};

/// The queries of one session.
pub struct StreamingQueryManager {
    queries: Mutex<Vec<StreamingQuery>>,
    listeners: Arc<RwLock<Vec<Arc<dyn StreamingQueryListener>>>>,
}

impl std::fmt::Debug for StreamingQueryManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingQueryManager")
            .field("queries", &self.queries.lock().len())
            .finish_non_exhaustive()
    }
}

impl StreamingQueryManager {
    pub(super) fn new() -> Self {
        Self {
            queries: Mutex::default(),
            listeners: Arc::default(),
        }
    }

    /// Queries that are running, by start.
    pub fn active(&self) -> Vec<StreamingQuery> {
        let queries = self.queries.lock();
        queries
            .iter()
            .filter(|query| query.is_active())
            .cloned()
            .collect()
    }

    /// All queries of the session that were started, ended ones included; of one name, the last.
    pub fn all(&self) -> Vec<StreamingQuery> {
        self.queries.lock().clone()
    }

    /// The query of this name (the last one started), running or ended.
    /// An unknown name is an error that offers the nearest known one.
    pub fn get(&self, name: &str) -> Result<StreamingQuery> {
        let queries = self.queries.lock();
        let named = |query: &&StreamingQuery| {
            query
                .name()
                .is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        if let Some(query) = queries.iter().rev().find(named) {
            return Ok(query.clone());
        }
        let names: Vec<&str> = queries.iter().filter_map(|query| query.name()).collect();
        let error = Error::illegal_argument(format!("there is no query named '{name}'"));
        Err(match nearest(name, names.iter().copied()) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None if names.is_empty() => error.with_hint("start one with %%stream"),
            None => error.with_hint(format!("the queries are {}", names.join(", "))),
        })
    }

    /// Adds a listener for the events of all queries.
    pub fn add_listener(&self, listener: Arc<dyn StreamingQueryListener>) {
        self.listeners.write().push(listener);
    }

    /// Stops every running query and waits until each has ended.
    pub async fn stop_all(&self) -> Result<()> {
        let stopping = self.active();
        futures::future::join_all(stopping.iter().map(StreamingQuery::stop)).await;
        Ok(())
    }

    /// Takes in a query that is about to run, in the place of an ended one of the same name.
    pub(super) fn add(&self, query: StreamingQuery) {
        let mut queries = self.queries.lock();
        queries.retain(|other| {
            other.is_active() || (other.name().is_some() && other.name() != query.name())
        });
        queries.push(query);
    }

    pub(super) fn event_sink(&self) -> Arc<dyn Fn(&StreamingQueryEvent) + Send + Sync> {
        let listeners = Arc::clone(&self.listeners);
        Arc::new(move |event| {
            let listeners = listeners.read().clone();
            listeners
                .iter()
                .for_each(|listener| listener.on_event(event));
        })
    }
}
