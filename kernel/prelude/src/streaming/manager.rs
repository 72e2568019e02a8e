//! All queries of the session.

use std::sync::Arc;

use super::query::Ended;
use super::{StreamingQuery, StreamingQueryListener, Timeout, listener};
use crate::connection::{ask, tell};
use crate::error::Result;
use crate::wire::{QueryInfo, Request};

/// Finds queries, waits for them and listens to them; see
/// [`SparkSession::streams`](crate::SparkSession::streams).
#[derive(Debug, Clone, Copy)]
pub struct StreamingQueryManager;

impl StreamingQueryManager {
    /// The queries that run.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// for query in spark.streams().active()? {
    ///     println!("{:?}: {}", query.name(), query.status()?.status_message);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn active(&self) -> Result<Vec<StreamingQuery>> {
        let active: Vec<QueryInfo> = ask(&Request::ActiveQueries, &[])?;
        Ok(active.into_iter().map(StreamingQuery::new).collect())
    }

    /// The query of a name or id, running or ended.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, name_or_id: &str) -> Result<Option<StreamingQuery>> {
        let name = name_or_id.to_string();
        let found: Option<QueryInfo> = ask(&Request::FindQuery { name }, &[])?;
        Ok(found.map(StreamingQuery::new))
    }

    /// Waits until any query has ended, or the timeout in seconds has passed: with one, says whether
    /// one has ended. A query that has ended counts until
    /// [`reset_terminated`](Self::reset_terminated).
    ///
    /// # Errors
    /// If that query has failed.
    pub fn await_any_termination(&self, timeout: impl Timeout) -> Result<Option<bool>> {
        let timeout_ms = timeout.millis()?;
        let ended: Ended = ask(&Request::AwaitAnyTermination { timeout_ms }, &[])?;
        Ok(timeout_ms.map(|_| ended.ended))
    }

    /// Forgets the queries that have ended, for
    /// [`await_any_termination`](Self::await_any_termination).
    pub fn reset_terminated(&self) -> Result<()> {
        tell(&Request::ResetTerminated, &[])
    }

    /// Calls `listener` for every event of every query from now on. Gives an id to remove it by.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// struct Log;
    ///
    /// impl StreamingQueryListener for Log {
    ///     fn on_query_progress(&self, event: &QueryProgressEvent) {
    ///         println!("batch {}: {} rows", event.progress.batch_id, event.progress.num_input_rows);
    ///     }
    /// }
    ///
    /// let id = spark.streams().add_listener(Log)?;
    /// spark.streams().remove_listener(&id)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add_listener(&self, listener: impl StreamingQueryListener + 'static) -> Result<String> {
        listener::register(Arc::new(listener))
    }

    /// Removes a listener.
    pub fn remove_listener(&self, id: &str) -> Result<()> {
        tell(&Request::RemoveFunction { id: id.to_string() }, &[])
    }
}
