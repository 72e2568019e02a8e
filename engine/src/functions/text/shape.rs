//! Texts made longer, shorter, turned and joined.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringBuilder, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::cut::{between, bytes_between};
use super::rows::too_long;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::{format_value, is_null};

const TEXT: &[&[Takes]] = &[&[Takes::Text]];
const PAD: &[&[Takes]] = &[
    &[Takes::Bytes, Takes::Int],
    &[Takes::Text, Takes::Int, Takes::Text],
    &[Takes::Binary, Takes::Int, Takes::Binary],
];
/// The characters come first, as in TRIM(characters FROM text).
const TRIM: &[&[Takes]] = &[&[Takes::Text], &[Takes::Text, Takes::Text]];

pub(super) const SHAPE: &[Scalar] = &[
    Scalar {
        name: "lpad",
        forms: PAD,
        returns: Returns::Like(0),
        call: |call| pad(call, true),
        doc: "A text or binary filled up on the left to a length, or cut to it.",
        example: "SELECT lpad('7', 3, '0')",
        ..SCALAR
    },
    Scalar {
        name: "rpad",
        forms: PAD,
        returns: Returns::Like(0),
        call: |call| pad(call, false),
        doc: "A text or binary filled up on the right to a length, or cut to it.",
        example: "SELECT rpad('ebb', 5, '.')",
        ..SCALAR
    },
    Scalar {
        name: "repeat",
        forms: &[&[Takes::Text, Takes::Int]],
        call: |call| call.strings(|row| repeated(call.str(0, row)?, call.int(1, row)?).map(Some)),
        doc: "A text so many times.",
        example: "SELECT repeat('tick ', 2)",
        ..SCALAR
    },
    Scalar {
        name: "space",
        forms: &[&[Takes::Int]],
        call: |call| call.strings(|row| repeated(" ", call.int(0, row)?).map(Some)),
        doc: "So many spaces.",
        example: "SELECT concat('a', space(2), 'b')",
        ..SCALAR
    },
    Scalar {
        name: "trim",
        forms: TRIM,
        call: |call| trim(call, call.len() - 1, 0, true, true),
        doc: "A text without spaces at both ends, or without the characters that come first.",
        example: "SELECT trim('-', '--tide--')",
        ..SCALAR
    },
    Scalar {
        name: "btrim",
        forms: TRIM,
        call: |call| trim(call, 0, 1, true, true),
        doc: "A text without spaces at both ends, or without other characters.",
        example: "SELECT btrim('--tide--', '-')",
        ..SCALAR
    },
    Scalar {
        name: "ltrim",
        forms: TRIM,
        call: |call| trim(call, call.len() - 1, 0, true, false),
        doc: "A text without spaces in front, or without the characters that come first.",
        example: "SELECT ltrim('-', '--tide--')",
        ..SCALAR
    },
    Scalar {
        name: "rtrim",
        forms: TRIM,
        call: |call| trim(call, call.len() - 1, 0, false, true),
        doc: "A text without spaces at its end, or without the characters that come first.",
        example: "SELECT rtrim('-', '--tide--')",
        ..SCALAR
    },
    Scalar {
        name: "replace",
        forms: &[
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Text],
        ],
        call: |call| {
            call.strings(|row| {
                let (text, searched) = (call.str(0, row)?, call.str(1, row)?);
                Ok(Some(match searched {
                    "" => text.to_owned(),
                    _ => text.replace(searched, call.str_or(2, row, "")?),
                }))
            })
        },
        doc: "A text in which one part is replaced by another everywhere.",
        example: "SELECT replace('low tide', 'low', 'high')",
        ..SCALAR
    },
    Scalar {
        name: "translate",
        forms: &[&[Takes::Text, Takes::Text, Takes::Text]],
        call: |call| {
            call.strings(|row| {
                let (from, to) = (call.str(1, row)?, call.str(2, row)?);
                let other = |c: char| match from.chars().position(|given| given == c) {
                    Some(place) => to.chars().nth(place),
                    None => Some(c),
                };
                Ok(Some(
                    call.str(0, row)?
                        .chars()
                        .filter_map(other)
                        .collect::<String>(),
                ))
            })
        },
        doc: "A text in which each of some characters is replaced by the one at its place in a \
              second list, or left out if there is none.",
        example: "SELECT translate('2024-02-29', '-', '/')",
        ..SCALAR
    },
    Scalar {
        name: "lower",
        aliases: &["lcase"],
        forms: TEXT,
        call: |call| call.strings(|row| Ok(Some(call.str(0, row)?.to_lowercase()))),
        doc: "A text in small letters.",
        example: "SELECT lower('Tide')",
        ..SCALAR
    },
    Scalar {
        name: "upper",
        aliases: &["ucase"],
        forms: TEXT,
        call: |call| call.strings(|row| Ok(Some(call.str(0, row)?.to_uppercase()))),
        doc: "A text in capital letters.",
        example: "SELECT upper('Tide')",
        ..SCALAR
    },
    Scalar {
        name: "initcap",
        forms: TEXT,
        call: |call| call.strings(|row| Ok(Some(initcap(call.str(0, row)?)))),
        doc: "A text with a capital letter at the beginning of each word.",
        example: "SELECT initcap('low TIDE')",
        ..SCALAR
    },
    Scalar {
        name: "reverse",
        forms: &[&[Takes::Bytes], &[Takes::Array]],
        returns: Returns::Like(0),
        call: |call| match call.argument(0)?.data_type() {
            DataType::List(_) => reversed(call.argument(0)?.as_list()),
            DataType::Binary => call.binaries(|row| {
                Ok(Some(
                    call.bytes(0, row)?
                        .iter()
                        .rev()
                        .copied()
                        .collect::<Vec<u8>>(),
                ))
            }),
            _ => call.strings(|row| Ok(Some(call.str(0, row)?.chars().rev().collect::<String>()))),
        },
        doc: "A text, a binary or an array from its end to its beginning.",
        example: "SELECT reverse('tide')",
        ..SCALAR
    },
    Scalar {
        name: "quote",
        forms: TEXT,
        call: |call| {
            call.strings(|row| {
                Ok(Some(format!(
                    "'{}'",
                    call.str(0, row)?.replace('\'', "\\'")
                )))
            })
        },
        doc: "A text in single quotes, with a backslash in front of those in it.",
        example: "SELECT quote('ebb')",
        ..SCALAR
    },
    Scalar {
        name: "concat_ws",
        forms: &[&[Takes::Text, Takes::Rest(&Takes::Any)]],
        call: concat_ws,
        doc: "Texts and arrays of texts joined with a separator, without those that are NULL.",
        example: "SELECT concat_ws('-', 'ebb', NULL, 'flood')",
        ..SCALAR
    },
    Scalar {
        name: "elt",
        forms: &[
            &[Takes::Int, Takes::Text, Takes::Rest(&Takes::Text)],
            &[Takes::Int, Takes::Binary, Takes::Rest(&Takes::Binary)],
        ],
        returns: Returns::Like(1),
        call: elt,
        doc: "The n-th of the values that follow, counted from 1.",
        example: "SELECT elt(2, 'ebb', 'flood')",
        ..SCALAR
    },
];

