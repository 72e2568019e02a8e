//! From data to what a notebook shows: pure functions, each giving one MIME bundle.
//!
//! ```text
//! Rows ──────────────────── table, chart ─┐
//! StreamingQuery ── QueryCard ── card ────┤
//! StreamingQueryProgress ──── progress ───┴─► MimeBundle ─► display_data / update_display_data
//! ```
//! **Every function gives the same MIME set each time**, so a display can be updated in place.
//! HTML carries inline styles only, with values that survive the sanitiser of an untrusted
//! notebook, and takes its text colour from the page: it reads the same on light and on dark.

mod alerts;
mod card_view;
mod cell;
mod chart;
mod check;
mod console;
mod error;
#[cfg(test)]
mod gallery;
mod grid;
mod html;
mod kafka;
mod local_time;
mod number;
mod progress;
mod progress_fields;
mod queries;
mod query_card;
mod sparkline;
mod state;
mod table;
mod why;
mod windows;

use serde_json::{Map, Value};

pub(crate) use alerts::{AlertCard, alert};
pub(crate) use card_view::query_card;
pub(crate) use chart::{ChartKind, ChartOptions, EventTime, chart, progress_chart};
pub(crate) use check::{CheckAnswer, check_answer};
pub(crate) use console::console;
pub(crate) use error::error_traceback;
pub(crate) use html::escape;
pub(crate) use kafka::{ProducedCard, TopicLine, produced, topics};
pub(crate) use number::count;
pub(crate) use progress::{progress, status};
pub(crate) use progress_fields::{lookup, with_sums};
pub(crate) use queries::queries;
pub(crate) use query_card::QueryCard;
pub(crate) use state::{StateRows, state};
pub(crate) use table::{columns, table};
pub(crate) use why::{Asked, why};
pub(crate) use windows::window as window_text;

/// One thing to show, in every form a frontend may choose from.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MimeBundle {
    /// MIME type → content.
    pub data: Map<String, Value>,
    /// MIME type → hints for its rendering, e.g. the size of a picture.
    pub metadata: Map<String, Value>,
}

impl MimeBundle {
    /// Text alone.
    pub(crate) fn text(plain: impl Into<String>) -> Self {
        Self::default().with("text/plain", plain.into())
    }

    /// HTML, and what a terminal shows instead.
    pub(crate) fn html(html: impl Into<String>, plain: impl Into<String>) -> Self {
        Self::default()
            .with("text/html", html.into())
            .with("text/plain", plain.into())
    }

    /// The bundle with one more form.
    pub(crate) fn with(mut self, mime: &str, content: impl Into<Value>) -> Self {
        self.data.insert(mime.to_owned(), content.into());
        self
    }

    /// The bundle with a hint on how to render one of its forms.
    pub(crate) fn with_metadata(mut self, mime: &str, hint: Value) -> Self {
        self.metadata.insert(mime.to_owned(), hint);
        self
    }
}
