//! Rows turned into points.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use tidebook_engine::{Error, Rows, format_value};

use super::clashes::{self, Clashes, Point};
use super::columns::{Columns, is_time};
use super::data::{Axis, ChartData, Series};
use crate::display::local_time::Zone;
use crate::display::number::{count, thousands};
use crate::display::windows;

impl ChartData {
    /// Reads the points. Of rows with the same x and series the last one counts: a sink in update
    /// mode appends newer rows for the same window. Where rows of different keys meet, a note says
    /// so. `last` keeps that many last distinct x values.
    pub(crate) fn read(rows: &Rows, columns: &Columns, last: Option<usize>) -> Result<Self, Error> {
        let name = |column: usize| rows.schema.field(column).name().clone();
        let mut reader = Reader {
            clashes: Clashes::new(&rows.schema, columns),
            ..Default::default()
        };
        for batch in &rows.batches {
            let y = cast(batch.column(columns.y), &DataType::Float64).map_err(|error| {
                Error::analysis(format!(
                    "column '{}' cannot be charted: {error}",
                    name(columns.y)
                ))
            })?;
            reader.read(batch, columns, y.as_primitive::<Float64Type>())?;
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
            event_time: Default::default(),
            open_look: "",
        };
        if let Some(key) = reader.clashes.column() {
            let note = clashes::note(&data.x_name, data.by_name.as_deref(), &name(key));
            data.notes.push(note);
        }
        if reader.skipped > 0 {
            let rows = count(reader.skipped, "row");
            data.notes
                .push(format!("{rows} without {} left out", data.x_name));
        }
        reader.finish(&mut data, last);
        Ok(data)
    }
}

/// Points by x and series while rows are read.
#[derive(Default)]
struct Reader<'a> {
    /// The value at each point.
    points: HashMap<Point, Option<f64>>,
    clashes: Clashes<'a>,
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

