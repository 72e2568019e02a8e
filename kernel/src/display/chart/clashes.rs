//! Rows that share a point of the chart although the query keeps them apart.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use tidebook_engine::format_value;

use super::columns::{Columns, is_measure_name, is_text};
use crate::display::windows;

/// Functions whose unnamed results are measures of any type: `max(seen)`.
const AGGREGATES: [&str; 11] = [
    "any_value",
    "avg",
    "count",
    "first",
    "last",
    "max",
    "mean",
    "median",
    "min",
    "stddev",
    "sum",
];

/// An x value's bits and the index of a series.
pub(super) type Point = (u64, usize);

/// Tells newer versions of one row, whose keys are the same and whose measures have changed, from
/// rows of several keys, of which a chart can only draw one.
#[derive(Debug, Default)]
pub(super) struct Clashes<'a> {
    /// The key columns that are neither x nor series.
    keys: Vec<usize>,
    /// The row drawn at each point.
    drawn: HashMap<Point, (&'a RecordBatch, usize)>,
    /// The first key column that two rows of one point differ in.
    found: Option<usize>,
}

impl<'a> Clashes<'a> {
    /// For rows of `schema`, of which the chart draws `columns`.
    pub(super) fn new(schema: &Schema, columns: &Columns) -> Self {
        Self {
            keys: other_keys(schema, columns),
            ..Default::default()
        }
    }

    /// Takes a row that is drawn at `point` from now on, in place of the one before.
    pub(super) fn add(&mut self, point: Point, batch: &'a RecordBatch, row: usize) {
        if self.keys.is_empty() || self.found.is_some() {
            return;
        }
        let Some((before, row_before)) = self.drawn.insert(point, (batch, row)) else {
            return;
        };
        let differs = |key: &&usize| {
            let text = |batch: &RecordBatch, row| format_value(batch.column(**key), row);
            text(before, row_before) != text(batch, row)
        };
        self.found = self.keys.iter().find(differs).copied();
    }

    /// A column whose values a chart with these columns cannot tell apart, if there is one.
    pub(super) fn column(&self) -> Option<usize> {
        self.found
    }
}

/// What a chart says when rows that differ in the column `key` share a point: its x column, its
/// series column if it has one, and what to do about it.
pub(super) fn note(x: &str, by: Option<&str>, key: &str) -> String {
    // As it is typed behind a flag.
    let key = shlex::try_quote(key).unwrap_or_else(|_| key.into());
    match by {
        None => format!("several rows per {x}, the last one drawn: add --by {key}"),
        Some(by) => format!(
            "several rows per {x} and {by}, the last one drawn: try --by {key}, \
             or group by these two alone"
        ),
    }
}

/// The columns that tell rows of one point apart. A schema does not say what a query grouped by,
/// so types and order have to:
///
/// - floating and decimal numbers, lists and maps are measures, and so is what is named like one;
/// - texts, booleans, days and windows are keys, wherever they stand;
/// - integers, timestamps and all others may be either. They count as keys ahead of the first
///   measure and as measures behind it, since a SELECT usually begins with its keys.
///
/// Without x there are none: rows are then counted off and never share a point.
fn other_keys(schema: &Schema, columns: &Columns) -> Vec<usize> {
    if columns.x.is_none() {
        return Vec::new();
    }
    let used = [columns.x, Some(columns.y), columns.by];
    let fields = schema.fields().iter().enumerate();
    let left_over = fields.filter(|(i, _)| !used.contains(&Some(*i)));
    let mut before_y = left_over.clone().take_while(|(i, _)| *i < columns.y);
    let first_measure = before_y
        .find(|(_, field)| is_measure(field))
        .map_or(columns.y, |(i, _)| i);
    left_over
        .filter(|(_, field)| !is_measure(field))
        .filter(|(i, field)| *i < first_measure || is_key(field.data_type()))
        .map(|(i, _)| i)
        .collect()
}

