//! What the watermark has done to the windows of a chart: which of them are closed, and what came
//! too late for them.

use chrono::DateTime;
use tidebook_engine::StreamingQueryProgress;

use super::axis::{Plot, label};
use super::canvas::{Align, Canvas, Point};
use super::data::{Axis, ChartData};
use super::palette::{INK, LATE};
use crate::display::local_time;
use crate::display::number::{count, thousands};
use plotters::style::{Color, RGBAColor};

/// Beyond the last window the axis goes on to the watermark for at most this share of its length.
const BEYOND: f64 = 0.4;

/// More open segments than this are tinted only.
const MAX_HATCHED: usize = 80;

/// Pixels between the strokes of a hatching.
const HATCH: f64 = 6.0;

/// The event time of a query: where its watermark stands, and what came too late.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EventTime {
    /// The watermark in microseconds; none without one.
    pub watermark: Option<f64>,
    /// Batches in which rows or groups came too late.
    pub late: Vec<Late>,
}

/// What came too late in one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Late {
    /// The earliest event time of the batch, in microseconds.
    pub earliest: Option<f64>,
    /// Where the watermark stood then, in microseconds.
    pub watermark: f64,
    /// How many rows or groups were dropped.
    pub dropped: i64,
}

impl EventTime {
    /// What the newest progresses of a query tell, oldest first.
    pub(crate) fn of(progress: &[StreamingQueryProgress]) -> Self {
        let micros = |progress: &StreamingQueryProgress, name: &str| {
            let text = progress.event_time.get(name)?;
            let time = DateTime::parse_from_rfc3339(text).ok()?;
            Some(time.timestamp_micros() as f64)
        };
        let late = progress.iter().filter_map(|progress| {
            let dropped = progress.state_operators.iter();
            let dropped: i64 = dropped
                .map(|operator| operator.num_rows_dropped_by_watermark)
                .sum();
            let watermark = micros(progress, "watermark")?;
            (dropped > 0).then(|| Late {
                earliest: micros(progress, "min"),
                watermark,
                dropped,
            })
        });
        Self {
            watermark: progress
                .last()
                .and_then(|newest| micros(newest, "watermark")),
            late: late.collect(),
        }
    }

    /// How many rows or groups were dropped.
    fn dropped(&self) -> i64 {
        self.late.iter().map(|late| late.dropped).sum()
    }
}

impl ChartData {
    /// Takes in the event time, if the chart is one of windows.
    pub(crate) fn with_event_time(mut self, event_time: &EventTime) -> Self {
        if self.window.is_some() && matches!(self.axis, Axis::Time(_)) {
            self.event_time = event_time.clone();
        }
        self
    }

    /// Whether rows may still be counted into the window at `x`: the watermark has not passed it.
    pub(crate) fn is_open(&self, x: f64) -> bool {
        let watermark = self.event_time.watermark;
        let end = self.window.map(|window| x + window);
        watermark
            .zip(end)
            .is_some_and(|(watermark, end)| end > watermark)
    }

    /// How many windows are open.
    pub(crate) fn open_windows(&self) -> usize {
        self.xs.iter().filter(|x| self.is_open(**x)).count()
    }

    /// What the chart says about closed, open and late in words.
    pub(crate) fn event_time_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let open = self.open_windows();
        if open > 0 {
            let windows = count(self.xs.len() as i64, "window");
            let open = thousands(open as i64);
            let look = match self.open_look {
                "" => String::new(),
                look => format!(" ({look})"),
            };
            notes.push(format!("{open} of {windows} open{look}"));
        }
        let dropped = self.event_time.dropped();
        if dropped > 0 && self.window.is_some() {
            notes.push(format!("{} dropped as late (crosses)", thousands(dropped)));
        }
        notes
    }

    /// Where the axis ends, so that a watermark not far behind the last window is seen.
    pub(crate) fn reach_to_watermark(&self, (from, to): (f64, f64)) -> (f64, f64) {
        match self.event_time.watermark {
            Some(watermark) if watermark >= to && watermark <= to + (to - from) * BEYOND => {
                (from, watermark + (to - from) * 0.02)
            }
            _ => (from, to),
        }
    }

    /// How the watermark reads, if there is one.
    pub(crate) fn watermark_text(&self) -> Option<String> {
        let (Some(watermark), Axis::Time(zone)) = (self.event_time.watermark, &self.axis) else {
            return None;
        };
        match watermark > 0.0 {
            true => zone.local(watermark as i64).map(local_time::full),
            false => None,
        }
    }
}

