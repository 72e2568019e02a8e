//! Stand-in for the rendering that branch `display` brings; only its signatures matter.

use serde_json::{Map, Value};
use tidebook_engine::{Error, Rows, StreamingQuery, StreamingQueryProgress, StreamingQueryStatus};

/// One thing to show, in every form a frontend may choose from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MimeBundle {
    /// MIME type → content.
    pub data: Map<String, Value>,
    /// MIME type → hints for its rendering.
    pub metadata: Map<String, Value>,
}

impl MimeBundle {
    pub fn text(plain: impl Into<String>) -> Self {
        Self::default().with("text/plain", plain.into())
    }
    pub fn html(html: impl Into<String>, plain: impl Into<String>) -> Self {
        Self::default()
            .with("text/html", html.into())
            .with("text/plain", plain.into())
    }
    pub fn with(mut self, mime: &str, content: impl Into<Value>) -> Self {
        self.data.insert(mime.to_owned(), content.into());
        self
    }
}

pub struct QueryCard(String);

impl QueryCard {
    pub fn from_query(query: &StreamingQuery) -> Self {
        Self(format!(
            "{:?} active={} {:?}",
            query.name(),
            query.is_active(),
            query.last_progress()
        ))
    }
}

pub fn query_card(card: &QueryCard) -> MimeBundle {
    MimeBundle::html(card.0.clone(), card.0.clone())
}

pub fn table(rows: &Rows, max_rows: usize) -> MimeBundle {
    let text = format!(
        "{:?}",
        rows.batches.iter().take(max_rows).collect::<Vec<_>>()
    );
    MimeBundle::html(text.clone(), text)
}

pub fn progress(progress: &[StreamingQueryProgress]) -> MimeBundle {
    MimeBundle::text(format!("{progress:?}"))
}

pub fn status(status: &StreamingQueryStatus) -> MimeBundle {
    MimeBundle::text(format!("{status:?}"))
}

pub fn queries(queries: &[StreamingQuery]) -> MimeBundle {
    MimeBundle::text(format!("{queries:?}"))
}

#[derive(Debug, Clone, Copy)]
pub enum ChartKind {
    Bar,
    Line,
    Area,
    Heatmap,
}

#[derive(Debug, Clone, Default)]
pub struct ChartOptions {
    pub x: Option<String>,
    pub y: Option<String>,
    pub by: Option<String>,
    pub kind: Option<ChartKind>,
    pub last: Option<usize>,
}

pub fn chart(rows: &Rows, options: &ChartOptions, title: &str) -> Result<MimeBundle, Error> {
    Ok(MimeBundle::text(format!(
        "{title} {options:?} {}",
        rows.num_rows()
    )))
}

pub fn error_traceback(ename: &str, evalue: &str, hint: Option<&str>) -> Vec<String> {
    let mut lines = vec![format!("{ename}: {evalue}")];
    lines.extend(hint.map(|hint| format!("hint: {hint}")));
    lines
}
