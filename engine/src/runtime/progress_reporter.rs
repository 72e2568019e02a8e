//! Times the phases of a trigger and makes its progress.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::stream_execution::StreamIdentity;
use super::why_reporter::dropped;
use crate::clock::{Stopwatch, format_iso8601};
use crate::operators::EventTimeStats;
use crate::streaming_query_progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
};
use crate::why::BatchWhy;

/// The phases of a trigger, by Spark's names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    LatestOffset,
    WalCommit,
    GetBatch,
    QueryPlanning,
    AddBatch,
    CommitOffsets,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::LatestOffset => "latestOffset",
            Self::WalCommit => "walCommit",
            Self::GetBatch => "getBatch",
            Self::QueryPlanning => "queryPlanning",
            Self::AddBatch => "addBatch",
            Self::CommitOffsets => "commitOffsets",
        }
    }
}

/// Times one trigger.
#[derive(Debug)]
pub(super) struct TriggerTimer {
    pub(super) start_ms: i64,
    total: Stopwatch,
    phases: BTreeMap<&'static str, Duration>,
    /// Time between the start of the previous trigger that ran a batch and this one.
    since_previous: Option<Duration>,
}

/// What one source gave.
pub(super) struct SourceReport {
    pub(super) description: String,
    pub(super) start: Value,
    pub(super) end: Value,
    pub(super) latest: Value,
    pub(super) num_rows: i64,
    pub(super) metrics: BTreeMap<String, String>,
}

/// What a batch did.
pub(super) struct BatchReport {
    pub(super) batch_id: i64,
    pub(super) sources: Vec<SourceReport>,
    pub(super) watermark_ms: Option<i64>,
    pub(super) event_time: EventTimeStats,
    pub(super) operators: Vec<StateOperatorProgress>,
    pub(super) sink: SinkProgress,
    pub(super) why: BatchWhy,
}

impl TriggerTimer {
    pub(super) fn start(start_ms: i64, previous_start_ms: Option<i64>) -> Self {
        let since = previous_start_ms.map(|previous| (start_ms - previous).max(0) as u64);
        Self {
            start_ms,
            total: Stopwatch::start(),
            phases: BTreeMap::new(),
            since_previous: since.map(Duration::from_millis),
        }
    }

    pub(super) fn record(&mut self, phase: Phase, watch: Stopwatch) {
        *self.phases.entry(phase.name()).or_default() += watch.elapsed();
    }

    pub(super) fn finish(
        self,
        identity: &StreamIdentity,
        batch: BatchReport,
    ) -> StreamingQueryProgress {
        let total = self.total.elapsed();
        let input_rate = |rows: i64| match self.since_previous {
            None => 0.0,
            Some(since) => rows as f64 / since.as_secs_f64(),
        };
        let processed_rate = |rows: i64| rows as f64 / total.as_secs_f64();
        let num_input_rows = batch.sources.iter().map(|source| source.num_rows).sum();
        let millis = |time: Duration| time.as_millis() as i64;
        let mut duration_ms: BTreeMap<String, i64> = self
            .phases
            .iter()
            .map(|(name, time)| (name.to_string(), millis(*time)))
            .collect();
        duration_ms.insert("triggerExecution".into(), millis(total));
        StreamingQueryProgress {
            id: identity.id,
            run_id: identity.run_id,
            name: identity.name.clone(),
            timestamp: format_iso8601(self.start_ms),
            batch_id: batch.batch_id,
            batch_duration: millis(total),
            num_input_rows,
            input_rows_per_second: input_rate(num_input_rows),
            processed_rows_per_second: processed_rate(num_input_rows),
            duration_ms,
            event_time: event_time(batch.watermark_ms, &batch.event_time),
            state_operators: batch.operators,
            sources: batch
                .sources
                .into_iter()
                .map(|source| SourceProgress {
                    description: source.description,
                    start_offset: source.start,
                    end_offset: source.end,
                    latest_offset: source.latest,
                    num_input_rows: source.num_rows,
                    input_rows_per_second: input_rate(source.num_rows),
                    processed_rows_per_second: processed_rate(source.num_rows),
                    metrics: source.metrics,
                })
                .collect(),
            sink: batch.sink,
            why: is_told(&batch.why).then(|| Box::new(batch.why)),
        }
    }
}

/// What gave rows and dropped none needs no reason.
fn is_told(why: &BatchWhy) -> bool {
    why.num_output_rows == 0 || dropped(&why.operators)
}

fn event_time(watermark_ms: Option<i64>, stats: &EventTimeStats) -> BTreeMap<String, String> {
    let mut times = BTreeMap::new();
    let Some(watermark_ms) = watermark_ms else {
        return times;
    };
    times.insert("watermark".into(), format_iso8601(watermark_ms));
    if stats.count > 0 {
        let average_us = stats.sum_us / stats.count as f64;
        times.insert(
            "avg".into(),
            format_iso8601((average_us / 1000.0).floor() as i64),
        );
        times.insert("max".into(), format_iso8601(stats.max_us.div_euclid(1000)));
        times.insert("min".into(), format_iso8601(stats.min_us.div_euclid(1000)));
    }
    times
}
