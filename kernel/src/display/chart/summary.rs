//! A chart for a terminal: a line of blocks per series.

use super::axis;
use super::canvas::fit_text;
use super::data::{Axis, ChartData};
use crate::display::local_time;
use crate::display::number::short;
use crate::display::sparkline::sparkline;

/// Blocks per line.
const BLOCKS: usize = 60;

/// The title, what is drawn, where x begins and ends, and a line of blocks per series.
pub(super) fn summary(data: &ChartData, title: &str) -> String {
    let mut lines = vec![title.to_owned(), data.subtitle()];
    let (Some(first), Some(last)) = (data.xs.first(), data.xs.last()) else {
        lines.push("no rows yet".to_owned());
        return lines.join("\n");
    };
    lines.extend(series_lines(data));
    if let Some(watermark) = data.watermark_text() {
        lines.push(format!("watermark: {watermark}"));
    }
    lines.push(format!(
        "{}: {} … {}",
        data.x_name,
        x_text(data, *first),
        x_text(data, *last)
    ));
    lines.join("\n")
}

/// A line of blocks per series, with its newest and its largest value.
pub(super) fn series_lines(data: &ChartData) -> Vec<String> {
    let mut lines = Vec::new();
    let names: Vec<String> = data
        .series
        .iter()
        .map(|series| match series.name.as_str() {
            "" => data.y_name.clone(),
            name => fit_text(name, axis::LABEL, 160.0),
        })
        .collect();
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    for (series, name) in data.series.iter().zip(&names) {
        let values: Vec<f64> = series
            .values
            .iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect();
        let present = || series.values.iter().flatten().copied();
        let largest = present().fold(f64::MIN, f64::max);
        let newest = present().next_back().unwrap_or_default();
        lines.push(format!(
            "{name:<width$}  {}  last {}, max {}",
            sparkline(&values, BLOCKS),
            short(newest),
            short(largest)
        ));
    }
    lines
}

fn x_text(data: &ChartData, x: f64) -> String {
    match &data.axis {
        Axis::Time(zone) => zone
            .local(x as i64)
            .map_or_else(|| short(x), local_time::full),
        Axis::Number => short(x),
        Axis::Category(names) => names.get(x as usize).cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    #[test]
    fn a_terminal_sees_title_blocks_and_range() {
        let text = summary(
            &gallery::chart_data(&gallery::hourly_departures(1)),
            "Departures",
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["Departures", "n per 1 h window, by origin"]);
        assert!(
            lines[2].starts_with("EWR  ") && lines[2].contains('█'),
            "{text}"
        );
        assert_eq!(
            lines[5],
            "window: 2013-01-01 05:00:00 … 2013-01-01 23:00:00"
        );
    }

    #[test]
    fn a_terminal_sees_that_there_is_nothing() {
        let mut rows = gallery::hourly_departures(1);
        rows.batches.clear();
        assert!(summary(&gallery::chart_data(&rows), "Departures").ends_with("no rows yet"));
    }
}
