//! When the next trigger is due.

use std::time::Duration;

use crate::clock::Clock;

/// How long a query without data waits before it looks again; grows while nothing comes.
const POLL_MS: std::ops::RangeInclusive<i64> = 10..=50;

/// Ticks of a query that runs until it is stopped.
#[derive(Debug)]
pub struct Ticker {
    interval_ms: i64,
    idle_polls: i64,
}

impl Ticker {
    /// A ticker with a tick per `interval`; zero means at once.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval_ms: interval.as_millis() as i64,
            idle_polls: 0,
        }
    }

    /// Waits for the tick after a trigger that did something, or found nothing to do.
    pub async fn wait(&mut self, clock: &dyn Clock, did_something: bool) {
        let now = clock.now_ms();
        if self.interval_ms > 0 {
            // Ticks are aligned to the epoch; a batch that overran is followed by one at once,
            // because its next tick has passed.
            let next = now.div_euclid(self.interval_ms) * self.interval_ms + self.interval_ms;
            clock.wait_until(next).await;
            return;
        }
        if did_something {
            self.idle_polls = 0;
            return;
        }
        self.idle_polls += 1;
        let wait = (POLL_MS.start() + self.idle_polls / 10).min(*POLL_MS.end());
        tokio::time::sleep(Duration::from_millis(wait as u64)).await;
    }
}
