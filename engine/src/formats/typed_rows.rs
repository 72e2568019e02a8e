//! Rows that somebody typed: **every value of every line fits its column, or nothing is taken.**
//!
//! A reader of files is lenient, because nobody stands beside a file; here somebody does.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use serde_json::Value;

use super::csv::{CSV_OPTIONS, CsvDecoder, CsvOptions, schema_of_line};
use super::json::{JsonDecoder, JsonOptions};
use super::line_format::LineDecoder;
use super::record_options::ParseMode;
use super::records::unfinished;
use crate::error::{Error, Part, Result, hint};
use crate::nearest::nearest;
use crate::options::{OptionMap, Options};
use crate::type_names::sql_type;

/// How rows are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// An object per line.
    Json,
    /// A line with the names of the columns, then a line per row.
    Csv,
}

impl RowFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Json, Self::Csv];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

impl FromStr for RowFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|format| format.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| {
            Error::illegal_argument(format!("rows cannot be typed as '{text}'"))
                .with_hint("write json or csv")
        })
    }
}

/// The rows of a text, with the columns of `schema`; what is not there is NULL.
pub(crate) fn typed_rows(text: &str, format: RowFormat, schema: &SchemaRef) -> Result<RecordBatch> {
    match format {
        RowFormat::Json => json_rows(text, schema),
        RowFormat::Csv => csv_rows(text, schema),
    }
}

/// The lines that hold something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !line.is_empty())
}

