//! Bars that lie down, so that long names can be read.

use super::axis::{self, LABEL, Plot, label, labels_width};
use super::canvas::{Align, Canvas, fit_text};
use super::data::{Axis, ChartData};
use super::marks::{extent, seam, stack};
use super::options::ChartKind;
use super::palette::{AXIS, GRID, INK};

/// Room for the names on the left.
const NAMES: f64 = 240.0;

/// A bar is never thicker than this.
const THICKNESS: f64 = 30.0;

/// Draws one lying bar per category into `frame`, the first category on top.
pub(super) fn draw(canvas: &mut dyn Canvas, data: &ChartData, frame: Plot) {
    let Axis::Category(names) = &data.axis else {
        return;
    };
    let names: Vec<String> = names
        .iter()
        .map(|name| fit_text(name, LABEL, NAMES))
        .collect();
    let (low, high) = extent(data, ChartKind::Bar);
    let values = axis::height_ticks(low, high, data.is_whole());
    let edge = |tick: Option<&super::ticks::Tick>| tick.map_or(0.0, |tick| tick.at);
    let plot = Plot {
        left: frame.left + labels_width(names.iter().map(String::as_str)),
        right: frame.right - 8.0,
        bottom: frame.bottom + 18.0,
        x: (edge(values.first()), edge(values.last())),
        ..frame
    };
    for tick in &values {
        let x = plot.x(tick.at);
        let color = if tick.at == 0.0 { AXIS } else { GRID };
        canvas.path(&[(x, plot.top - 2.0), (x, plot.bottom)], color, 0.5);
        canvas.text(&tick.label, (x, plot.bottom + 12.0), label(Align::Center));
    }
    let slot = (plot.bottom - plot.top) / names.len() as f64;
    let half = (slot * 0.38).min(THICKNESS / 2.0);
    for (i, name) in names.iter().enumerate() {
        let y = plot.top + slot * (i as f64 + 0.5);
        let style = super::canvas::TextStyle {
            color: INK,
            size: LABEL.min(slot),
            ..label(Align::Right)
        };
        canvas.text(name, (plot.left - 8.0, y), style);
        for (color, base, top) in stack(data, i) {
            let (base, top) = seam(plot.x(base), plot.x(top), base == 0.0);
            canvas.rect((base, y - half), (top, y + half), color);
        }
    }
}
