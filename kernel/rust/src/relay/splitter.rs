//! Splits what user code prints into text, shown things and the lines by which the compiled cell
//! reports to evcxr. Pure: bytes in, pieces out.

use tidebook::wire::{NOTE, Note};

/// evcxr's lines: a cell has returned.
pub(super) const COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
/// evcxr's lines: a cell has panicked.
pub(super) const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";
/// evcxr's lines: `?` has ended a cell.
pub(super) const ERROR: &str = "EVCXR_ERROR_OCCURRED";
/// How all of evcxr's lines begin.
const EVCXR: &str = "EVCXR_";
const BEGIN_CONTENT: &str = "EVCXR_BEGIN_CONTENT ";
const END_CONTENT: &str = "EVCXR_END_CONTENT";

/// One piece of what was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text as it was printed; not always whole lines.
    Text(String),
    /// Something shown.
    Content {
        /// Its MIME type.
        mime: String,
        /// Its text.
        content: String,
    },
    /// A word to the kernel.
    Note(Note),
    /// A line for evcxr.
    Line(String),
}

/// The state between two reads.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    unread: Vec<u8>,
    content: Option<(String, Vec<String>)>,
}

impl Splitter {
    /// Takes in what was read and gives the pieces that are complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.unread.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            self.line(&String::from_utf8_lossy(line), &mut pieces);
        }
        if self.content.is_none() {
            let length = self.plain_length();
            if length > 0 {
                let text: Vec<u8> = self.unread.drain(..length).collect();
                pieces.push(Piece::Text(String::from_utf8_lossy(&text).into_owned()));
            }
        }
        pieces
    }

    /// What is left when there will be nothing more.
    pub(super) fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.unread);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
    }

    fn line(&mut self, line: &str, pieces: &mut Vec<Piece>) {
        if let Some((text, note)) = line.split_once(NOTE)
            && let Ok(note) = serde_json::from_str(note)
        {
            push_text(pieces, text);
            pieces.push(Piece::Note(note));
            return;
        }
        // A cell that panics while it prints leaves a line unfinished, and the report follows on it.
        let (text, report) = match line.find(EVCXR) {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        if let Some((mime, mut lines)) = self.content.take() {
            match report {
                END_CONTENT if text.is_empty() => {
                    let content = lines.join("\n");
                    pieces.push(Piece::Content { mime, content });
                }
                PANICKED => pieces.push(Piece::Line(report.to_owned())),
                _ => {
                    lines.push(line.to_owned());
                    self.content = Some((mime, lines));
                }
            }
            return;
        }
        if report.is_empty() {
            pieces.push(Piece::Text(format!("{line}\n")));
            return;
        }
        push_text(pieces, text);
        match report.strip_prefix(BEGIN_CONTENT) {
            Some(mime) => self.content = Some((mime.trim().to_owned(), Vec::new())),
            None => pieces.push(Piece::Line(report.to_owned())),
        }
    }

    /// How much of the unfinished line is text for sure.
    fn plain_length(&self) -> usize {
        let unread = self.unread.as_slice();
        let is_special = |rest: &[u8]| {
            rest.starts_with(&[NOTE as u8])
                || EVCXR.as_bytes().starts_with(rest)
                || rest.starts_with(EVCXR.as_bytes())
        };
        let before_special = (0..unread.len()).find_map(|at| {
            let (plain, rest) = unread.split_at_checked(at)?;
            is_special(rest).then_some(plain)
        });
        let plain = before_special.unwrap_or(unread);
        match std::str::from_utf8(plain) {
            Ok(_) => plain.len(),
            // A character may come in two reads.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => plain.len(),
        }
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn line(line: &str) -> Piece {
        Piece::Line(line.to_owned())
    }

    #[test]
    fn text_comes_at_once_also_without_a_newline() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push(b"a\nb"), [text("a\n"), text("b")]);
        assert_eq!(splitter.push("é".as_bytes()), [text("é")]);
        assert_eq!(splitter.push(&"é".as_bytes()[..1]), []);
        assert_eq!(splitter.push(&"é".as_bytes()[1..]), [text("é")]);
    }

    #[test]
    fn a_report_may_follow_on_an_unfinished_line() {
        let mut splitter = Splitter::default();
        let printed = b"halfEVCXR_PANIC_NOTIFICATION\nEVCXR_EXECUTION_COMPLETE\n";
        let expected = [text("half"), line(PANICKED), line(COMPLETE)];
        assert_eq!(splitter.push(printed), expected);
        assert_eq!(splitter.push(b"dot EVC"), [text("dot ")]);
        assert_eq!(splitter.push(b"XR_ERROR_OCCURRED\n"), [line(ERROR)]);
        assert_eq!(splitter.push(b"EV\n"), [text("EV\n")]);
    }

    #[test]
    fn shown_things_are_gathered() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push(b"EVCXR_BEGIN_CONTENT text/html\n<b>"), []);
        let shown = Piece::Content {
            mime: "text/html".to_owned(),
            content: "<b>\n</b>".to_owned(),
        };
        let pieces = splitter.push(b"\n</b>\nEVCXR_END_CONTENT\nx\n");
        assert_eq!(pieces, [shown, text("x\n")]);
    }

    #[test]
    fn a_panic_ends_what_was_being_shown() {
        let mut splitter = Splitter::default();
        let printed = b"EVCXR_BEGIN_CONTENT text/plain\nhalf\nEVCXR_PANIC_NOTIFICATION\nx\n";
        assert_eq!(splitter.push(printed), [line(PANICKED), text("x\n")]);
    }

    #[test]
    fn notes_are_found_anywhere() {
        let mut splitter = Splitter::default();
        let note = Note::Barrier { number: 7 };
        let printed = format!("a{}b", note.line());
        let pieces = splitter.push(printed.as_bytes());
        assert_eq!(pieces, [text("a"), Piece::Note(note), text("b")]);
    }
}
