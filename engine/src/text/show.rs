//! Rows as Spark's `show()` prints them.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::grid::{Align, MIN_WIDTH, grid, one_line, width};
use super::value::format_value;

/// The arguments of Spark's `show()`.
#[derive(Debug, Clone, Copy)]
pub struct ShowForm {
    /// The first rows, no more than this.
    pub rows: usize,
    /// Longer cells are cut to this many characters, and all cells of a grid are aligned right; 0
    /// cuts nothing and aligns left.
    pub truncate: usize,
    /// One line per cell instead of one per row.
    pub vertical: bool,
}

/// Rows of `schema` as text.
pub fn show(schema: &Schema, batches: &[RecordBatch], form: ShowForm) -> String {
    let cell = |text: &str| cut(text, form.truncate);
    let names = schema.fields().iter().map(|field| cell(field.name()));
    let names: Vec<String> = names.collect();
    let all = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let rows = all.take(form.rows).map(|(batch, row)| {
        let cells = batch.columns().iter();
        cells
            .map(|column| cell(&format_value(column, row)))
            .collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut text = match form.vertical {
        true => records(&names, &rows),
        false => {
            let align = match form.truncate {
                0 => Align::Left,
                _ => Align::Right,
            };
            let lines: Vec<Vec<String>> = [names].into_iter().chain(rows).collect();
            grid(&lines, align)
        }
    };
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if total > form.rows {
        let plural = if form.rows == 1 { "" } else { "s" };
        text.push_str(&format!("only showing top {} row{plural}\n", form.rows));
    }
    text
}

/// A cell on one line, cut to `truncate` characters: the last three of them are dots if there is
/// room for dots.
fn cut(text: &str, truncate: usize) -> String {
    let text = one_line(text);
    if truncate == 0 || text.chars().count() <= truncate {
        return text;
    }
    match truncate {
        1..4 => text.chars().take(truncate).collect(),
        _ => text.chars().take(truncate - 3).collect::<String>() + "...",
    }
}

/// A line per cell.
fn records(names: &[String], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return "(0 rows)\n".to_string();
    }
    let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| width(text)).max();
    let name_width = widest(&mut names.iter()).unwrap_or(0).max(MIN_WIDTH);
    let cell_width = widest(&mut rows.iter().flatten())
        .unwrap_or(0)
        .max(MIN_WIDTH);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let title = format!("-RECORD {number}");
        text.push_str(&format!("{title:-<0$}\n", name_width + cell_width + 5));
        for (name, cell) in names.iter().zip(row) {
            let name_space = " ".repeat(name_width - width(name));
            let cell_space = " ".repeat(cell_width - width(cell));
            text.push_str(&format!(" {name}{name_space} | {cell}{cell_space} \n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, StringArray};

    use super::*;

    fn form(rows: usize, truncate: usize) -> ShowForm {
        ShowForm {
            rows,
            truncate,
            vertical: false,
        }
    }

    fn people() -> [RecordBatch; 2] {
        let names: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a name that is much too long"),
            None,
            Some("東京"),
        ]));
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1e7, 0.00025]));
        let batch = RecordBatch::try_from_iter([("name", names), ("n", numbers)]).unwrap();
        [batch.slice(0, 1), batch.slice(1, 2)]
    }

    #[test]
    fn a_table_as_spark_prints_it() {
        let batches = people();
        let schema = batches[0].schema();
        assert_eq!(
            show(&schema, &batches, form(20, 20)),
            "\
+--------------------+------+
|                name|     n|
+--------------------+------+
|a name that is mu...|   1.0|
|                NULL| 1.0E7|
|                東京|2.5E-4|
+--------------------+------+
"
        );
        assert_eq!(
            show(&schema, &batches, form(1, 0)),
            "\
+----------------------------+---+
|name                        |n  |
+----------------------------+---+
|a name that is much too long|1.0|
+----------------------------+---+
only showing top 1 row
"
        );
        let empty = Schema::new(vec![schema.field(1).clone()]);
        assert_eq!(
            show(&empty, &[], form(20, 20)),
            "+---+\n|  n|\n+---+\n+---+\n"
        );
    }

    #[test]
    fn rows_can_stand_one_below_the_other() {
        let batches = people();
        let form = ShowForm {
            vertical: true,
            ..form(1, 4)
        };
        let expected = [
            "-RECORD 0----",
            " name | a... ",
            " n    | 1.0  ",
            "only showing top 1 row",
            "",
        ];
        let schema = batches[0].schema();
        assert_eq!(show(&schema, &batches, form), expected.join("\n"));
        assert_eq!(show(&schema, &[], form), "(0 rows)\n");
    }

    #[test]
    fn long_cells_are_cut_and_kept_on_one_line() {
        assert_eq!(
            cut("abcdefghijklmnopqrstuvwxyz", 20),
            "abcdefghijklmnopq..."
        );
        assert_eq!(cut("abcdef", 3), "abc");
        assert_eq!(cut("abcdef", 0), "abcdef");
        assert_eq!(cut("a\n\tb", 0), "a\\n\\tb");
    }
}
