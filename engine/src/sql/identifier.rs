//! Names with dots, as frames have them: `a.b`, `` `a.b`.c ``, `my column`.

use datafusion::scalar::ScalarValue;

use super::parser::Parser;
use crate::error::{Error, ErrorKind, Result};
use crate::tree::Expression;

impl Parser<'_> {
    /// The name that `IDENTIFIER('a.b')` stands for, if it comes next.
    pub(super) fn identifier_clause(&mut self) -> Result<Option<Vec<String>>> {
        if !self.eat_all(&["IDENTIFIER", "("]) {
            return Ok(None);
        }
        let expression = self.expression()?;
        let name = constant_text(&expression).ok_or_else(|| {
            self.error("IDENTIFIER takes a constant text")
                .with_condition("NOT_A_CONSTANT_STRING.NOT_CONSTANT")
        })?;
        self.expect(")")?;
        parse_identifier(&name).map(Some)
    }
}

/// A text, or several with `||` between them.
pub(super) fn constant_text(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Literal(literal) => match &literal.value {
            ScalarValue::Utf8(text) => text.clone(),
            _ => None,
        },
        Expression::Call(call) if call.name == "concat" => {
            call.arguments.iter().map(constant_text).collect()
        }
        _ => None,
    }
}

/// The parts of a name; in backticks a dot is a part of one.
///
/// # Errors
/// If a backtick has no partner or stands in the middle of a part, or if a part is empty.
pub(crate) fn parse_identifier(text: &str) -> Result<Vec<String>> {
    let wrong = || {
        Error::new(ErrorKind::Parse, format!("'{text}' is not a name"))
            .with_condition("INVALID_ATTRIBUTE_NAME_SYNTAX")
            .with_hint("put a part that has dots or backticks into backticks: `a.b`")
    };
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, behind) = match rest.strip_prefix('`') {
            Some(quoted) => quoted_part(quoted).ok_or_else(wrong)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_string(), &rest[end..])
            }
        };
        let is_whole = !rest.starts_with('`') && (part.is_empty() || part.contains('`'));
        if is_whole {
            return Err(wrong());
        }
        parts.push(part);
        match behind.strip_prefix('.') {
            Some(more) => rest = more,
            None if behind.is_empty() => return Ok(parts),
            None => return Err(wrong()),
        }
    }
}

/// A part up to its closing backtick, of which two are one, and what is behind it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('`')?;
        part.push_str(before);
        match behind.strip_prefix('`') {
            Some(more) => {
                part.push('`');
                rest = more;
            }
            None => return Some((part, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_names() {
        for (text, parts) in [
            ("a", vec!["a"]),
            ("a.b", vec!["a", "b"]),
            ("`a.b`.c", vec!["a.b", "c"]),
            ("my column", vec!["my column"]),
            ("`a``b`", vec!["a`b"]),
            ("count(1)", vec!["count(1)"]),
        ] {
            assert_eq!(parse_identifier(text).unwrap(), parts, "{text}");
        }
        for text in ["", "a.", ".a", "`a", "a`b`", "`a`b"] {
            assert!(parse_identifier(text).is_err(), "{text}");
        }
    }
}
