//! One query at a glance.

use tidebook_engine::{
    Error, OutputMode, StreamingQuery, StreamingQueryProgress, StreamingQueryStatus, Trigger,
};
use uuid::Uuid;

use super::MimeBundle;
use super::html::{DIM, escape, fact, panel};
use super::number::{bytes, count, duration, rate, short, thousands};
use super::sparkline::sparkline;

/// How many batches the sparkline shows.
const SPARK_BATCHES: usize = 40;

/// Pixels.
const WIDTH: u32 = 760;

/// What a query is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryState {
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
pub struct QueryCard {
    /// The query's name, if it was given one.
    pub name: Option<String>,
    /// Stays the same over restarts from one checkpoint.
    pub id: Uuid,
    /// What it is at.
    pub state: QueryState,
    /// The last sentence of its status.
    pub message: String,
    /// Which rows a batch hands to the sink.
    pub output_mode: OutputMode,
    /// When batches run.
    pub trigger: Trigger,
    /// The sink's description.
    pub sink: String,
    /// Batches done since the checkpoint was new.
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
    /// Why it failed.
    pub error: Option<Error>,
}

/// The newest batch of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct LastBatch {
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
    pub fn of(
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
                Trigger::ProcessingTime(_) => Self::Stopped,
            },
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// A sign of its own shape: the colour is never alone.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Running => "▶",
            Self::Waiting => "◷",
            Self::Finished => "✔",
            Self::Stopped => "■",
            Self::Failed => "✖",
        }
    }

    /// A colour that reads on white and on black.
    pub fn color(self) -> &'static str {
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
    pub fn from_query(query: &StreamingQuery) -> Self {
        let error = query.exception();
        let status = query.status();
        let trigger = query.trigger();
        let card = Self {
            name: query.name().map(str::to_owned),
            id: query.id(),
            state: QueryState::of(query.is_active(), error.is_some(), &status, trigger),
            message: status.message,
            output_mode: query.output_mode(),
            trigger,
            sink: query.sink(),
            batches: 0,
            input_rows: 0,
            rows_per_batch: Vec::new(),
            whole_run: true,
            last_batch: None,
            watermark: None,
            state_size: None,
            dropped_by_watermark: 0,
            corrupt_records: 0,
            error,
        };
        card.with_progress(&query.recent_progress())
    }

    /// The card with the figures of the newest progresses, oldest first; the engine keeps at most
    /// 100 of them.
    pub fn with_progress(mut self, recent: &[StreamingQueryProgress]) -> Self {
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
        self.batches = last.map_or(0, |last| last.batch_id + 1);
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
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }

    /// The watermark for people: `2013-01-01 12:00:00`, or `none yet` while it stands at the epoch.
    pub fn watermark_text(&self) -> Option<String> {
        let watermark = self.watermark.as_deref()?;
        if watermark.starts_with("1970-01-01T00:00:00") {
            return Some("none yet".to_owned());
        }
        let seconds = watermark.trim_end_matches('Z').trim_end_matches(".000");
        Some(seconds.replace('T', " "))
    }

    /// Input rows, saying so when they are those of the newest batches only.
    fn input_rows_label(&self) -> String {
        match self.whole_run {
            true => "rows in".to_owned(),
            false => format!("rows in, last {} batches", self.rows_per_batch.len()),
        }
    }

    /// The figures, each with its label.
    fn facts(&self) -> Vec<(String, String)> {
        let mut facts = vec![
            ("batches".to_owned(), thousands(self.batches)),
            (self.input_rows_label(), thousands(self.input_rows)),
        ];
        let mut add = |label: &str, value: String| facts.push((label.to_owned(), value));
        if let Some(last) = &self.last_batch {
            let rows = count(last.input_rows, "row");
            add(
                "last batch",
                format!("{rows} in {}", duration(last.duration_ms)),
            );
            add("input rows/s", rate(last.input_rate));
            add("processed rows/s", rate(last.processed_rate));
        }
        if let Some(watermark) = self.watermark_text() {
            add("watermark", watermark);
        }
        if let Some((keys, memory)) = self.state_size {
            let size = if memory > 0 {
                format!(" · {}", bytes(memory))
            } else {
                String::new()
            };
            add("state", format!("{}{size}", count(keys, "row")));
        }
        if self.dropped_by_watermark > 0 {
            add("dropped as late", thousands(self.dropped_by_watermark));
        }
        if self.corrupt_records > 0 {
            add("corrupt records", thousands(self.corrupt_records));
        }
        facts
    }

    /// Mode, trigger and sink on one line.
    fn setup(&self) -> String {
        let trigger = trigger_text(self.trigger);
        format!("{} mode · {trigger} · {}", self.output_mode, self.sink)
    }

    /// Rows per batch as blocks, with the largest batch as their scale.
    fn spark(&self) -> Option<(String, String)> {
        let newest = self.rows_per_batch.len().saturating_sub(SPARK_BATCHES);
        let shown = &self.rows_per_batch[newest..];
        let largest = *shown.iter().max()?;
        if shown.len() < 2 {
            return None;
        }
        let values: Vec<f64> = shown.iter().map(|rows| *rows as f64).collect();
        let scale = format!(
            "last {} batches, largest {}",
            shown.len(),
            thousands(largest)
        );
        Some((sparkline(&values, SPARK_BATCHES), scale))
    }
}

/// The card as HTML and as text.
pub fn query_card(card: &QueryCard) -> MimeBundle {
    MimeBundle::html(html(card), plain(card))
}

