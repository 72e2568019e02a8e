//! Rows as scripts write them, turned into NDJSON.

use anyhow::{Result, ensure};

use crate::action::split_top;

const DAY: &str = "2024-01-01";

/// The text of the file that the lines of an `add-data` block stand for.
pub fn ndjson(schema: &str, lines: &[String]) -> Result<String> {
    let columns: Vec<_> = split_top(schema, ',')
        .into_iter()
        .map(|column| {
            let (name, kind) = column.split_once(' ').unwrap_or((&column, ""));
            (
                name.trim_matches('`').to_owned(),
                kind.trim().to_lowercase(),
            )
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        text.push_str(&json_line(&columns, line)?);
        text.push('\n');
    }
    Ok(text)
}

fn json_line(columns: &[(String, String)], line: &str) -> Result<String> {
    if line.starts_with('{') {
        return Ok(line.to_owned());
    }
    let cells = cells(line);
    ensure!(
        cells.len() == columns.len(),
        "{} values for {} columns: {line}",
        cells.len(),
        columns.len()
    );
    let pairs: Vec<_> = columns
        .iter()
        .zip(&cells)
        .map(|((name, kind), cell)| format!("{}:{}", json(name), value(kind, cell)))
        .collect();
    Ok(format!("{{{}}}", pairs.join(",")))
}

/// Splits at blanks; a value in double quotes is a JSON string.
fn cells(line: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = if rest.starts_with('"') {
            string_end(rest)
        } else {
            rest.find(' ').unwrap_or(rest.len())
        };
        cells.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    cells
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

fn value(kind: &str, cell: &str) -> String {
    if cell == "null" {
        return cell.to_owned();
    }
    if kind.starts_with("timestamp") {
        return json(&timestamp(cell));
    }
    let text = kind == "string" || kind == "date" || kind.starts_with("varchar");
    if text && !cell.starts_with('"') {
        return json(cell);
    }
    cell.to_owned()
}

/// `12:05` is 12:05:00 on the scripts' day; `2024-01-02T00:00` names another one.
fn timestamp(cell: &str) -> String {
    let (day, time) = cell.rsplit_once('T').unwrap_or((DAY, cell));
    let seconds = if time.matches(':').count() == 1 {
        ":00"
    } else {
        ""
    };
    format!("{day} {time}{seconds}")
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
