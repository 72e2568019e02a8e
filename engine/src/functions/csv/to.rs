//! `to_csv(struct[, options])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::functions::json::{TimeForms, check_options, given_options, time};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::options::{OptionSpec, Options};
use crate::text::is_null;
use crate::type_names::sql_type;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "to_csv",
    forms: &[&[Takes::Any], &[Takes::Any, Takes::Map]],
    returns: Returns::By(written),
    call: to_csv,
    doc: "The fields of a struct as a line of CSV.",
    example: "SELECT to_csv(named_struct('id', 7, 'name', 'x'))",
    ..SCALAR
}];

const fn option(name: &'static str, doc: &'static str) -> OptionSpec {
    OptionSpec { name, doc }
}

const OPTIONS: [OptionSpec; 14] = [
    option("sep", "what stands between values: a comma by default"),
    option("delimiter", "the same as sep"),
    option(
        "quote",
        "the character around values that need it: \" by default",
    ),
    option(
        "escape",
        "the character before a quote inside of quotes: \\ by default",
    ),
    option(
        "escapeQuotes",
        "false: a quote alone is no reason for quotes; true by default",
    ),
    option(
        "quoteAll",
        "true: quotes around all values; false by default",
    ),
    option(
        "nullValue",
        "the text that stands for NULL: nothing by default",
    ),
    option(
        "emptyValue",
        "the text that stands for the empty text: \"\" by default",
    ),
    option(
        "ignoreLeadingWhiteSpace",
        "false: white space before a value is written; true by default",
    ),
    option(
        "ignoreTrailingWhiteSpace",
        "false: white space behind a value is written; true by default",
    ),
    option(
        "timeZone",
        "zone in which timestamps are written; that of the session by default",
    ),
    option("dateFormat", "pattern of dates; yyyy-MM-dd by default"),
    option(
        "timestampFormat",
        "pattern of timestamps; yyyy-MM-dd'T'HH:mm:ss.SSSXXX by default",
    ),
    option(
        "timestampNTZFormat",
        "pattern of timestamps without a zone; yyyy-MM-dd'T'HH:mm:ss.SSS by default",
    ),
];

fn written(inputs: &Inputs<'_>) -> Result<DataType> {
    check_options(inputs.types.get(1))?;
    match &inputs.types[0] {
        DataType::Struct(_) | DataType::Null => Ok(DataType::Utf8),
        other => Err(
            Error::analysis(format!("to_csv takes a struct, not {}", sql_type(other)))
                .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
                .with_hint("to_csv(struct(a, b))"),
        ),
    }
}

/// How values are written.
struct Form {
    separator: String,
    quote: char,
    escape: char,
    escape_quotes: bool,
    quote_all: bool,
    null: String,
    empty: String,
    trim_start: bool,
    trim_end: bool,
    times: TimeForms,
}

impl Form {
    fn new(options: &Options, zone: &str) -> Result<Self> {
        let text = |name: &str, default: &str| options.get(name).unwrap_or(default).to_string();
        let char = |name, default| match options.get(name).map(|text| (text.chars().next(), text)) {
            None => Ok(default),
            Some((Some(char), text)) if text.chars().count() == 1 => Ok(char),
            Some(_) => Err(options.invalid(name, "one character")),
        };
        let separator = text("sep", &text("delimiter", ","));
        Ok(Self {
            separator: separator.replace("\\t", "\t"),
            quote: char("quote", '"')?,
            escape: char("escape", '\\')?,
            escape_quotes: options.boolean("escapeQuotes", true)?,
            quote_all: options.boolean("quoteAll", false)?,
            null: text("nullValue", ""),
            empty: text("emptyValue", "\"\""),
            trim_start: options.boolean("ignoreLeadingWhiteSpace", true)?,
            trim_end: options.boolean("ignoreTrailingWhiteSpace", true)?,
            times: TimeForms::new(options, options.get("timeZone").unwrap_or(zone))?,
        })
    }

    fn write(&self, out: &mut String, value: &str) {
        let is_space = |char: char| char <= ' ';
        let value = if self.trim_start {
            value.trim_start_matches(is_space)
        } else {
            value
        };
        let value = if self.trim_end {
            value.trim_end_matches(is_space)
        } else {
            value
        };
        let needs =
            |char: char| char == '\n' || char == '\r' || (self.escape_quotes && char == self.quote);
        if value.is_empty() {
            out.push_str(&self.empty);
        } else if self.quote_all
            || value.starts_with(self.quote)
            || value.contains(&self.separator)
            || value.contains(needs)
        {
            out.push(self.quote);
            for char in value.chars() {
                if char == self.quote || (char == self.escape && self.escape != self.quote) {
                    out.push(self.escape);
                }
                out.push(char);
            }
            out.push(self.quote);
        } else {
            out.push_str(value);
        }
    }
}

fn to_csv(call: &Call<'_>) -> Result<ArrayRef> {
    let absent = [
        "charToEscapeQuoteEscaping",
        "charset",
        "compression",
        "encoding",
        "header",
        "lineSep",
    ];
    let form = Form::new(&given_options(call, 1, &OPTIONS, &absent)?, &call.zone)?;
    let values = call.arguments[0].as_ref();
    let mut out = StringBuilder::new();
    let mut line = String::new();
    for row in 0..call.rows {
        if is_null(values, row) {
            out.append_null();
            continue;
        }
        line.clear();
        for (index, column) in values.as_struct().columns().iter().enumerate() {
            if index > 0 {
                line.push_str(&form.separator);
            }
            match is_null(column, row) {
                true => line.push_str(&form.null),
                false => form.write(&mut line, &time(column, row, &form.times)),
            }
        }
        out.append_value(&line);
    }
    Ok(Arc::new(out.finish()))
}
