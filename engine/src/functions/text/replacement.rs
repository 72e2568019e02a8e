//! What replaces a match: text in which `$1` and `${name}` are groups, and `\` takes a sign as it is.

use fancy_regex::Captures;

use super::pattern::Pattern;
use crate::error::{Error, Result};

/// A replacement for the matches of one pattern.
pub(super) struct Replacement(Vec<Piece>);

enum Piece {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement.
    pub(super) fn new(text: &str, pattern: &Pattern) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let group = match c {
                '\\' => {
                    plain.push(rest.next().ok_or_else(|| wrong(text))?);
                    continue;
                }
                '$' if rest.next_if_eq(&'{').is_some() => {
                    let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    pattern.group_of(&name)
                }
                '$' => {
                    let digit = rest.next().and_then(|c| c.to_digit(10));
                    let mut group = digit.filter(|group| *group as usize <= pattern.groups());
                    // As many digits as there is a group for.
                    while let (Some(number), Some(next)) = (group, rest.peek()) {
                        let more = next.to_digit(10).map(|digit| number * 10 + digit);
                        let Some(more) = more.filter(|more| *more as usize <= pattern.groups())
                        else {
                            break;
                        };
                        group = Some(more);
                        rest.next();
                    }
                    group.map(|group| group as usize)
                }
                other => {
                    plain.push(other);
                    continue;
                }
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Group(group.ok_or_else(|| wrong(text))?));
        }
        pieces.push(Piece::Text(plain));
        Ok(Self(pieces))
    }

    /// Writes it for one match.
    pub(super) fn write(&self, found: &Captures<'_, str>, text: &mut String) {
        for piece in &self.0 {
            text.push_str(match piece {
                Piece::Text(plain) => plain,
                Piece::Group(group) => found.get(*group).map_or("", |group| group.as_str()),
            });
        }
    }
}

fn wrong(text: &str) -> Error {
    Error::runtime(format!("'{text}' names a group that is not there"))
        .with_condition("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX")
        .with_hint("write \\$ for the sign itself")
}
