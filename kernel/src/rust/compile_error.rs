//! What the Rust compiler says about a cell, as one error of that cell.

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};
use evcxr::CompilationError;

use crate::error::CellError;

/// The kind of error, without the compiler's code.
const ENAME: &str = "RustCompileError";

/// All errors of a cell in one: named after the first one's code, each shown at its place in `code`.
pub fn compile_error(errors: &[CompilationError], code: &str) -> CellError {
    let Some(first) = errors.first() else {
        return CellError::new(
            ENAME,
            "the cell did not compile, and the compiler did not say why",
        );
    };
    let ename = match first.code() {
        Some(code) => format!("{ENAME}[{code}]"),
        None => ENAME.to_owned(),
    };
    let evalue = match errors.len() {
        1 => first.message(),
        2 => format!("{} (and one more error)", first.message()),
        more => format!("{} (and {} more errors)", first.message(), more - 1),
    };
    let details: Vec<String> = errors
        .iter()
        .flat_map(|error| {
            report(error, code)
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut error = CellError::new(ename, evalue).details(details);
    if looks_like_sql(code) {
        error = error.hint("this looks like SQL: put %%sql (or %%stream NAME) on the first line");
    } else if let Some(hint) = hint(first) {
        error = error.hint(hint);
    }
    error
}

fn report(error: &CompilationError, code: &str) -> String {
    let name = "cell";
    let mut labels = Vec::new();
    let mut notes = Vec::new();
    let spans = error
        .spanned_messages()
        .iter()
        .map(|span| (span, Color::Red));
    let helps = error.help_spanned().iter().map(|span| (span, Color::Cyan));
    for (message, color) in spans.chain(helps) {
        match &message.span {
            Some(span) => {
                let start = offset(code, span.start_line, span.start_column);
                let end = offset(code, span.end_line, span.end_column).max(start);
                let color = match color {
                    Color::Red if !message.is_primary => Color::Blue,
                    color => color,
                };
                labels.push((start..end, message.label.clone(), color));
            }
            None if !message.label.is_empty() => notes.push(message.label.clone()),
            None => {}
        }
    }
    notes.extend(error.help());
    let at = labels.first().map_or(0..0, |(range, ..)| range.clone());
    let mut report = Report::build(ReportKind::Error, (name, at))
        .with_config(Config::default().with_index_type(IndexType::Byte))
        .with_message(error.message());
    if let Some(code) = error.code() {
        report = report.with_code(code);
    }
    for (range, text, color) in labels {
        let mut label = Label::new((name, range)).with_color(color);
        if !text.is_empty() {
            label = label.with_message(text);
        }
        report = report.with_label(label);
    }
    notes.dedup();
    for note in notes {
        report.add_help(note);
    }
    for note in plain_notes(error) {
        report.add_note(note);
    }
    let mut shown = Vec::new();
    match report
        .finish()
        .write((name, Source::from(code)), &mut shown)
    {
        Ok(()) => String::from_utf8_lossy(&shown).trim_end().to_owned(),
        Err(_) => error.rendered(),
    }
}

/// rustc's notes that belong to no place: evcxr does not pass them on.
fn plain_notes(error: &CompilationError) -> Vec<String> {
    // Said of a type's name that was too long to show; the file it names is gone by now.
    const ABOUT_NAMES: [&str; 2] = ["the full name for the type", "consider using `--verbose`"];
    let children = error.json["children"].as_array();
    let notes = children.into_iter().flatten().filter(|child| {
        let has_place = child["spans"]
            .as_array()
            .is_some_and(|spans| !spans.is_empty());
        child["level"] == "note" && !has_place
    });
    let texts = notes.filter_map(|note| note["message"].as_str());
    let texts = texts.filter(|text| !ABOUT_NAMES.iter().any(|about| text.starts_with(about)));
    texts.map(str::to_owned).collect()
}

/// The byte at a line and a column, both from 1, the column in characters.
fn offset(code: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for (number, text) in code.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            let chars = text.char_indices().map(|(at, _)| at);
            let within = chars.chain([text.len()]).nth(column.saturating_sub(1));
            return start + within.unwrap_or(text.len());
        }
        start += text.len();
    }
    code.len()
}

/// Advice that is about cells rather than about Rust.
fn hint(error: &CompilationError) -> Option<&'static str> {
    match error.code()? {
        "E0384" | "E0596" => Some("make it mutable in a cell of its own: let mut x = x;"),
        "E0597" => Some(
            "a variable that lives on after its cell cannot borrow from another one: \
             clone what it borrows, or put the code into braces { … }",
        ),
        _ => None,
    }
}

fn looks_like_sql(code: &str) -> bool {
    let first = code.split_whitespace().next().unwrap_or_default();
    const WORDS: [&str; 8] = [
        "SELECT", "WITH", "CREATE", "SHOW", "DESCRIBE", "EXPLAIN", "VALUES", "DROP",
    ];
    WORDS.contains(&first.to_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_give_bytes() {
        let code = "let é = 1;\nlet ö = é + \"x\";\n";
        let start = offset(code, 2, 9);
        assert_eq!(&code[start..offset(code, 2, 10)], "é");
        assert_eq!(offset(code, 9, 1), code.len());
        assert_eq!(offset(code, 1, 99), "let é = 1;\n".len());
    }
}
