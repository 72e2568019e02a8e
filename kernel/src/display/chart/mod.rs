//! Rows as a chart: SVG, a PNG beside it, and a line of blocks for a terminal.
//!
//! ```text
//! Rows ─► columns (which is x, y, by) ─► data (points per series) ─► draw ─┬─► SVG
//!                                                                          └─► PNG
//! ```
//! JupyterLab shows no SVG in an untrusted notebook, so both pictures always travel together.
//! They come from one drawing routine and differ only in their canvas.

mod axis;
mod canvas;
mod clashes;
mod columns;
mod data;
mod draw;
mod fit;
mod font;
mod heatmap;
mod horizontal;
mod marks;
mod options;
mod palette;
mod picture;
mod reader;
mod summary;
mod ticks;

use serde_json::json;
use tidebook_engine::{Error, Rows};

pub use options::{ChartKind, ChartOptions};

use super::MimeBundle;
pub(super) use data::ChartData;

/// Width of the picture in CSS pixels.
const WIDTH: u32 = 760;

/// Height of the picture in CSS pixels.
const HEIGHT: u32 = 360;

/// A chart of `rows` under `title`, as `image/svg+xml`, `image/png` and `text/plain`.
///
/// What the options leave open follows from the schema and the data. No rows give a chart that
/// says so; a column that is missing or cannot be drawn is an error that names the columns.
pub fn chart(rows: &Rows, options: &ChartOptions, title: &str) -> Result<MimeBundle, Error> {
    let columns = columns::choose(&rows.schema, options)?;
    let mut data = ChartData::read(rows, &columns, options.last)?;
    let kind = options.kind.unwrap_or_else(|| data.default_kind());
    data.fit(kind);
    let png = picture::png(&data, kind, title)?;
    Ok(MimeBundle::default()
        .with("image/svg+xml", picture::svg(&data, kind, title)?)
        .with("image/png", png)
        .with("text/plain", summary::summary(&data, title))
        .with_metadata("image/png", json!({"width": WIDTH, "height": HEIGHT})))
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
