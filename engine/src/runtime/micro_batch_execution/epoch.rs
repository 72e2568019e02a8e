//! A batch whose rows leave as they come, as far as it has come.

use super::reports::SourceCounts;
use crate::operators::EventTimeStats;
use crate::runtime::progress_reporter::TriggerTimer;
use crate::sources::Offset;

/// What has been done since the last commit.
pub(super) struct Epoch {
    pub(super) timer: TriggerTimer,
    /// Where it began, per source.
    pub(super) start: Vec<Option<Offset>>,
    /// What was read, per source.
    pub(super) counts: Vec<SourceCounts>,
    pub(super) event_time: EventTimeStats,
    /// Rows that the sink has written, if it counts them.
    pub(super) written: Option<i64>,
    /// How many parts it has so far.
    pub(super) parts: i64,
    /// The watermark and the time of its last part.
    pub(super) watermark_ms: i64,
    pub(super) timestamp_ms: i64,
}

impl Epoch {
    /// How many rows were read.
    pub(super) fn num_rows(&self) -> u64 {
        let rows: i64 = self.counts.iter().map(|counts| counts.num_rows).sum();
        u64::try_from(rows).unwrap_or(0)
    }

    /// Adds what a part has done.
    pub(super) fn add(
        &mut self,
        counts: Vec<SourceCounts>,
        stats: &[EventTimeStats],
        written: Option<i64>,
    ) {
        for (counts, part) in self.counts.iter_mut().zip(counts) {
            counts.add(part);
        }
        stats.iter().for_each(|stats| self.event_time.merge(stats));
        self.written = match self.parts {
            0 => written,
            _ => self
                .written
                .zip(written)
                .map(|(before, more)| before + more),
        };
        self.parts += 1;
    }
}
