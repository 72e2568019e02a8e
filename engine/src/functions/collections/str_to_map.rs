//! `str_to_map(text[, pairDelim[, keyValueDelim]])`; delimiters are patterns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, StringBuilder};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use regex::Regex;

use super::lists::map_array;
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, map_of};

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "str_to_map",
    forms: &[
        &[Takes::Text],
        &[Takes::Text, Takes::Text],
        &[Takes::Text, Takes::Text, Takes::Text],
    ],
    returns: Returns::By(|_| Ok(map_of(DataType::Utf8, DataType::Utf8))),
    call: str_to_map,
    doc: "A map of a text of pairs; pairs end at a comma and keys at a colon, or at what other patterns find.",
    example: "SELECT str_to_map('a=1;b=2', ';', '=')",
    ..SCALAR
}];

fn str_to_map(call: &Call<'_>) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    let (mut keys, mut values) = (StringBuilder::new(), StringBuilder::new());
    let (mut offsets, mut valid) = (vec![0], Vec::with_capacity(call.rows));
    let texts = call.texts();
    for row in 0..call.rows {
        let known = texts.iter().all(|texts| texts.is_valid(row));
        if known {
            let pattern = |argument: usize, default| match texts.get(argument) {
                Some(texts) => texts.value(row),
                None => default,
            };
            let pair_ends = patterns.get(pattern(1, ","))?;
            let key_ends = patterns.get(pattern(2, ":"))?;
            for pair in split(&pair_ends, call.text(0)?.value(row), usize::MAX) {
                let mut parts = split(&key_ends, pair, 2).into_iter();
                keys.append_value(parts.next().unwrap_or_default());
                values.append_option(parts.next());
            }
        }
        offsets.push(keys.len() as i32);
        valid.push(known);
    }
    map_array(
        Arc::new(keys.finish()),
        Arc::new(values.finish()),
        OffsetBuffer::new(offsets.into()),
        NullBuffer::from(valid),
        call.returns,
    )
}

/// The parts of a text between what a pattern finds, as Java splits: a match of nothing at the
/// beginning ends no part.
fn split<'a>(pattern: &Regex, text: &'a str, parts: usize) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut start = 0;
    for end in pattern.find_iter(text) {
        let is_part = end.end() > 0 && (end.start() < text.len() || !end.is_empty());
        if found.len() + 1 < parts && is_part {
            found.push(&text[start..end.start()]);
            start = end.end();
        }
    }
    found.push(&text[start..]);
    found
}

/// Patterns that were compiled once.
#[derive(Default)]
struct Patterns(HashMap<String, Regex>);

impl Patterns {
    fn get(&mut self, text: &str) -> Result<Regex> {
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let pattern = Regex::new(text).map_err(|error| {
            Error::runtime(format!("the pattern '{text}' cannot be read: {error}"))
                .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
                .with_hint("put a backslash before a sign that stands for itself: '\\\\|'")
        })?;
        self.0.insert(text.to_string(), pattern.clone());
        Ok(pattern)
    }
}
