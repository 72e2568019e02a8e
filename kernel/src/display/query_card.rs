//! One query at a glance.

use tidebook_engine::{Error, OutputMode, StreamingQueryProgress, StreamingQueryStatus, Trigger};
use uuid::Uuid;

use super::alerts::AlertCard;
use super::why::Asked;
use crate::backend::Query;

/// What a query is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryState {
    /// A batch is being worked on.
    Running,
    /// Alive, with nothing to do.
    Waiting,
    /// Ended by its own trigger, with everything done.
    Finished,
    /// Ended because it was told to.
    Stopped,
    /// Ended by an error.
    Failed,
}

/// Everything the card shows.
#[derive(Debug, Clone)]
pub(crate) struct QueryCard {
    /// The query's name, if it was given one.
    pub name: Option<String>,
    /// Stays the same over restarts from one checkpoint.
    pub id: Uuid,
    /// What it is at.
    pub state: QueryState,
    /// The last sentence of its status.
    pub message: String,
    /// Which rows a batch hands to the sink, if that is known.
    pub output_mode: Option<OutputMode>,
    /// When batches run, if that is known.
    pub trigger: Option<Trigger>,
    /// The sink's description, if that is known.
    pub sink: Option<String>,
    /// On which cluster it runs.
    pub place: Option<String>,
    /// Batches done by this run; of a long one, batches since the checkpoint was new.
    pub batches: i64,
    /// Input rows of the batches in `rows_per_batch`.
    pub input_rows: i64,
    /// Input rows of each recent batch, oldest first.
    pub rows_per_batch: Vec<i64>,
    /// Whether `rows_per_batch` holds every batch of this run.
    pub whole_run: bool,
    /// The newest batch.
    pub last_batch: Option<LastBatch>,
    /// Where the watermark stood in the newest batch: ISO 8601, UTC; none without a watermark.
    pub watermark: Option<String>,
    /// Keys and bytes held by all stateful operators; none without such operators.
    pub state_size: Option<(i64, i64)>,
    /// Groups or rows that came too late, over the recent batches.
    pub dropped_by_watermark: i64,
    /// Records that could not be parsed, over the recent batches.
    pub corrupt_records: i64,
    /// What watches it.
    pub alerts: Vec<AlertCard>,
    /// Whether it lives by the clock that is moved by hand.
    pub manual_clock: bool,
    /// When it was looked at, while it may still change.
    pub as_of: Option<String>,
    /// Why the last batch gave nothing, in one line, if it did.
    pub why: Option<String>,
    /// Why it failed.
    pub error: Option<Error>,
}

/// The newest batch of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LastBatch {
    /// Its number.
    pub id: i64,
    /// Rows read.
    pub input_rows: i64,
    /// Rows written, if the sink says.
    pub output_rows: Option<i64>,
    /// Milliseconds it took.
    pub duration_ms: i64,
    /// Rows that arrived per second; not finite in a first batch.
    pub input_rate: f64,
    /// Rows processed per second.
    pub processed_rate: f64,
}

impl QueryState {
    /// Tells the state of a query from what it says about itself.
    pub(crate) fn of(
        is_active: bool,
        failed: bool,
        status: &StreamingQueryStatus,
        trigger: Trigger,
    ) -> Self {
        match (is_active, failed) {
            (true, _) if status.is_trigger_active => Self::Running,
            (true, _) => Self::Waiting,
            (false, true) => Self::Failed,
            (false, false) => match trigger {
                Trigger::Once | Trigger::AvailableNow => Self::Finished,
                Trigger::ProcessingTime(_) | Trigger::Continuous(_) | Trigger::RealTime(_) => {
                    Self::Stopped
                }
            },
        }
    }

    /// Whether the query goes on.
    pub(crate) fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Waiting)
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// A sign of its own shape: the colour is never alone.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Running => "▶",
            Self::Waiting => "◷",
            Self::Finished => "✔",
            Self::Stopped => "■",
            Self::Failed => "✖",
        }
    }

    /// A colour that reads on white and on black.
    pub(crate) fn color(self) -> &'static str {
        match self {
            Self::Running => "#009e73",
            Self::Waiting => "#3b8fd6",
            Self::Finished => "#009e73",
            Self::Stopped => "#8a8f98",
            Self::Failed => "#e0483e",
        }
    }
}

