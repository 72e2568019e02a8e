//! Functions of regular expressions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Int32Type};

use super::cut::between;
use super::pattern::{Compiled, Pattern};
use super::replacement::Replacement;
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

const TWO: &[&[Takes]] = &[&[Takes::Text, Takes::Text]];
const WITH_NUMBER: &[&[Takes]] = &[
    &[Takes::Text, Takes::Text],
    &[Takes::Text, Takes::Text, Takes::Int],
];
const TEXTS: Returns = Returns::By(|_| Ok(list_of(DataType::Utf8)));

pub(super) const REGEXES: &[Scalar] = &[
    Scalar {
        name: "rlike",
        aliases: &["regexp", "regexp_like"],
        forms: TWO,
        returns: Returns::Boolean,
        call: |call| {
            let mut compiled = Compiled::default();
            call.truths(|row| {
                pattern(&mut compiled, call, row)?
                    .is_match(call.str(0, row)?)
                    .map(Some)
            })
        },
        doc: "Whether a part of a text matches a regular expression.",
        example: "SELECT rlike('tide 7', '[0-9]')",
        ..SCALAR
    },
    Scalar {
        name: "regexp_count",
        forms: TWO,
        returns: Returns::Int,
        call: |call| {
            let mut compiled = Compiled::default();
            call.numbers::<Int32Type>(|row| {
                let mut count = 0;
                pattern(&mut compiled, call, row)?.all(call.str(0, row)?, |_| {
                    count += 1;
                    Ok(())
                })?;
                Ok(Some(count))
            })
        },
        doc: "How many parts of a text match a regular expression.",
        example: "SELECT regexp_count('ebb 1, ebb 2', 'ebb')",
        ..SCALAR
    },
    Scalar {
        name: "regexp_extract",
        forms: WITH_NUMBER,
        call: |call| {
            let mut compiled = Compiled::default();
            call.strings(|row| extract(pattern(&mut compiled, call, row)?, call, row).map(Some))
        },
        doc: "A group, the first if none is named, of the first part of a text that matches a regular \
              expression; 0 is the whole part.",
        example: "SELECT regexp_extract('port=7', '([a-z]+)=([0-9]+)', 2)",
        ..SCALAR
    },
    Scalar {
        name: "regexp_extract_all",
        forms: WITH_NUMBER,
        returns: TEXTS,
        call: |call| {
            let mut compiled = Compiled::default();
            lists(call, |row, parts| {
                let pattern = pattern(&mut compiled, call, row)?;
                pattern.all(call.str(0, row)?, |found| {
                    let group = group(pattern, call, row)?;
                    parts.append_value(found.get(group).map_or("", |group| group.as_str()));
                    Ok(())
                })
            })
        },
        doc: "A group, the first if none is named, of each part of a text that matches a regular \
              expression.",
        example: "SELECT regexp_extract_all('a=1, b=2', '([a-z])=([0-9])', 2)",
        ..SCALAR
    },
    Scalar {
        name: "regexp_instr",
        forms: WITH_NUMBER,
        returns: Returns::Int,
        call: |call| {
            let mut compiled = Compiled::default();
            call.numbers::<Int32Type>(|row| {
                let text = call.str(0, row)?;
                let found = pattern(&mut compiled, call, row)?.first(text)?;
                let start = found
                    .as_ref()
                    .and_then(|found| found.get(0))
                    .map(|whole| whole.start());
                let position = |start: usize| text[..start].encode_utf16().count() as i32 + 1;
                Ok(Some(start.map_or(0, position)))
            })
        },
        doc: "Where in a text a part matches a regular expression, counted from 1; 0 if none does.",
        example: "SELECT regexp_instr('tide 7', '[0-9]')",
        ..SCALAR
    },
    Scalar {
        name: "regexp_substr",
        forms: TWO,
        call: |call| {
            let mut compiled = Compiled::default();
            call.strings(|row| {
                let found = pattern(&mut compiled, call, row)?.first(call.str(0, row)?)?;
                let whole = found.as_ref().and_then(|found| found.get(0));
                Ok(whole
                    .map(|whole| whole.as_str())
                    .filter(|whole| !whole.is_empty()))
            })
        },
        doc: "The first part of a text that matches a regular expression, NULL if none does.",
        example: "SELECT regexp_substr('tide 7', '[0-9]')",
        ..SCALAR
    },
    Scalar {
        name: "regexp_replace",
        forms: &[
            &[Takes::Text, Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Text, Takes::Int],
        ],
        call: replace,
        doc: "A text in which each part that matches a regular expression is replaced, from a position \
              on; $1 is the first group.",
        example: "SELECT regexp_replace('2024-02', '([0-9]+)-([0-9]+)', '$2/$1')",
        ..SCALAR
    },
    Scalar {
        name: "split",
        forms: WITH_NUMBER,
        returns: TEXTS,
        call: |call| {
            let mut compiled = Compiled::default();
            lists(call, |row, parts| {
                let (text, limit) = (call.str(0, row)?, call.int_or(2, row, -1)?);
                match call.str(1, row)? {
                    "" if !text.is_empty() => characters(text, limit, parts),
                    _ => split(pattern(&mut compiled, call, row)?, text, limit, parts)?,
                }
                Ok(())
            })
        },
        doc: "The parts of a text between those that match a regular expression, at most as many as a \
              limit if it is positive.",
        example: "SELECT split('ebb; flood', '; *')",
        ..SCALAR
    },
];

