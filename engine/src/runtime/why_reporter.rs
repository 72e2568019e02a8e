//! Gathers the facts of a trigger that tell why it gave what it gave.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt as _;

use super::watermark_tracker::WatermarkTracker;
use crate::clock::format_iso8601;
use crate::operators::{EventTimeStats, InputPart};
use crate::plan::IncrementalExecution;
use crate::why::{
    BatchWhy, LateWhy, NodeRows, OperatorWhy, WatermarkOrigin, WatermarkPart, WatermarkWhy, iso_us,
};

/// What one run has seen, as far as it explains what came out.
#[derive(Debug)]
pub(super) struct WhyReporter {
    /// Column and sources of each watermark.
    columns: Vec<(String, Vec<usize>)>,
    /// What each watermark has seen in this run.
    seen: Vec<EventTimeStats>,
    /// The batch that read the latest event time of each.
    latest_in: Vec<i64>,
    /// Where the watermark of the query stood of late, and what had put it there, the newest last.
    moves: VecDeque<(i64, WatermarkOrigin)>,
    /// Rows of the batch under way that went to the sink.
    num_output_rows: Arc<AtomicI64>,
}

impl WhyReporter {
    pub(super) fn new(execution: &IncrementalExecution) -> Self {
        Self {
            columns: execution.watermark_columns(),
            seen: vec![EventTimeStats::default(); execution.watermarks.len()],
            latest_in: vec![0; execution.watermarks.len()],
            moves: VecDeque::new(),
            num_output_rows: Arc::default(),
        }
    }