/// So many characters of a text over and over.
fn filling(unit: &str, count: i64) -> String {
    unit.chars()
        .cycle()
        .take(usize::try_from(count).unwrap_or(0))
        .collect()
}

fn pad(call: &Call<'_>, is_left: bool) -> Result<ArrayRef> {
    let has_unit = call.len() == 3;
    if call.is_binary(0)? {
        return call.binaries(|row| {
            let (bytes, length) = (call.bytes(0, row)?, i64::from(call.int(1, row)?));
            let unit = if has_unit { call.bytes(2, row)? } else { &[0] };
            let missing = usize::try_from(length - bytes.len() as i64).unwrap_or(0);
            let filling: Vec<u8> = unit.iter().copied().cycle().take(missing).collect();
            let bytes = bytes_between(bytes, (0, length));
            Ok(Some(match is_left {
                true => [&filling, bytes].concat(),
                false => [bytes, &filling].concat(),
            }))
        });
    }
    call.strings(|row| {
        let (text, length) = (call.str(0, row)?, i64::from(call.int(1, row)?));
        let filling = filling(
            call.str_or(2, row, " ")?,
            length - text.chars().count() as i64,
        );
        let text = between(text, (0, length));
        Ok(Some(match is_left {
            true => filling + text,
            false => text.to_owned() + &filling,
        }))
    })
}

