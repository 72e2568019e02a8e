//! Upright marks: bars, lines, areas.

use plotters::style::RGBAColor;

use super::axis::Plot;
use super::canvas::{Canvas, Point};
use super::data::{Axis, ChartData, Series};
use super::event_time::open_rect;
use super::options::ChartKind;
use super::palette;

/// A line with at most this many points shows each of them.
const DOTS: usize = 48;

/// An axis of windows has room for at least so many.
const FIRST_WINDOWS: f64 = 8.0;

/// The colour of a series.
pub(super) fn color(index: usize, series: &Series) -> RGBAColor {
    if series.is_rest {
        palette::REST
    } else {
        palette::series(index)
    }
}

/// The lowest and the highest value the axis must show. Bars and areas stand on zero; so do lines
/// unless all of them are far above it.
pub(super) fn extent(data: &ChartData, kind: ChartKind) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 0..data.xs.len() {
        let values = data.series.iter().filter_map(|series| series.at(i));
        if kind.stacks() {
            let (above, below) = values.fold((0.0, 0.0), |(above, below), value| {
                (above + f64::max(value, 0.0), below + f64::min(value, 0.0))
            });
            (low, high) = (low.min(below), high.max(above));
        } else {
            for value in values {
                (low, high) = (low.min(value), high.max(value));
            }
        }
    }
    if !low.is_finite() {
        return (0.0, 1.0);
    }
    let far_above = low > 0.0 && high - low < low * 0.5 && high > low;
    match kind {
        ChartKind::Line if far_above => (low, high),
        _ => (low.min(0.0), high.max(0.0)),
    }
}

/// The x values at the edges of the plot.
pub(super) fn reach(data: &ChartData, kind: ChartKind) -> (f64, f64) {
    let (Some(&first), Some(&last)) = (data.xs.first(), data.xs.last()) else {
        return (0.0, 1.0);
    };
    let spans = matches!(kind, ChartKind::Bar | ChartKind::Heatmap);
    if spans || matches!(data.axis, Axis::Category(_)) {
        let (from, to) = (data.span(first).0, data.span(last).1);
        // The first windows of a stream leave room for the next ones.
        let room = data.window.map_or(0.0, |_| data.step() * FIRST_WINDOWS);
        return data.reach_to_watermark((from, to.max(from + room)));
    }
    if first == last {
        let step = data.step();
        return (first - step, last + step);
    }
    let room = (last - first) * 0.01;
    data.reach_to_watermark((first - room, last + room))
}

/// A bar per x, its series on top of each other; values below zero hang below it.
pub(super) fn bars(canvas: &mut dyn Canvas, plot: &Plot, data: &ChartData) {
    let open = data.open_windows() * data.series.len();
    for (i, x) in data.xs.iter().enumerate() {
        let (from, to) = data.span(*x);
        let (left, right) = inset(plot.x(from), plot.x(to), data.window.is_some());
        let is_open = data.is_open(*x);
        for (color, base, top) in stack(data, i) {
            let (base, top) = seam(plot.y(base), plot.y(top), base == 0.0);
            match is_open {
                true => open_rect(canvas, (left, base), (right, top), color, open),
                false => canvas.rect((left, base), (right, top), color),
            }
        }
    }
}

/// The segments of one bar: colour, lower and upper value.
pub(super) fn stack(data: &ChartData, i: usize) -> Vec<(RGBAColor, f64, f64)> {
    let (mut above, mut below) = (0.0, 0.0);
    let mut segments = Vec::with_capacity(data.series.len());
    for (s, series) in data.series.iter().enumerate() {
        if let Some(value) = series.at(i).filter(|value| *value != 0.0) {
            let base = if value > 0.0 { &mut above } else { &mut below };
            segments.push((color(s, series), *base, *base + value));
            *base += value;
        }
    }
    segments
}

/// The ends of a segment in pixels, a hair apart from the one it stands on.
pub(super) fn seam(base: f64, top: f64, on_zero: bool) -> (f64, f64) {
    match on_zero || (top - base).abs() < 3.0 {
        true => (base, top),
        false => (base + 0.5 * (top - base).signum(), top),
    }
}

/// A bar's edges, drawn in a little: windows touch almost, other bars keep apart.
pub(super) fn inset(from: f64, to: f64, touching: bool) -> (f64, f64) {
    let width = to - from;
    let gap = match touching {
        true if width < 3.0 => 0.0,
        true => (width * 0.08).clamp(0.25, 1.5),
        false => (width * 0.15).min((width - 1.0).max(0.0) / 2.0),
    };
    // A bar must not vanish between two pixels.
    let right = (to - gap).max(from + gap + 0.5);
    (from + gap, right)
}

/// A line per series; it breaks where windows are missing.
pub(super) fn lines(canvas: &mut dyn Canvas, plot: &Plot, data: &ChartData) {
    for (s, series) in data.series.iter().enumerate() {
        let color = color(s, series);
        let points: Vec<(f64, f64)> = data
            .xs
            .iter()
            .zip(&series.values)
            .filter_map(|(x, value)| Some((*x, (*value)?)))
            .collect();
        for run in runs(&points, data) {
            let positions: Vec<f64> = run.iter().map(|(x, _)| *x).collect();
            let run: Vec<Point> = run.iter().map(|(x, y)| (plot.x(*x), plot.y(*y))).collect();
            if run.len() > 1 {
                canvas.path(&run, color, stroke(data.xs.len()));
            }
            if run.len() == 1 || data.xs.len() <= DOTS {
                for (point, x) in run.into_iter().zip(positions) {
                    match data.is_open(x) {
                        true => canvas.ring(point, 3.5, color),
                        false => canvas.dot(point, 3.0, color),
                    }
                }
            }
        }
    }
}

