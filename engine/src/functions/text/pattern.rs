//! A regular expression with Java's meaning, and its matches in Java's order.

use fancy_regex::{Captures, Regex};

use super::java_regex::translated;
use crate::error::{Error, Result};

/// A compiled pattern.
pub(super) struct Pattern {
    source: String,
    regex: Regex,
    /// For texts that end with a line end, in front of which `$` stands too.
    exact: Option<Regex>,
}

/// The last pattern, which is mostly that of every row.
#[derive(Default)]
pub(super) struct Compiled(Option<Pattern>);

impl Compiled {
    /// The pattern of a row.
    pub(super) fn get(&mut self, function: &str, source: &str) -> Result<&Pattern> {
        let known = self.0.take().filter(|known| known.source == source);
        let pattern = match known {
            Some(known) => known,
            None => Pattern::new(function, source)?,
        };
        Ok(self.0.insert(pattern))
    }
}

impl Pattern {
    /// Compiles; the function is for the message.
    pub(super) fn new(function: &str, source: &str) -> Result<Self> {
        let compile = |exact| {
            Regex::new(&translated(source, exact)).map_err(|error| {
                Error::runtime(format!("'{source}' is not a regular expression: {error}"))
                    .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
                    .with_hint(format!("correct the pattern of {function}"))
            })
        };
        let exact = match source.contains('$') {
            true => Some(compile(true)?),
            false => None,
        };
        Ok(Self {
            source: source.to_owned(),
            regex: compile(false)?,
            exact,
        })
    }

    fn regex(&self, text: &str) -> &Regex {
        let has_line_end = text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
        self.exact
            .as_ref()
            .filter(|_| has_line_end)
            .unwrap_or(&self.regex)
    }

    /// Whether a part of the text matches.
    pub(super) fn is_match(&self, text: &str) -> Result<bool> {
        self.regex(text)
            .is_match(text)
            .map_err(|error| self.failed(error))
    }

    /// The first match and its groups.
    pub(super) fn first<'t>(&self, text: &'t str) -> Result<Option<Captures<'t, str>>> {
        self.from(text, 0)
    }

    fn from<'t>(&self, text: &'t str, start: usize) -> Result<Option<Captures<'t, str>>> {
        let found = self.regex(text).captures_from_pos(text, start);
        found.map_err(|error| self.failed(error))
    }

    /// All matches, one behind the other; one without characters may stand right behind another.
    pub(super) fn all<'t>(
        &self,
        text: &'t str,
        mut each: impl FnMut(&Captures<'t, str>) -> Result<()>,
    ) -> Result<()> {
        let mut start = 0;
        while let Some(found) = self.from(text, start)? {
            let Some(whole) = found.get(0) else {
                break;
            };
            each(&found)?;
            start = whole.end();
            if whole.start() == whole.end() {
                let Some(next) = text[start..].chars().next() else {
                    break;
                };
                start += next.len_utf8();
            }
        }
        Ok(())
    }

    /// How many groups there are, without the whole.
    pub(super) fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The number of a group with a name.
    pub(super) fn group_of(&self, name: &str) -> Option<usize> {
        self.regex
            .capture_names()
            .position(|known| known == Some(name))
    }

    fn failed(&self, error: fancy_regex::Error) -> Error {
        Error::runtime(format!("'{}' could not be searched: {error}", self.source))
            .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
            .with_hint("a pattern with fewer repetitions within each other is found sooner")
    }
}
