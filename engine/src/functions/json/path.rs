//! `get_json_object(json, path)`: `$.name`, `$['name']`, `$.list[0]`, `$.list[*].name`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::error::Result;
use crate::formats::json::Leniency;
use crate::formats::json::parser::{MAX_DEPTH, Parser, SyntaxError, is_number};
use crate::formats::json::text as quoted;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::format_value;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "get_json_object",
    forms: &[&[Takes::Text, Takes::Text]],
    returns: Returns::Text,
    call: get_json_object,
    doc: "The part of a JSON text to which a path leads: a string as it is, anything else as JSON.",
    example: "SELECT get_json_object('{\"a\":[{\"b\":1},{\"b\":2}]}', '$.a[*].b')",
    ..SCALAR
}];

fn get_json_object(call: &Call<'_>) -> Result<ArrayRef> {
    let mut paths: HashMap<&str, Option<Vec<Step>>> = HashMap::new();
    let pairs = call.text(0)?.iter().zip(call.text(1)?);
    let found = pairs.map(|(json, path)| {
        let (json, path) = (json?, path?);
        find(
            json,
            paths
                .entry(path)
                .or_insert_with(|| steps(path))
                .as_deref()?,
        )
    });
    Ok(Arc::new(found.collect::<StringArray>()))
}

/// One step from a value to those inside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The field of an object.
    Name(String),
    /// All fields.
    EachField,
    /// The element of an array.
    Index(usize),
    /// All elements.
    EachElement,
}

/// The steps of a path; `None` for a text that is no path, which finds nothing.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    let name = |name: &str| match name {
        "" => None,
        "*" => Some(Step::EachField),
        name => Some(Step::Name(name.to_string())),
    };
    while !rest.is_empty() {
        let step = if let Some(after) = rest.strip_prefix("['") {
            let (found, after) = after.split_once("']")?;
            rest = after;
            name(found)?
        } else if let Some(after) = rest.strip_prefix('[') {
            let (found, after) = after.split_once(']')?;
            rest = after;
            match found {
                "*" => Step::EachElement,
                index => Step::Index(index.parse().ok()?),
            }
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            rest = &after[end..];
            name(&after[..end])?
        };
        steps.push(step);
    }
    Some(steps)
}

/// A parser that takes what Hive takes.
pub(super) fn lenient(text: &str) -> Parser<'_> {
    Parser::new(
        text,
        Leniency {
            control_characters: true,
            non_numeric_numbers: false,
            ..Leniency::default()
        },
    )
}

fn find(json: &str, path: &[Step]) -> Option<String> {
    let mut json = lenient(json);
    json.peek().ok()?;
    let mut out = Copied::default();
    let found = evaluate(&mut json, &mut out, Style::Raw, path).ok()?;
    found.then_some(out.text)
}

/// How a value that was found is written, which depends on the steps before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A string without quotes.
    Raw,
    /// As JSON.
    Quoted,
    /// As JSON, and an array as its elements.
    Flat,
}

type Found<T = bool> = std::result::Result<T, SyntaxError>;

/// Follows a path from the value that comes next, which is passed over, and writes what it finds.
/// Whether it found something. What wildcards give is Hive's.
fn evaluate(json: &mut Parser<'_>, out: &mut Copied, style: Style, path: &[Step]) -> Found {
    match (json.peek()?, path) {
        (b'"' | b'\'', []) if style == Style::Raw => {
            out.text.push_str(json.string()?);
            Ok(true)
        }
        (b'[', []) if style == Style::Flat => {
            each(json, out, Style::Flat, path).map(|count| count > 0)
        }
        (_, []) => out.copy(json, 0).map(|()| true),
        (b'{', [step @ (Step::Name(_) | Step::EachField), rest @ ..]) => {
            field(json, out, style, step, rest)
        }
        (b'[', [Step::EachElement, Step::EachElement, rest @ ..]) => {
            out.open('[');
            let count = each(json, out, Style::Flat, rest)?;
            out.close(']');
            Ok(count > 0)
        }
        (b'[', [Step::EachElement, rest @ ..]) if style != Style::Quoted => {
            let inner = match style {
                Style::Raw => Style::Quoted,
                style => style,
            };
            let mut elements = Copied::default();
            let count = each(json, &mut elements, inner, rest)?;
            // One match stands alone.
            match count {
                0 => {}
                1 => out.raw(&elements.text),
                _ => out.raw(&format!("[{}]", elements.text)),
            }
            Ok(count > 0)
        }
        (b'[', [Step::EachElement, rest @ ..]) => {
            out.open('[');
            let count = each(json, out, Style::Quoted, rest)?;
            out.close(']');
            Ok(count > 0)
        }
        (b'[', [Step::Index(index), rest @ ..]) => {
            let style = match rest {
                [Step::EachElement, ..] => Style::Quoted,
                _ => style,
            };
            let (mut found, mut place) = (false, 0);
            let mut next = json.first_element()?;
            while next.is_some() {
                match place == *index {
                    true => found = evaluate(json, out, style, rest)?,
                    false => json.skip()?,
                }
                place += 1;
                next = json.next_element()?;
            }
            Ok(found)
        }
        _ => json.skip().map(|()| false),
    }
}

