//! Rows turned into points: one series per value of `by`, one point per x.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use tidebook_engine::{Error, Rows};

use super::columns::Columns;
use super::options::ChartKind;
use super::palette::MAX_SERIES;
use crate::display::local_time::Zone;
use crate::display::number::{count, duration, thousands};
use crate::display::value;

/// A drawing holds at most this many marks: its SVG stays small enough to send often.
const MAX_MARKS: usize = 2_000;

/// More bars or cells side by side than this are thinner than a pixel of a sharp screen.
const MAX_BARS: usize = 600;

/// Categories shown side by side.
const MAX_CATEGORIES: usize = 24;

/// Windows up to this many are drawn as bars when nothing else was asked for.
const DEFAULT_BARS: usize = 120;

/// Points ready to be drawn.
#[derive(Debug, Clone)]
pub struct ChartData {
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
}

/// What the x values are.
#[derive(Debug, Clone)]
pub enum Axis {
    /// Instants.
    Time(Zone),
    /// Numbers.
    Number,
    /// Names; an x value is an index into them.
    Category(Vec<String>),
}

/// The values of one series, one per x value; none where the data has none.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its value of `by`; empty when there is only one series.
    pub name: String,
    /// Its values.
    pub values: Vec<Option<f64>>,
    /// Whether it stands for the smaller series together.
    pub is_rest: bool,
}

impl Series {
    /// Sum over all x.
    pub fn total(&self) -> f64 {
        self.values.iter().flatten().sum()
    }
}

impl ChartData {
    /// Reads the points. Of rows with the same x and series the last one counts: a sink in update
    /// mode appends newer rows for the same window. `last` keeps that many last distinct x values.
    pub fn read(rows: &Rows, columns: &Columns, last: Option<usize>) -> Result<Self, Error> {
        let name = |column: usize| rows.schema.field(column).name().clone();
        let mut reader = Reader::default();
        for batch in &rows.batches {
            let y = cast(batch.column(columns.y), &DataType::Float64).map_err(|error| {
                Error::analysis(format!("column '{}' cannot be charted: {error}", name(columns.y)))
            })?;
            let x = columns.x.map(|x| batch.column(x));
            let by = columns.by.map(|by| batch.column(by));
            reader.read(x, y.as_primitive::<Float64Type>(), by)?;
        }
        let mut data = Self {
            x_name: columns.x.map_or_else(|| "row".to_owned(), name),
            y_name: name(columns.y),
            by_name: columns.by.map(name),
            axis: axis(rows, columns.x),
            xs: Vec::new(),
            window: None,
            series: Vec::new(),
            notes: Vec::new(),
        };
        if reader.skipped > 0 {
            let rows = count(reader.skipped, "row");
            data.notes.push(format!("{rows} without {} left out", data.x_name));
        }
        reader.finish(&mut data, last);
        Ok(data)
    }

    /// Bars for categories and for windows that are few enough, lines otherwise; averages of
    /// several series are lines, since stacked they would mean nothing.
    pub fn default_kind(&self) -> ChartKind {
        let stackable = self.series.len() < 2 || adds_up(&self.y_name);
        match self.axis {
            _ if !stackable => ChartKind::Line,
            Axis::Category(_) => ChartKind::Bar,
            Axis::Time(_) if self.window.is_some() && self.xs.len() <= DEFAULT_BARS => ChartKind::Bar,
            _ => ChartKind::Line,
        }
    }

