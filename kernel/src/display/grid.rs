//! Rows as text, in the form of Spark's `show()`.

use arrow::record_batch::RecordBatch;
use tidebook_engine::Rows;

use super::value;

/// The arguments of Spark's `show()`.
#[derive(Debug, Clone, Copy)]
pub struct ShowForm {
    /// At most so many rows.
    pub rows: usize,
    /// Longer cells are cut to so many characters; 0 cuts nothing.
    pub truncate: usize,
    /// One line per cell instead of one per row.
    pub vertical: bool,
}

/// Rows as Spark's `show()` prints them.
pub fn show(rows: &Rows, form: ShowForm) -> String {
    let truncate = (form.truncate > 0).then_some(form.truncate);
    let mut text = match form.vertical {
        true => vertical(rows, form.rows, truncate),
        false => grid(rows, form.rows, truncate),
    };
    if rows.num_rows() > form.rows {
        let row = if form.rows == 1 { "row" } else { "rows" };
        text.push_str(&format!("only showing top {} {row}\n", form.rows));
    }
    text
}

fn vertical(rows: &Rows, max_rows: usize, truncate: Option<usize>) -> String {
    let fields = rows.schema.fields();
    let names: Vec<String> = fields
        .iter()
        .map(|field| cut(field.name(), truncate))
        .collect();
    let records: Vec<Vec<String>> = first_rows(rows, max_rows)
        .map(|(batch, row)| {
            let cells = batch.columns().iter();
            cells
                .map(|array| cut(&value::text(array, row), truncate))
                .collect()
        })
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| width(text)).max();
    let name_width = widest(&mut names.iter()).unwrap_or(0).max(3);
    let cell_width = widest(&mut records.iter().flatten()).unwrap_or(0).max(3);
    let mut text = String::new();
    for (number, record) in records.iter().enumerate() {
        let title = format!("-RECORD {number}");
        text.push_str(&format!("{title:-<0$}\n", name_width + cell_width + 5));
        for (name, cell) in names.iter().zip(record) {
            let name_space = " ".repeat(name_width - width(name));
            let cell_space = " ".repeat(cell_width - width(cell));
            text.push_str(&format!(" {name}{name_space} | {cell}{cell_space} \n"));
        }
    }
    match records.is_empty() {
        true => "(0 rows)\n".to_owned(),
        false => text,
    }
}

/// At most `max_rows` rows in a frame of lines. With `truncate`, longer cells are cut to that many
/// characters and all are right aligned; without, cells are whole and left aligned.
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
            grid(&people(), usize::MAX, Some(20)),
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
            grid(&people(), usize::MAX, None).lines().nth(4).unwrap(),
            "|NULL|1000|2.0  |"
        );
    }

    #[test]
    fn rows_can_stand_one_below_the_other() {
        let form = ShowForm {
            rows: 1,
            truncate: 20,
            vertical: true,
        };
        let expected = "-RECORD 0---\n name | a\\nb \n n    | 1    \n avg  | 0.5  \n";
        let shown = show(&people(), form);
        assert!(shown.starts_with("-RECORD 0"), "{shown}");
        assert!(
            shown.contains(&expected[expected.find(" name").unwrap_or(0)..]),
            "{shown}"
        );
        assert!(shown.ends_with("only showing top 1 row\n"), "{shown}");
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
