//! A query that was started.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{StreamingQueryProgress, StreamingQueryStatus};
use crate::connection::{ask, tell};
use crate::dataframe::Text;
use crate::display::{offer, or_say};
use crate::error::{Error, Result};
use crate::wire::{Failure, QueryInfo, QueryRequest, QueryView, Request};

/// The handle of a query. It runs in the kernel: dropping the handle does not stop it, and
/// `spark.streams().get("its name")` gives another one.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let query = spark.streams().get("counts")?.expect("it was started in another cell");
/// query.process_all_available()?;
/// if let Some(progress) = query.last_progress()? {
///     println!("batch {}: {:.0} rows/s", progress.batch_id, progress.input_rows_per_second);
/// }
/// query.stop()?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StreamingQuery {
    info: QueryInfo,
}

/// Why a query has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamingQueryException {
    /// The sentence.
    pub message: String,
    /// Spark's condition name, `""` if it has none.
    pub error_class: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    is_active: bool,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    pub(super) ended: bool,
}

impl StreamingQuery {
    pub(crate) fn new(info: QueryInfo) -> Self {
        Self { info }
    }

    fn about<T: DeserializeOwned>(&self, about: QueryRequest) -> Result<T> {
        let run_id = self.info.run_id.clone();
        ask(&Request::Query { run_id, about }, &[])
    }

    /// The id, the same over restarts from one checkpoint.
    pub fn id(&self) -> &str {
        &self.info.id
    }

    /// The id of this run.
    pub fn run_id(&self) -> &str {
        &self.info.run_id
    }

    /// The name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.info.name.as_deref()
    }

    /// Whether it runs.
    pub fn is_active(&self) -> Result<bool> {
        self.about::<Active>(QueryRequest::IsActive)
            .map(|active| active.is_active)
    }

    /// What it is doing right now.
    pub fn status(&self) -> Result<StreamingQueryStatus> {
        let status: StreamingQueryStatus = self.about(QueryRequest::Status)?;
        Ok(status.of(self.run_id(), self.is_active()?))
    }

    /// What the last trigger did; nothing if there was none yet.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// # let query = spark.table("events")?.write_stream().start("")?;
    /// if let Some(progress) = query.last_progress()? {
    ///     println!("{} rows, {} rows/s", progress.num_input_rows, progress.input_rows_per_second);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn last_progress(&self) -> Result<Option<StreamingQueryProgress>> {
        match self.about(QueryRequest::LastProgress)? {
            Json::Null => Ok(None),
            json => StreamingQueryProgress::read(json).map(Some),
        }
    }

    /// What the last triggers did, the oldest first.
    pub fn recent_progress(&self) -> Result<Vec<StreamingQueryProgress>> {
        let recent: Vec<Json> = self.about(QueryRequest::RecentProgress)?;
        recent
            .into_iter()
            .map(StreamingQueryProgress::read)
            .collect()
    }

    /// Waits until it has ended, or the timeout in seconds has passed: with one, says whether it has
    /// ended.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// # let query = spark.table("events")?.write_stream().start("")?;
    /// if query.await_termination(Some(30.0))? == Some(false) {
    ///     query.stop()?;
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If the query fails, or has failed.
    pub fn await_termination(&self, timeout: impl Timeout) -> Result<Option<bool>> {
        let timeout_ms = timeout.millis()?;
        let ended: Ended = self.about(QueryRequest::AwaitTermination { timeout_ms })?;
        Ok(timeout_ms.map(|_| ended.ended))
    }

    /// Waits until all rows that the sources have now are processed.
    ///
    /// # Errors
    /// If the query fails, or has failed.
    pub fn process_all_available(&self) -> Result<()> {
        self.about::<Json>(QueryRequest::ProcessAllAvailable)
            .map(drop)
    }

    /// Stops it, after the batch it is in.
    pub fn stop(&self) -> Result<()> {
        self.about::<Json>(QueryRequest::Stop).map(drop)
    }

    /// Why it has failed, if it has.
    pub fn exception(&self) -> Result<Option<StreamingQueryException>> {
        let failure: Option<Failure> = self.about(QueryRequest::Exception)?;
        Ok(failure.map(|failure| StreamingQueryException {
            message: failure.message,
            error_class: failure.condition.unwrap_or_default(),
        }))
    }

    /// The plan of its batches. `extended` is for other clients: there is one plan to show.
    pub fn explain(&self, extended: bool) -> Result<String> {
        let _ = extended;
        self.about::<Text>(QueryRequest::Explain)
            .map(|plan| plan.text)
    }

    /// Why nothing came out of it, or what it has dropped, in words: what `%why` shows.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// # let query = spark.table("events")?.write_stream().start("")?;
    /// println!("{}", query.why()?);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn why(&self) -> Result<String> {
        self.about::<Text>(QueryRequest::Why).map(|why| why.text)
    }

    /// Shows the query's card, which updates itself, as the value of the cell.
    pub fn evcxr_display(&self) {
        show(self.run_id(), QueryView::Card);
    }
}

impl fmt::Debug for StreamingQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run_id = self.info.run_id.clone();
        offer(move || show(&run_id, QueryView::Card));
        f.debug_struct("StreamingQuery")
            .field("name", &self.info.name)
            .field("id", &self.info.id)
            .field("run_id", &self.info.run_id)
            .finish()
    }
}

/// Shows something of a query as the value of the cell.
pub(super) fn show(run_id: &str, what: QueryView) {
    let run_id = run_id.to_string();
    or_say(tell(&Request::DisplayQuery { run_id, what }, &[]));
}

impl fmt::Display for StreamingQueryException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.error_class.is_empty() {
            write!(f, "[{}] ", self.error_class)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for StreamingQueryException {}

/// How long to wait: `None`, `Some(seconds)`, seconds, or a [`Duration`].
pub trait Timeout {
    /// Milliseconds, if there is an end.
    ///
    /// # Errors
    /// If it is not a positive time.
    fn millis(self) -> Result<Option<u64>>;
}

impl Timeout for Option<f64> {
    fn millis(self) -> Result<Option<u64>> {
        self.map_or(Ok(None), f64::millis)
    }
}

impl Timeout for f64 {
    fn millis(self) -> Result<Option<u64>> {
        if self > 0.0 {
            return Ok(Some((self * 1000.0).ceil() as u64));
        }
        Err(Error::new(format!("{self} seconds is no timeout"))
            .with_hint("use a number above 0, or None to wait for ever"))
    }
}

impl Timeout for Duration {
    fn millis(self) -> Result<Option<u64>> {
        self.as_secs_f64().millis()
    }
}
