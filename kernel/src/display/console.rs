//! What a console sink has printed.

use super::MimeBundle;
use super::html::{DIM, escape};
use super::number::thousands;

/// What a value ends with that was too long for its column.
const CUT: &str = "...|";

/// The text of the newest batches, below how many there were before.
pub(crate) fn console(text: &str, earlier: usize) -> MimeBundle {
    let mut notes = Vec::new();
    if earlier > 0 {
        let batches = if earlier == 1 { "batch" } else { "batches" };
        notes.push(format!("{} earlier {batches}", thousands(earlier as i64)));
    }
    if text.is_empty() {
        notes.push("no batch yet".to_owned());
    }
    if text.contains(CUT) {
        notes.push("values are cut after 20 characters: --option truncate=false".to_owned());
    }
    let notes = notes.join(" · ");
    let html = format!(
        "<div style=\"font-size:11px;{DIM}\">{}</div>\
         <pre style=\"margin:0;overflow-x:auto;font-family:monospace\">{}</pre>",
        escape(&notes),
        escape(text)
    );
    let plain = match notes.is_empty() {
        true => text.to_owned(),
        false => format!("{notes}\n{text}"),
    };
    MimeBundle::html(html, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_not_shown() {
        let plain = |text: &str, earlier| {
            let bundle = console(text, earlier);
            bundle.data["text/plain"].as_str().unwrap().to_owned()
        };
        assert_eq!(plain("", 0), "no batch yet\n");
        assert_eq!(plain("|a|\n", 0), "|a|\n");
        assert_eq!(plain("|a|\n", 1), "1 earlier batch\n|a|\n");
        assert!(plain("|2024-01-01 12:00...|\n", 0).contains("--option truncate=false"));
        let html = console("<b>", 0).data["text/html"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(html.contains("&lt;b&gt;"), "{html}");
    }
}
