//! What stands in a JSON text: `json_object_keys`, `json_array_length`, and the fields of an object.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, ListBuilder, StringBuilder};
use arrow::datatypes::DataType;

use super::path::{Copied, lenient};
use crate::error::Result;
use crate::formats::json::parser::{Parser, SyntaxError};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

pub(super) static TABLE: &[Scalar] = &[
    Scalar {
        name: "json_object_keys",
        forms: &[&[Takes::Text]],
        returns: Returns::By(|_| Ok(list_of(DataType::Utf8))),
        call: json_object_keys,
        doc: "The names in a JSON object as an array; NULL if the text is no object.",
        example: "SELECT json_object_keys('{\"a\":1,\"b\":2}')",
        ..SCALAR
    },
    Scalar {
        name: "json_array_length",
        forms: &[&[Takes::Text]],
        returns: Returns::Int,
        call: json_array_length,
        doc: "How many elements a JSON array has; NULL if the text is no array.",
        example: "SELECT json_array_length('[1,2,[3]]')",
        ..SCALAR
    },
];

fn json_object_keys(call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::List(item) = call.returns else {
        return Err(crate::error::Error::internal(
            "json_object_keys gives an array",
        ));
    };
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(Arc::clone(item));
    for text in call.text(0)? {
        match text.and_then(names) {
            Some(names) => out.append_value(names.into_iter().map(Some)),
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn names(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    each_field(text, |json, name| {
        names.push(name);
        json.skip()
    })?;
    Some(names)
}

/// Calls a function at each value of an object, which it must pass over; `None` if the text is none.
fn each_field(
    text: &str,
    mut each: impl FnMut(&mut Parser<'_>, String) -> std::result::Result<(), SyntaxError>,
) -> Option<()> {
    let mut json = lenient(text);
    if json.peek().ok()? != b'{' {
        return None;
    }
    let mut more = json.enter_object().ok()?;
    while more {
        let name = json.name().ok()?.to_string();
        json.peek().ok()?;
        each(&mut json, name).ok()?;
        more = json.next_field().ok()?;
    }
    Some(())
}

fn json_array_length(call: &Call<'_>) -> Result<ArrayRef> {
    let length = |text: &str| {
        let mut json = lenient(text);
        if json.peek().ok()? != b'[' {
            return None;
        }
        let mut length = 0;
        let mut next = json.first_element().ok()?;
        while next.is_some() {
            json.skip().ok()?;
            length += 1;
            next = json.next_element().ok()?;
        }
        Some(length)
    };
    let lengths = call.text(0)?.iter().map(|text| text.and_then(length));
    Ok(Arc::new(lengths.collect::<Int32Array>()))
}

/// The named fields of an object, as texts; `None` if the text is no object.
pub(in crate::functions) fn fields_of_object(
    text: &str,
    names: &[Option<&str>],
) -> Option<Vec<Option<String>>> {
    let mut found = vec![None; names.len()];
    each_field(text, |json, name| {
        let wanted = names
            .iter()
            .position(|wanted| *wanted == Some(name.as_str()));
        if wanted.is_none() {
            return json.skip();
        }
        let value = match json.peek()? {
            b'"' | b'\'' => Some(json.string()?.to_string()),
            b'n' => {
                json.literal("null")?;
                None
            }
            _ => Some(Copied::value(json)?),
        };
        for (other, found) in names.iter().zip(&mut found) {
            if *other == Some(name.as_str()) {
                found.clone_from(&value);
            }
        }
        Ok(())
    })?;
    Some(found)
}
