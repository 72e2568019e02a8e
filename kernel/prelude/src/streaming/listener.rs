//! Listeners: functions that hear of every query.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::StreamingQueryProgress;
use crate::callbacks;
use crate::error::Result;
use crate::wire::{Call, Function, QueryEvent};

/// [`StreamingQueryListenerEvent::event_type`] of a query that has started.
pub const QUERY_STARTED_EVENT: i32 = 0;
/// [`StreamingQueryListenerEvent::event_type`] of a batch that has finished.
pub const QUERY_PROGRESS_EVENT: i32 = 1;
/// [`StreamingQueryListenerEvent::event_type`] of a query that has ended.
pub const QUERY_TERMINATED_EVENT: i32 = 2;
/// [`StreamingQueryListenerEvent::event_type`] of a trigger that found nothing to do.
pub const QUERY_IDLE_EVENT: i32 = 3;

/// Hears of the queries of the session; see
/// [`add_listener`](super::StreamingQueryManager::add_listener). All methods may be left out.
///
/// What a method prints goes to the cell that runs at that time. It should not take long: events
/// wait for it.
pub trait StreamingQueryListener: Send + Sync {
    /// A query has started.
    fn on_query_started(&self, _event: &QueryStartedEvent) {}

    /// A batch has finished.
    fn on_query_progress(&self, _event: &QueryProgressEvent) {}

    /// A trigger found nothing to do.
    fn on_query_idle(&self, _event: &QueryIdleEvent) {}

    /// A query has ended.
    fn on_query_terminated(&self, _event: &QueryTerminatedEvent) {}

    /// Any of these, as the official client tells it: a number and JSON.
    fn on_event(&self, _event: &StreamingQueryListenerEvent) {}
}

impl<L: StreamingQueryListener + ?Sized> StreamingQueryListener for Arc<L> {
    fn on_query_started(&self, event: &QueryStartedEvent) {
        (**self).on_query_started(event);
    }

    fn on_query_progress(&self, event: &QueryProgressEvent) {
        (**self).on_query_progress(event);
    }

    fn on_query_idle(&self, event: &QueryIdleEvent) {
        (**self).on_query_idle(event);
    }

    fn on_query_terminated(&self, event: &QueryTerminatedEvent) {
        (**self).on_query_terminated(event);
    }

    fn on_event(&self, event: &StreamingQueryListenerEvent) {
        (**self).on_event(event);
    }
}

/// A query has started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryStartedEvent {
    /// The query's id.
    pub id: String,
    /// The run's id.
    pub run_id: String,
    /// The query's name.
    pub name: Option<String>,
    /// When: ISO 8601, UTC.
    pub timestamp: String,
}

/// A batch has finished.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryProgressEvent {
    /// What it did.
    pub progress: StreamingQueryProgress,
}

/// A trigger found nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryIdleEvent {
    /// The query's id.
    pub id: String,
    /// The run's id.
    pub run_id: String,
    /// When: ISO 8601, UTC.
    pub timestamp: String,
}

/// A query has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryTerminatedEvent {
    /// The query's id.
    pub id: String,
    /// The run's id.
    pub run_id: String,
    /// Why, if it has failed.
    pub exception: Option<String>,
}

/// An event as a number and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamingQueryListenerEvent {
    /// [`QUERY_PROGRESS_EVENT`] or another of these.
    pub event_type: i32,
    /// What has happened.
    pub event_json: String,
}

/// Makes the listener known to the kernel, and gives its id.
pub(super) fn register(listener: Arc<dyn StreamingQueryListener>) -> Result<String> {
    let serve = move |call, _: Vec<u8>| match call {
        Call::QueryEvent { event } => {
            dispatch(&*listener, event)?;
            Ok(Vec::new())
        }
        other => Err(callbacks::unexpected(&other)),
    };
    callbacks::register("listener", Function::Listener, 1, Arc::new(serve))
}

fn dispatch(listener: &dyn StreamingQueryListener, event: QueryEvent) -> Result<()> {
    let plain = |event_type: i32, json: Json| {
        let event_json = json.to_string();
        listener.on_event(&StreamingQueryListenerEvent {
            event_type,
            event_json,
        });
    };
    match event {
        QueryEvent::Started {
            id,
            run_id,
            name,
            timestamp,
        } => {
            let json = json!({"id": id, "runId": run_id, "name": name, "timestamp": timestamp});
            listener.on_query_started(&QueryStartedEvent {
                id,
                run_id,
                name,
                timestamp,
            });
            plain(QUERY_STARTED_EVENT, json);
        }
        QueryEvent::Progress { progress } => {
            let json = json!({ "progress": progress });
            let progress = StreamingQueryProgress::read(progress)?;
            listener.on_query_progress(&QueryProgressEvent { progress });
            plain(QUERY_PROGRESS_EVENT, json);
        }
        QueryEvent::Idle {
            id,
            run_id,
            timestamp,
        } => {
            let json = json!({"id": id, "runId": run_id, "timestamp": timestamp});
            listener.on_query_idle(&QueryIdleEvent {
                id,
                run_id,
                timestamp,
            });
            plain(QUERY_IDLE_EVENT, json);
        }
        QueryEvent::Terminated {
            id,
            run_id,
            exception,
        } => {
            let json = json!({"id": id, "runId": run_id, "exception": exception});
            listener.on_query_terminated(&QueryTerminatedEvent {
                id,
                run_id,
                exception,
            });
            plain(QUERY_TERMINATED_EVENT, json);
        }
    }
    Ok(())
}
