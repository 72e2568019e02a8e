//! What a learner is told about an answer: the verdict, the rows side by side, a hint.

use super::MimeBundle;
use super::grid::aligned;
use super::html::{DIM, escape, panel, table};

/// Pixels.
const WIDTH: u32 = 760;

/// How many rows of one key are shown.
const SHOWN: usize = 5;

/// Everything that is told about an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CheckAnswer {
    /// Whether the exercise is done.
    pub is_right: bool,
    /// What came of it, in a sentence.
    pub headline: String,
    /// Sentences that say more.
    pub remarks: Vec<String>,
    /// The columns of the rows that are shown.
    pub columns: Vec<String>,
    /// Rows of the answer.
    pub theirs: Vec<Vec<String>>,
    /// The right rows.
    pub reference: Vec<Vec<String>>,
    /// What to try, or what to take along.
    pub hint: Option<String>,
}

/// The answer as HTML and as text.
pub(crate) fn check_answer(answer: &CheckAnswer) -> MimeBundle {
    let (sign, color) = match answer.is_right {
        true => ("✔", "#009e73"),
        false => ("✎", "#e69f00"),
    };
    let mut body = format!(
        "<div><span style=\"color:{color}\">{sign}</span> <b>{}</b></div>",
        escape(&answer.headline)
    );
    let mut plain = format!("{sign} {}", answer.headline);
    for remark in &answer.remarks {
        body.push_str(&format!(
            "<div style=\"white-space:pre-wrap\">{}</div>",
            escape(remark)
        ));
        plain.push_str(&format!("\n  {}", remark.replace('\n', "\n  ")));
    }
    if !answer.columns.is_empty() {
        body.push_str(&side_by_side(answer));
        plain.push_str(&format!("\n{}", plain_rows(answer)));
    }
    if let Some(hint) = &answer.hint {
        let label = if answer.is_right { "" } else { "<b>hint</b>: " };
        body.push_str(&format!(
            "<div style=\"margin-top:6px\">{label}{}</div>",
            escape(hint)
        ));
        let label = if answer.is_right { "" } else { "hint: " };
        plain.push_str(&format!("\n  {label}{hint}"));
    }
    MimeBundle::html(panel(color, WIDTH, &body), plain)
}

/// Each row with whose it is in front.
fn labelled(answer: &CheckAnswer) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (label, side) in [("yours", &answer.theirs), ("right", &answer.reference)] {
        let mut row = vec![label.to_owned()];
        if side.is_empty() {
            row.extend(answer.columns.iter().map(|_| "–".to_owned()));
            rows.push(row);
            continue;
        }
        for values in side.iter().take(SHOWN) {
            let mut row = row.clone();
            row.extend(values.iter().cloned());
            rows.push(row);
        }
        if side.len() > SHOWN {
            row.push(format!("and {} more", side.len() - SHOWN));
            row.resize(answer.columns.len() + 1, String::new());
            rows.push(row);
        }
    }
    rows
}

fn side_by_side(answer: &CheckAnswer) -> String {
    let mut headings = vec![""];
    headings.extend(answer.columns.iter().map(String::as_str));
    let escaped: Vec<String> = headings.iter().map(|heading| escape(heading)).collect();
    let headings: Vec<&str> = escaped.iter().map(String::as_str).collect();
    let rows = labelled(answer).into_iter().map(|row| {
        let mut cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        if let [whose, ..] = cells.as_mut_slice() {
            *whose = format!("<span style=\"{DIM}\">{whose}</span>");
        }
        cells
    });
    let right = vec![false; headings.len()];
    table(&headings, &right, &rows.collect::<Vec<_>>())
}

fn plain_rows(answer: &CheckAnswer) -> String {
    let mut headings = vec![""];
    headings.extend(answer.columns.iter().map(String::as_str));
    let lines = aligned(&headings, &labelled(answer)).into_iter();
    let lines = lines.map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_side_by_side() {
        let answer = CheckAnswer {
            headline: "Not yet.".to_owned(),
            columns: vec!["k<".to_owned(), "n".to_owned()],
            theirs: vec![vec!["a".to_owned(), "7".to_owned()]],
            reference: Vec::new(),
            hint: Some("count again".to_owned()),
            ..Default::default()
        };
        let bundle = check_answer(&answer);
        let plain = bundle.data["text/plain"].as_str().unwrap();
        assert_eq!(
            plain,
            "✎ Not yet.\n         k<  n\n  yours  a   7\n  right  –   –\n  hint: count again"
        );
        let html = bundle.data["text/html"].as_str().unwrap();
        assert!(
            html.contains("k&lt;") && html.contains("<b>hint</b>: count again"),
            "{html}"
        );
    }
}
