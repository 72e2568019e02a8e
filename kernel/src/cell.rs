//! What a cell is, decided by its text alone: a cell magic, line magics, a question, or Rust.

use crate::error::{CellError, Result};

/// A cell, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// Nothing to do.
    Empty,
    /// `%%name args`, then the body.
    Magic {
        /// The name, without percent signs.
        name: &'a str,
        /// The rest of the first line.
        args: &'a str,
        /// All lines below.
        body: &'a str,
    },
    /// One or more lines of `%name args` or `name?`.
    Lines(Vec<Line<'a>>),
    /// Everything else.
    Rust(&'a str),
}

/// One line of a cell of line magics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// `%name args`.
    Magic {
        /// The name, without the percent sign.
        name: &'a str,
        /// The rest of the line.
        args: &'a str,
    },
    /// `name?`, `%name?`, `?name`: asks what a name is.
    Question(&'a str),
}

/// Takes a cell apart. Blank and comment lines (`--`, `//`) before the first real line do not count.
pub(crate) fn parse(text: &str) -> Result<Cell<'_>> {
    let start = skip_comments(text);
    let code = &text[start..];
    let (first, body) = code.split_once('\n').unwrap_or((code, ""));
    let first = first.trim();
    if code.trim().is_empty() {
        return Ok(Cell::Empty);
    }
    if let Some(magic) = first.strip_prefix("%%") {
        if let (Some(question), true) = (question(first), body.trim().is_empty()) {
            return Ok(Cell::Lines(vec![Line::Question(question)]));
        }
        let (name, args) = split_name(magic);
        if name.is_empty() {
            return Err(CellError::usage("a cell magic needs a name after '%%'")
                .hint("%lsmagic lists the magics"));
        }
        return Ok(Cell::Magic { name, args, body });
    }
    if first.starts_with('%') || (question(first).is_some() && body.trim().is_empty()) {
        return lines(code).map(Cell::Lines);
    }
    Ok(Cell::Rust(text))
}

fn lines(code: &str) -> Result<Vec<Line<'_>>> {
    code.lines()
        .map(str::trim)
        .filter(|line| !is_comment(line))
        .map(line)
        .collect()
}

fn line(text: &str) -> Result<Line<'_>> {
    if let Some(question) = question(text) {
        return Ok(Line::Question(question));
    }
    if text.starts_with("%%") {
        return Err(
            CellError::usage(format!("'{text}' must be the first line of its cell"))
                .hint("put it into a cell of its own"),
        );
    }
    let Some(magic) = text.strip_prefix('%') else {
        return Err(CellError::usage(format!(
            "'{text}' stands in a cell of line magics but does not start with '%'"
        ))
        .hint("put it into a cell of its own"));
    };
    let (name, args) = split_name(magic);
    if name.is_empty() {
        return Err(CellError::usage("a line magic needs a name after '%'")
            .hint("%lsmagic lists the magics"));
    }
    Ok(Line::Magic { name, args })
}

/// The name in `name?`, `%name?` or `?name`.
fn question(line: &str) -> Option<&str> {
    let asked = line
        .strip_suffix('?')
        .or_else(|| line.strip_prefix('?'))?
        .trim_matches('?')
        .trim_start_matches('%');
    let is_name = !asked.is_empty()
        && asked
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_name.then_some(asked)
}

fn split_name(magic: &str) -> (&str, &str) {
    let (name, args) = magic.split_once(char::is_whitespace).unwrap_or((magic, ""));
    (name, args.trim())
}

fn skip_comments(text: &str) -> usize {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !is_comment(line.trim()) {
            break;
        }
        start += line.len();
    }
    start
}

/// Whether a (trimmed) line before the first magic says nothing.
pub(crate) fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with("--") || line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn magic<'a>(name: &'a str, args: &'a str, body: &'a str) -> Cell<'a> {
        Cell::Magic { name, args, body }
    }

    fn check(text: &str, expected: Cell<'_>) {
        assert_eq!(parse(text).unwrap(), expected, "{text:?}");
    }

    #[test]
    fn cells() {
        check("", Cell::Empty);
        check(" \n\t\n", Cell::Empty);
        check("-- only a note\n// and another", Cell::Empty);
        check("%%sql\nSELECT 1", magic("sql", "", "SELECT 1"));
        check("\n\n%%sql\nSELECT 1\n", magic("sql", "", "SELECT 1\n"));
        check("-- first\n%%sql\nSELECT 1", magic("sql", "", "SELECT 1"));
        check("%%sql", magic("sql", "", ""));
        check(
            "%%stream counts  --mode update \r\nSELECT 1\n-- end",
            magic("stream", "counts  --mode update", "SELECT 1\n-- end"),
        );
        check("let x = 1;", Cell::Rust("let x = 1;"));
        check(
            "// note\nlet x = 5 % 3;",
            Cell::Rust("// note\nlet x = 5 % 3;"),
        );
        check(
            "#[derive(Debug)]\nstruct A;",
            Cell::Rust("#[derive(Debug)]\nstruct A;"),
        );
        check("SELECT 1", Cell::Rust("SELECT 1"));
        check("foo()?", Cell::Rust("foo()?"));
        check("let a = b?;\nfoo?", Cell::Rust("let a = b?;\nfoo?"));
    }

    #[test]
    fn lines_of_magics() {
        let status = Line::Magic {
            name: "status",
            args: "counts",
        };
        check("%status counts", Cell::Lines(vec![status]));
        check(
            "%status counts\n\n-- and\n  %queries\nstatus?",
            Cell::Lines(vec![
                status,
                Line::Magic {
                    name: "queries",
                    args: "",
                },
                Line::Question("status"),
            ]),
        );
    }

    #[test]
    fn questions() {
        for text in [
            "stream?",
            "%stream?",
            "%%stream?",
            "?stream",
            "stream??",
            " %stream? \n",
        ] {
            check(text, Cell::Lines(vec![Line::Question("stream")]));
        }
    }

    #[test]
    fn mistakes_say_what_to_do() {
        for (text, expected) in [
            ("%%", "needs a name after '%%'"),
            ("%% sql", "needs a name after '%%'"),
            ("%", "needs a name after '%'"),
            (
                "%status a\nSELECT 1",
                "'SELECT 1' stands in a cell of line magics",
            ),
            (
                "%status a\n%%sql\nSELECT 1",
                "'%%sql' must be the first line",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.ename, "UsageError");
            assert!(error.evalue.contains(expected), "{text:?}: {error}");
            assert!(error.hint.is_some(), "{text:?}");
        }
    }
}