/// Crowded lines are thinner.
fn stroke(points: usize) -> f64 {
    match points {
        ..400 => 2.0,
        400..1_000 => 1.5,
        _ => 1.0,
    }
}

/// Stacked areas; a series without a value counts as zero where others have one.
pub(super) fn areas(canvas: &mut dyn Canvas, plot: &Plot, data: &ChartData) {
    let xs: Vec<(f64, f64)> = data
        .xs
        .iter()
        .enumerate()
        .map(|(i, x)| (*x, i as f64))
        .collect();
    for run in runs(&xs, data) {
        let mut base: Vec<f64> = vec![0.0; run.len()];
        for (s, series) in data.series.iter().enumerate() {
            let value = |i: f64| series.at(i as usize).unwrap_or(0.0);
            let top: Vec<f64> = run
                .iter()
                .zip(&base)
                .map(|((_, i), base)| base + value(*i))
                .collect();
            let edge = |heights: &[f64]| -> Vec<Point> {
                let edge = run.iter().zip(heights);
                edge.map(|((x, _), height)| (plot.x(*x), plot.y(*height)))
                    .collect()
            };
            let (upper, lower) = (edge(&top), edge(&base));
            match (upper.as_slice(), lower.as_slice()) {
                // A lone point has no area: it stands as a thin bar.
                ([upper], [lower]) => {
                    canvas.rect(
                        (upper.0 - 1.5, lower.1),
                        (upper.0 + 1.5, upper.1),
                        color(s, series),
                    );
                }
                _ => fill_between(canvas, &lower, &upper, color(s, series)),
            }
            base = top;
        }
    }
}

fn fill_between(canvas: &mut dyn Canvas, lower: &[Point], upper: &[Point], color: RGBAColor) {
    let outline: Vec<Point> = upper.iter().chain(lower.iter().rev()).copied().collect();
    canvas.polygon(&outline, color);
}

/// Neighbouring points without a missing window between them.
fn runs<'a>(points: &'a [(f64, f64)], data: &ChartData) -> Vec<&'a [(f64, f64)]> {
    let limit = match data.window {
        Some(_) => data.step() * 1.5,
        None => f64::INFINITY,
    };
    points.chunk_by(|a, b| b.0 - a.0 <= limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    fn data(values: &[&[Option<f64>]]) -> ChartData {
        let series = |values: &&[Option<f64>]| Series {
            name: String::new(),
            values: values.to_vec(),
            is_rest: false,
        };
        ChartData {
            x_name: "x".to_owned(),
            y_name: "n".to_owned(),
            by_name: None,
            axis: Axis::Number,
            xs: (0..values[0].len()).map(|i| i as f64).collect(),
            window: None,
            series: values.iter().map(series).collect(),
            notes: Vec::new(),
            event_time: Default::default(),
            open_look: "",
        }
    }

    #[test]
    fn stacks_reach_as_high_as_their_sums() {
        let data = data(&[&[Some(1.0), Some(5.0)], &[Some(2.0), Some(-3.0)]]);
        assert_eq!(extent(&data, ChartKind::Bar), (-3.0, 5.0));
        assert_eq!(extent(&data, ChartKind::Line), (-3.0, 5.0));
        let segments = stack(&data, 0);
        assert_eq!((segments[0].1, segments[0].2), (0.0, 1.0));
        assert_eq!((segments[1].1, segments[1].2), (1.0, 3.0));
        let segments = stack(&data, 1);
        assert_eq!((segments[1].1, segments[1].2), (0.0, -3.0));
    }

    #[test]
    fn only_lines_may_leave_zero() {
        let data = data(&[&[Some(100.0), Some(110.0)]]);
        assert_eq!(extent(&data, ChartKind::Bar), (0.0, 110.0));
        assert_eq!(extent(&data, ChartKind::Line), (100.0, 110.0));
    }

    #[test]
    fn a_line_breaks_where_windows_are_missing() {
        let mut data = data(&[&[Some(1.0); 4]]);
        data.xs = vec![0.0, 1.0, 5.0, 6.0];
        let points: Vec<_> = data.xs.iter().map(|x| (*x, 1.0)).collect();
        assert_eq!(runs(&points, &data).len(), 1);
        data.window = Some(1.0);
        let lengths: Vec<_> = runs(&points, &data).iter().map(|run| run.len()).collect();
        assert_eq!(lengths, [2, 2]);
    }

    #[test]
    fn a_bar_never_vanishes() {
        for width in [0.1, 0.5, 1.0, 3.0, 50.0] {
            for touching in [true, false] {
                let (left, right) = inset(10.0, 10.0 + width, touching);
                assert!(right - left >= 0.499, "{width} {touching}: {left} {right}");
            }
        }
    }

    #[test]
    fn windows_reach_to_their_end() {
        let data = gallery::chart_data(&gallery::hourly_departures(1));
        let (from, to) = reach(&data, ChartKind::Bar);
        assert_eq!((to - from) / 3_600e6, data.xs.len() as f64);
        let mut first = data.clone();
        first.xs.truncate(1);
        let (from, to) = reach(&first, ChartKind::Bar);
        assert_eq!((to - from) / 3_600e6, FIRST_WINDOWS);
    }
}
