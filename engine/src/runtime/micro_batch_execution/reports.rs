//! What the progress of a batch says of sources, operators and the sink, and the progress of an idle
//! query.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::MicroBatchExecution;
use crate::clock::format_iso8601;
use crate::operators::{EventTimeStats, InputPart};
use crate::runtime::progress_reporter::{BatchReport, SourceReport, TriggerTimer};
use crate::sources::Offset;
use crate::streaming_query_listener::StreamingQueryEvent;
use crate::streaming_query_progress::{SinkProgress, StateOperatorProgress};

/// An idle query says so at most this often.
const IDLE_EVENT_INTERVAL_MS: i64 = 10_000;

/// What was counted while rows of a source were read.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceCounts {
    pub(super) num_rows: i64,
    metrics: BTreeMap<String, String>,
}

impl SourceCounts {
    /// Adds what was counted in another part of the batch.
    pub(super) fn add(&mut self, part: Self) {
        self.num_rows += part.num_rows;
        for (name, value) in part.metrics {
            let count = |text: &String| text.parse::<i64>().ok();
            let sum = self.metrics.get(&name).and_then(count).zip(count(&value));
            let value = sum.map_or(value, |(before, more)| (before + more).to_string());
            self.metrics.insert(name, value);
        }
    }
}

impl MicroBatchExecution {
    /// What was counted while `inputs` were read, per source.
    pub(super) fn source_counts(&self, inputs: &[Option<Arc<InputPart>>]) -> Vec<SourceCounts> {
        let counts = |input: &Option<Arc<InputPart>>| {
            let input = input.as_ref()?;
            Some(SourceCounts {
                num_rows: input.num_rows.load(std::sync::atomic::Ordering::Relaxed),
                metrics: input.rows.metrics(),
            })
        };
        let counted = inputs.iter().map(|input| counts(input).unwrap_or_default());
        counted.collect()
    }

    /// What a batch from `start` to `end` reports of each source.
    pub(super) fn source_reports(
        &self,
        start: &[Option<Offset>],
        end: &[Option<Offset>],
        counts: Vec<SourceCounts>,
    ) -> Vec<SourceReport> {
        let json = |offset: &Option<Offset>| offset.clone().unwrap_or(Value::Null);
        let sources = self.setup.sources.iter().zip(start.iter().zip(end));
        sources
            .zip(counts)
            .map(|((source, (start, end)), counts)| {
                let mut metrics = source.metrics(end.as_ref());
                metrics.extend(counts.metrics);
                SourceReport {
                    description: source.description(),
                    start: json(start),
                    end: json(end),
                    latest: json(&source.report_latest_offset()),
                    num_rows: counts.num_rows,
                    metrics,
                }
            })
            .collect()
    }

    /// No counts, per source.
    pub(super) fn no_counts(&self) -> Vec<SourceCounts> {
        vec![SourceCounts::default(); self.setup.sources.len()]
    }

    pub(super) fn operator_progress(&self) -> Vec<StateOperatorProgress> {
        let operators = self.setup.execution.operators.iter();
        let progress = operators.map(|operator| operator.state().take_progress());
        progress.collect()
    }

    pub(super) fn sink_progress(&self, written: Option<i64>) -> SinkProgress {
        SinkProgress {
            description: self.setup.sink.description(),
            num_output_rows: written.unwrap_or(-1),
        }
    }

    pub(super) fn report_idle(&mut self, timer: TriggerTimer) {
        let now = self.setup.clock.now_ms();
        if self
            .last_idle_ms
            // Not in the range if the clock was set back.
            .is_some_and(|last| (0..IDLE_EVENT_INTERVAL_MS).contains(&(now - last)))
        {
            return;
        }
        let has_watermark = !self.setup.execution.watermarks.is_empty();
        // As in Spark, watermark and state are those of the last batch of this run, if it had any.
        let has_run = self.last_watermark_ms.is_some();
        let timestamp = format_iso8601(timer.start_ms);
        let mut why = self.why.idle(&self.setup.execution, &self.tracker);
        why.sources = self.run.inspect_sources();
        let report = BatchReport {
            batch_id: self.batch_id,
            sources: self.source_reports(&self.committed, &self.committed, self.no_counts()),
            watermark_ms: (has_run && has_watermark).then(|| self.tracker.current_ms()),
            event_time: EventTimeStats::default(),
            operators: match has_run {
                true => self.operator_progress(),
                false => Vec::new(),
            },
            // A sink that counts its rows has written none.
            sink: self.sink_progress(self.counts_rows.then_some(0)),
            why,
        };
        let progress = timer.finish(self.run.identity(), report);
        self.run.add_progress(progress);
        if self.last_idle_ms.replace(now).is_some() {
            self.run.post(&StreamingQueryEvent::Idle {
                id: self.run.identity().id,
                run_id: self.run.identity().run_id,
                timestamp,
            });
        }
    }
}