    /// Gathers small series and drops old x values until the chart can be read, saying so in the
    /// notes.
    pub fn fit(&mut self, kind: ChartKind) {
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
            self.keep(total - room.max(1)..total);
            let (kept, total) = (thousands(self.xs.len() as i64), thousands(total as i64));
            self.notes.push(format!("last {kept} of {total}"));
        }
    }

    /// What stands under the title: the measure, per what, and by what.
    pub fn subtitle(&self) -> String {
        let per = match (&self.axis, self.window) {
            (Axis::Time(_), Some(window)) => format!(" per {} window", duration((window / 1e3) as i64)),
            (Axis::Category(_), _) => format!(" per {}", self.x_name),
            _ => format!(" over {}", self.x_name),
        };
        let by = self.by_name.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        let notes: String = self.notes.iter().map(|note| format!("  ·  {note}")).collect();
        format!("{}{per}{by}{notes}", self.y_name)
    }

    /// The smallest distance between two x values, or a stand-in when there are fewer than two.
    pub fn step(&self) -> f64 {
        let gaps = self.xs.windows(2).map(|pair| pair[1] - pair[0]);
        let smallest = gaps.fold(f64::INFINITY, f64::min);
        match (smallest.is_finite(), &self.axis) {
            (true, _) => smallest,
            (false, Axis::Time(_)) => self.window.unwrap_or(60e6),
            (false, _) => 1.0,
        }
    }

    /// From where to where the mark of an x value reaches: a window covers itself, anything else
    /// is centred.
    pub fn span(&self, x: f64) -> (f64, f64) {
        let step = self.step();
        match self.window {
            Some(window) => (x, x + window.min(step)),
            None => (x - step * 0.5, x + step * 0.5),
        }
    }

    /// Whether every value is a whole number.
    pub fn is_whole(&self) -> bool {
        let mut values = self.series.iter().flat_map(|series| series.values.iter().flatten());
        values.all(|value| value.fract() == 0.0)
    }

    fn gather_rest(&mut self) {
        let rest = self.split_off_small(MAX_SERIES - 1);
        let name = format!("other ({})", rest.len());
        let values = (0..self.xs.len())
            .map(|i| rest.iter().filter_map(|series| series.values[i]).reduce(|a, b| a + b))
            .collect();
        self.series.push(Series { name, values, is_rest: true });
    }

    fn keep_largest_series(&mut self, room: usize) {
        let total = self.series.len();
        if total > room {
            self.split_off_small(room);
            self.notes.push(format!("{room} largest of {}", thousands(total as i64)));
        }
    }

    /// Keeps the `room` series with the largest sums, in their order; gives the others.
    fn split_off_small(&mut self, room: usize) -> Vec<Series> {
        let mut totals: Vec<f64> = self.series.iter().map(|series| series.total().abs()).collect();
        totals.sort_by(|a, b| b.total_cmp(a));
        let least = totals[room - 1];
        let above = totals.iter().filter(|total| **total > least).count();
        let mut ties = room - above;
        let (large, small) = std::mem::take(&mut self.series).into_iter().partition(|series| {
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
        let total = |i: usize| -> f64 { self.series.iter().filter_map(|s| s.values[i]).sum() };
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|a, b| total(*b).total_cmp(&total(*a)));
        order.truncate(MAX_CATEGORIES);
        order.sort_unstable();
        let note = format!("{MAX_CATEGORIES} largest of {}", thousands(names.len() as i64));
        let kept: Vec<String> = order.iter().map(|i| names[*i].clone()).collect();
        for series in &mut self.series {
            series.values = order.iter().map(|i| series.values[*i]).collect();
        }
        self.xs = (0..kept.len()).map(|i| i as f64).collect();
        self.axis = Axis::Category(kept);
        self.notes.push(note);
    }

    fn keep(&mut self, range: std::ops::Range<usize>) {
        self.xs = self.xs[range.clone()].to_vec();
        for series in &mut self.series {
            series.values = series.values[range.clone()].to_vec();
        }
    }
}

/// Points by x and series while rows are read.
#[derive(Default)]
struct Reader {
    /// Value per bits of x and index of series.
    points: HashMap<(u64, usize), Option<f64>>,
    /// Distinct x values in the order they came.
    xs: Vec<f64>,
    known_xs: HashMap<u64, usize>,
    categories: Names,
    series: Names,
    /// Lengths of the windows seen: none, one, or more than one.
    windows: Vec<f64>,
    skipped: i64,
    rows: usize,
}

/// Names and their indices, in the order they came.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl Names {
    fn index(&mut self, name: String) -> usize {
        if let Some(index) = self.indices.get(&name) {
            return *index;
        }
        self.names.push(name.clone());
        self.indices.insert(name, self.names.len() - 1);
        self.names.len() - 1
    }
}

