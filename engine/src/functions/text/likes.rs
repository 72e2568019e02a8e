//! `like` and `ilike`: patterns in which `_` is a character and `%` any number of them.

use arrow::array::ArrayRef;
use regex::{Regex, RegexBuilder};

use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

const FORMS: &[&[Takes]] = &[
    &[Takes::Text, Takes::Text],
    &[Takes::Text, Takes::Text, Takes::Text],
];

pub(super) const LIKES: &[Scalar] = &[
    Scalar {
        name: "like",
        forms: FORMS,
        returns: Returns::Boolean,
        call: |call| like(call, str::to_owned),
        doc: "Whether a text matches a pattern in which _ is any character and % any number of them.",
        example: "SELECT like('low tide', '%tide')",
        ..SCALAR
    },
    Scalar {
        name: "ilike",
        forms: FORMS,
        returns: Returns::Boolean,
        call: |call| like(call, str::to_lowercase),
        doc: "Whether a text matches a pattern as in like, in small or capital letters.",
        example: "SELECT ilike('low tide', '%TIDE')",
        ..SCALAR
    },
];

fn like(call: &Call<'_>, folded: fn(&str) -> String) -> Result<ArrayRef> {
    // The last pattern, which is mostly that of every row.
    let mut known: Option<(&str, &str, Regex)> = None;
    call.truths(|row| {
        let (pattern, escape) = (call.str(1, row)?, call.str_or(2, row, "\\")?);
        let same = known
            .take()
            .filter(|(a, b, _)| (*a, *b) == (pattern, escape));
        let (_, _, regex) = known.insert(match same {
            Some(same) => same,
            None => (pattern, escape, compiled(&folded(pattern), escape)?),
        });
        Ok(Some(regex.is_match(&folded(call.str(0, row)?))))
    })
}

fn compiled(pattern: &str, escape: &str) -> Result<Regex> {
    let mut signs = escape.chars();
    let (Some(escape), None) = (signs.next(), signs.next()) else {
        return Err(
            Error::analysis(format!("'{escape}' is not one character to escape with"))
                .with_condition("INVALID_ESCAPE_CHAR")
                .with_hint("name one character: LIKE pattern ESCAPE '/'"),
        );
    };
    let mut source = String::from("^");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c == escape => match rest.next() {
                Some(c) if c == escape || c == '_' || c == '%' => {
                    source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                }
                Some(_) => return Err(wrong(pattern, "ESC_IN_THE_MIDDLE")),
                None => return Err(wrong(pattern, "ESC_AT_THE_END")),
            },
            '_' => source.push('.'),
            '%' => source.push_str(".*"),
            c => source.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    source.push('$');
    let regex = RegexBuilder::new(&source)
        .dot_matches_new_line(true)
        .build();
    regex.map_err(|error| Error::runtime(format!("'{pattern}' cannot be searched: {error}")))
}

fn wrong(pattern: &str, why: &str) -> Error {
    Error::runtime(format!("'{pattern}' escapes what is no sign of its own"))
        .with_condition(format!("INVALID_FORMAT.{why}"))
        .with_hint("escape only _, % and the escaping character itself")
}
