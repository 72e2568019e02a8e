//! Rows as a chart: SVG, a PNG beside it, and a line of blocks for a terminal.
//!
//! ```text
//! Rows ─► columns (which is x, y, by) ─► data (points per series) ─► draw ─┬─► SVG
//!                                                                          └─► PNG
//! ```
//! JupyterLab shows no SVG in an untrusted notebook, so both pictures always travel together.
//! They come from one drawing routine and differ only in their canvas. Neither has a paper: a chart
//! takes the theme of its page.

mod axis;
mod canvas;
mod clashes;
mod columns;
mod data;
mod draw;
mod event_time;
mod fit;
mod font;
mod heatmap;
mod horizontal;
mod marks;
mod options;
mod palette;
mod panels;
mod picture;
mod pixels;
mod reader;
mod summary;
mod system_fonts;
mod ticks;

use tidebook_engine::{Error, Rows};

pub(crate) use event_time::EventTime;
#[cfg(test)]
pub(super) use event_time::Late;
pub(crate) use options::{ChartKind, ChartOptions};
pub(crate) use panels::progress_chart;

use super::MimeBundle;
pub(super) use data::ChartData;

/// Width of the picture in CSS pixels.
const WIDTH: u32 = 760;

/// Height of the picture in CSS pixels.
const HEIGHT: u32 = 360;

/// A chart of `rows` under `title`, as `image/svg+xml`, `image/png` and `text/plain`.
///
/// What the options leave open follows from the schema and the data. No rows give a chart that
/// says so; a column that is missing or cannot be drawn is an error that names the columns. Windows
/// that the watermark of `event_time` has not passed are hatched. `note` stands under the title too.
pub(crate) fn chart(
    rows: &Rows,
    options: &ChartOptions,
    event_time: &EventTime,
    note: Option<String>,
    title: &str,
) -> Result<MimeBundle, Error> {
    let columns = columns::choose(&rows.schema, options)?;
    let data = ChartData::read(rows, &columns, options.last)?;
    let mut data = data.with_event_time(event_time);
    let kind = options.kind.unwrap_or_else(|| data.default_kind());
    data.fit(kind);
    data.open_look = kind.open_look();
    data.notes.extend(note);
    let draw = |canvas: &mut dyn canvas::Canvas| draw::draw(canvas, &data, kind, title);
    picture::bundle(&draw, summary::summary(&data, title))
}

/// The columns a chart without options would choose.
#[cfg(test)]
pub(super) fn columns_of(rows: &Rows) -> columns::Columns {
    columns::choose(&rows.schema, &ChartOptions::default()).unwrap_or(columns::Columns {
        x: None,
        y: 0,
        by: None,
    })
}