fn json_rows(text: &str, schema: &SchemaRef) -> Result<RecordBatch> {
    let all: Vec<usize> = (0..schema.fields().len()).collect();
    let mut decoder = json_decoder(schema, &all)?;
    for (number, line) in lines(text) {
        if let Some(name) = unknown_name(line, schema) {
            return Err(unknown_column(number, &name, schema));
        }
        if decoder.decode_line(line.as_bytes()).is_err() {
            return Err(json_misfit(number, line, schema));
        }
    }
    let rows = decoder.flush()?;
    Ok(rows.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}

fn json_decoder(schema: &Schema, projection: &[usize]) -> Result<JsonDecoder> {
    let options = JsonOptions {
        mode: ParseMode::FailFast,
        corrupt_record_column: String::new(),
        ..JsonOptions::default()
    };
    JsonDecoder::new(&options, schema, projection, 0)
}

/// A name of the line that is no column.
fn unknown_name(line: &str, schema: &Schema) -> Option<String> {
    let Ok(Value::Object(values)) = serde_json::from_str(line) else {
        return None;
    };
    let mut names = values.into_iter().map(|(name, _)| name);
    names.find(|name| schema.index_of(name).is_err())
}

/// Why a line that cannot be read cannot: read column by column, it fails at the one that is wrong.
fn json_misfit(number: usize, line: &str, schema: &Schema) -> Error {
    let fails = |projection: &[usize]| {
        let read = json_decoder(schema, projection);
        read.and_then(|mut decoder| decoder.decode_line(line.as_bytes()))
            .is_err()
    };
    let mut columns = schema.fields().iter().enumerate();
    match columns.find(|(index, _)| fails(&[*index])) {
        Some((_, field)) if !fails(&[]) => {
            let value: Option<Value> = serde_json::from_str(line).ok();
            let value = value.and_then(|value| value.get(field.name()).map(Value::to_string));
            misfit(number, field, &value.unwrap_or_else(|| line.to_string()))
        }
        _ => Error::illegal_argument(format!("line {number} is no JSON object: {line}"))
            .with_condition("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
            .with_hint(json_example(schema)),
    }
}

fn csv_rows(text: &str, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut lines = lines(text);
    let Some((number, header)) = lines.next() else {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    };
    let options = csv_options()?;
    let mut typed: Vec<FieldRef> = Vec::new();
    for name in schema_of_line(header, options.clone()).fields() {
        let (_, field) = schema
            .column_with_name(name.name().trim())
            .ok_or_else(|| unknown_column(number, name.name().trim(), schema))?;
        typed.push(Arc::new(field.clone()));
    }
    let typed = Schema::new(typed);
    let all: Vec<usize> = (0..typed.fields().len()).collect();
    let mut decoder = CsvDecoder::new(&options, &typed, &all, 0)?;
    for (number, line) in lines {
        decoder.decode_line(line.as_bytes()).map_err(|error| {
            error
                .context(format!("line {number}"))
                .with_hint("leave a value out for NULL: a,,c; put one with a comma into quotes")
        })?;
    }
    match decoder.flush()? {
        Some(rows) => in_order(&rows, schema),
        None => Ok(RecordBatch::new_empty(Arc::clone(schema))),
    }
}

fn csv_options() -> Result<CsvOptions> {
    let given = [
        ("header", "true"),
        ("mode", "FAILFAST"),
        ("columnNameOfCorruptRecord", ""),
        ("ignoreLeadingWhiteSpace", "true"),
        ("ignoreTrailingWhiteSpace", "true"),
    ];
    let given = given.map(|(name, value)| (name.to_string(), value.to_string()));
    CsvOptions::new(&Options::new(
        "rows",
        &OptionMap::from(given),
        &CSV_OPTIONS,
        &[],
    )?)
}

/// The columns in the order of `schema`, with NULL for those that are not there.
fn in_order(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &FieldRef| -> ArrayRef {
        let typed = rows.column_by_name(field.name()).map(Arc::clone);
        typed.unwrap_or_else(|| new_null_array(field.data_type(), rows.num_rows()))
    };
    let columns = schema.fields().iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(unfinished)
}

fn misfit(number: usize, field: &FieldRef, value: &str) -> Error {
    let kind = sql_type(field.data_type());
    let name = field.name();
    Error::illegal_argument(format!(
        "line {number}: the value of column '{name}' is no {kind}: {value}"
    ))
    .with_condition("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
    .with_hint(format!("write a {kind}, or leave '{name}' out for NULL"))
}

fn unknown_column(number: usize, name: &str, schema: &Schema) -> Error {
    let error = Error::illegal_argument(format!("line {number}: there is no column '{name}'"));
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    match nearest(name, names()) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error.with_hint(format!(
            "the columns are {}",
            names().collect::<Vec<_>>().join(", ")
        )),
    }
}

fn json_example(schema: &Schema) -> [Part; 2] {
    let first = schema.fields().first().map(|field| field.name().as_str());
    let object = format!("{{\"{}\": …}}", first.unwrap_or("column"));
    [
        hint::say(format!(
            "write one object per line: {object}; for CSV, say "
        )),
        hint::format("csv"),
    ]
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int32Type};

    use super::*;
    use crate::sql::parse_ddl;

    fn schema() -> SchemaRef {
        parse_ddl("user STRING, amount DOUBLE, n INT, ts TIMESTAMP").unwrap()
    }

    fn refused(text: &str, format: RowFormat) -> (String, String) {
        let error = typed_rows(text, format, &schema()).unwrap_err();
        (
            error.message().to_string(),
            error.hint().unwrap().to_string(),
        )
    }

    #[test]
    fn lines_of_json_become_rows() {
        let text =
            "{\"user\": \"a\", \"amount\": 1.5}\n\n  {\"n\": 3, \"ts\": \"2024-01-01 12:00:00\"}\n";
        let rows = typed_rows(text, RowFormat::Json, &schema()).unwrap();
        assert_eq!(rows.num_rows(), 2);
        assert_eq!(rows.column(1).as_primitive::<Float64Type>().value(0), 1.5);
        assert!(rows.column(1).is_null(1) && !rows.column(3).is_null(1));
        assert_eq!(
            typed_rows("\n", RowFormat::Json, &schema())
                .unwrap()
                .num_rows(),
            0
        );
    }

    #[test]
    fn a_header_says_which_columns_follow() {
        let rows = typed_rows("n, user\n 3 , \"a, b\"\n,c\n", RowFormat::Csv, &schema()).unwrap();
        assert_eq!(rows.num_rows(), 2);
        assert_eq!(rows.column(0).as_string::<i32>().value(0), "a, b");
        assert_eq!(rows.column(2).as_primitive::<Int32Type>().value(0), 3);
        assert!(rows.column(2).is_null(1) && rows.column(1).is_null(0));
        assert_eq!(
            typed_rows("n\n", RowFormat::Csv, &schema())
                .unwrap()
                .num_rows(),
            0
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let json = |text| refused(text, RowFormat::Json);
        let (message, hint) = json("{\"user\": \"a\"}\n{\"user\": \"b\", \"amount\": \"much\"}");
        assert_eq!(
            message,
            "line 2: the value of column 'amount' is no DOUBLE: \"much\""
        );
        assert_eq!(hint, "write a DOUBLE, or leave 'amount' out for NULL");
        let (message, hint) = json("\n{\"usr\": \"a\"}");
        assert_eq!(message, "line 2: there is no column 'usr'");
        assert_eq!(hint, "did you mean 'user'?");
        let (message, hint) = json("a,1.5");
        assert_eq!(message, "line 1 is no JSON object: a,1.5");
        assert!(hint.ends_with("the format csv"), "{hint}");
        assert!(json("{\"user\": \"a\"").0.starts_with("line 1 is no JSON"));
        let csv = |text| refused(text, RowFormat::Csv);
        assert_eq!(
            csv("user,n\na,1\nb,2.5").0,
            "line 3: malformed record 'b,2.5': '2.5' is not a valid INT for column 'n'"
        );
        assert_eq!(
            csv("user,n\na").0,
            "line 2: malformed record 'a': it has 1 fields, not 2"
        );
        assert_eq!(csv("n,user,count").0, "line 1: there is no column 'count'");
    }
}
