//! Rows as a table.

use arrow::datatypes::{DataType, Schema};
use tidebook_engine::{Rows, format_value, is_null, sql_type};

use super::grid::{first_rows, grid};
use super::html::{DIM, LINE, escape};
use super::number::thousands;
use super::{MimeBundle, cell, windows};

/// At most `max_rows` rows as an HTML table, and as text in the form of Spark's `show()`. Cells
/// that are too long are cut in both.
pub(crate) fn table(rows: &Rows, max_rows: usize) -> MimeBundle {
    let mut plain = grid(rows, max_rows);
    if rows.num_rows() > max_rows {
        plain.push_str(&format!("only showing top {max_rows} rows\n"));
    }
    MimeBundle::html(html(rows, max_rows), plain)
}

/// The columns of a stream, whose rows cannot be shown: they never end.
pub(crate) fn columns(schema: &Schema) -> MimeBundle {
    let fields = schema.fields().iter();
    let lines: Vec<[String; 2]> = fields
        .map(|field| [field.name().clone(), sql_type(field.data_type())])
        .collect();
    let title = "a stream with the columns";
    let hint = "start it with write_stream(), or %%stream, to see its rows";
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.iter().map(|cell| escape(cell)).collect())
        .collect();
    let html = format!(
        "<div>{title}</div>{}<div style=\"font-size:12px;{DIM}\">{}</div>",
        super::html::table(&["column", "type"], &[false, false], &rows),
        escape(hint)
    );
    let plain = lines
        .iter()
        .map(|[name, kind]| format!("  {name} {kind}\n"));
    MimeBundle::html(
        html,
        format!("{title}\n{}{hint}", plain.collect::<String>()),
    )
}

fn html(rows: &Rows, max_rows: usize) -> String {
    let columns: Vec<Column> = rows
        .schema
        .fields()
        .iter()
        .map(|f| Column::of(f.data_type()))
        .collect();
    let mut html = String::from(
        "<div style=\"overflow-x:auto;max-width:100%\">\
         <table style=\"border-collapse:collapse;margin:0 0 4px 0;font-size:13px\"><thead><tr>",
    );
    for (field, column) in rows.schema.fields().iter().zip(&columns) {
        html.push_str(&format!(
            "<th title=\"{}\" style=\"{}border-bottom:1px solid #808080;font-weight:600\">{}</th>",
            escape(&sql_type(field.data_type())),
            column.style(),
            escape(&cell::bounded(field.name().clone()))
        ));
    }
    html.push_str("</tr></thead><tbody>");
    for (batch, row) in first_rows(rows, max_rows) {
        html.push_str("<tr>");
        for (array, column) in batch.columns().iter().zip(&columns) {
            let cell = match is_null(array, row) {
                true => "<i style=\"opacity:0.5\">NULL</i>".to_owned(),
                false => {
                    let text = windows::window(array, row);
                    let text = text.unwrap_or_else(|| format_value(array, row));
                    escape(&cell::bounded(text))
                }
            };
            html.push_str(&format!(
                "<td style=\"{}border-bottom:{LINE}\">{cell}</td>",
                column.style()
            ));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html.push_str(&format!(
        "<div style=\"font-size:12px;{DIM}\">{}</div>",
        footer(rows.num_rows(), max_rows)
    ));
    html
}

fn footer(total: usize, max_rows: usize) -> String {
    let count = |rows: usize| thousands(rows as i64);
    match total {
        0 => "no rows".to_owned(),
        1 => "1 row".to_owned(),
        _ if total <= max_rows => format!("{} rows", count(total)),
        _ => format!("showing {} of {} rows", count(max_rows), count(total)),
    }
}

/// How the cells of a column are laid out.
enum Column {
    /// Digits under digits.
    Number,
    /// Kept on one line.
    Time,
    /// May wrap.
    Text,
}

impl Column {
    fn of(data_type: &DataType) -> Self {
        match data_type {
            numeric if numeric.is_numeric() => Self::Number,
            time if time.is_temporal() || windows::is_window(time) => Self::Time,
            _ => Self::Text,
        }
    }

    fn style(&self) -> &'static str {
        match self {
            Self::Number => "text-align:right;padding:4px 12px;white-space:nowrap;",
            Self::Time => "text-align:left;padding:4px 12px;white-space:nowrap;",
            Self::Text => {
                "text-align:left;padding:4px 12px;max-width:480px;overflow-wrap:break-word;"
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use arrow::record_batch::RecordBatch;

    use super::*;
    use crate::display::gallery;

    pub(crate) fn rows(columns: Vec<(&str, ArrayRef)>) -> Rows {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, array)| (name, array, true)),
        )
        .unwrap();
        Rows {
            schema: batch.schema(),
            batches: vec![batch],
        }
    }

    pub(crate) fn people() -> Rows {
        rows(vec![
            (
                "name",
                Arc::new(StringArray::from(vec![Some("a\nb"), None, Some("日本")])) as _,
            ),
            (
                "n",
                Arc::new(Int64Array::from(vec![Some(1), Some(1_000), None])) as _,
            ),
            (
                "avg",
                Arc::new(Float64Array::from(vec![0.5, 2.0, 1e8])) as _,
            ),
        ])
    }

    #[test]
    fn windows_are_structs_in_text_and_spans_in_html() {
        let rows = gallery::hourly_departures(1);
        let bundle = table(&rows, 2);
        let plain = bundle.data["text/plain"].as_str().unwrap();
        assert!(
            plain.contains("|{2013-01-01 05:00:00, 2013-01-01 06:00:00}|"),
            "{plain}"
        );
        assert!(plain.ends_with("only showing top 2 rows\n"), "{plain}");
        let html = bundle.data["text/html"].as_str().unwrap();
        assert!(html.contains("2013-01-01 05:00 – 06:00"), "{html}");
        assert!(
            html.contains(&format!("showing 2 of {} rows", rows.num_rows())),
            "{html}"
        );
        assert!(
            html.contains("STRUCT&lt;start: TIMESTAMP, end: TIMESTAMP&gt;"),
            "{html}"
        );
    }

    #[test]
    fn html_escapes_data_and_marks_nulls() {
        let rows = rows(vec![(
            "<n>",
            Arc::new(StringArray::from(vec![Some("<script>"), None])) as _,
        )]);
        let html = table(&rows, 10).data["text/html"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(html.contains("&lt;n&gt;") && html.contains("&lt;script&gt;"));
        assert!(html.contains("<i style=\"opacity:0.5\">NULL</i>"));
        assert!(html.contains(">2 rows</div>"));
    }

    #[test]
    fn a_huge_cell_is_cut_in_every_form() {
        let huge = "x".repeat(100_000);
        let rows = rows(vec![(
            "text",
            Arc::new(StringArray::from(vec!["short", huge.as_str()])) as _,
        )]);
        let bundle = table(&rows, 10);
        for (mime, cut) in [("text/plain", "x…|"), ("text/html", "x…</td>")] {
            let content = bundle.data[mime].as_str().unwrap();
            assert!(content.contains(cut) && content.len() < 10_000, "{mime}");
        }
    }

    #[test]
    fn no_rows_still_show_their_columns() {
        let mut empty = people();
        empty.batches.clear();
        let bundle = table(&empty, 10);
        assert!(
            bundle.data["text/html"]
                .as_str()
                .unwrap()
                .contains(">no rows</div>")
        );
        assert!(
            bundle.data["text/plain"]
                .as_str()
                .unwrap()
                .contains("|name|n  |avg|")
        );
    }
}