/// Follows a path from all elements of an array. In how many it found something.
fn each(json: &mut Parser<'_>, out: &mut Copied, style: Style, path: &[Step]) -> Found<usize> {
    let mut count = 0;
    let mut next = json.first_element()?;
    while next.is_some() {
        count += usize::from(evaluate(json, out, style, path)?);
        next = json.next_element()?;
    }
    Ok(count)
}

/// Follows a path from the fields of an object, up to the first in which it finds something.
fn field(
    json: &mut Parser<'_>,
    out: &mut Copied,
    style: Style,
    step: &Step,
    path: &[Step],
) -> Found {
    let mut found = false;
    let mut more = json.enter_object()?;
    while more {
        let is_it = match step {
            Step::Name(name) => json.name()? == name,
            _ => json.name().map(|_| true)?,
        };
        let is_null = json.peek()? == b'n' && *step != Step::EachField;
        match found || !is_it || is_null {
            true => json.skip()?,
            false => found = evaluate(json, out, style, path)?,
        }
        more = json.next_field()?;
    }
    Ok(found)
}

/// JSON that is written again, without blanks.
#[derive(Default)]
pub(super) struct Copied {
    text: String,
    /// Whether a comma goes before the next value.
    follows: bool,
}

impl Copied {
    /// The next value.
    pub(super) fn value(json: &mut Parser<'_>) -> Found<String> {
        let mut out = Self::default();
        out.copy(json, 0)?;
        Ok(out.text)
    }

    fn raw(&mut self, value: &str) {
        if self.follows {
            self.text.push(',');
        }
        self.text.push_str(value);
        self.follows = true;
    }

    fn open(&mut self, bracket: char) {
        self.raw("");
        self.text.push(bracket);
        self.follows = false;
    }

    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.follows = true;
    }

    fn quoted(&mut self, value: &str) {
        self.raw("");
        quoted(&mut self.text, value);
    }

    /// Copies the next value.
    fn copy(&mut self, json: &mut Parser<'_>, depth: usize) -> Found<()> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError("it is nested too deeply"));
        }
        match json.peek()? {
            b'{' => {
                self.open('{');
                let mut more = json.enter_object()?;
                while more {
                    self.quoted(json.name()?);
                    self.text.push(':');
                    self.follows = false;
                    json.peek()?;
                    self.copy(json, depth + 1)?;
                    more = json.next_field()?;
                }
                self.close('}');
            }
            b'[' => {
                self.open('[');
                let mut next = json.first_element()?;
                while next.is_some() {
                    self.copy(json, depth + 1)?;
                    next = json.next_element()?;
                }
                self.close(']');
            }
            b'"' | b'\'' => self.quoted(json.string()?),
            first if is_number(first) => {
                let number = json.number()?;
                match number.text.parse::<f64>() {
                    Ok(value) if !number.whole => {
                        let value = Float64Array::from(vec![value]);
                        self.raw(&format_value(&value, 0));
                    }
                    _ => self.raw(number.text),
                }
            }
            _ => {
                let start = json.position();
                json.skip()?;
                self.raw(json.text_from(start));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, json: &str) -> Option<String> {
        find(json, &steps(path)?)
    }

    #[test]
    fn paths_lead_to_values() {
        let json = r#"{"a":{"b c":[1,{"d":"x"}]},"n":null,"t":[true, 1.50], 's':'it'}"#;
        for (path, expected) in [
            ("$.a['b c'][1].d", Some("x")),
            ("$.t", Some("[true,1.5]")),
            ("$.n", None),
            ("$.t[2]", None),
            ("a", None),
            ("$.", None),
            ("$.s", Some("it")),
            ("$.a.*[0]", Some("1")),
            ("$.t[*]", Some("[true,1.5]")),
        ] {
            assert_eq!(found(path, json).as_deref(), expected, "{path}");
        }
        assert_eq!(found("$", "7").as_deref(), Some("7"));
        assert_eq!(found("$.a", r#"{"a":1"#), None);
    }

    #[test]
    fn wildcards_are_those_of_hive() {
        let json = r#"[{"a":"b","l":[1,2]},{"a":"c","l":[3]},{}]"#;
        for (path, expected) in [
            ("$[*].a", r#"["b","c"]"#),
            ("$[0].a", "b"),
            ("$[*].l", "[[1,2],[3]]"),
            ("$[*].l[*]", "[[1,2],[3]]"),
            ("$[*].l[1]", "2"),
            ("$[0].l[*]", "[1,2]"),
        ] {
            assert_eq!(found(path, json).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(
            found("$[*][*]", "[[1,2],[[3]]]").as_deref(),
            Some("[1,2,3]")
        );
    }
}
