//! Counts what each run of a query has read: `lastProgress` alone forgets, and recent progress is
//! bounded.

use std::collections::HashMap;

use parking_lot::Mutex;
use tidebook_engine::{StreamingQueryEvent, StreamingQueryListener, StreamingQueryProgress};
use uuid::Uuid;

/// What one run has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Batches that were worked on, those without data included.
    pub batches: u64,
    /// Rows read from all sources.
    pub rows: u64,
}

/// The progress of all runs, by listening to the engine.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    runs: Mutex<HashMap<Uuid, Progress>>,
}

impl Tally {
    /// What the run has done so far.
    pub(crate) fn of(&self, run_id: Uuid) -> Progress {
        self.runs.lock().get(&run_id).copied().unwrap_or_default()
    }

    fn add(&self, progress: &StreamingQueryProgress) {
        // An idle trigger reports progress too, but adds no batch.
        let worked = progress.duration_ms.contains_key("addBatch");
        let mut runs = self.runs.lock();
        let run = runs.entry(progress.run_id).or_default();
        run.batches += u64::from(worked);
        run.rows += u64::try_from(progress.num_input_rows).unwrap_or(0);
    }
}

impl StreamingQueryListener for Tally {
    fn on_event(&self, event: &StreamingQueryEvent) {
        if let StreamingQueryEvent::Progress(progress) = event {
            self.add(progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(run_id: Uuid, rows: i64, phase: &str) -> StreamingQueryEvent {
        let progress = serde_json::json!({
            "id": run_id, "runId": run_id, "name": null, "timestamp": "", "batchId": 0,
            "batchDuration": 1, "numInputRows": rows, "durationMs": {phase: 1},
            "stateOperators": [], "sources": [],
            "sink": {"description": "", "numOutputRows": -1},
        });
        StreamingQueryEvent::Progress(Box::new(serde_json::from_value(progress).unwrap()))
    }

    #[test]
    fn counts_rows_and_batches_per_run() {
        let (tally, run, other) = (Tally::default(), Uuid::new_v4(), Uuid::new_v4());
        tally.on_event(&progress(run, 3, "addBatch"));
        tally.on_event(&progress(other, 9, "addBatch"));
        tally.on_event(&progress(run, 4, "addBatch"));
        tally.on_event(&progress(run, 0, "latestOffset"));
        let expected = Progress {
            batches: 2,
            rows: 7,
        };
        assert_eq!(tally.of(run), expected);
    }
}
