//! Why a query gives nothing, in words: the engine's facts become sentences, each with its figures.
//!
//! ```text
//! Asked (state, progress, facts) ─► reasons: the end · the rows · late ones · windows · watermark
//!                                            · sources · trigger ─► the first one is the answer
//! ```

mod ended;
mod late;
mod rows;
mod sources;
#[cfg(test)]
mod tests;
mod trigger;
mod watermark;
mod windows;
mod words;

use tidebook_engine::why::{BatchWhy, QueryWhy};
use tidebook_engine::{Error, OutputMode, StreamingQuery, StreamingQueryProgress, Trigger};

use super::MimeBundle;
use super::html::{DIM, escape, panel};
use super::number::count;
use super::query_card::{QueryState, ran_a_batch};

/// Pixels.
const WIDTH: u32 = 760;

/// All that is known of a query that is asked why.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// How the query is called in a sentence.
    pub title: String,
    /// What it is at.
    pub state: QueryState,
    /// Which rows a batch hands to the sink.
    pub output_mode: OutputMode,
    /// When batches run.
    pub trigger: Trigger,
    /// Whether it lives by the clock that is moved by hand.
    pub manual_clock: bool,
    /// Why it failed.
    pub error: Option<Error>,
    /// The newest progresses, oldest first.
    pub progress: Vec<StreamingQueryProgress>,
    /// What the engine says.
    pub why: QueryWhy,
}

/// One reason: a sentence, and the figures behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reason {
    says: String,
    figures: Vec<String>,
}

impl Reason {
    fn new(says: impl Into<String>) -> Self {
        Self {
            says: says.into(),
            figures: Vec::new(),
        }
    }

    fn figure(mut self, figure: impl Into<String>) -> Self {
        self.figures.push(figure.into());
        self
    }
}

impl Asked {
    /// What a query says of itself, with the engine's answer.
    pub(crate) fn new(query: &StreamingQuery, title: String, why: QueryWhy) -> Self {
        let error = query.exception();
        let (status, trigger) = (query.status(), query.trigger());
        Self {
            title,
            state: QueryState::of(query.is_active(), error.is_some(), &status, trigger),
            output_mode: query.output_mode(),
            trigger,
            manual_clock: query.is_on_manual_clock(),
            error,
            progress: query.recent_progress(),
            why,
        }
    }

    /// What its progress alone tells, without asking the engine anything that takes time.
    pub(crate) fn by_progress(query: &StreamingQuery) -> Self {
        let asked = Self::new(query, String::new(), QueryWhy::default());
        let batch = asked.batches().last().and_then(|last| last.why.clone());
        let newest = asked.progress.last().and_then(|newest| newest.why.clone());
        let why = QueryWhy {
            batch: batch.map(|why| *why),
            sources: newest.map_or_else(Vec::new, |why| why.sources),
            next_trigger: None,
            now: None,
        };
        Self { why, ..asked }
    }

    /// The answer in one line, if the last batch of a running query gave nothing.
    pub(crate) fn first_line(&self) -> Option<String> {
        let silent = match self.batches().last() {
            Some(last) => last
                .why
                .as_ref()
                .is_some_and(|why| why.num_output_rows == 0),
            None => !self.progress.is_empty(),
        };
        let reasons = (silent && self.state.is_active()).then(|| self.reasons())?;
        reasons.into_iter().next().map(|reason| reason.says)
    }

    /// The answer as text.
    pub(crate) fn text(&self) -> String {
        plain(self, &self.reasons())
    }