impl<'a> Reader<'a> {
    /// Reads the rows of a batch, whose heights are `y`.
    fn read(
        &mut self,
        batch: &'a RecordBatch,
        columns: &Columns,
        y: &Float64Array,
    ) -> Result<(), Error> {
        let by = columns.by.map(|by| batch.column(by));
        let positions = match columns.x.map(|x| batch.column(x)) {
            Some(x) => self.positions(x)?,
            None => {
                let first = self.rows;
                (0..y.len())
                    .map(|row| Some((first + row + 1) as f64))
                    .collect()
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
            let name = by.map(|by| format_value(by, row)).unwrap_or_default();
            let series = self.series.index(name);
            let height = y
                .is_valid(row)
                .then(|| y.value(row))
                .filter(|y| y.is_finite());
            self.clashes.add((bits, series), batch, row);
            self.points.insert((bits, series), height);
        }
        Ok(())
    }

    /// The x value of every row of one column.
    fn positions(&mut self, x: &ArrayRef) -> Result<Vec<Option<f64>>, Error> {
        if let Some((start, end)) = windows::window_bounds(x) {
            let (starts, ends) = (micros(start)?, micros(end)?);
            let bounds = starts.into_iter().zip(ends).enumerate();
            let positions = bounds
                .map(|(row, (start, end))| {
                    let (start, end) = (start?, end?);
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
                .map(|row| Some(self.categories.index(format_value(x, row)) as f64))
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
        if let [window] = self.windows.as_slice() {
            data.window = Some(*window).filter(|window| *window > 0.0);
        }
        if let Axis::Category(names) = &mut data.axis {
            // Sorted by name, so that a bar keeps its place while rows arrive.
            let known = &self.categories.names;
            let named = |x: &f64| Some((*x, known.get(*x as usize)?.clone()));
            let mut named: Vec<(f64, String)> = self.xs.iter().filter_map(named).collect();
            named.sort_by(|(_, a), (_, b)| by_name(a, b));
            (self.xs, *names) = named.into_iter().unzip();
        }
        let mut named: Vec<(usize, String)> = self.series.names.into_iter().enumerate().collect();
        named.sort_by(|(_, a), (_, b)| by_name(a, b));
        data.series = named
            .into_iter()
            .map(|(series, name)| {
                let value = |x: &f64| *self.points.get(&((*x + 0.0).to_bits(), series))?;
                Series {
                    name,
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

/// Numbers by size, before names by letter.
fn by_name(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x.total_cmp(&y),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

fn axis(rows: &Rows, x: Option<usize>) -> Axis {
    let Some(x) = x else {
        return Axis::Number;
    };
    match rows.schema.field(x).data_type() {
        kind if let Some((start, _)) = windows::window_fields(kind) => {
            Axis::Time(Zone::of(start.data_type()))
        }
        kind if is_time(kind) => Axis::Time(Zone::of(kind)),
        kind if kind.is_numeric() => Axis::Number,
        _ => Axis::Category(Vec::new()),
    }
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
    Ok(times
        .iter()
        .map(|time| time.map(|time| time as f64))
        .collect())
}

fn unreadable(error: arrow::error::ArrowError) -> Error {
    Error::analysis(format!("the x column cannot be charted: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::super::columns;
    use super::super::options::{ChartKind, ChartOptions};
    use super::*;
    use crate::display::gallery;

    /// Points of the rows (name, x, n), which come in two batches.
    pub(crate) fn read_series(names: &[&str], xs: &[i64], ns: &[f64]) -> ChartData {
        let batch = RecordBatch::try_from_iter([
            ("x", Arc::new(Int64Array::from(xs.to_vec())) as ArrayRef),
            (
                "name",
                Arc::new(StringArray::from(names.to_vec())) as ArrayRef,
            ),
            ("n", Arc::new(Float64Array::from(ns.to_vec())) as ArrayRef),
        ])
        .unwrap();
        let batches = vec![batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)];
        let columns = Columns {
            x: Some(0),
            y: 2,
            by: Some(1),
        };
        ChartData::read(
            &Rows {
                schema: batch.schema(),
                batches,
            },
            &columns,
            None,
        )
        .unwrap()
    }

    fn read(rows: &Rows, last: Option<usize>) -> ChartData {
        let columns = columns::choose(&rows.schema, &ChartOptions::default()).unwrap();
        ChartData::read(rows, &columns, last).unwrap()
    }

    #[test]
    fn the_last_row_of_a_key_counts() {
        let data = read_series(&["a", "b", "a", "a"], &[2, 1, 1, 2], &[1.0, 5.0, 6.0, 9.0]);
        assert_eq!(data.xs, [1.0, 2.0]);
        assert_eq!(data.series[0].values, [Some(6.0), Some(9.0)]);
        assert_eq!(data.series[1].values, [Some(5.0), None]);
    }

    #[test]
    fn windows_are_times_with_a_length() {
        let data = read(&gallery::hourly_departures(4), None);
        assert_eq!(data.window, Some(3_600e6));
        assert_eq!(data.subtitle(), "n per 1 h window, by origin");
        let names: Vec<_> = data
            .series
            .iter()
            .map(|series| series.name.as_str())
            .collect();
        assert_eq!(names, ["EWR", "JFK", "LGA"]);
        assert_eq!(data.default_kind(), ChartKind::Bar);
    }

    #[test]
    fn last_keeps_the_newest_x() {
        let data = read(&gallery::hourly_departures(4), Some(5));
        assert_eq!(data.xs.len(), 5);
        assert!(
            data.subtitle().ends_with("last 5 of 76"),
            "{}",
            data.subtitle()
        );
        assert!(data.series.iter().all(|series| series.values.len() == 5));
    }

    #[test]
    fn names_that_are_numbers_are_ordered_by_size() {
        let mut names = ["b", "10", "a", "9", "-1"];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(names, ["-1", "9", "10", "a", "b"]);
    }

    #[test]
    fn no_rows_are_no_points() {
        let mut rows = gallery::hourly_departures(1);
        rows.batches.clear();
        let data = read(&rows, Some(3));
        assert!(data.xs.is_empty() && data.series.is_empty());
    }
}
