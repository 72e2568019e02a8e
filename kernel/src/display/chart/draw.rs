//! The composition of a chart: title, legend, plot.

use super::axis::{self, Plot, categories_fit, draw_bottom, draw_heights, labels_width};
use super::canvas::{Align, Canvas, TextStyle, fit_text, text_width};
use super::data::{Axis, ChartData};
use super::options::ChartKind;
use super::palette::{AXIS, DIM, GRID, INK};
use super::{HEIGHT, WIDTH, event_time, heatmap, horizontal, marks};

/// Room between the picture's edge and everything else.
pub(super) const MARGIN: f64 = 18.0;

/// Below the plot: two lines of labels.
const FOOT: f64 = 46.0;

/// The width of a legend's coloured square, gap included.
const SWATCH: f64 = 15.0;

/// Draws the whole picture.
pub(super) fn draw(canvas: &mut dyn Canvas, data: &ChartData, kind: ChartKind, title: &str) {
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    draw_frame(canvas);
    let top = draw_words(canvas, title, &data.subtitle());
    let frame = Plot {
        left: MARGIN,
        right: width - MARGIN,
        top,
        bottom: height - FOOT,
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    };
    if data.xs.is_empty() {
        draw_empty(canvas, &frame, "no rows yet");
        return;
    }
    match kind {
        ChartKind::Heatmap => heatmap::draw(canvas, data, frame),
        ChartKind::Bar if names_too_long(data, &frame) => {
            let frame = Plot {
                top: draw_legend(canvas, data, top),
                ..frame
            };
            horizontal::draw(canvas, data, frame);
        }
        _ => {
            let frame = Plot {
                top: draw_legend(canvas, data, top),
                ..frame
            };
            draw_upright(canvas, data, kind, frame);
        }
    }
}

fn draw_upright(canvas: &mut dyn Canvas, data: &ChartData, kind: ChartKind, frame: Plot) {
    let (low, high) = marks::extent(data, kind);
    let heights = axis::height_ticks(low, high, data.is_whole());
    let labels = labels_width(heights.iter().map(|tick| tick.label.as_str()));
    let edge = |tick: Option<&super::ticks::Tick>| tick.map_or(0.0, |tick| tick.at);
    let plot = Plot {
        left: frame.left + labels,
        right: frame.right - 10.0,
        x: marks::reach(data, kind),
        y: (edge(heights.first()), edge(heights.last())),
        ..frame
    };
    draw_heights(canvas, &plot, &heights);
    match kind {
        ChartKind::Line => marks::lines(canvas, &plot, data),
        ChartKind::Area => marks::areas(canvas, &plot, data),
        ChartKind::Bar | ChartKind::Heatmap => marks::bars(canvas, &plot, data),
    }
    draw_bottom(canvas, &plot, data);
    event_time::draw(canvas, &plot, data);
}

/// The edge of a picture; its paper is the page.
pub(super) fn draw_frame(canvas: &mut dyn Canvas) {
    let (right, bottom) = (f64::from(WIDTH) - 0.5, f64::from(HEIGHT) - 0.5);
    let corners = [
        (0.5, 0.5),
        (right, 0.5),
        (right, bottom),
        (0.5, bottom),
        (0.5, 0.5),
    ];
    canvas.path(&corners, GRID, 1.0);
}

/// Bars lie down when their names would not fit under them.
fn names_too_long(data: &ChartData, frame: &Plot) -> bool {
    match &data.axis {
        Axis::Category(names) => !categories_fit(names, frame.width() - 50.0),
        _ => false,
    }
}

/// Title and subtitle; gives the height below which there is room.
pub(super) fn draw_words(canvas: &mut dyn Canvas, title: &str, subtitle: &str) -> f64 {
    let room = f64::from(WIDTH) - 2.0 * MARGIN;
    let style = TextStyle {
        size: 16.0,
        color: INK,
        bold: true,
        align: Align::Left,
    };
    canvas.text(&fit_text(title, 16.0, room * 0.95), (MARGIN, 24.0), style);
    let style = TextStyle {
        size: 12.5,
        color: DIM,
        bold: false,
        align: Align::Left,
    };
    canvas.text(&fit_text(subtitle, 12.5, room), (MARGIN, 45.0), style);
    70.0
}

/// One coloured square and name per series, in as many lines as it takes.
fn draw_legend(canvas: &mut dyn Canvas, data: &ChartData, top: f64) -> f64 {
    if data.by_name.is_none() {
        return top;
    }
    let right = f64::from(WIDTH) - MARGIN;
    let (mut x, mut y) = (MARGIN, top - 3.0);
    for (i, series) in data.series.iter().enumerate() {
        let name = fit_text(&series.name, 12.0, 200.0);
        let width = SWATCH + text_width(&name, 12.0) + 14.0;
        if x + width > right && x > MARGIN {
            (x, y) = (MARGIN, y + 18.0);
        }
        canvas.rect((x, y - 5.0), (x + 10.0, y + 5.0), marks::color(i, series));
        let style = TextStyle {
            size: 12.0,
            color: INK,
            bold: false,
            align: Align::Left,
        };
        canvas.text(&name, (x + SWATCH, y), style);
        x += width;
    }
    y + 22.0
}

/// Lines without marks, and why.
pub(super) fn draw_empty(canvas: &mut dyn Canvas, frame: &Plot, why: &str) {
    // The words stand where the line in the middle would be.
    for i in [0, 1, 3, 4] {
        let y = frame.bottom - (frame.bottom - frame.top) * f64::from(i) / 4.0;
        let color = if i == 0 { AXIS } else { GRID };
        canvas.path(&[(frame.left, y), (frame.right, y)], color, 0.5);
    }
    let middle = (
        (frame.left + frame.right) / 2.0,
        (frame.top + frame.bottom) / 2.0,
    );
    let style = TextStyle {
        size: 15.0,
        color: DIM,
        bold: false,
        align: Align::Center,
    };
    canvas.text(why, middle, style);
}
