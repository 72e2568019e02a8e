//! How the card of a query looks.

use std::time::Duration;

use tidebook_engine::{Error, Trigger};

use super::MimeBundle;
use super::html::{DIM, escape, fact, panel};
use super::number::{bytes, count, duration, rate, short, thousands};
use super::query_card::{QueryCard, QueryState};
use super::sparkline::sparkline;
use crate::error::Magics;

/// How many batches the sparkline shows.
const SPARK_BATCHES: usize = 40;

/// Pixels.
const WIDTH: u32 = 760;

/// The card as HTML and as text.
pub(crate) fn query_card(card: &QueryCard) -> MimeBundle {
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
    if let Some(why) = &card.why {
        body.push_str(&format!(
            "<div style=\"overflow-wrap:break-word\"><b>why</b>&ensp;{}</div>",
            escape(why)
        ));
    }
    for alert in &card.alerts {
        let (sign, color, word) = alert.state();
        let newest = alert.newest().map(|newest| format!(" {newest}"));
        body.push_str(&format!(
            "<div><span style=\"color:{color}\">{sign}</span> {} <code>{}</code>{}</div>",
            escape(&word),
            escape(&alert.condition),
            escape(&newest.unwrap_or_default())
        ));
    }
    if let Some(error) = &card.error {
        body.push_str(&error_html(error));
    }
    body.push_str(&format!(
        "<div style=\"font-size:11px;{DIM};margin-top:3px\">{} · id {}{}</div>",
        escape(&card.setup()),
        card.id,
        card.as_of()
    ));
    panel(state.color(), WIDTH, &body)
}

fn error_html(error: &Error) -> String {
    let condition = error
        .condition()
        .map(|name| format!("[{name}] "))
        .unwrap_or_default();
    let hint = error
        .advice()
        .map(|hint| format!("<br><b>hint</b>: {}", escape(&hint.worded(&Magics))))
        .unwrap_or_default();
    format!(
        "<div style=\"margin:6px 0;white-space:pre-wrap;overflow-wrap:break-word\"><b>{}</b>: {}{}{hint}</div>",
        error.ename(),
        escape(&condition),
        escape(error.message())
    )
}

fn plain(card: &QueryCard) -> String {
    let mut title = format!(
        "{} {} {}",
        card.title(),
        card.state.sign(),
        card.state.word()
    );
    let message = card.status_message();
    if !message.is_empty() {
        title.push_str(&format!(" ({message})"));
    }
    let mut lines = vec![title];
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
    if let Some(why) = &card.why {
        lines.push(format!("  why: {why}"));
    }
    for alert in &card.alerts {
        let (sign, _, word) = alert.state();
        let newest = alert.newest().map(|newest| format!(" {newest}"));
        let newest = newest.unwrap_or_default();
        lines.push(format!("  {sign} {word}: {}{newest}", alert.condition));
    }
    if let Some(error) = &card.error {
        lines.push(format!("  {}: {error}", error.ename()).replace('\n', "\n  "));
    }
    lines.push(format!(
        "  {} · id {}{}",
        card.setup(),
        card.id,
        card.as_of()
    ));
    lines.join("\n")
}

impl QueryCard {
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

    /// When the card was true, if it may not be true any more.
    fn as_of(&self) -> String {
        let as_of = self.as_of.as_ref().filter(|_| self.state.is_active());
        as_of.map_or_else(String::new, |time| format!(" · as of {time}"))
    }

    /// Mode, trigger, sink and cluster on one line, as far as they are known.
    fn setup(&self) -> String {
        let clock = if self.manual_clock {
            " by the manual clock"
        } else {
            ""
        };
        let mode = self.output_mode.map(|mode| format!("{mode} mode"));
        let trigger = self.trigger.map(trigger_text);
        let trigger = trigger.map(|trigger| format!("{trigger}{clock}"));
        let place = self.place.as_ref().map(|place| format!("on {place}"));
        let known = [mode, trigger, self.sink.clone(), place];
        known.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    /// Rows per batch as blocks, with the largest batch as their scale.
    fn spark(&self) -> Option<(String, String)> {
        let old = self.rows_per_batch.len().saturating_sub(SPARK_BATCHES);
        let (_, shown) = self.rows_per_batch.split_at(old);
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

    /// The status sentence where it says more than the state's word.
    fn status_message(&self) -> String {
        match self.state {
            QueryState::Running | QueryState::Waiting => self.message.clone(),
            _ => String::new(),
        }
    }
}

fn trigger_text(trigger: Trigger) -> String {
    match trigger {
        Trigger::ProcessingTime(interval) if interval.is_zero() => "as soon as possible".to_owned(),
        Trigger::ProcessingTime(interval) => every(interval),
        Trigger::Continuous(interval) => format!("continuous, committed {}", every(interval)),
        Trigger::RealTime(interval) => format!("real-time, committed {}", every(interval)),
        Trigger::Once => "once".to_owned(),
        Trigger::AvailableNow => "available now".to_owned(),
    }
}

fn every(interval: Duration) -> String {
    match interval.subsec_millis() {
        0 => format!("every {}", duration(interval.as_millis() as i64)),
        _ => format!("every {} ms", short(interval.as_secs_f64() * 1000.0)),
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::display::gallery;

    #[test]
    fn every_figure_is_shown() {
        let card = gallery::card(QueryState::Running);
        let plain = plain(&card);
        for part in [
            "departures ▶ running (Processing new data)",
            "batches           12",
            "watermark         2013-01-01 15:50:00",
            "state             36 rows · 18.0 KiB",
            "dropped as late   12",
            "corrupt records   12",
            "▲ raised: numInputRows > 90 since batch 9: numInputRows = 93",
            "update mode · every 1 s · MemorySink · id 00000000-",
            " · as of 12:00:05",
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
        let second = Duration::from_secs(1);
        assert_eq!(
            trigger_text(Trigger::RealTime(second)),
            "real-time, committed every 1 s"
        );
        assert_eq!(
            trigger_text(Trigger::Continuous(second)),
            "continuous, committed every 1 s"
        );
    }
}