    /// Counts the rows of a batch on their way to the sink, or of its next part.
    pub(super) fn counted(
        &self,
        rows: SendableRecordBatchStream,
        is_first: bool,
    ) -> SendableRecordBatchStream {
        if is_first {
            self.num_output_rows.store(0, Ordering::Relaxed);
        }
        let num_rows = Arc::clone(&self.num_output_rows);
        let schema = rows.schema();
        let rows = rows.inspect_ok(move |batch| {
            num_rows.fetch_add(batch.num_rows() as i64, Ordering::Relaxed);
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// Ends a batch, whose watermarks have seen `stats`.
    pub(super) fn batch(
        &mut self,
        batch_id: i64,
        execution: &IncrementalExecution,
        tracker: &WatermarkTracker,
        stats: &[EventTimeStats],
        inputs: &[Option<Arc<InputPart>>],
    ) -> BatchWhy {
        self.saw(batch_id, tracker, stats);
        let operators = self.operators(execution, tracker);
        let num_output_rows = self.num_output_rows.load(Ordering::Relaxed);
        let counted = num_output_rows == 0 || dropped(&operators);
        self.why(
            num_output_rows,
            execution.finish(inputs, counted),
            operators,
            tracker,
        )
    }

    /// Takes up what the watermarks have seen in a batch, or in a part of it.
    pub(super) fn saw(
        &mut self,
        batch_id: i64,
        tracker: &WatermarkTracker,
        stats: &[EventTimeStats],
    ) {
        let seen = self.seen.iter_mut().zip(&mut self.latest_in);
        for ((seen, latest_in), stats) in seen.zip(stats) {
            if stats.count > 0 && (seen.count == 0 || stats.max_us > seen.max_us) {
                *latest_in = batch_id;
            }
            seen.merge(stats);
        }
        self.note_move(tracker);
    }

    /// Remembers why the watermark stands where it stands now.
    fn note_move(&mut self, tracker: &WatermarkTracker) {
        let now_ms = tracker.current_ms();
        if self.moves.back().is_some_and(|(ms, _)| *ms == now_ms) {
            return;
        }
        // After a restart it may stand where no event of this run has put it.
        let mut parts = tracker.parts();
        let decided = parts.position(|part| part.seen_ms == Some(now_ms));
        let origin = decided.and_then(|part| {
            Some(WatermarkOrigin {
                part,
                batch_id: *self.latest_in.get(part)?,
                event_time: iso_us(self.seen.get(part)?.max_us),
            })
        });
        self.moves.extend(origin.map(|origin| (now_ms, origin)));
        if self.moves.len() > MOVES {
            self.moves.pop_front();
        }
    }

    /// Ends a batch that was run in parts, whose rows nobody counts between its nodes.
    pub(super) fn epoch(
        &self,
        execution: &IncrementalExecution,
        tracker: &WatermarkTracker,
    ) -> BatchWhy {
        execution.finish(&[], false);
        let operators = self.operators(execution, tracker);
        let num_output_rows = self.num_output_rows.load(Ordering::Relaxed);
        self.why(num_output_rows, Vec::new(), operators, tracker)
    }

    /// A trigger that found nothing to do.
    pub(super) fn idle(
        &self,
        execution: &IncrementalExecution,
        tracker: &WatermarkTracker,
    ) -> BatchWhy {
        let operators = self.operators(execution, tracker);
        self.why(0, Vec::new(), operators, tracker)
    }

    fn why(
        &self,
        num_output_rows: i64,
        nodes: Vec<NodeRows>,
        operators: Vec<OperatorWhy>,
        tracker: &WatermarkTracker,
    ) -> BatchWhy {
        BatchWhy {
            num_output_rows,
            nodes,
            watermark: self.watermark(tracker),
            operators,
            sources: Vec::new(),
        }
    }

    fn watermark(&self, tracker: &WatermarkTracker) -> Option<WatermarkWhy> {
        let parts = self.columns.iter().zip(&self.seen).zip(tracker.parts());
        let parts = parts.map(|(((column, sources), seen), part)| WatermarkPart {
            column: column.clone(),
            delay_ms: part.delay_ms,
            sources: sources.clone(),
            num_rows: seen.count + seen.nulls,
            num_nulls: seen.nulls,
            max_event_time: (seen.count > 0).then(|| iso_us(seen.max_us)),
            watermark: part.seen_ms.map(format_iso8601),
        });
        let parts: Vec<_> = parts.collect();
        (!parts.is_empty()).then(|| WatermarkWhy {
            current: format_iso8601(tracker.current_ms()),
            policy: tracker.policy().to_string(),
            parts,
        })
    }

    fn operators(
        &self,
        execution: &IncrementalExecution,
        tracker: &WatermarkTracker,
    ) -> Vec<OperatorWhy> {
        let closes_at = |operator: usize, wanted_ms: i64| {
            let origin_ms = execution.origin_watermark(operator, wanted_ms);
            let parts = tracker.parts();
            let times = parts.map(|part| format_iso8601(origin_ms.saturating_add(part.delay_ms)));
            times.collect()
        };
        let operators = execution.operators.iter().enumerate();
        let operators = operators.map(|(number, operator)| {
            let why = operator
                .state()
                .why(&|wanted_ms| closes_at(number, wanted_ms));
            let late_ms = operator.state().watermarks().late_ms;
            let late_ms = execution.origin_watermark(number, late_ms);
            OperatorWhy {
                watermark: why.watermark.filter(|_| !self.columns.is_empty()),
                late: why.late.map(|late| LateWhy {
                    watermark_from: self.origin(late_ms),
                    ..late
                }),
                ..why
            }
        });
        operators.collect()
    }

    /// What had put the watermark of the query at `watermark_ms`.
    fn origin(&self, watermark_ms: i64) -> Option<WatermarkOrigin> {
        let mut moves = self.moves.iter();
        let found = moves.find(|(ms, _)| *ms == watermark_ms);
        found.map(|(_, origin)| origin.clone())
    }
}

/// A batch drops what the watermark of the batch before it had passed: much older moves count no more.
const MOVES: usize = 32;

/// Whether anything came too late.
pub(super) fn dropped(operators: &[OperatorWhy]) -> bool {
    operators.iter().any(|operator| operator.late.is_some())
}
