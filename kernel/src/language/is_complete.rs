//! Whether a console should execute what was typed, or ask for more lines.

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};
use serde_json::{Value, json};

use crate::magic;

/// The content of an `is_complete_reply`.
pub(crate) fn content(code: &str) -> Value {
    match state(code) {
        State::Incomplete => json!({"status": "incomplete", "indent": ""}),
        State::Complete => json!({"status": "complete"}),
        State::Invalid => json!({"status": "invalid"}),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Complete,
    Incomplete,
    Invalid,
}

fn state(code: &str) -> State {
    let text = code.trim_start();
    if let Some(magic) = text.strip_prefix("%%") {
        return cell_magic(magic);
    }
    if text.starts_with('%') {
        return match text.lines().all(magic::is_closed) {
            true => State::Complete,
            false => State::Invalid,
        };
    }
    rust(code)
}

/// A cell magic ends with a blank line, as a statement in a console does.
fn cell_magic(magic: &str) -> State {
    let (first, body) = magic.split_once('\n').unwrap_or((magic, ""));
    if !magic::is_closed(first) {
        return State::Invalid;
    }
    let name = first.split_whitespace().next().unwrap_or_default();
    let needs_body = magic::named(name).is_none_or(|magic| magic.needs_body());
    let blank = body.ends_with("\n\n") || body.ends_with("\n\r\n");
    let ended = match body.trim().is_empty() {
        true => !needs_body && body.ends_with('\n'),
        false => blank,
    };
    match ended {
        true => State::Complete,
        false => State::Incomplete,
    }
}

/// Rust is complete when its brackets, strings and comments are closed.
fn rust(code: &str) -> State {
    let mut open = Vec::new();
    for token in tokenize(code, FrontmatterAllowed::No) {
        match token.kind {
            TokenKind::OpenParen => open.push(TokenKind::CloseParen),
            TokenKind::OpenBracket => open.push(TokenKind::CloseBracket),
            TokenKind::OpenBrace => open.push(TokenKind::CloseBrace),
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace
                if open.pop() != Some(token.kind) =>
            {
                return State::Invalid;
            }
            TokenKind::BlockComment {
                terminated: false, ..
            } => return State::Incomplete,
            TokenKind::Literal { kind, .. } => match literal(kind) {
                State::Complete => {}
                other => return other,
            },
            _ => {}
        }
    }
    match open.is_empty() {
        true => State::Complete,
        false => State::Incomplete,
    }
}

/// Strings may go over several lines, characters may not.
fn literal(kind: LiteralKind) -> State {
    match kind {
        LiteralKind::Str { terminated: false }
        | LiteralKind::ByteStr { terminated: false }
        | LiteralKind::CStr { terminated: false }
        | LiteralKind::RawStr { n_hashes: None }
        | LiteralKind::RawByteStr { n_hashes: None }
        | LiteralKind::RawCStr { n_hashes: None } => State::Incomplete,
        LiteralKind::Char { terminated: false } | LiteralKind::Byte { terminated: false } => {
            State::Invalid
        }
        _ => State::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magics() {
        for (code, expected) in [
            ("%lsmagic", State::Complete),
            ("%status a\n%queries", State::Complete),
            ("%status 'a", State::Invalid),
            ("%%", State::Incomplete),
            ("%%sql", State::Incomplete),
            ("%%sql\nSELECT 1", State::Incomplete),
            ("%%sql\nSELECT 1\n", State::Incomplete),
            ("%%sql\n\n", State::Incomplete),
            ("%%sql\nSELECT 1\n\n", State::Complete),
            ("%%source a --watermark \"ts", State::Invalid),
        ] {
            assert_eq!(state(code), expected, "{code:?}");
        }
    }

    #[test]
    fn rust_code() {
        for (code, expected) in [
            ("", State::Complete),
            ("let x = 1;", State::Complete),
            ("fn f() {", State::Incomplete),
            ("fn f() { \"}\" }", State::Complete),
            ("let s = \"open", State::Incomplete),
            ("let c = '{'; let d = '\\'';", State::Complete),
            ("let q = '\\''; f('}');", State::Complete),
            ("let u = '\\u{7b}'; {", State::Incomplete),
            ("fn f<'a>(x: &'a str) {}", State::Complete),
            ("/* { /* */ */", State::Complete),
            ("/* {", State::Incomplete),
            ("// {", State::Complete),
            (r##"let r = r"\"; let h = r#"""#;"##, State::Complete),
            (r##"let r = r#"open""##, State::Incomplete),
            ("let c = '{;\n", State::Invalid),
            ("f(]", State::Invalid),
            ("}", State::Invalid),
        ] {
            assert_eq!(state(code), expected, "{code:?}");
        }
    }
}
