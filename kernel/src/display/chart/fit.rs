//! What a chart leaves out so that it can be read, and says so.

use super::data::{Axis, ChartData, Series};
use super::options::ChartKind;
use super::palette::MAX_SERIES;
use crate::display::number::thousands;

/// A drawing holds at most this many marks: its SVG stays small enough to send often.
const MAX_MARKS: usize = 2_000;

/// More bars or cells side by side than this are thinner than a pixel of a sharp screen.
const MAX_BARS: usize = 600;

/// Categories shown side by side.
const MAX_CATEGORIES: usize = 24;

impl ChartData {
    /// Gathers small series and drops old x values until the chart can be read, saying so in the
    /// notes.
    pub(crate) fn fit(&mut self, kind: ChartKind) {
        match kind {
            ChartKind::Heatmap => self.keep_largest_series(MAX_CATEGORIES),
            _ if self.series.len() <= MAX_SERIES => {}
            _ if kind.stacks() => self.gather_rest(),
            _ => self.keep_largest_series(MAX_SERIES),
        }
        self.keep_largest_categories();
        let marks = MAX_MARKS / self.series.len().max(1);
        let room = match kind {
            ChartKind::Bar | ChartKind::Heatmap => marks.min(MAX_BARS),
            ChartKind::Line | ChartKind::Area => marks,
        };
        let total = self.xs.len();
        if total > room.max(1) {
            self.keep_newest(room.max(1));
            let (kept, total) = (thousands(self.xs.len() as i64), thousands(total as i64));
            self.notes.push(format!("last {kept} of {total}"));
        }
        self.drop_empty_series();
    }

    /// A series whose values are all left out has nothing to be drawn.
    fn drop_empty_series(&mut self) {
        self.series
            .retain(|series| series.values.iter().any(Option::is_some));
        if self.series.is_empty() {
            self.xs.clear();
        }
    }

    fn gather_rest(&mut self) {
        let rest = self.split_off_small(MAX_SERIES - 1);
        let name = format!("other ({})", rest.len());
        let values = (0..self.xs.len())
            .map(|i| {
                rest.iter()
                    .filter_map(|series| series.at(i))
                    .reduce(|a, b| a + b)
            })
            .collect();
        self.series.push(Series {
            name,
            values,
            is_rest: true,
        });
    }

    fn keep_largest_series(&mut self, room: usize) {
        let total = self.series.len();
        if total > room {
            self.split_off_small(room);
            self.notes
                .push(format!("{room} largest of {}", thousands(total as i64)));
        }
    }

    /// Keeps the `room` series with the largest sums, in their order; gives the others.
    fn split_off_small(&mut self, room: usize) -> Vec<Series> {
        let mut totals: Vec<f64> = self
            .series
            .iter()
            .map(|series| series.total().abs())
            .collect();
        totals.sort_by(|a, b| b.total_cmp(a));
        let Some(&least) = totals.get(room - 1) else {
            return Vec::new();
        };
        let above = totals.iter().filter(|total| **total > least).count();
        let mut ties = room - above;
        let (large, small) = std::mem::take(&mut self.series)
            .into_iter()
            .partition(|series| {
                let total = series.total().abs();
                let fits = total > least || (total == least && ties > 0);
                if total == least && ties > 0 {
                    ties -= 1;
                }
                fits
            });
        self.series = large;
        small
    }

    fn keep_largest_categories(&mut self) {
        let Axis::Category(names) = &self.axis else {
            return;
        };
        if names.len() <= MAX_CATEGORIES {
            return;
        }
        let total = |i: usize| -> f64 { self.series.iter().filter_map(|s| s.at(i)).sum() };
        let mut order: Vec<(usize, &String)> = names.iter().enumerate().collect();
        order.sort_by(|(a, _), (b, _)| total(*b).total_cmp(&total(*a)));
        order.truncate(MAX_CATEGORIES);
        order.sort_unstable();
        let note = format!(
            "{MAX_CATEGORIES} largest of {}",
            thousands(names.len() as i64)
        );
        let kept: Vec<String> = order.iter().map(|(_, name)| (*name).clone()).collect();
        for series in &mut self.series {
            series.values = order.iter().map(|(i, _)| series.at(*i)).collect();
        }
        self.xs = (0..kept.len()).map(|i| i as f64).collect();
        self.axis = Axis::Category(kept);
        self.notes.push(note);
    }

    fn keep_newest(&mut self, count: usize) {
        let old = self.xs.len().saturating_sub(count);
        self.xs.drain(..old);
        for series in &mut self.series {
            series.values.drain(..old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::read_series;
    use super::super::summary::summary;
    use super::*;

    #[test]
    fn small_series_are_gathered_when_stacked_and_left_out_when_not() {
        let names: Vec<String> = (0..12).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ns: Vec<f64> = (1..=12).map(f64::from).collect();
        let data = read_series(&names, &[0; 12], &ns);
        let mut stacked = data.clone();
        stacked.fit(ChartKind::Bar);
        assert_eq!(stacked.series.len(), MAX_SERIES);
        let rest = stacked.series.last().unwrap();
        assert_eq!((rest.name.as_str(), rest.total()), ("other (5)", 15.0));
        assert_eq!(stacked.series.iter().map(Series::total).sum::<f64>(), 78.0);
        let mut lines = data;
        lines.fit(ChartKind::Line);
        assert_eq!(lines.series.len(), MAX_SERIES);
        assert_eq!(lines.notes, ["8 largest of 12"]);
    }

    #[test]
    fn equal_series_are_cut_to_the_room() {
        let names: Vec<String> = (0..12).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut data = read_series(&names, &[0; 12], &[1.0; 12]);
        data.fit(ChartKind::Line);
        assert_eq!(data.series.len(), MAX_SERIES);
    }

    #[test]
    fn a_series_without_a_value_that_is_kept_is_left_out() {
        let mut names = vec!["a"; 10_000];
        names[0] = "early";
        let xs: Vec<i64> = (0..10_000).collect();
        for kind in [ChartKind::Line, ChartKind::Heatmap] {
            let mut data = read_series(&names, &xs, &[1.0; 10_000]);
            assert_eq!(data.series.len(), 2);
            data.fit(kind);
            assert_eq!(data.series.len(), 1);
            assert_eq!(data.series[0].name, "a");
            let text = summary(&data, "Rows");
            assert!(!text.contains("early"), "{text}");
        }
        let mut ns = [f64::NAN; 10_000];
        ns[0] = 1.0;
        let mut data = read_series(&["a"; 10_000], &xs, &ns);
        data.fit(ChartKind::Line);
        assert!(data.series.is_empty() && data.xs.is_empty());
    }

    #[test]
    fn a_chart_holds_a_bounded_number_of_marks() {
        let xs: Vec<i64> = (0..10_000).collect();
        let mut data = read_series(&vec!["a"; 10_000], &xs, &vec![1.0; 10_000]);
        data.fit(ChartKind::Line);
        assert_eq!(data.xs.len(), MAX_MARKS);
        assert_eq!(data.xs.last(), Some(&9_999.0));
        assert_eq!(data.notes, ["last 2,000 of 10,000"]);
    }
}
