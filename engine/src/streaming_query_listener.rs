//! Events of all queries of a session, in the order they happened per query.

use uuid::Uuid;

use crate::error::Error;
use crate::streaming_query_progress::StreamingQueryProgress;

/// One event.
#[derive(Debug, Clone)]
pub enum StreamingQueryEvent {
    /// A query has started.
    Started {
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
        /// The query's name.
        name: Option<String>,
        /// Start: ISO 8601, UTC.
        timestamp: String,
    },
    /// A batch has finished (boxed: much larger than the others).
    Progress(Box<StreamingQueryProgress>),
    /// A trigger found nothing to do; at most one in ten seconds.
    Idle {
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
        /// Time of the trigger: ISO 8601, UTC.
        timestamp: String,
    },
    /// A query has ended.
    Terminated {
        /// The query's id.
        id: Uuid,
        /// The run's id.
        run_id: Uuid,
        /// Why, if it failed.
        exception: Option<Error>,
    },
}

/// Called for every event, one at a time per query, on the query's own thread.
pub trait StreamingQueryListener: Send + Sync {
    /// Receives one event; must not block for long.
    fn on_event(&self, event: &StreamingQueryEvent);
}
