//! Whether a console should execute what was typed, or ask for more lines.

use serde_json::{Value, json};

use crate::magic;

/// The content of an `is_complete_reply`.
pub fn content(code: &str) -> Value {
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
    match !body.trim().is_empty() && (body.ends_with("\n\n") || body.ends_with("\n\r\n")) {
        true => State::Complete,
        false => State::Incomplete,
    }
}

/// Rust is complete when its brackets, strings and comments are closed.
fn rust(code: &str) -> State {
    let mut open = Vec::new();
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let closed = match c {
            '/' if chars.peek() == Some(&'/') => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                true
            }
            '/' if chars.peek() == Some(&'*') => skip_comment(&mut chars),
            '"' => skip_string(&mut chars),
            '\'' => {
                skip_char(&mut chars);
                true
            }
            '(' | '[' | '{' => {
                open.push(c);
                true
            }
            ')' | ']' | '}' => {
                if open.pop() != Some(opening(c)) {
                    return State::Invalid;
                }
                true
            }
            _ => true,
        };
        if !closed {
            return State::Incomplete;
        }
    }
    match open.is_empty() {
        true => State::Complete,
        false => State::Incomplete,
    }
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips to the end of a block comment, nested ones included; whether there is one.
fn skip_comment(chars: &mut Chars<'_>) -> bool {
    chars.next();
    let mut depth = 1;
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('*', Some('/')) => depth -= 1,
            ('/', Some('*')) => depth += 1,
            _ => continue,
        }
        chars.next();
        if depth == 0 {
            return true;
        }
    }
    false
}

fn skip_string(chars: &mut Chars<'_>) -> bool {
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '"' => return true,
            _ => {}
        }
    }
    false
}

/// Skips a character literal; a lifetime has no closing quote and is left alone.
fn skip_char(chars: &mut Chars<'_>) {
    let mut ahead = chars.clone();
    let length = match ahead.next() {
        Some('\\') => {
            // The escaped character may itself be a quote.
            ahead.next();
            ahead.position(|c| c == '\'').map(|rest| rest + 3)
        }
        Some(_) => (ahead.next() == Some('\'')).then_some(2),
        None => None,
    };
    for _ in 0..length.unwrap_or(0) {
        chars.next();
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
            ("f(]", State::Invalid),
            ("}", State::Invalid),
        ] {
            assert_eq!(state(code), expected, "{code:?}");
        }
    }
}
