//! Parts of texts and binaries, by position and by what stands between them.

use arrow::array::ArrayRef;
use memchr::memmem::{find, rfind};

use super::search::byte_of;
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

pub(super) const CUT: &[Scalar] = &[
    Scalar {
        name: "substring",
        aliases: &["substr"],
        forms: &[
            &[Takes::Bytes, Takes::Int],
            &[Takes::Bytes, Takes::Int, Takes::Int],
        ],
        returns: Returns::Like(0),
        call: |call| {
            cut(call, |row, count| {
                let length = call.int_or(2, row, i32::MAX)?;
                Ok(from_to(call.int(1, row)?, length, count))
            })
        },
        doc: "The part of a text or binary from a position on, counted from 1 or from the end if \
              negative, of at most a length.",
        example: "SELECT substring('low tide', -4, 2)",
        ..SCALAR
    },
    Scalar {
        name: "left",
        forms: &[&[Takes::Bytes, Takes::Int]],
        returns: Returns::Like(0),
        call: |call| cut(call, |row, _| Ok((0, i64::from(call.int(1, row)?)))),
        doc: "The first characters of a text or binary.",
        example: "SELECT left('tide', 2)",
        ..SCALAR
    },
    Scalar {
        name: "right",
        forms: &[&[Takes::Text, Takes::Int]],
        returns: Returns::Text,
        call: |call| {
            cut(call, |row, count| {
                Ok((count - i64::from(call.int(1, row)?), count))
            })
        },
        doc: "The last characters of a text.",
        example: "SELECT right('tide', 2)",
        ..SCALAR
    },
    Scalar {
        name: "split_part",
        forms: &[&[Takes::Text, Takes::Text, Takes::Int]],
        returns: Returns::Text,
        call: |call| {
            call.strings(|row| {
                let (text, delimiter) = (call.str(0, row)?, call.str(1, row)?);
                part(text, delimiter, call.int(2, row)?).map(Some)
            })
        },
        doc: "The n-th of the parts between delimiters, from the end if n is negative; empty if there \
              are not so many.",
        example: "SELECT split_part('ebb;flood;slack', ';', -1)",
        ..SCALAR
    },
    Scalar {
        name: "substring_index",
        forms: &[&[Takes::Text, Takes::Text, Takes::Int]],
        returns: Returns::Text,
        call: |call| {
            call.strings(|row| {
                let (text, delimiter) = (call.str(0, row)?, call.str(1, row)?);
                Ok(Some(up_to(text, delimiter, call.int(2, row)?)))
            })
        },
        doc: "What stands in front of the n-th delimiter, or behind the n-th from the end if n is \
              negative.",
        example: "SELECT substring_index('a/b/c', '/', 2)",
        ..SCALAR
    },
    Scalar {
        name: "overlay",
        forms: &[
            &[Takes::Text, Takes::Text, Takes::Int],
            &[Takes::Text, Takes::Text, Takes::Int, Takes::Int],
            &[Takes::Binary, Takes::Binary, Takes::Int],
            &[Takes::Binary, Takes::Binary, Takes::Int, Takes::Int],
        ],
        returns: Returns::Like(0),
        call: overlay,
        doc: "A text or binary in which another stands in the place of a part.",
        example: "SELECT overlay('low tide', 'high', 1, 3)",
        ..SCALAR
    },
];

/// The parts from and up to a position, counted from 0.
fn cut(call: &Call<'_>, bounds: impl Fn(usize, i64) -> Result<(i64, i64)>) -> Result<ArrayRef> {
    if call.is_binary(0)? {
        return call.binaries(|row| {
            let bytes = call.bytes(0, row)?;
            Ok(Some(bytes_between(bytes, bounds(row, bytes.len() as i64)?)))
        });
    }
    call.strings(|row| {
        let text = call.str(0, row)?;
        Ok(Some(between(
            text,
            bounds(row, text.chars().count() as i64)?,
        )))
    })
}

