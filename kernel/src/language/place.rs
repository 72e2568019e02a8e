//! Where a cursor stands: in the name, in the arguments or in the body of a magic.

use crate::cell::is_comment;
use crate::magic::{self, Kind, Magic};

/// Where a cursor stands.
pub(crate) enum Place<'a> {
    /// In the name of a magic; the text from the percent sign on.
    Name(&'a str),
    /// In the arguments of a known magic.
    Arguments {
        /// The magic.
        magic: &'static dyn Magic,
        /// Complete words before the cursor.
        words: Vec<&'a str>,
        /// The word the cursor is in, up to the cursor.
        word: &'a str,
    },
    /// In the body of a cell magic.
    Body {
        /// The magic.
        magic: &'static dyn Magic,
        /// The whole body.
        body: &'a str,
    },
    /// Anywhere else.
    Elsewhere,
}

/// Finds the place of a cursor at the byte `offset`.
pub(crate) fn place(code: &str, offset: usize) -> Place<'_> {
    let line_start = code[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let before = code[line_start..offset].trim_start();
    let Some((first_start, first)) = first_line(code) else {
        return Place::Elsewhere;
    };
    let is_cell_magic = first.trim_start().starts_with("%%");
    if is_cell_magic && line_start > first_start {
        let name = first.trim_start().trim_start_matches('%');
        let name = name.split_whitespace().next().unwrap_or_default();
        let body = code
            .get(first_start + first.len() + 1..)
            .unwrap_or_default();
        return match magic::named(name) {
            Some(magic) => Place::Body { magic, body },
            None => Place::Elsewhere,
        };
    }
    match before.starts_with('%') {
        true => on_magic_line(before),
        false => Place::Elsewhere,
    }
}

/// The byte offset of a cursor given in code points.
pub(crate) fn offset(code: &str, cursor: usize) -> usize {
    code.char_indices()
        .nth(cursor)
        .map_or(code.len(), |(offset, _)| offset)
}

/// The number of code points before a byte offset.
pub(crate) fn cursor(code: &str, offset: usize) -> usize {
    code[..offset].chars().count()
}

fn on_magic_line(before: &str) -> Place<'_> {
    let Some((title, rest)) = before.split_once(char::is_whitespace) else {
        return Place::Name(before);
    };
    let kind = match title.starts_with("%%") {
        true => Kind::Cell,
        false => Kind::Line,
    };
    let Ok(magic) = magic::find(title.trim_start_matches('%'), kind) else {
        return Place::Elsewhere;
    };
    let word_start = word_start(rest);
    Place::Arguments {
        magic,
        words: rest[..word_start].split_whitespace().collect(),
        word: &rest[word_start..],
    }
}

/// Where the last word begins, a quoted one counted as one.
fn word_start(text: &str) -> usize {
    let mut start = 0;
    let mut quote = None;
    for (offset, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => start = offset + c.len_utf8(),
            _ => {}
        }
    }
    start
}

/// The first line that is neither blank nor a comment, and where it starts.
fn first_line(code: &str) -> Option<(usize, &str)> {
    let mut start = 0;
    for line in code.split('\n') {
        if !is_comment(line.trim()) {
            return Some((start, line));
        }
        start += line.len() + 1;
    }
    None
}
