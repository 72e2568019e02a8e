//! `array_join(array, delimiter[, nullReplacement])`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};

use super::lists::Lists;
use crate::error::Result;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar, text_at};
use crate::functions::takes::Takes;
use crate::text::{format_value, is_null};

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "array_join",
    forms: &[
        &[Takes::Array, Takes::Text],
        &[Takes::Array, Takes::Text, Takes::Text],
    ],
    returns: Returns::Text,
    call: array_join,
    doc: "The elements as one text with a delimiter between; NULL elements are left out or replaced.",
    example: "SELECT array_join(array('a', NULL, 'b'), '-', '?')",
    ..SCALAR
}];

/// The elements as casts to STRING give them.
fn texts(elements: &ArrayRef) -> StringArray {
    if let Some(texts) = elements.as_string_opt() {
        return texts.clone();
    }
    let text = |element| (!is_null(elements, element)).then(|| format_value(elements, element));
    (0..elements.len()).map(text).collect()
}

fn array_join(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.argument(0)?);
    let texts = texts(lists.elements());
    let delimiters = call.text(1)?;
    let replacements = match call.len() {
        2 => None,
        _ => Some(call.text(2)?),
    };
    let joined = (0..call.rows).map(|row| {
        let range = lists.row(row)?;
        let delimiter = text_at(delimiters, row)?;
        let replacement = match replacements {
            None => None,
            Some(replacements) => Some(text_at(replacements, row)?),
        };
        let parts = range.filter_map(|element| match texts.is_valid(element) {
            true => Some(texts.value(element)),
            false => replacement,
        });
        Some(parts.collect::<Vec<_>>().join(delimiter))
    });
    Ok(Arc::new(joined.collect::<StringArray>()))
}
