//! A handle on a streaming query, running or ended.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::streaming_query_progress::{StreamingQueryProgress, StreamingQueryStatus};
use crate::trigger::Trigger;

/// A handle on a streaming query. Cheap to clone; dropping it does not stop the query.
#[derive(Debug, Clone)]
pub struct StreamingQuery {}

impl StreamingQuery {
    /// Stays the same over restarts from one checkpoint.
    pub fn id(&self) -> Uuid {
        todo!()
    }
    /// New with every start.
    pub fn run_id(&self) -> Uuid {
        todo!()
    }
    /// The query's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        todo!()
    }
    /// The mode it was started with.
    pub fn output_mode(&self) -> OutputMode {
        todo!()
    }
    /// The trigger it was started with.
    pub fn trigger(&self) -> Trigger {
        todo!()
    }
    /// The sink's description, e.g. `MemorySink`.
    pub fn sink(&self) -> String {
        todo!()
    }
    /// The columns it writes.
    pub fn schema(&self) -> SchemaRef {
        todo!()
    }
    /// Whether it is running.
    pub fn is_active(&self) -> bool {
        todo!()
    }
    /// What it is doing right now.
    pub fn status(&self) -> StreamingQueryStatus {
        todo!()
    }
    /// The newest progress.
    pub fn last_progress(&self) -> Option<StreamingQueryProgress> {
        todo!()
    }
    /// The newest progresses, oldest first (at most 100).
    pub fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        todo!()
    }
    /// Why it failed, if it did.
    pub fn exception(&self) -> Option<Error> {
        todo!()
    }
    /// Its plan as text.
    pub fn explain(&self) -> String {
        todo!()
    }
    /// Waits until the query ends. `Ok(true)`: it ended; `Ok(false)`: the timeout came first;
    /// `Err`: it failed. Dropping the future only stops the waiting.
    pub async fn await_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        todo!()
    }
    /// Waits until everything the sources had at the call is processed and in the sink.
    pub async fn process_all_available(&self) -> Result<()> {
        todo!()
    }
    /// Stops the query and waits until it has ended. Stopping an ended query does nothing.
    pub async fn stop(&self) -> Result<()> {
        todo!()
    }
    /// Changes after every progress and every change of status or of being active.
    /// The value only counts up; look at the query for what changed.
    pub fn watch(&self) -> watch::Receiver<u64> {
        todo!()
    }
}