fn pattern<'c>(compiled: &'c mut Compiled, call: &Call<'_>, row: usize) -> Result<&'c Pattern> {
    compiled.get(call.name, call.str(1, row)?)
}

/// Lists of texts.
fn lists(
    call: &Call<'_>,
    mut fill: impl FnMut(usize, &mut StringBuilder) -> Result<()>,
) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..call.rows {
        let is_complete = call.arguments.iter().all(|argument| argument.is_valid(row));
        if is_complete {
            fill(row, lists.values())?;
        }
        lists.append(is_complete);
    }
    Ok(Arc::new(lists.finish()))
}

/// The number of the group that is asked for, if there is one.
fn group(pattern: &Pattern, call: &Call<'_>, row: usize) -> Result<usize> {
    let (groups, asked) = (pattern.groups(), call.int_or(2, row, 1)?);
    usize::try_from(asked)
        .ok()
        .filter(|group| *group <= groups)
        .ok_or_else(|| {
            Error::runtime(format!(
                "the pattern has {groups} groups, there is no group {asked}"
            ))
            .with_condition("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX")
            .with_hint(format!(
                "name a group from 0 to {groups}; 0 is the whole match"
            ))
        })
}

fn extract<'t>(pattern: &Pattern, call: &'t Call<'_>, row: usize) -> Result<&'t str> {
    let Some(found) = pattern.first(call.str(0, row)?)? else {
        return Ok("");
    };
    let group = group(pattern, call, row)?;
    Ok(found.get(group).map_or("", |group| group.as_str()))
}

fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let mut compiled = Compiled::default();
    // The last pattern and replacement, which are mostly those of every row.
    let mut known: Option<(&str, &str, Replacement)> = None;
    call.strings(|row| {
        let (text, source, to) = (call.str(0, row)?, call.str(1, row)?, call.str(2, row)?);
        let start = i64::from(call.int_or(3, row, 1)?) - 1;
        if start < 0 {
            return Err(
                Error::analysis(format!("{} cannot begin at {}", call.name, start + 1))
                    .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
                    .with_hint("count positions from 1"),
            );
        }
        let rest = between(text, (start, i64::MAX));
        let pattern = pattern(&mut compiled, call, row)?;
        let is_known = known
            .as_ref()
            .is_some_and(|(a, b, _)| (*a, *b) == (source, to));
        if !is_known {
            known = Some((source, to, Replacement::new(to, pattern)?));
        }
        let mut replaced = text[..text.len() - rest.len()].to_owned();
        let mut end = 0;
        if start == 0 || !rest.is_empty() {
            pattern.all(rest, |found| {
                if let (Some(whole), Some((_, _, replacement))) = (found.get(0), &known) {
                    replaced.push_str(&rest[end..whole.start()]);
                    replacement.write(found, &mut replaced);
                    end = whole.end();
                }
                Ok(())
            })?;
        }
        replaced.push_str(&rest[end..]);
        Ok(Some(replaced))
    })
}

/// One part for each character, the last with all that is left.
fn characters(text: &str, limit: i32, parts: &mut StringBuilder) {
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let mut rest = text;
    let mut count = 1;
    while let Some(first) = rest
        .chars()
        .next()
        .filter(|first| first.len_utf8() < rest.len())
    {
        if count == limit {
            break;
        }
        let (first, more) = rest.split_at(first.len_utf8());
        parts.append_value(first);
        (rest, count) = (more, count + 1);
    }
    parts.append_value(rest);
}

fn split(pattern: &Pattern, text: &str, limit: i32, parts: &mut StringBuilder) -> Result<()> {
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let (mut end, mut count) = (0, 1);
    pattern.all(text, |found| {
        let Some(whole) = found.get(0).filter(|_| count < limit) else {
            return Ok(());
        };
        // A match without characters does not cut something empty off the front.
        if whole.end() > 0 {
            parts.append_value(&text[end..whole.start()]);
            (end, count) = (whole.end(), count + 1);
        }
        Ok(())
    })?;
    parts.append_value(&text[end..]);
    Ok(())
}
