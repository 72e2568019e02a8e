//! The session's manual clock, by which a query can live step by step: option `clock` = `manual`.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{Session, StreamingQuery};
use crate::clock::Clock as _;
use crate::error::{Error, Result, hint};
use crate::trigger::Trigger;

impl Session {
    /// What the manual clock shows, in milliseconds since 1970-01-01 UTC, where it starts.
    pub fn manual_clock_ms(&self) -> i64 {
        self.inner.manual_clock.now_ms()
    }

    /// Moves the manual clock and waits until all queries that live by it have done what is due
    /// then; gives those queries. Dropping the future only stops the waiting.
    ///
    /// # Errors
    /// If it would go back while a query lives by it.
    pub fn set_manual_clock(&self, time_ms: i64) -> BoxFuture<'_, Result<Vec<StreamingQuery>>> {
        async move {
            let mut queries = self.streams().active();
            queries.retain(StreamingQuery::is_on_manual_clock);
            if let Some(query) = queries.first().filter(|_| time_ms < self.manual_clock_ms()) {
                let label = query.label();
                return Err(Error::illegal_argument(format!(
                    "the clock cannot go back while query '{label}' lives by it"
                ))
                .with_hint([
                    hint::stop(label),
                    hint::say(" first, or choose a later time"),
                ]));
            }
            self.inner.manual_clock.set(time_ms);
            for query in &queries {
                query.catch_up().await;
            }
            Ok(queries)
        }
        .boxed()
    }
}

impl StreamingQuery {
    /// Waits until it has done what is due by its clock, or has ended.
    async fn catch_up(&self) {
        match self.trigger() {
            Trigger::ProcessingTime(Duration::ZERO) => {
                // A failure is the query's own, which the handle tells.
                let _ = self.process_all_available().await;
            }
            Trigger::Continuous(Duration::ZERO) | Trigger::RealTime(Duration::ZERO) => {
                let _ = self.process_all_available().await;
            }
            Trigger::Continuous(_) | Trigger::RealTime(_) => {
                let _ = self.process_all_available().await;
                let _ = self.asleep().await;
            }
            Trigger::ProcessingTime(_) => drop(self.asleep().await),
            Trigger::Once | Trigger::AvailableNow => drop(self.await_termination(None).await),
        }
    }
}
