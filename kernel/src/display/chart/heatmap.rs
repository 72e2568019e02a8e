//! A row of cells per series, darker for larger values.

use super::axis::{Plot, draw_bottom, label, labels_width};
use super::canvas::{Align, Canvas, fit_text};
use super::data::ChartData;
use super::marks::{inset, reach};
use super::options::ChartKind;
use super::palette::heat;
use crate::display::number::short;

/// Room for the names on the left.
const NAMES: f64 = 150.0;

/// Swatches of the legend.
const SHADES: usize = 24;

/// Draws cells, names and legend into `frame`.
pub(super) fn draw(canvas: &mut dyn Canvas, data: &ChartData, frame: Plot) {
    let values = || {
        data.series
            .iter()
            .flat_map(|series| series.values.iter().flatten().copied())
    };
    let (low, high) = (
        values().fold(0.0, f64::min),
        values().fold(f64::MIN, f64::max),
    );
    let names: Vec<String> = data
        .series
        .iter()
        .map(|series| match series.name.as_str() {
            "" => data.y_name.clone(),
            name => fit_text(name, super::axis::LABEL, NAMES),
        })
        .collect();
    let top = draw_legend(canvas, frame, low, high);
    let plot = Plot {
        left: frame.left + labels_width(names.iter().map(String::as_str)),
        right: frame.right - 10.0,
        top,
        x: reach(data, ChartKind::Heatmap),
        ..frame
    };
    let height = (plot.bottom - plot.top) / data.series.len() as f64;
    let gap = if height > 12.0 { 1.0 } else { 0.5 };
    for (row, (series, name)) in data.series.iter().zip(&names).enumerate() {
        let y = plot.top + height * row as f64;
        canvas.text(
            name,
            (plot.left - 8.0, y + height / 2.0),
            label(Align::Right),
        );
        for (x, value) in data.xs.iter().zip(&series.values) {
            let Some(value) = value else {
                continue;
            };
            let (from, to) = data.span(*x);
            let (left, right) = inset(plot.x(from), plot.x(to), true);
            let share = if high > low {
                (value - low) / (high - low)
            } else {
                1.0
            };
            canvas.rect((left, y + gap), (right, y + height - gap), heat(share));
        }
    }
    draw_bottom(canvas, &plot, data);
}

/// A strip from the smallest to the largest value; gives the height below which there is room.
fn draw_legend(canvas: &mut dyn Canvas, frame: Plot, low: f64, high: f64) -> f64 {
    let y = frame.top - 3.0;
    let first = short(low);
    canvas.text(&first, (frame.left, y), label(Align::Left));
    let left = frame.left + labels_width([first.as_str()]);
    for i in 0..SHADES {
        let x = left + 5.0 * i as f64;
        let share = i as f64 / (SHADES - 1) as f64;
        canvas.rect((x, y - 5.0), (x + 5.0, y + 5.0), heat(share));
    }
    let right = left + 5.0 * SHADES as f64;
    canvas.text(&short(high), (right + 8.0, y), label(Align::Left));
    y + 22.0
}