fn html(card: &QueryCard) -> String {
    let state = card.state;
    let mut body = format!(
        "<div><b style=\"font-size:15px\">{}</b>&ensp;\
         <span style=\"color:{}\">{}</span> <b>{}</b>&ensp;<span style=\"{DIM}\">{}</span></div>",
        escape(&card.title()),
        state.color(),
        state.sign(),
        state.word(),
        escape(&card.status_message())
    );
    body.push_str("<div>");
    for (label, value) in card.facts() {
        body.push_str(&fact(&label, &value));
    }
    body.push_str("</div>");
    if let Some((blocks, scale)) = card.spark() {
        body.push_str(&format!(
            "<div style=\"margin:2px 0\"><span style=\"font-size:11px;{DIM}\">rows per batch</span> \
             <span style=\"color:#3b8fd6;font-family:monospace;letter-spacing:1px\">{blocks}</span> \
             <span style=\"font-size:11px;{DIM}\">{scale}</span></div>"
        ));
    }
    if let Some(error) = &card.error {
        body.push_str(&error_html(error));
    }
    body.push_str(&format!(
        "<div style=\"font-size:11px;{DIM};margin-top:3px\">{} · id {}</div>",
        escape(&card.setup()),
        card.id
    ));
    panel(state.color(), WIDTH, &body)
}

fn error_html(error: &Error) -> String {
    let condition = error
        .condition()
        .map(|name| format!("[{name}] "))
        .unwrap_or_default();
    let hint = error
        .hint()
        .map(|hint| format!("<br><b>hint</b>: {}", escape(hint)))
        .unwrap_or_default();
    format!(
        "<div style=\"margin:6px 0;white-space:pre-wrap;overflow-wrap:break-word\"><b>{}</b>: {}{}{hint}</div>",
        error.ename(),
        escape(&condition),
        escape(error.message())
    )
}

fn plain(card: &QueryCard) -> String {
    let mut lines = vec![format!(
        "{} {} {}",
        card.title(),
        card.state.sign(),
        card.state.word()
    )];
    let message = card.status_message();
    if !message.is_empty() {
        lines[0].push_str(&format!(" ({message})"));
    }
    let facts = card.facts();
    let width = facts
        .iter()
        .map(|(label, _)| label.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(
        facts
            .iter()
            .map(|(label, value)| format!("  {label:<width$}  {value}")),
    );
    if let Some((blocks, scale)) = card.spark() {
        lines.push(format!("  rows per batch  {blocks}  {scale}"));
    }
    if let Some(error) = &card.error {
        lines.push(format!("  {}: {error}", error.ename()).replace('\n', "\n  "));
    }
    lines.push(format!("  {} · id {}", card.setup(), card.id));
    lines.join("\n")
}

impl QueryCard {
    /// The status sentence where it says more than the state's word.
    fn status_message(&self) -> String {
        match self.state {
            QueryState::Running | QueryState::Waiting => self.message.clone(),
            _ => String::new(),
        }
    }
}

/// A progress that only says that there was nothing to do has no batch behind it.
fn ran_a_batch(progress: &StreamingQueryProgress) -> bool {
    progress.duration_ms.contains_key("addBatch") || progress.num_input_rows > 0
}

fn trigger_text(trigger: Trigger) -> String {
    match trigger {
        Trigger::ProcessingTime(interval) if interval.is_zero() => "as soon as possible".to_owned(),
        Trigger::ProcessingTime(interval) if interval.subsec_millis() == 0 => {
            format!("every {}", duration(interval.as_millis() as i64))
        }
        Trigger::ProcessingTime(interval) => {
            format!("every {} ms", short(interval.as_secs_f64() * 1000.0))
        }
        Trigger::Once => "once".to_owned(),
        Trigger::AvailableNow => "available now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let plain = plain(&card);
        for part in [
            "departures ▶ running (Processing new data)",
            "batches           12",
            "watermark         2013-01-01 15:50:00",
            "state             36 rows · 18.0 KiB",
            "dropped as late   12",
            "corrupt records   12",
            "update mode · every 1 s · MemorySink · id 00000000-",
        ] {
            assert!(plain.contains(part), "{part} is not in\n{plain}");
        }
    }

    #[test]
    fn a_query_without_batches_has_a_card() {
        let card = gallery::card(QueryState::Waiting).with_progress(&[]);
        let html = html(&card);
        assert!(html.contains("waiting") && !html.contains("rows per batch"));
        assert!(!plain(&card).contains("last batch"));
    }

    #[test]
    fn a_run_longer_than_the_memory_says_so() {
        let progress = gallery::progresses(100);
        let card = gallery::card(QueryState::Running).with_progress(&progress);
        assert!(plain(&card).contains("rows in, last 100 batches"));
    }

    #[test]
    fn a_failure_shows_its_error_and_hint_escaped() {
        let html = html(&gallery::card(QueryState::Failed));
        assert!(html.contains("<b>StreamingQueryException</b>: [MALFORMED_RECORD_IN_PARSING]"));
        assert!(html.contains("&lt;not json&gt;"), "{html}");
        assert!(html.contains("<b>hint</b>: add --option"));
    }

    #[test]
    fn triggers_read_as_they_are_typed() {
        let every = |ms| trigger_text(Trigger::ProcessingTime(Duration::from_millis(ms)));
        assert_eq!(every(0), "as soon as possible");
        assert_eq!(every(250), "every 250 ms");
        assert_eq!(every(10_000), "every 10 s");
        assert_eq!(every(60_000), "every 1 min");
        assert_eq!(trigger_text(Trigger::AvailableNow), "available now");
    }
}