impl QueryCard {
    /// The card of a query as it stands now.
    pub(crate) fn from_query(query: &Query) -> Self {
        let error = query.exception();
        let status = query.status();
        let state_trigger = query.trigger().unwrap_or_default();
        let card = Self {
            name: query.name().map(str::to_owned),
            id: query.id(),
            state: QueryState::of(query.is_active(), error.is_some(), &status, state_trigger),
            message: status.message,
            output_mode: query.output_mode(),
            trigger: query.trigger(),
            sink: query.sink(),
            place: query.place(),
            batches: 0,
            input_rows: 0,
            rows_per_batch: Vec::new(),
            whole_run: true,
            last_batch: None,
            watermark: None,
            state_size: None,
            dropped_by_watermark: 0,
            corrupt_records: 0,
            alerts: Vec::new(),
            manual_clock: query.is_on_manual_clock(),
            as_of: None,
            why: why_of(query),
            error,
        };
        card.with_progress(&query.recent_progress())
    }

    /// The card with the figures of the newest progresses, oldest first; the engine keeps at most
    /// 100 of them.
    pub(crate) fn with_progress(mut self, recent: &[StreamingQueryProgress]) -> Self {
        let batches: Vec<&StreamingQueryProgress> =
            recent.iter().filter(|p| ran_a_batch(p)).collect();
        self.rows_per_batch = batches.iter().map(|p| p.num_input_rows).collect();
        self.input_rows = self.rows_per_batch.iter().sum();
        self.whole_run = recent.len() < 100;
        self.dropped_by_watermark = batches
            .iter()
            .flat_map(|p| &p.state_operators)
            .map(|operator| operator.num_rows_dropped_by_watermark)
            .sum();
        self.corrupt_records = batches
            .iter()
            .flat_map(|p| &p.sources)
            .filter_map(|source| source.metrics.get("numCorruptRecords")?.parse::<i64>().ok())
            .sum();
        let last = batches.last();
        self.batches = match self.whole_run {
            true => batches.len() as i64,
            false => last.map_or(0, |last| last.batch_id + 1),
        };
        self.last_batch = last.map(|last| LastBatch {
            id: last.batch_id,
            input_rows: last.num_input_rows,
            output_rows: last.num_output_rows(),
            duration_ms: last.batch_duration,
            input_rate: last.input_rows_per_second,
            processed_rate: last.processed_rows_per_second,
        });
        let newest = recent.last();
        self.watermark = newest.and_then(|newest| newest.event_time.get("watermark").cloned());
        let operators = newest.map_or(&[][..], |newest| &newest.state_operators);
        self.state_size = operators
            .iter()
            .map(|operator| (operator.num_rows_total, operator.memory_used_bytes))
            .reduce(|a, b| (a.0 + b.0, a.1 + b.1));
        self
    }

    /// The name, or the id where there is none.
    pub(crate) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// The watermark for people: `2013-01-01 12:00:00`, or `none yet` while it stands at the epoch.
    pub(crate) fn watermark_text(&self) -> Option<String> {
        let watermark = self.watermark.as_deref()?;
        if watermark.starts_with("1970-01-01T00:00:00") {
            return Some("none yet".to_owned());
        }
        let seconds = watermark.trim_end_matches('Z').trim_end_matches(".000");
        Some(seconds.replace('T', " "))
    }
}

/// Why the last batch gave nothing: only the engine in this process says.
fn why_of(query: &Query) -> Option<String> {
    match query {
        Query::Here(query) => Asked::by_progress(query).first_line(),
        Query::There(_) => None,
    }
}

/// A progress that only says that there was nothing to do has no batch behind it.
pub(super) fn ran_a_batch(progress: &StreamingQueryProgress) -> bool {
    progress.duration_ms.contains_key("addBatch") || progress.num_input_rows > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    fn status(is_trigger_active: bool) -> StreamingQueryStatus {
        StreamingQueryStatus {
            message: String::new(),
            is_data_available: false,
            is_trigger_active,
        }
    }

    #[test]
    fn a_state_follows_from_what_the_query_says() {
        let default = Trigger::default();
        let of =
            |active, failed, busy, trigger| QueryState::of(active, failed, &status(busy), trigger);
        assert_eq!(of(true, false, true, default), QueryState::Running);
        assert_eq!(of(true, false, false, default), QueryState::Waiting);
        assert_eq!(of(false, true, false, Trigger::Once), QueryState::Failed);
        assert_eq!(
            of(false, false, false, Trigger::AvailableNow),
            QueryState::Finished
        );
        assert_eq!(of(false, false, false, default), QueryState::Stopped);
    }

    #[test]
    fn figures_come_from_the_progress() {
        let card = gallery::card(QueryState::Running);
        assert_eq!(card.batches, 12);
        assert_eq!(card.input_rows, card.rows_per_batch.iter().sum::<i64>());
        assert_eq!(card.watermark_text().unwrap(), "2013-01-01 15:50:00");
        assert_eq!(card.state_size, Some((36, 18_432)));
        assert_eq!(card.dropped_by_watermark, 12);
        assert_eq!(card.corrupt_records, 12);
    }
}
