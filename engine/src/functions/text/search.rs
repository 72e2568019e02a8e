//! Where in a text something is, and how near two texts are.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Float64Type, Int32Type};
use memchr::memmem::{find, find_iter};

use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

/// Two texts or two binaries.
const TWO: &[&[Takes]] = &[&[Takes::Text, Takes::Text], &[Takes::Binary, Takes::Binary]];
const TWO_TEXTS: &[&[Takes]] = &[&[Takes::Text, Takes::Text]];

pub(super) const SEARCH: &[Scalar] = &[
    Scalar {
        name: "ascii",
        forms: &[&[Takes::Text]],
        returns: Returns::Int,
        call: |call| {
            call.numbers::<Int32Type>(|row| {
                Ok(Some(
                    call.str(0, row)?
                        .chars()
                        .next()
                        .map_or(0, |first| first as i32),
                ))
            })
        },
        doc: "The number of the first character of a text, 0 for an empty text.",
        example: "SELECT ascii('Tide')",
        ..SCALAR
    },
    Scalar {
        name: "contains",
        forms: TWO,
        returns: Returns::Boolean,
        call: |call| compared(call, |text, part| find(text, part).is_some()),
        doc: "Whether a text or binary holds another.",
        example: "SELECT contains('low tide', 'tide')",
        ..SCALAR
    },
    Scalar {
        name: "startswith",
        forms: TWO,
        returns: Returns::Boolean,
        call: |call| compared(call, |text, part| text.starts_with(part)),
        doc: "Whether a text or binary begins with another.",
        example: "SELECT startswith('low tide', 'low')",
        ..SCALAR
    },
    Scalar {
        name: "endswith",
        forms: TWO,
        returns: Returns::Boolean,
        call: |call| compared(call, |text, part| text.ends_with(part)),
        doc: "Whether a text or binary ends with another.",
        example: "SELECT endswith('low tide', 'tide')",
        ..SCALAR
    },
    Scalar {
        name: "instr",
        forms: &[
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Int],
            &[Takes::Text, Takes::Text, Takes::Int, Takes::Int],
        ],
        returns: Returns::Int,
        call: |call| {
            call.numbers::<Int32Type>(|row| {
                let (start, nth) = (call.int_or(2, row, 1)?, call.int_or(3, row, 1)?);
                instr(call.str(0, row)?, call.str(1, row)?, start, nth).map(Some)
            })
        },
        doc: "The position, counted from 1, at which a text holds another for the n-th time, searched \
              from a start on, backwards from a negative one; 0 if it does not.",
        example: "SELECT instr('low tide, high tide', 'tide', 1, 2)",
        ..SCALAR
    },
    Scalar {
        name: "locate",
        aliases: &["position"],
        forms: &[
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Int],
        ],
        returns: Returns::Int,
        call: locate,
        doc: "The position, counted from 1, of the first text in the second, from a position on; 0 if \
              it is not there.",
        example: "SELECT locate('tide', 'low tide, high tide', 6)",
        ..SCALAR
    },
    Scalar {
        name: "find_in_set",
        forms: TWO_TEXTS,
        returns: Returns::Int,
        call: |call| {
            call.numbers::<Int32Type>(|row| {
                let (word, list) = (call.str(0, row)?, call.str(1, row)?);
                let place = list.split(',').position(|item| item == word);
                Ok(Some(place.map_or(0, |place| place as i32 + 1)))
            })
        },
        doc: "The place of a word in a list with commas, counted from 1; 0 if it is not there.",
        example: "SELECT find_in_set('ebb', 'flood,ebb,slack')",
        ..SCALAR
    },
    Scalar {
        name: "levenshtein",
        forms: &[
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Int],
        ],
        returns: Returns::Int,
        call: |call| {
            call.numbers::<Int32Type>(|row| {
                let distance = strsim::levenshtein(call.str(0, row)?, call.str(1, row)?) as i32;
                let is_near = distance <= call.int_or(2, row, i32::MAX)?;
                Ok(Some(if is_near { distance } else { -1 }))
            })
        },
        doc: "How many characters must be put in, taken out or changed to make one text the other; -1 \
              if more than a limit.",
        example: "SELECT levenshtein('tide', 'tidal')",
        ..SCALAR
    },
    Scalar {
        name: "jaro_winkler_similarity",
        forms: TWO_TEXTS,
        returns: Returns::Double,
        call: |call| {
            call.numbers::<Float64Type>(|row| {
                Ok(Some(strsim::jaro_winkler(
                    call.str(0, row)?,
                    call.str(1, row)?,
                )))
            })
        },
        doc: "How alike two texts are by Jaro and Winkler, from 0 to 1.",
        example: "SELECT jaro_winkler_similarity('tide', 'tidal')",
        ..SCALAR
    },
];

fn compared(call: &Call<'_>, test: impl Fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    call.truths(|row| Ok(Some(test(call.bytes(0, row)?, call.bytes(1, row)?))))
}

/// Characters in front of a byte, and one.
fn position(text: &str, byte: usize) -> i32 {
    text[..byte].chars().count() as i32 + 1
}

/// The byte at which so many characters end, if there are so many.
pub(super) fn byte_of(text: &str, characters: usize) -> Option<usize> {
    let starts = text.char_indices().map(|(byte, _)| byte);
    starts.chain([text.len()]).nth(characters)
}

fn instr(text: &str, part: &str, start: i32, nth: i32) -> Result<i32> {
    let Some(nth) = usize::try_from(nth).ok().and_then(|nth| nth.checked_sub(1)) else {
        return Err(
            Error::runtime(format!("instr was asked for occurrence {nth}"))
                .with_condition("INVALID_PARAMETER_VALUE.OCCURRENCE")
                .with_hint("count occurrences from 1"),
        );
    };
    let distance = start.unsigned_abs() as usize;
    let starts = text.char_indices().map(|(byte, _)| byte);
    let is_at = |byte: &usize| text[*byte..].starts_with(part);
    let found = match start {
        0 => None,
        // Nothing at all is at the beginning.
        _ if part.is_empty() => Some(0),
        1 if nth == 0 => find(text.as_bytes(), part.as_bytes()),
        1.. => starts.skip(distance - 1).filter(is_at).nth(nth),
        _ => starts.rev().skip(distance - 1).filter(is_at).nth(nth),
    };
    Ok(found.map_or(0, |byte| position(text, byte)))
}

fn locate(call: &Call<'_>) -> Result<ArrayRef> {
    // A position that is NULL is none at all.
    let positions = call.arguments.get(2);
    let positions = positions.map(|positions| positions.as_primitive::<Int32Type>());
    let (parts, texts) = (call.text(0)?, call.text(1)?);
    let rows = (0..call.rows).map(|row| {
        if parts.is_null(row) || texts.is_null(row) {
            return None;
        }
        if positions.is_some_and(|positions| positions.is_null(row)) {
            return Some(0);
        }
        let from = positions.map_or(1, |positions| positions.value(row));
        Some(located(parts.value(row), texts.value(row), from))
    });
    Ok(std::sync::Arc::new(
        rows.collect::<arrow::array::Int32Array>(),
    ))
}

fn located(part: &str, text: &str, from: i32) -> i32 {
    let Some(skipped) = usize::try_from(from)
        .ok()
        .and_then(|from| from.checked_sub(1))
    else {
        return 0;
    };
    if part.is_empty() {
        return 1;
    }
    let Some(start) = byte_of(text, skipped) else {
        return 0;
    };
    let rest = text.as_bytes().get(start..);
    let found = rest.and_then(|rest| find_iter(rest, part).next());
    found.map_or(0, |byte| position(text, start + byte))
}