fn is_measure(field: &Field) -> bool {
    let (name, kind) = (field.name(), field.data_type());
    let function = name.split_once('(').map(|(function, _)| function);
    let is_aggregate = function.is_some_and(|function| {
        AGGREGATES
            .iter()
            .any(|aggregate| function.eq_ignore_ascii_case(aggregate))
    });
    is_aggregate
        || kind.is_floating()
        || kind.is_decimal()
        || kind.is_list()
        || matches!(kind, DataType::Map(..))
        || (kind.is_integer() && is_measure_name(name))
}

fn is_key(kind: &DataType) -> bool {
    is_text(kind)
        || windows::is_window(kind)
        || matches!(
            kind,
            DataType::Boolean | DataType::Date32 | DataType::Date64
        )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::datatypes::TimeUnit;
    use tidebook_engine::Rows;

    use super::super::data::ChartData;
    use super::*;

    /// The notes of a chart of x = `hour`, y = `n` and the series `by`.
    fn notes(columns: Vec<(&str, ArrayRef)>, by: Option<&str>) -> Vec<String> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let index = |name: &str| batch.schema().index_of(name).unwrap();
        let columns = Columns {
            x: Some(index("hour")),
            y: index("n"),
            by: by.map(index),
        };
        let rows = Rows {
            schema: batch.schema(),
            batches: vec![batch.slice(0, 1), batch.slice(1, batch.num_rows() - 1)],
        };
        ChartData::read(&rows, &columns, None).unwrap().notes
    }

    fn numbers(values: &[i64]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn rows_that_a_point_cannot_tell_apart_are_pointed_out() {
        let columns = || {
            vec![
                ("hour", numbers(&[5, 5, 6])),
                ("origin", texts(&["EWR", "EWR", "JFK"])),
                ("dest", texts(&["BOS", "MIA", "BOS"])),
                ("n", numbers(&[1, 2, 3])),
            ]
        };
        assert_eq!(
            notes(columns(), Some("origin")),
            [
                "several rows per hour and origin, the last one drawn: try --by dest, \
              or group by these two alone"
            ]
        );
        assert_eq!(
            notes(columns(), None),
            ["several rows per hour, the last one drawn: add --by dest"]
        );
        assert!(notes(columns(), Some("dest")).is_empty());
    }

    #[test]
    fn newer_versions_of_a_row_are_none_of_these() {
        let versions = vec![
            ("hour", numbers(&[5, 5, 5])),
            ("code", texts(&["AA", "AA", "AA"])),
            ("airline", texts(&["American", "American", "American"])),
            ("n", numbers(&[1, 2, 3])),
            ("longest", numbers(&[10, 20, 30])),
            ("last(status)", texts(&["late", "late", "on time"])),
        ];
        assert!(notes(versions, Some("code")).is_empty());
    }

    #[test]
    fn numbers_ahead_of_the_measure_are_keys_too() {
        let users = vec![
            ("hour", numbers(&[5, 5])),
            ("user id", numbers(&[1, 2])),
            ("n", numbers(&[7, 8])),
        ];
        assert_eq!(
            notes(users, None),
            ["several rows per hour, the last one drawn: add --by 'user id'"]
        );
    }

    #[test]
    fn keys_follow_from_type_name_and_order() {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let fields = [
            ("hour", time.clone()),
            ("user", DataType::Int64),
            ("seen", time.clone()),
            ("avg(delay)", DataType::Float64),
            ("worst", DataType::Int64),
            ("n", DataType::Int64),
            ("newest", time),
            ("dest", DataType::Utf8),
            ("late", DataType::Boolean),
            ("max(dest)", DataType::Utf8),
        ];
        let fields = fields.map(|(name, kind)| Field::new(name, kind, true));
        let schema = Schema::new(fields.to_vec());
        let mut columns = Columns {
            x: Some(0),
            y: 5,
            by: None,
        };
        assert_eq!(other_keys(&schema, &columns), [1, 2, 7, 8]);
        columns.by = Some(7);
        assert_eq!(other_keys(&schema, &columns), [1, 2, 8]);
        columns.x = None;
        assert!(other_keys(&schema, &columns).is_empty());
    }
}