    /// The reasons, the answer first.
    fn reasons(&self) -> Vec<Reason> {
        let mut reasons = ended::reasons(self);
        reasons.extend(trigger::waiting(self));
        let rows = rows::reasons(self);
        let is_not_silent = self.is_not_silent();
        let begun = !rows.is_empty() || !self.batches().is_empty();
        match is_not_silent {
            // That is the answer to whoever asks why nothing comes.
            true => drop(reasons.splice(..0, rows)),
            false => reasons.extend(rows),
        }
        if begun {
            reasons.extend(late::reasons(self, reasons.as_slice()));
            reasons.extend(windows::reasons(self));
            reasons.extend(watermark::reasons(self));
            reasons.extend(rows::took_some(self));
        }
        reasons.extend(sources::reasons(self));
        reasons.extend(trigger::next(self));
        if reasons.is_empty() {
            reasons.push(Reason::new(
                "Nothing is wrong that can be told from here: there is no row that was dropped, held back or left out.",
            ));
        }
        reasons
    }

    /// Whether the last batch wrote rows.
    fn is_not_silent(&self) -> bool {
        self.batch().is_some_and(|batch| batch.num_output_rows > 0)
    }

    /// The progresses with a batch behind them, oldest first.
    fn batches(&self) -> Vec<&StreamingQueryProgress> {
        self.progress.iter().filter(|p| ran_a_batch(p)).collect()
    }

    /// The newest batch that read rows.
    fn last_with_rows(&self) -> Option<&StreamingQueryProgress> {
        let mut batches = self.progress.iter().rev();
        batches.find(|batch| batch.num_input_rows > 0)
    }

    /// What the last batch did, and how state and watermark stand since.
    fn batch(&self) -> Option<&BatchWhy> {
        self.why.batch.as_ref()
    }

    /// What a source is called.
    fn source(&self, index: usize) -> String {
        if let Some(said) = self.why.sources.get(index) {
            return words::source(said);
        }
        let newest = self.progress.last();
        let source = newest.and_then(|newest| newest.sources.get(index));
        source.map_or_else(
            || format!("source {index}"),
            |source| source.description.clone(),
        )
    }

    /// What some sources are called together.
    fn sources(&self, indices: &[usize]) -> String {
        let names: Vec<String> = indices.iter().map(|index| self.source(*index)).collect();
        names.join(" and ")
    }
}

/// The answer as HTML and as text.
pub(crate) fn why(asked: &Asked) -> MimeBundle {
    let reasons = asked.reasons();
    MimeBundle::html(html(asked, &reasons), plain(asked, &reasons))
}

fn plain(asked: &Asked, reasons: &[Reason]) -> String {
    let mut lines = vec![format!("{}: {}", asked.title, summary(asked))];
    for reason in reasons {
        lines.push(reason.says.clone());
        lines.extend(reason.figures.iter().map(|figure| format!("    {figure}")));
    }
    lines.join("\n")
}

fn html(asked: &Asked, reasons: &[Reason]) -> String {
    let state = asked.state;
    let mut body = format!(
        "<div style=\"font-size:11px;{DIM}\">{}: {}</div>",
        escape(&asked.title),
        escape(&summary(asked))
    );
    for (index, reason) in reasons.iter().enumerate() {
        let says = escape(&reason.says);
        let says = match index {
            0 => format!("<b>{says}</b>"),
            _ => says,
        };
        body.push_str(&format!("<div style=\"margin-top:5px\">{says}</div>"));
        for figure in &reason.figures {
            body.push_str(&format!(
                "<div style=\"margin-left:18px;overflow-wrap:break-word;{DIM}\">{}</div>",
                escape(figure)
            ));
        }
    }
    panel(state.color(), WIDTH, &body)
}

/// State and totals in one line.
fn summary(asked: &Asked) -> String {
    let batches = asked.batches();
    let read: i64 = batches.iter().map(|batch| batch.num_input_rows).sum();
    let wrote = asked.batch().map_or(0, |batch| batch.num_output_rows);
    let last = batches.last();
    let last = last.map(|last| {
        format!(
            ", last batch {} wrote {}",
            last.batch_id,
            count(wrote, "row")
        )
    });
    format!(
        "{}, {} read{}, {} mode",
        asked.state.word(),
        count(read, "row"),
        last.unwrap_or_default(),
        asked.output_mode
    )
}
