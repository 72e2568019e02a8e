//! Rows as lines of CSV, as Spark writes them.

use arrow::array::ArrayRef;

use super::options::separator;
use crate::error::Result;
use crate::formats::time_forms::{TimeForms, time};
use crate::options::{OptionSpec, Options};
use crate::text::is_null;

const fn option(name: &'static str, doc: &'static str) -> OptionSpec {
    OptionSpec { name, doc }
}

/// The options, for checks and documentation.
pub(crate) const CSV_FORM_OPTIONS: [OptionSpec; 14] = [
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

/// How values are written.
#[derive(Debug)]
pub(crate) struct CsvForm {
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

impl CsvForm {
    /// What the options say; `zone` is that of times if they name none.
    pub(crate) fn new(options: &Options, zone: &str) -> Result<Self> {
        let text = |name: &str, default: &str| options.get(name).unwrap_or(default).to_string();
        let char = |name, default| match options.get(name).map(|text| (text.chars().next(), text)) {
            None => Ok(default),
            Some((Some(char), text)) if text.chars().count() == 1 => Ok(char),
            Some(_) => Err(options.invalid(name, "one character")),
        };
        Ok(Self {
            separator: separator(options)?,
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

    /// Appends the values of a row, without the end of its line.
    pub(crate) fn write_row(&self, out: &mut String, columns: &[ArrayRef], row: usize) {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.push_str(&self.separator);
            }
            match is_null(column, row) {
                true => out.push_str(&self.null),
                false => self.write(out, &time(column, row, &self.times)),
            }
        }
    }

    /// Appends the names of columns, without the end of their line.
    pub(crate) fn write_header<'a>(&self, out: &mut String, names: impl Iterator<Item = &'a str>) {
        for (index, name) in names.enumerate() {
            if index > 0 {
                out.push_str(&self.separator);
            }
            self.write(out, name);
        }
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
