//! Rows as text, in the form of Spark's `show()`.

use arrow::record_batch::RecordBatch;
use tidebook_engine::Rows;

use super::value;

/// All rows as text in the form of Spark's `show()`: with `truncate`, longer cells are cut to that
/// many characters and all are right aligned; without, cells are whole and left aligned.
#[allow(dead_code, reason = "what `show()` of a Rust cell prints")]
pub fn text_table(rows: &Rows, truncate: Option<usize>) -> String {
    grid(rows, usize::MAX, truncate)
}

/// At most `max_rows` rows; `truncate` as in [`text_table`].
pub fn grid(rows: &Rows, max_rows: usize, truncate: Option<usize>) -> String {
    let heading = rows
        .schema
        .fields()
        .iter()
        .map(|field| cut(field.name(), truncate));
    let mut lines: Vec<Vec<String>> = vec![heading.collect()];
    for (batch, row) in first_rows(rows, max_rows) {
        let cells = batch
            .columns()
            .iter()
            .map(|array| cut(&value::text(array, row), truncate));
        lines.push(cells.collect());
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| {
            lines
                .iter()
                .map(|line| width(&line[column]))
                .max()
                .unwrap_or(0)
                .max(3)
        })
        .collect();
    let rule: String = widths
        .iter()
        .map(|width| format!("+{}", "-".repeat(*width)))
        .collect();
    let rule = format!("{rule}+\n");

    let mut grid = rule.clone();
    for (i, line) in lines.iter().enumerate() {
        for (cell, column_width) in line.iter().zip(&widths) {
            let space = " ".repeat(column_width - width(cell));
            match truncate {
                Some(_) => grid.push_str(&format!("|{space}{cell}")),
                None => grid.push_str(&format!("|{cell}{space}")),
            }
        }
        grid.push_str("|\n");
        if i == 0 {
            grid.push_str(&rule);
        }
    }
    grid.push_str(&rule);
    grid
}

/// Batch and row number of the first `max_rows` rows.
pub fn first_rows(rows: &Rows, max_rows: usize) -> impl Iterator<Item = (&RecordBatch, usize)> {
    rows.batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)))
        .take(max_rows)
}

/// A cell on one line, cut to `truncate` characters: the last three of them are dots if there is
/// room for dots.
fn cut(text: &str, truncate: Option<usize>) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            _ => line.push(c),
        }
    }
    match truncate {
        Some(limit) if limit > 0 && line.chars().count() > limit => match limit {
            ..4 => line.chars().take(limit).collect(),
            _ => line.chars().take(limit - 3).chain("...".chars()).collect(),
        },
        _ => line,
    }
}

/// Columns a terminal needs for the text: East Asian characters take two.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{1100}'..='\u{115F}'
            | '\u{2E80}'..='\u{A4CF}'
            | '\u{AC00}'..='\u{D7A3}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{FE30}'..='\u{FE6F}'
            | '\u{FF00}'..='\u{FF60}'
            | '\u{FFE0}'..='\u{FFE6}' => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::table::tests::people;
    use super::*;

    #[test]
    fn text_is_what_show_prints() {
        assert_eq!(
            text_table(&people(), Some(20)),
            "\
+----+----+-----+
|name|   n|  avg|
+----+----+-----+
|a\\nb|   1|  0.5|
|NULL|1000|  2.0|
|日本|NULL|1.0E8|
+----+----+-----+
"
        );
        assert_eq!(
            text_table(&people(), None).lines().nth(4).unwrap(),
            "|NULL|1000|2.0  |"
        );
    }

    #[test]
    fn long_cells_are_cut_as_show_cuts_them() {
        assert_eq!(
            cut("abcdefghijklmnopqrstuvwxyz", Some(20)),
            "abcdefghijklmnopq..."
        );
        assert_eq!(cut("abcdef", Some(3)), "abc");
        assert_eq!(cut("abcdef", Some(0)), "abcdef");
    }
}