/// The positions that SQL's position and length stand for.
fn from_to(position: i32, length: i32, count: i64) -> (i64, i64) {
    let start = match i64::from(position) {
        0 => 0,
        position @ 1.. => position - 1,
        position => count + position,
    };
    (start, start + i64::from(length))
}

/// The characters between two positions; what lies outside of the text is left out.
pub(super) fn between(text: &str, (start, end): (i64, i64)) -> &str {
    let byte = |position: i64| {
        let position = usize::try_from(position).unwrap_or(0);
        match text.is_ascii() {
            true => position.min(text.len()),
            false => byte_of(text, position).unwrap_or(text.len()),
        }
    };
    let start = byte(start);
    &text[start..byte(end).max(start)]
}

/// The same of bytes.
pub(super) fn bytes_between(bytes: &[u8], (start, end): (i64, i64)) -> &[u8] {
    let byte = |position: i64| usize::try_from(position).unwrap_or(0).min(bytes.len());
    let start = byte(start);
    // Nothing is between a start and an end in front of it.
    bytes.get(start..byte(end)).unwrap_or_default()
}

fn part<'a>(text: &'a str, delimiter: &str, number: i32) -> Result<&'a str> {
    let index = number.unsigned_abs() as usize;
    let Some(index) = index.checked_sub(1) else {
        return Err(Error::runtime("split_part was asked for part 0")
            .with_condition("INVALID_INDEX_OF_ZERO")
            .with_hint("count parts from 1, or from the end with -1"));
    };
    let part = match delimiter {
        "" => (index == 0).then_some(text),
        _ if number > 0 => text.split(delimiter).nth(index),
        _ => {
            let parts: Vec<&str> = text.split(delimiter).collect();
            parts.iter().rev().nth(index).copied()
        }
    };
    Ok(part.unwrap_or(""))
}

fn up_to<'a>(text: &'a str, delimiter: &str, count: i32) -> &'a str {
    let (bytes, searched) = (text.as_bytes(), delimiter.as_bytes());
    if searched.is_empty() || count == 0 {
        return "";
    }
    let mut at = None;
    for _ in 0..count.unsigned_abs() {
        let next = match count > 0 {
            true => {
                let start = at.map_or(0, |at: usize| at + 1);
                let rest = bytes.get(start..);
                rest.and_then(|rest| Some(start + find(rest, searched)?))
            }
            // What begins in front of the last one may overlap with it.
            false => {
                let end = at.map_or(bytes.len(), |at: usize| at + searched.len() - 1);
                bytes.get(..end).and_then(|rest| rfind(rest, searched))
            }
        };
        match next {
            Some(next) => at = Some(next),
            None => return text,
        }
    }
    match at {
        Some(at) if count > 0 => &text[..at],
        Some(at) => &text[at + searched.len()..],
        None => text,
    }
}

fn overlay(call: &Call<'_>) -> Result<ArrayRef> {
    let parts = |row: usize, given: usize, count: usize| -> Result<_> {
        let position = call.int(2, row)?;
        let length = match call.int_or(3, row, -1)? {
            length @ 0.. => length,
            _ => given as i32,
        };
        let head = from_to(1, position.saturating_sub(1), count as i64);
        let rest = position.saturating_add(length);
        Ok((head, from_to(rest, i32::MAX, count as i64)))
    };
    if call.is_binary(0)? {
        return call.binaries(|row| {
            let (bytes, given) = (call.bytes(0, row)?, call.bytes(1, row)?);
            let (head, rest) = parts(row, given.len(), bytes.len())?;
            let (head, rest) = (bytes_between(bytes, head), bytes_between(bytes, rest));
            Ok(Some([head, given, rest].concat()))
        });
    }
    call.strings(|row| {
        let (text, given) = (call.str(0, row)?, call.str(1, row)?);
        let (head, rest) = parts(row, given.chars().count(), text.chars().count())?;
        Ok(Some(
            [between(text, head), given, between(text, rest)].concat(),
        ))
    })
}
