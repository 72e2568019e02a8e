//! Time, as the engine sees it: the only place that reads the wall clock.

#![expect(clippy::disallowed_methods, reason = "the room of the clock")]

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

/// A source of time.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// Returns once `now_ms() >= time_ms`.
    async fn wait_until(&self, time_ms: i64);

    /// Waits before something is looked at again that tells nobody of its changes, such as a folder.
    /// What is out there moves on while a clock stands still, so this takes `time` by any clock.
    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        since_epoch.map_or(0, |elapsed| elapsed.as_millis() as i64)
    }

    async fn wait_until(&self, time_ms: i64) {
        let wait = time_ms - self.now_ms();
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
        }
    }
}

/// A clock that stands still until it is advanced.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now_ms: Arc<Mutex<watch::Sender<i64>>>,
}

impl ManualClock {
    /// A clock that shows `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        Self {
            now_ms: Arc::new(Mutex::new(watch::Sender::new(now_ms))),
        }
    }

    /// Moves the clock forward and wakes whoever waited for the new time.
    pub fn advance(&self, by: Duration) {
        self.now_ms
            .lock()
            .send_modify(|now| *now += by.as_millis() as i64);
    }

    /// Sets the clock, and wakes whoever waited for the new time.
    pub fn set(&self, now_ms: i64) {
        self.now_ms.lock().send_replace(now_ms);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        *self.now_ms.lock().borrow()
    }

    async fn wait_until(&self, time_ms: i64) {
        let mut changes = self.now_ms.lock().subscribe();
        // The sender lives in `self`, so waiting cannot fail while we are borrowed.
        let _ = changes.wait_for(|now| *now >= time_ms).await;
    }
}

/// A [`ManualClock`] as one query lives by it: it tells when the query has done what was due and
/// sleeps until a later time. Clones are the same.
#[derive(Debug, Clone)]
pub struct QueryClock {
    clock: ManualClock,
    asleep_until_ms: Arc<watch::Sender<Option<i64>>>,
}

impl QueryClock {
    /// For a query that lives by `clock`.
    pub fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            asleep_until_ms: Arc::new(watch::Sender::new(None)),
        }
    }

    /// Returns once the query sleeps until a time that the clock does not show yet; gives that time.
    pub async fn asleep(&self) -> i64 {
        let mut asleep = self.asleep_until_ms.subscribe();
        let later = |until: &Option<i64>| until.is_some_and(|until| until > self.clock.now_ms());
        // The sender lives in `self`, so waiting cannot fail while we are borrowed.
        let until = asleep.wait_for(later).await.ok().and_then(|until| *until);
        until.unwrap_or_else(|| self.clock.now_ms())
    }
}

/// Notes that a query sleeps, while it lives.
struct Asleep<'a>(&'a watch::Sender<Option<i64>>);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}

#[async_trait]
impl Clock for QueryClock {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    async fn wait_until(&self, time_ms: i64) {
        if self.now_ms() >= time_ms {
            return;
        }
        let _asleep = Asleep(&self.asleep_until_ms);
        self.asleep_until_ms.send_replace(Some(time_ms));
        self.clock.wait_until(time_ms).await;
    }
}

/// Measures how long something takes; not affected by [`ManualClock`].
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Formats milliseconds since the epoch as Spark does: `2024-01-01T12:00:00.000Z`.
pub fn format_iso8601(time_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(time_ms).map_or_else(
        || time_ms.to_string(),
        |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_query_clock_tells_who_has_done_what_was_due() {
        let clock = ManualClock::new(0);
        let query = QueryClock::new(clock.clone());
        assert!(query.asleep().now_or_never().is_none(), "it is at work");
        let other = query.clone();
        let mut tick = Box::pin(other.wait_until(10));
        assert!(tick.as_mut().now_or_never().is_none());
        assert_eq!(query.asleep().now_or_never(), Some(10));
        // Its time has come, but it has not woken up yet.
        clock.set(10);
        assert!(query.asleep().now_or_never().is_none());
        assert!(tick.as_mut().now_or_never().is_some());
        drop(tick);
        assert!(query.asleep().now_or_never().is_none());
        let mut next = Box::pin(other.wait_until(20));
        assert!(next.as_mut().now_or_never().is_none());
        assert_eq!(query.asleep().now_or_never(), Some(20));
    }
}
