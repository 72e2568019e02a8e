//! A streaming query, wherever it runs.

use std::time::Duration;

use tidebook_engine::{
    Error, OutputMode, StreamingQuery, StreamingQueryProgress, StreamingQueryStatus, Trigger,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::error::{CellError, Result};

/// A streaming query. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Query {
    /// On the engine in this process.
    Here(StreamingQuery),
    /// On a cluster: what was seen of it last.
    There(tidebook_remote::Query),
}

/// The same question to either.
macro_rules! either {
    ($query:expr, $own:ident => $answer:expr) => {
        match $query {
            Query::Here($own) => $answer,
            Query::There($own) => $answer,
        }
    };
}

impl Query {
    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        either!(self, query => query.name())
    }

    /// Its name, or its id.
    pub(crate) fn label(&self) -> String {
        let name = self.name().map(str::to_owned);
        name.unwrap_or_else(|| self.id().to_string())
    }

    /// Stays the same over restarts from one checkpoint.
    pub(crate) fn id(&self) -> Uuid {
        either!(self, query => query.id())
    }

    /// New with every start.
    pub(crate) fn run_id(&self) -> Uuid {
        either!(self, query => query.run_id())
    }

    /// Whether it runs.
    pub(crate) fn is_active(&self) -> bool {
        either!(self, query => query.is_active())
    }

    /// What it is doing.
    pub(crate) fn status(&self) -> StreamingQueryStatus {
        either!(self, query => query.status())
    }

    /// Its newest progresses, the oldest first.
    pub(crate) fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        either!(self, query => query.recent_progress())
    }

    /// Why it failed.
    pub(crate) fn exception(&self) -> Option<Error> {
        either!(self, query => query.exception())
    }

    /// Changes whenever there is something new to see of it.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        either!(self, query => query.watch())
    }

    /// Which rows a batch hands to the sink, if that is known.
    pub(crate) fn output_mode(&self) -> Option<OutputMode> {
        match self {
            Self::Here(query) => Some(query.output_mode()),
            Self::There(query) => query.output_mode(),
        }
    }

    /// When batches run, if that is known.
    pub(crate) fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::Here(query) => Some(query.trigger()),
            Self::There(query) => query.trigger(),
        }
    }

    /// What it writes to, if that is known.
    pub(crate) fn sink(&self) -> Option<String> {
        match self {
            Self::Here(query) => Some(query.sink()),
            Self::There(query) => query.sink(),
        }
    }

    /// The table of a memory sink.
    pub(crate) fn table(&self) -> Option<&str> {
        either!(self, query => query.table())
    }

    /// Whether it lives by the clock that is moved by hand.
    pub(crate) fn is_on_manual_clock(&self) -> bool {
        match self {
            Self::Here(query) => query.is_on_manual_clock(),
            Self::There(_) => false,
        }
    }

    /// Whether it ends without being told to.
    pub(crate) fn ends_by_itself(&self) -> bool {
        matches!(self.trigger(), Some(Trigger::Once | Trigger::AvailableNow))
    }

    /// On which cluster it runs, and that paths are the cluster's.
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Self::Here(_) => None,
            Self::There(query) => Some(match query.writes_files() {
                true => format!("{}, where relative paths are its own", query.address()),
                false => query.address().to_string(),
            }),
        }
    }

    /// Waits until it has ended; whether it did in time. Fails if it failed.
    pub(crate) async fn await_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        Ok(either!(self, query => query.await_termination(timeout).await)?)
    }

    /// Waits until all data that there is now was processed. Fails if it fails meanwhile.
    pub(crate) async fn process_all_available(&self) -> Result<()> {
        match self {
            Self::Here(query) => query.process_all_available().await?,
            Self::There(query) => query.process_all_available().await?,
        }
        Ok(())
    }

    /// How it is run, as text.
    pub(crate) async fn explain(&self) -> Result<String> {
        Ok(match self {
            Self::Here(query) => query.explain(),
            Self::There(query) => query.explain().await?,
        })
    }

    /// The newest progress.
    pub(crate) fn last_progress(&self) -> Option<StreamingQueryProgress> {
        match self {
            Self::Here(query) => query.last_progress(),
            Self::There(query) => query.recent_progress().pop(),
        }
    }

    /// The engine's own query: `what` needs it.
    pub(crate) fn here(&self, what: &str) -> Result<&StreamingQuery> {
        match self {
            Self::Here(query) => Ok(query),
            Self::There(query) => Err(CellError::new(
                "UnsupportedOperationException",
                format!(
                    "{what} works on queries of the engine in this process only, and this one runs on {}",
                    query.address()
                ),
            )
            .hint("%connect local, and start the query there")),
        }
    }

    /// Ends it.
    pub(crate) async fn stop(&self) -> Result<()> {
        match self {
            Self::Here(query) => query.stop().await?,
            Self::There(query) => query.stop().await?,
        }
        Ok(())
    }
}

impl From<StreamingQuery> for Query {
    fn from(query: StreamingQuery) -> Self {
        Self::Here(query)
    }
}
