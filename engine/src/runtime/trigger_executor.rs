//! When the next trigger is due.

use std::time::Duration;

use crate::clock::Clock;

/// How long a query without data waits before it looks again; grows while nothing comes.
const POLL_MS: std::ops::RangeInclusive<i64> = 10..=50;

/// How long to wait before a source is asked again that has had nothing new.
#[derive(Debug, Default)]
pub(super) struct IdlePolls(i64);

impl IdlePolls {
    /// There was something new.
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }

    /// The next wait.
    pub(super) fn next_wait(&mut self) -> Duration {
        self.0 += 1;
        let wait = (POLL_MS.start() + self.0 / 10).min(*POLL_MS.end());
        Duration::from_millis(wait as u64)
    }
}

/// Ticks of a query that runs until it is stopped.
#[derive(Debug)]
pub(super) struct Ticker {
    interval_ms: i64,
    idle_polls: IdlePolls,
}

impl Ticker {
    /// A ticker with a tick per `interval`; zero means at once.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval_ms: interval.as_millis() as i64,
            idle_polls: IdlePolls::default(),
        }
    }

    /// When the trigger after one that begins at `now_ms` is due. Ticks are aligned to the epoch, as
    /// in Spark.
    pub(super) fn tick_after(&self, now_ms: i64) -> i64 {
        match self.interval_ms {
            0 => now_ms,
            interval => now_ms.div_euclid(interval) * interval + interval,
        }
    }

    /// Whether nothing is waited for between triggers.
    pub(super) fn is_immediate(&self) -> bool {
        self.interval_ms == 0
    }

    /// The tick to wait for at `now_ms`, which is another one if the clock was set back meanwhile:
    /// no wait is longer than the interval.
    pub(super) fn corrected(&self, tick_ms: i64, now_ms: i64) -> i64 {
        match tick_ms - now_ms > self.interval_ms {
            true => self.tick_after(now_ms),
            false => tick_ms,
        }
    }

    /// Waits for a tick, after a trigger that did something or found nothing to do. A trigger that
    /// took longer is followed by one at once, because its tick has passed.
    pub(super) async fn wait(&mut self, clock: &dyn Clock, tick_ms: i64, did_something: bool) {
        if self.interval_ms > 0 {
            clock.wait_until(tick_ms).await;
            return;
        }
        if did_something {
            self.idle_polls.reset();
            return;
        }
        clock.pause(self.idle_polls.next_wait()).await;
    }
}

/// When a query with a trigger every `interval` looks at its sources again.
pub(crate) fn next_trigger(interval: Duration, now_ms: i64) -> i64 {
    Ticker::new(interval).tick_after(now_ms)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ticks_are_aligned_to_the_epoch() {
        let ticker = Ticker::new(Duration::from_secs(10));
        assert_eq!(ticker.tick_after(12_345), 20_000);
        assert_eq!(ticker.tick_after(20_000), 30_000);
        assert_eq!(Ticker::new(Duration::ZERO).tick_after(12_345), 12_345);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let ticker = Ticker::new(Duration::from_secs(10));
        assert_eq!(ticker.corrected(20_000, 12_345), 20_000);
        assert_eq!(ticker.corrected(20_000, 3_345), 10_000);
        assert_eq!(ticker.corrected(20_000, 25_000), 20_000);
    }

    #[test]
    fn a_trigger_that_overran_is_followed_by_one_at_once() {
        let clock = ManualClock::new(12_000);
        let mut ticker = Ticker::new(Duration::from_secs(10));
        let tick = ticker.tick_after(clock.now_ms());
        let waited = ticker.wait(&clock, tick, true).now_or_never();
        assert!(waited.is_none(), "the tick has not come");
        clock.advance(Duration::from_secs(8));
        assert!(ticker.wait(&clock, tick, true).now_or_never().is_some());
        clock.advance(Duration::from_secs(25));
        assert!(ticker.wait(&clock, tick, true).now_or_never().is_some());
    }
}