impl Reader {
    fn read(
        &mut self,
        x: Option<&ArrayRef>,
        y: &arrow::array::Float64Array,
        by: Option<&ArrayRef>,
    ) -> Result<(), Error> {
        let positions = match x {
            Some(x) => self.positions(x)?,
            None => {
                let first = self.rows;
                (0..y.len()).map(|row| Some((first + row + 1) as f64)).collect()
            }
        };
        self.rows += y.len();
        for (row, x) in positions.into_iter().enumerate() {
            let Some(x) = x.filter(|x| x.is_finite()) else {
                self.skipped += 1;
                continue;
            };
            // Minus zero is zero.
            let bits = (x + 0.0).to_bits();
            if !self.known_xs.contains_key(&bits) {
                self.known_xs.insert(bits, self.xs.len());
                self.xs.push(x);
            }
            let name = by.map(|by| value::text(by, row)).unwrap_or_default();
            let series = self.series.index(name);
            let height = y.is_valid(row).then(|| y.value(row)).filter(|y| y.is_finite());
            self.points.insert((bits, series), height);
        }
        Ok(())
    }

    /// The x value of every row of one column.
    fn positions(&mut self, x: &ArrayRef) -> Result<Vec<Option<f64>>, Error> {
        if let Some((start, end)) = value::window_bounds(x) {
            let (starts, ends) = (micros(start)?, micros(end)?);
            let positions = (0..x.len())
                .map(|row| {
                    let (start, end) = (starts[row]?, ends[row]?);
                    if x.is_null(row) {
                        return None;
                    }
                    if !self.windows.contains(&(end - start)) && self.windows.len() < 2 {
                        self.windows.push(end - start);
                    }
                    Some(start)
                })
                .collect();
            return Ok(positions);
        }
        Ok(match x.data_type() {
            kind if is_time(kind) => micros(x)?,
            kind if kind.is_numeric() => {
                let numbers = cast(x, &DataType::Float64).map_err(unreadable)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                numbers.iter().collect()
            }
            _ => (0..x.len())
                .map(|row| Some(self.categories.index(value::text(x, row)) as f64))
                .collect(),
        })
    }

    fn finish(mut self, data: &mut ChartData, last: Option<usize>) {
        let dated = !matches!(data.axis, Axis::Category(_));
        let all = self.xs.len();
        if dated {
            self.xs.sort_by(f64::total_cmp);
        }
        if let Some(last) = last {
            self.xs.drain(..all.saturating_sub(last));
            if self.xs.len() < all {
                let (kept, all) = (thousands(self.xs.len() as i64), thousands(all as i64));
                data.notes.push(format!("last {kept} of {all}"));
            }
        }
        if self.windows.len() == 1 {
            data.window = Some(self.windows[0]).filter(|window| *window > 0.0);
        }
        if let Axis::Category(names) = &mut data.axis {
            // Sorted by name, so that a bar keeps its place while rows arrive.
            let name = |x: &f64| &self.categories.names[*x as usize];
            self.xs.sort_by(|a, b| name(a).cmp(name(b)));
            *names = self.xs.iter().map(|x| name(x).clone()).collect();
        }
        let mut order: Vec<usize> = (0..self.series.names.len()).collect();
        order.sort_by(|a, b| self.series.names[*a].cmp(&self.series.names[*b]));
        data.series = order
            .into_iter()
            .map(|series| {
                let value = |x: &f64| *self.points.get(&((*x + 0.0).to_bits(), series))?;
                Series {
                    name: self.series.names[series].clone(),
                    values: self.xs.iter().map(value).collect(),
                    is_rest: false,
                }
            })
            .filter(|series| series.values.iter().any(Option::is_some))
            .collect();
        data.xs = match dated {
            true => self.xs,
            false => (0..self.xs.len()).map(|i| i as f64).collect(),
        };
        if data.series.is_empty() {
            data.xs.clear();
        }
    }
}

