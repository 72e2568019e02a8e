//! From the event times of each batch to the watermark of the next.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::operators::EventTimeStats;

/// How several watermarks become one: `spark.sql.streaming.multipleWatermarkPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum WatermarkPolicy {
    /// The slowest stream decides; nothing is dropped before all have passed it.
    #[default]
    Min,
    /// The fastest stream decides.
    Max,
}

impl fmt::Display for WatermarkPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Min => "min",
            Self::Max => "max",
        })
    }
}

impl FromStr for WatermarkPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "min" => Ok(Self::Min),
            "max" => Ok(Self::Max),
            _ => Err(
                Error::illegal_argument(format!("'{text}' is not a watermark policy"))
                    .with_hint("use min or max"),
            ),
        }
    }
}

/// One watermark of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WatermarkState {
    /// How far it stays behind the latest event time.
    pub delay_ms: i64,
    /// Where it would stand if it were the only one; `None` before the first event time of the run.
    pub seen_ms: Option<i64>,
}

/// The watermarks of one query. They never go back.
#[derive(Debug)]
pub(super) struct WatermarkTracker {
    policy: WatermarkPolicy,
    delays_ms: Vec<i64>,
    seen_ms: Vec<Option<i64>>,
    global_ms: i64,
}

impl WatermarkTracker {
    /// A tracker for watermarks with these delays, that has seen nothing.
    pub(super) fn new(policy: WatermarkPolicy, delays_ms: Vec<i64>) -> Self {
        Self {
            policy,
            seen_ms: vec![None; delays_ms.len()],
            delays_ms,
            global_ms: 0,
        }
    }

    /// Changes how several watermarks become one.
    pub(super) fn set_policy(&mut self, policy: WatermarkPolicy) {
        self.policy = policy;
    }

    /// The watermark, in milliseconds since the epoch.
    pub(super) fn current_ms(&self) -> i64 {
        self.global_ms
    }

    /// How several become one.
    pub(super) fn policy(&self) -> WatermarkPolicy {
        self.policy
    }

    /// Each watermark of the query.
    pub(super) fn parts(&self) -> impl Iterator<Item = WatermarkState> {
        let parts = self.delays_ms.iter().zip(&self.seen_ms);
        parts.map(|(&delay_ms, &seen_ms)| WatermarkState { delay_ms, seen_ms })
    }

    /// Takes up a watermark that was logged.
    pub(super) fn restore(&mut self, watermark_ms: i64) {
        self.global_ms = watermark_ms;
    }

    /// Takes in what each watermark's observer saw in a batch.
    pub(super) fn update(&mut self, stats: &[EventTimeStats]) {
        let parts = self.delays_ms.iter().zip(&mut self.seen_ms);
        for (stats, (delay_ms, seen_ms)) in stats.iter().zip(parts) {
            if stats.count > 0 {
                let watermark = stats.max_us.div_euclid(1000) - delay_ms;
                *seen_ms = (*seen_ms).max(Some(watermark));
            }
        }
        let seen = self.seen_ms.iter().map(|seen| seen.unwrap_or(0));
        let chosen = match self.policy {
            WatermarkPolicy::Min => seen.min(),
            WatermarkPolicy::Max => seen.max(),
        };
        self.global_ms = self.global_ms.max(chosen.unwrap_or(0));
    }
}
