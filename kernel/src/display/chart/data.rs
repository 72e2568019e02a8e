//! The points of a chart: one series per value of `by`, one value per x.

use super::event_time::EventTime;
use super::options::ChartKind;
use crate::display::local_time::Zone;
use crate::display::number::duration;

/// Windows up to this many are drawn as bars when nothing else was asked for.
const DEFAULT_BARS: usize = 120;

/// Points ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct ChartData {
    /// Name of the column along the bottom.
    pub x_name: String,
    /// Name of the column that gives the heights.
    pub y_name: String,
    /// Name of the column that splits the series.
    pub by_name: Option<String>,
    /// What the x values are.
    pub axis: Axis,
    /// Distinct x values, ascending: microseconds, numbers, or indices of categories.
    pub xs: Vec<f64>,
    /// Length of every window in microseconds, when x is a window and all are equally long.
    pub window: Option<f64>,
    /// The series, by name.
    pub series: Vec<Series>,
    /// What the chart leaves out, in words.
    pub notes: Vec<String>,
    /// What the watermark has done to the windows.
    pub event_time: EventTime,
    /// How an open window is told from a closed one; empty where it is not.
    pub open_look: &'static str,
}

/// What the x values are.
#[derive(Debug, Clone)]
pub(crate) enum Axis {
    /// Instants.
    Time(Zone),
    /// Numbers.
    Number,
    /// Names; an x value is an index into them.
    Category(Vec<String>),
}

/// The values of one series, one per x value; none where the data has none.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// Its value of `by`; empty when there is only one series.
    pub name: String,
    /// Its values.
    pub values: Vec<Option<f64>>,
    /// Whether it stands for the smaller series together.
    pub is_rest: bool,
}

impl Series {
    /// Its value at the x with this index.
    pub(crate) fn at(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().flatten()
    }

    /// Sum over all x.
    pub(crate) fn total(&self) -> f64 {
        self.values.iter().flatten().sum()
    }
}

impl ChartData {
    /// Bars for categories and for windows that are few enough, lines otherwise; averages of
    /// several series are lines, since stacked they would mean nothing.
    pub(crate) fn default_kind(&self) -> ChartKind {
        let stackable = self.series.len() < 2 || adds_up(&self.y_name);
        match self.axis {
            _ if !stackable => ChartKind::Line,
            Axis::Category(_) => ChartKind::Bar,
            Axis::Time(_) if self.window.is_some() && self.xs.len() <= DEFAULT_BARS => {
                ChartKind::Bar
            }
            _ => ChartKind::Line,
        }
    }

    /// What stands under the title: the measure, per what, and by what.
    pub(crate) fn subtitle(&self) -> String {
        let per = match (&self.axis, self.window) {
            (Axis::Time(_), Some(window)) => {
                format!(" per {} window", duration((window / 1e3) as i64))
            }
            (Axis::Category(_), _) => format!(" per {}", self.x_name),
            _ => format!(" over {}", self.x_name),
        };
        let by = self
            .by_name
            .as_ref()
            .map(|by| format!(", by {by}"))
            .unwrap_or_default();
        let event_time = self.event_time_notes();
        let notes: String = self
            .notes
            .iter()
            .chain(&event_time)
            .map(|note| format!("  ·  {note}"))
            .collect();
        format!("{}{per}{by}{notes}", self.y_name)
    }

    /// The smallest distance between two x values, or a stand-in when there are fewer than two.
    pub(crate) fn step(&self) -> f64 {
        let gaps = self.xs.array_windows().map(|[from, to]| to - from);
        let smallest = gaps.fold(f64::INFINITY, f64::min);
        match (smallest.is_finite(), &self.axis) {
            (true, _) => smallest,
            (false, Axis::Time(_)) => self.window.unwrap_or(60e6),
            (false, _) => 1.0,
        }
    }

    /// From where to where the mark of an x value reaches: a window covers itself, anything else
    /// is centred.
    pub(crate) fn span(&self, x: f64) -> (f64, f64) {
        let step = self.step();
        match self.window {
            Some(window) => (x, x + window.min(step)),
            None => (x - step * 0.5, x + step * 0.5),
        }
    }

    /// Whether every value is a whole number.
    pub(crate) fn is_whole(&self) -> bool {
        let mut values = self
            .series
            .iter()
            .flat_map(|series| series.values.iter().flatten());
        values.all(|value| value.fract() == 0.0)
    }
}

/// Whether the values of several series may be added: counts and sums may, averages may not.
fn adds_up(name: &str) -> bool {
    let name = name.to_lowercase();
    let kinds = [
        "avg", "mean", "min", "max", "median", "stddev", "rate", "ratio", "percent", "pct",
    ];
    !kinds
        .iter()
        .any(|kind| name.starts_with(kind) || name.ends_with(&format!("_{kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_not_stacked() {
        assert!(adds_up("n") && adds_up("total_delay"));
        assert!(!adds_up("avg(delay)") && !adds_up("delay_max"));
    }
}
