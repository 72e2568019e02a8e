//! How an error reads in a cell.

/// Front ends lay errors on red or pink, light or dark: weight reads on all of them, colours do not.
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// The lines of a Jupyter `traceback`, with ANSI codes for bold: `ename: evalue`, the details, then
/// the hint. A hint that already closes `evalue` is not said twice.
pub(crate) fn error_traceback(
    ename: &str,
    evalue: &str,
    details: &[String],
    hint: Option<&str>,
) -> Vec<String> {
    let (message, own_hint) = match evalue.split_once("\nhint: ") {
        Some((message, own_hint)) => (message, Some(own_hint)),
        None => (evalue, None),
    };
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    let mut traceback = vec![format!("{BOLD}{ename}{PLAIN}: {first}")];
    traceback.extend(lines.map(str::to_owned));
    traceback.extend(details.iter().cloned());
    if let Some(hint) = hint.or(own_hint) {
        let mut lines = hint.lines();
        let first = lines.next().unwrap_or_default();
        traceback.push(format!("{BOLD}hint:{PLAIN} {first}"));
        traceback.extend(lines.map(|line| format!("      {line}")));
    }
    traceback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_message_come_first() {
        let lines = error_traceback(
            "AnalysisException",
            "[X.Y] no such thing",
            &[],
            Some("try 'b'"),
        );
        assert_eq!(
            lines[0],
            "\u{1b}[1mAnalysisException\u{1b}[0m: [X.Y] no such thing"
        );
        assert_eq!(lines[1], "\u{1b}[1mhint:\u{1b}[0m try 'b'");
    }

    #[test]
    fn a_hint_is_said_once() {
        let error = tidebook_engine::Error::analysis("a\nb").with_hint("c\nd");
        let lines = error_traceback(error.ename(), &error.to_string(), &[], error.hint());
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[1], "b");
        assert_eq!(lines[3], "      d");
        assert_eq!(
            lines,
            error_traceback(error.ename(), &error.to_string(), &[], None)
        );
    }
}
