//! The plane a chart is drawn in, with its lines and labels.

use super::canvas::{Align, Canvas, TextStyle, text_width};
use super::data::{Axis, ChartData};
use super::draw::MARGIN;
use super::palette::{AXIS, DIM, GRID};
use super::ticks::{self, Tick};

/// The em of labels.
pub(super) const LABEL: f64 = 11.5;

/// Microseconds.
const DAY: f64 = 86_400e6;

/// A rectangle of the picture (CSS pixels) and the values at its edges.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Values at the left and the right edge.
    pub x: (f64, f64),
    /// Values at the lower and the upper edge.
    pub y: (f64, f64),
}

impl Plot {
    /// Where a value lies from left to right.
    pub(super) fn x(&self, value: f64) -> f64 {
        let share = (value - self.x.0) / (self.x.1 - self.x.0);
        self.left + share * (self.right - self.left)
    }

    /// Where a value lies from bottom to top.
    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value - self.y.0) / (self.y.1 - self.y.0);
        self.bottom - share * (self.bottom - self.top)
    }

    /// Pixels from edge to edge.
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }
}

/// A label in the style of all labels.
pub(super) fn label(align: Align) -> TextStyle {
    TextStyle {
        size: LABEL,
        color: DIM,
        bold: false,
        align,
    }
}

/// Round heights that enclose the data.
pub(super) fn height_ticks(low: f64, high: f64, whole: bool) -> Vec<Tick> {
    ticks::numbers(low, high, 5, whole)
}

/// How much room the widest label needs, gap included.
pub(super) fn labels_width<'a>(labels: impl IntoIterator<Item = &'a str>) -> f64 {
    let widest = labels
        .into_iter()
        .map(|label| text_width(label, LABEL))
        .fold(0.0, f64::max);
    widest + 9.0
}

/// Lines across the plot with their heights on the left.
pub(super) fn draw_heights(canvas: &mut dyn Canvas, plot: &Plot, heights: &[Tick]) {
    for tick in heights {
        let y = plot.y(tick.at);
        let color = if tick.at == 0.0 { AXIS } else { GRID };
        canvas.path(&[(plot.left, y), (plot.right, y)], color, 0.5);
        canvas.text(&tick.label, (plot.left - 8.0, y), label(Align::Right));
    }
}

/// Labels and short strokes along the bottom.
pub(super) fn draw_bottom(canvas: &mut dyn Canvas, plot: &Plot, data: &ChartData) {
    canvas.path(
        &[(plot.left, plot.bottom), (plot.right, plot.bottom)],
        AXIS,
        0.5,
    );
    for tick in bottom_ticks(plot, data) {
        let x = plot.x(tick.at);
        if !matches!(data.axis, Axis::Category(_)) {
            canvas.path(&[(x, plot.bottom), (x, plot.bottom + 4.0)], AXIS, 0.5);
        }
        canvas.text(&tick.label, (x, plot.bottom + 14.0), label(Align::Center));
        if let Some(below) = &tick.below {
            let half = text_width(below, LABEL) / 2.0;
            let x = x.max(MARGIN + half);
            canvas.text(below, (x, plot.bottom + 28.0), label(Align::Center));
        }
    }
}

/// Whether the names of all categories fit side by side.
pub(super) fn categories_fit(names: &[String], width: f64) -> bool {
    let slot = width / names.len().max(1) as f64;
    names
        .iter()
        .all(|name| text_width(name, LABEL) + 8.0 <= slot)
}

fn bottom_ticks(plot: &Plot, data: &ChartData) -> Vec<Tick> {
    let (from, to) = plot.x;
    match &data.axis {
        Axis::Time(zone) => {
            // Windows and days are not cut into smaller times; instants may be.
            let whole = data.window.is_some() || data.step() >= DAY;
            let least = if whole { data.step() } else { 0.0 };
            ticks::times(from, to, *zone, (plot.width() / 64.0) as usize, least)
        }
        Axis::Number => {
            let whole = data.xs.iter().all(|x| x.fract() == 0.0);
            ticks::numbers_within(from, to, (plot.width() / 80.0) as usize, whole)
        }
        Axis::Category(names) => {
            let every = every(names, plot.width());
            let names = names.iter().enumerate().step_by(every);
            names
                .map(|(i, name)| Tick {
                    at: i as f64,
                    label: name.clone(),
                    below: None,
                })
                .collect()
        }
    }
}

/// Every how many categories one can be labelled.
fn every(names: &[String], width: f64) -> usize {
    let widest = names
        .iter()
        .map(|name| text_width(name, LABEL))
        .fold(1.0, f64::max)
        + 8.0;
    let slot = width / names.len().max(1) as f64;
    (widest / slot).ceil().max(1.0) as usize
}
