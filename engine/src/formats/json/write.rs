//! One value as JSON, as Spark writes it.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Int32Type, Int64Type};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::formats::time_forms::{TimeForms, time};
use crate::text::{format_value, is_null};

/// How values are written.
#[derive(Debug)]
pub(crate) struct JsonForm {
    /// Fields that are NULL are written.
    pub keep_nulls: bool,
    /// Fields and keys are in the order of their names.
    pub sorted: bool,
    pub times: TimeForms,
}

/// Appends a value.
pub(crate) fn write(out: &mut String, values: &dyn Array, row: usize, form: &JsonForm) {
    if is_null(values, row) {
        out.push_str("null");
        return;
    }
    match values.data_type() {
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(values.as_struct().columns());
            let mut kept: Vec<(&FieldRef, &ArrayRef)> = columns
                .filter(|(_, column)| form.keep_nulls || !is_null(column, row))
                .collect();
            if form.sorted {
                kept.sort_by(|(one, _), (other, _)| one.name().cmp(other.name()));
            }
            object(
                out,
                kept,
                |(field, _)| Cow::Borrowed(field.name().as_str()),
                |out, (_, column)| write(out, column, row, form),
            );
        }
        DataType::Map(..) => {
            let entries = values.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let mut order: Vec<usize> = (0..entries.len()).collect();
            let name = |entry: usize| match keys.as_string_opt::<i32>() {
                Some(texts) => Cow::Borrowed(texts.value(entry)),
                None => Cow::Owned(key_text(keys, entry)),
            };
            if form.sorted {
                order.sort_by_key(|entry| name(*entry));
            }
            object(out, order, name, |out, entry| {
                write(out, values, entry, form)
            });
        }
        DataType::List(_) => {
            let elements = values.as_list::<i32>().value(row);
            out.push('[');
            for element in 0..elements.len() {
                if element > 0 {
                    out.push(',');
                }
                write(out, &elements, element, form);
            }
            out.push(']');
        }
        DataType::Boolean => out.push_str(if values.as_boolean().value(row) {
            "true"
        } else {
            "false"
        }),
        DataType::Binary => {
            out.push('"');
            BASE64.encode_string(values.as_binary::<i32>().value(row), out);
            out.push('"');
        }
        DataType::Utf8 => text(out, values.as_string::<i32>().value(row)),
        DataType::Float32 | DataType::Float64 => {
            let number = format_value(values, row);
            match number.ends_with(|last: char| last.is_ascii_digit()) {
                true => out.push_str(&number),
                false => text(out, &number),
            }
        }
        // Nothing can go wrong with a String.
        DataType::Int32 => drop(write!(
            out,
            "{}",
            values.as_primitive::<Int32Type>().value(row)
        )),
        DataType::Int64 => drop(write!(
            out,
            "{}",
            values.as_primitive::<Int64Type>().value(row)
        )),
        data_type if data_type.is_numeric() => out.push_str(&format_value(values, row)),
        _ => text(out, &time(values, row, &form.times)),
    }
}

fn object<'a, T: Copy>(
    out: &mut String,
    order: Vec<T>,
    name: impl Fn(T) -> Cow<'a, str>,
    mut value: impl FnMut(&mut String, T),
) {
    out.push('{');
    for (place, entry) in order.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        text(out, &name(entry));
        out.push(':');
        value(out, entry);
    }
    out.push('}');
}

/// The name that a key has; structs are written as their values.
fn key_text(keys: &dyn Array, entry: usize) -> String {
    match keys.data_type() {
        DataType::Struct(_) => {
            let columns = keys.as_struct().columns().iter();
            let values: Vec<String> = columns
                .map(|column| match is_null(column, entry) {
                    true => "null".to_string(),
                    false => key_text(column, entry),
                })
                .collect();
            format!("[{}]", values.join(","))
        }
        _ => format_value(keys, entry),
    }
}

/// Appends a text in quotes.
pub(crate) fn text(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(byte as char);
            }
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            // Nothing can go wrong with a String.
            control => drop(write!(out, "\\u{control:04X}")),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