fn repeated(text: &str, times: i32) -> Result<String> {
    let times = usize::try_from(times).unwrap_or(0);
    match text.len().saturating_mul(times) <= i32::MAX as usize {
        true => Ok(text.repeat(times)),
        false => Err(too_long()),
    }
}

fn trim(
    call: &Call<'_>,
    text: usize,
    characters: usize,
    in_front: bool,
    at_end: bool,
) -> Result<ArrayRef> {
    call.strings(|row| {
        let unwanted = if call.len() == 2 {
            call.str(characters, row)?
        } else {
            " "
        };
        let mut text = call.str(text, row)?;
        if in_front {
            text = text.trim_start_matches(|c| unwanted.contains(c));
        }
        if at_end {
            text = text.trim_end_matches(|c| unwanted.contains(c));
        }
        Ok(Some(text))
    })
}

fn initcap(text: &str) -> String {
    let mut is_first = true;
    let mut words = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        if is_first {
            // One letter may be two in capitals, of which only the first stays one.
            let mut capitals = c.to_uppercase();
            words.extend(capitals.next());
            words.extend(capitals.flat_map(char::to_lowercase));
        } else {
            words.push(c);
        }
        is_first = c == ' ';
    }
    words
}

fn reversed(lists: &ListArray) -> Result<ArrayRef> {
    let (offsets, nulls) = (lists.offsets(), lists.nulls().cloned());
    let rows = offsets.array_windows();
    let places = rows.flat_map(|[start, end]| (*start..*end).rev());
    let places = UInt32Array::from_iter_values(places.map(|place| place as u32));
    let values = take(lists.values(), &places, None);
    let values = values.map_err(|error| from_datafusion(error.into()))?;
    let DataType::List(item) = lists.data_type() else {
        return Err(Error::internal("a list has no item"));
    };
    let lengths = offsets.lengths();
    let offsets = arrow::buffer::OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::new(
        Arc::clone(item),
        offsets,
        values,
        nulls,
    )))
}

fn concat_ws(call: &Call<'_>) -> Result<ArrayRef> {
    let mut joined = StringBuilder::new();
    for row in 0..call.rows {
        if call.text(0)?.is_null(row) {
            joined.append_null();
            continue;
        }
        let mut parts = Vec::new();
        let values = call.arguments.iter().skip(1);
        for values in values.filter(|values| !is_null(values, row)) {
            match values.as_list_opt::<i32>() {
                Some(lists) => texts_of(&lists.value(row), &mut parts),
                None => parts.push(format_value(values, row)),
            }
        }
        joined.append_value(parts.join(call.str(0, row)?));
    }
    Ok(Arc::new(joined.finish()))
}

fn texts_of(values: &dyn Array, texts: &mut Vec<String>) {
    let valid = (0..values.len()).filter(|row| !is_null(values, *row));
    texts.extend(valid.map(|row| format_value(values, row)));
}

fn elt(call: &Call<'_>) -> Result<ArrayRef> {
    let chosen = |row: usize| {
        let numbers = call.argument(0)?;
        if numbers.is_null(row) {
            return Ok(None);
        }
        let number = call.int(0, row)?;
        let index = usize::try_from(number)
            .ok()
            .filter(|index| (1..call.len()).contains(index));
        let index = index.ok_or_else(|| {
            Error::runtime(format!(
                "there is no value {number} among {}",
                call.len() - 1
            ))
            .with_condition("INVALID_ARRAY_INDEX")
            .with_hint("count the values from 1")
        })?;
        Ok(call.argument(index)?.is_valid(row).then_some(index))
    };
    let chosen = (0..call.rows)
        .map(chosen)
        .collect::<Result<Vec<Option<usize>>>>()?;
    let mut values = arrow::array::BinaryBuilder::new();
    for (row, index) in chosen.into_iter().enumerate() {
        values.append_option(index.map(|index| call.bytes(index, row)).transpose()?);
    }
    let values: ArrayRef = Arc::new(values.finish());
    let values = arrow::compute::cast(&values, call.returns);
    values.map_err(|error| from_datafusion(error.into()))
}
