//! What the Rust compiler says about a cell, as one error of that cell.

use ariadne::{Config, IndexType, Label, Report, ReportKind, Source};
use tidebook_rust_protocol::Diagnostic;

use crate::error::CellError;

/// The kind of error, without the compiler's code.
const ENAME: &str = "RustCompileError";

/// All errors of a cell in one: named after the first one's code, each shown at its place in `code`.
pub(super) fn compile_error(errors: &[Diagnostic], code: &str) -> CellError {
    let Some(first) = errors.first() else {
        return CellError::new(
            ENAME,
            "the cell did not compile, and the compiler did not say why",
        );
    };
    let ename = match &first.code {
        Some(code) => format!("{ENAME}[{code}]"),
        None => ENAME.to_owned(),
    };
    let evalue = match errors.len() {
        1 => first.message.clone(),
        2 => format!("{} (and one more error)", first.message),
        more => format!("{} (and {} more errors)", first.message, more - 1),
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

fn report(error: &Diagnostic, code: &str) -> String {
    let name = "cell";
    let mut labels = Vec::new();
    let mut helps = Vec::new();
    for label in &error.labels {
        match &label.place {
            Some(place) => {
                let start = offset(code, place.start);
                let end = offset(code, place.end).max(start);
                labels.push((start..end, label.text.clone()));
            }
            None if !label.text.is_empty() => helps.push(label.text.clone()),
            None => {}
        }
    }
    helps.extend_from_slice(&error.helps);
    let at = labels.first().map_or(0..0, |(range, _)| range.clone());
    // Front ends lay errors on red or pink, light or dark: no colour reads on all of them.
    let config = Config::default()
        .with_index_type(IndexType::Byte)
        .with_color(false);
    let mut report = Report::build(ReportKind::Error, (name, at))
        .with_config(config)
        .with_message(&error.message);
    if let Some(code) = &error.code {
        report = report.with_code(code);
    }
    for (range, text) in labels {
        let mut label = Label::new((name, range));
        if !text.is_empty() {
            label = label.with_message(text);
        }
        report = report.with_label(label);
    }
    helps.dedup();
    for help in helps {
        report.add_help(help);
    }
    for note in &error.notes {
        report.add_note(note);
    }
    let mut shown = Vec::new();
    match report
        .finish()
        .write((name, Source::from(code)), &mut shown)
    {
        Ok(()) => String::from_utf8_lossy(&shown).trim_end().to_owned(),
        Err(_) => error.rendered.clone(),
    }
}

/// The byte at a line and a column, both from 1, the column in characters.
fn offset(code: &str, (line, column): (usize, usize)) -> usize {
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
fn hint(error: &Diagnostic) -> Option<&'static str> {
    let labels = || error.labels.iter().map(|label| label.text.as_str());
    match error.code.as_deref()? {
        "E0369" if error.message.contains("to type `Column`") => Some(
            "columns are compared by methods: col(\"a\").eq(1), .gt(1), .lt(1), .ge(1), .le(1)",
        ),
        "E0308" if labels().any(|label| label == "expected `bool`, found `Column`") => {
            Some("conditions on columns are joined by .and(…) and .or(…), or by & and |")
        }
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
        let start = offset(code, (2, 9));
        assert_eq!(&code[start..offset(code, (2, 10))], "é");
        assert_eq!(offset(code, (9, 1)), code.len());
        assert_eq!(offset(code, (1, 99)), "let é = 1;\n".len());
    }
}