fn axis(rows: &Rows, x: Option<usize>) -> Axis {
    let Some(x) = x else {
        return Axis::Number;
    };
    match rows.schema.field(x).data_type() {
        DataType::Struct(fields) if value::is_window(rows.schema.field(x).data_type()) => {
            Axis::Time(Zone::of(fields[0].data_type()))
        }
        kind if is_time(kind) => Axis::Time(Zone::of(kind)),
        kind if kind.is_numeric() => Axis::Number,
        _ => Axis::Category(Vec::new()),
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// Instants in microseconds.
fn micros(array: &ArrayRef) -> Result<Vec<Option<f64>>, Error> {
    let zone = match array.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let micros = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let times = cast(array, &micros).map_err(unreadable)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    Ok(times.iter().map(|time| time.map(|time| time as f64)).collect())
}

fn unreadable(error: arrow::error::ArrowError) -> Error {
    Error::analysis(format!("the x column cannot be charted: {error}"))
}

/// Whether the values of several series may be added: counts and sums may, averages may not.
fn adds_up(name: &str) -> bool {
    let name = name.to_lowercase();
    let kinds = ["avg", "mean", "min", "max", "median", "stddev", "rate", "ratio", "percent", "pct"];
    !kinds.iter().any(|kind| name.starts_with(kind) || name.ends_with(&format!("_{kind}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use arrow::record_batch::RecordBatch;

    use super::super::columns;
    use super::super::options::ChartOptions;
    use super::*;
    use crate::display::gallery;

    fn read(rows: &Rows, last: Option<usize>) -> ChartData {
        let columns = columns::choose(&rows.schema, &ChartOptions::default()).unwrap();
        ChartData::read(rows, &columns, last).unwrap()
    }

    fn series(names: &[&str], xs: &[i64], ns: &[f64]) -> Rows {
        let batch = RecordBatch::try_from_iter([
            ("x", Arc::new(Int64Array::from(xs.to_vec())) as ArrayRef),
            ("name", Arc::new(StringArray::from(names.to_vec())) as ArrayRef),
            ("n", Arc::new(Float64Array::from(ns.to_vec())) as ArrayRef),
        ])
        .unwrap();
        Rows { schema: batch.schema(), batches: vec![batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)] }
    }

    fn read_by_x(rows: &Rows) -> ChartData {
        let columns = Columns { x: Some(0), y: 2, by: Some(1) };
        ChartData::read(rows, &columns, None).unwrap()
    }

    #[test]
    fn the_last_row_of_a_key_counts() {
        let data = read_by_x(&series(&["a", "b", "a", "a"], &[2, 1, 1, 2], &[1.0, 5.0, 6.0, 9.0]));
        assert_eq!(data.xs, [1.0, 2.0]);
        assert_eq!(data.series[0].values, [Some(6.0), Some(9.0)]);
        assert_eq!(data.series[1].values, [Some(5.0), None]);
    }

    #[test]
    fn windows_are_times_with_a_length() {
        let data = read(&gallery::hourly_departures(4), None);
        assert_eq!(data.window, Some(3_600e6));
        assert_eq!(data.subtitle(), "n per 1 h window, by origin");
        let names: Vec<_> = data.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["EWR", "JFK", "LGA"]);
        assert_eq!(data.default_kind(), ChartKind::Bar);
    }

    #[test]
    fn last_keeps_the_newest_x() {
        let data = read(&gallery::hourly_departures(4), Some(5));
        assert_eq!(data.xs.len(), 5);
        assert!(data.subtitle().ends_with("last 5 of 76"), "{}", data.subtitle());
        assert!(data.series.iter().all(|series| series.values.len() == 5));
    }

    #[test]
    fn small_series_are_gathered_when_stacked_and_left_out_when_not() {
        let names: Vec<String> = (0..12).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ns: Vec<f64> = (1..=12).map(f64::from).collect();
        let data = read_by_x(&series(&names, &[0; 12], &ns));
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
        let mut data = read_by_x(&series(&names, &[0; 12], &[1.0; 12]));
        data.fit(ChartKind::Line);
        assert_eq!(data.series.len(), MAX_SERIES);
    }

    #[test]
    fn a_chart_holds_a_bounded_number_of_marks() {
        let xs: Vec<i64> = (0..10_000).collect();
        let mut data = read_by_x(&series(&vec!["a"; 10_000], &xs, &vec![1.0; 10_000]));
        data.fit(ChartKind::Line);
        assert_eq!(data.xs.len(), MAX_MARKS);
        assert_eq!(data.xs.last(), Some(&9_999.0));
        assert_eq!(data.notes, ["last 2,000 of 10,000"]);
    }

    #[test]
    fn averages_are_not_stacked() {
        assert!(adds_up("n") && adds_up("total_delay"));
        assert!(!adds_up("avg(delay)") && !adds_up("delay_max"));
    }

    #[test]
    fn no_rows_are_no_points() {
        let mut rows = gallery::hourly_departures(1);
        rows.batches.clear();
        let data = read(&rows, Some(3));
        assert!(data.xs.is_empty() && data.series.is_empty());
    }
}