/// The watermark as a line, and a cross where something came too late for its window.
pub(super) fn draw(canvas: &mut dyn Canvas, plot: &Plot, data: &ChartData) {
    if let (Some(watermark), Some(text)) = (data.event_time.watermark, data.watermark_text()) {
        draw_watermark(canvas, plot, watermark, &text);
    }
    let Some(window) = data.window else { return };
    let mut marked: Vec<(f64, f64)> = Vec::new();
    for late in &data.event_time.late {
        // The earliest row of the batch was late only if its window had ended.
        let Some(earliest) = late.earliest.filter(|earliest| {
            let mut starts = data.xs.iter().rev();
            let start = starts.find(|start| **start <= *earliest);
            start.map_or(*earliest + window, |start| start + window) <= late.watermark
        }) else {
            continue;
        };
        let x = plot.x(earliest).clamp(plot.left + 4.0, plot.right - 4.0);
        let below = marked
            .iter()
            .filter(|(other, _)| (other - x).abs() < 9.0)
            .count();
        let y = plot.bottom - 8.0 - 11.0 * below.min(6) as f64;
        marked.push((x, y));
        cross(canvas, (x, y));
    }
}

fn draw_watermark(canvas: &mut dyn Canvas, plot: &Plot, watermark: f64, text: &str) {
    let time = text.split(' ').nth(1).unwrap_or(text);
    let time = time.strip_suffix(":00").unwrap_or(time);
    let at = plot.x(watermark);
    let y = plot.top - 7.0;
    if at > plot.right {
        let text = format!("watermark {time} »");
        canvas.text(&text, (plot.right, y), label(Align::Right));
        return;
    }
    if at < plot.left {
        canvas.text(
            &format!("« watermark {time}"),
            (plot.left, y),
            label(Align::Left),
        );
        return;
    }
    let mut top = plot.top;
    while top < plot.bottom {
        let end = (top + 6.0).min(plot.bottom);
        canvas.path(&[(at, top), (at, end)], INK, 1.5);
        top += 10.0;
    }
    let share = (at - plot.left) / plot.width();
    let align = match share {
        ..0.12 => Align::Left,
        0.88.. => Align::Right,
        _ => Align::Center,
    };
    let mut style = label(align);
    style.color = INK;
    canvas.text(&format!("watermark {time}"), (at, y), style);
}

fn cross(canvas: &mut dyn Canvas, (x, y): Point) {
    canvas.path(&[(x - 4.0, y - 4.0), (x + 4.0, y + 4.0)], LATE, 2.5);
    canvas.path(&[(x - 4.0, y + 4.0), (x + 4.0, y - 4.0)], LATE, 2.5);
}

/// A segment of a bar that may still grow: a tint, and strokes across it where there is room.
pub(super) fn open_rect(
    canvas: &mut dyn Canvas,
    from: Point,
    to: Point,
    color: RGBAColor,
    open: usize,
) {
    canvas.rect(from, to, color.mix(0.3));
    let (left, right) = (from.0.min(to.0), from.0.max(to.0));
    let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
    if open > MAX_HATCHED || right - left < 5.0 || bottom - top < 3.0 {
        return;
    }
    // Strokes rise to the right: each is where x - y is the same.
    let mut along = left + top + HATCH / 2.0;
    while along < right + bottom {
        let lower = ((along - bottom).max(left), (along - left).min(bottom));
        let upper = ((along - top).min(right), (along - right).max(top));
        canvas.path(&[lower, upper], color, 1.0);
        along += HATCH;
    }
    let outline = [(left, bottom), (left, top), (right, top), (right, bottom)];
    canvas.path(&outline, color, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    const HOUR: f64 = 3_600e6;

    #[test]
    fn the_progress_tells_watermark_and_late_rows() {
        let mut progress = gallery::progresses(2);
        progress[0].state_operators[0].num_rows_dropped_by_watermark = 0;
        let event_time = EventTime::of(&progress);
        let watermark = event_time.watermark.unwrap();
        assert_eq!((watermark / 60e6) % (24.0 * 60.0), 15.0 * 60.0 + 50.0);
        assert_eq!(event_time.late.len(), 1);
        assert_eq!(event_time.late[0].dropped, 1);
        assert_eq!(EventTime::of(&[]), EventTime::default());
    }

    #[test]
    fn windows_close_when_the_watermark_passes_their_end() {
        let data = gallery::chart_data(&gallery::hourly_departures(1));
        let last = data.xs[data.xs.len() - 1];
        let at = |watermark: f64| EventTime {
            watermark: Some(watermark),
            late: Vec::new(),
        };
        let none = data.clone().with_event_time(&EventTime::default());
        assert_eq!(
            none.open_windows(),
            0,
            "without a watermark nothing is ever closed"
        );
        assert_eq!(
            data.clone().with_event_time(&at(0.0)).open_windows(),
            data.xs.len()
        );
        let half = data.clone().with_event_time(&at(last));
        assert_eq!(half.open_windows(), 1);
        assert_eq!(half.event_time_notes(), ["1 of 19 windows open"]);
        let all = data.with_event_time(&at(last + HOUR));
        assert_eq!(all.open_windows(), 0);
        let (_, to) = all.reach_to_watermark((0.0, last));
        assert!(to > last + HOUR);
    }
}
