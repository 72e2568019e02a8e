//! Rows as the text of a table.

use arrow::record_batch::RecordBatch;
use tidebook_engine::{Align, Rows, format_value};

use super::cell;

/// At most `max_rows` rows as the text form of a table: cells are left aligned, and what no cell
/// holds is cut off.
pub(super) fn grid(rows: &Rows, max_rows: usize) -> String {
    let fields = rows.schema.fields().iter();
    let heading: Vec<String> = fields
        .map(|field| cell::bounded(field.name().clone()))
        .collect();
    let mut lines = vec![heading];
    for (batch, row) in first_rows(rows, max_rows) {
        let cells = batch.columns().iter();
        let cells = cells.map(|array| cell::bounded(format_value(array, row)));
        lines.push(cells.collect());
    }
    tidebook_engine::grid(&lines, Align::Left)
}

/// A heading and rows line by line, each column as wide as the widest of its cells.
pub(super) fn aligned(heading: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell.chars().count().max(*widest);
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heading.iter().copied())];
    for row in rows {
        lines.push(line(&mut row.iter().map(String::as_str)));
    }
    lines
}

/// Batch and row number of the first `max_rows` rows.
pub(super) fn first_rows(
    rows: &Rows,
    max_rows: usize,
) -> impl Iterator<Item = (&RecordBatch, usize)> {
    rows.batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)))
        .take(max_rows)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::super::table::tests::{people, rows};
    use super::*;

    #[test]
    fn cells_are_left_aligned_and_bounded() {
        let text = grid(&people(), usize::MAX);
        assert_eq!(text.lines().nth(4).unwrap(), "|NULL|1000|2.0  |");
        let huge = "x".repeat(100_000);
        let rows = rows(vec![(
            "text",
            Arc::new(StringArray::from(vec!["short", huge.as_str()])) as _,
        )]);
        let table = grid(&rows, 2);
        assert!(table.contains("x…|") && table.len() < 10_000);
    }
}
