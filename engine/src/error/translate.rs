//! DataFusion's errors in Spark's words: condition names, columns by name, a hint where one helps.

use std::collections::HashSet;

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use super::{Error, ErrorKind, Place, Result};
use crate::nearest::nearest;

/// The setting that makes some values errors, as messages name it.
pub(crate) const ANSI_SETTING: &str = "\"spark.sql.ansi.enabled\"";

/// Where names of tables and functions are looked for, as messages say it.
pub(crate) const SEARCH_PATH: &str =
    "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]";

/// A name as messages show it, each part in backticks.
pub(crate) fn quoted(name: &str) -> String {
    let parts = name.split('.');
    let parts: Vec<_> = parts.map(|part| format!("`{part}`")).collect();
    parts.join(".")
}

/// Translates an error of DataFusion; one of ours that went through it comes back unchanged.
pub fn from_datafusion(error: DataFusionError) -> Error {
    if let Some(own) = own_error(&error) {
        return own;
    }
    let translated = match error.find_root() {
        DataFusionError::SchemaError(schema_error, _) => from_schema(schema_error),
        DataFusionError::Plan(message) | DataFusionError::NotImplemented(message) => {
            Error::analysis(message)
        }
        DataFusionError::Diagnostic(_, inner) => Error::analysis(inner.strip_backtrace()),
        DataFusionError::ArrowError(arrow, _) => from_arrow(arrow),
        DataFusionError::Execution(message) => from_execution(message),
        other => Error::new(ErrorKind::Runtime, other.strip_backtrace()),
    };
    translated.with_source(error)
}

/// A column that is not there, with the nearest names that are.
pub fn unresolved_column(name: &str, columns: &[&str]) -> Error {
    let error = Error::analysis(format!("column '{name}' does not exist"))
        .with_parameter("objectName", quoted(name));
    if columns.is_empty() {
        return error.with_condition("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION");
    }
    let error = error.with_condition("UNRESOLVED_COLUMN.WITH_SUGGESTION");
    let all = columns.join(", ");
    let proposal: Vec<_> = columns.iter().take(5).map(|name| quoted(name)).collect();
    let error = error.with_parameter("proposal", proposal.join(", "));
    match nearest(name, columns.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean '{near}'? the columns are {all}")),
        None => error.with_hint(format!("the columns are {all}")),
    }
}

/// Refuses two columns of one name, whatever its case, where columns are found by name.
pub fn check_unique_columns<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let mut known = HashSet::new();
    for name in names {
        if !known.insert(name.to_lowercase()) {
            return Err(
                Error::analysis(format!("there are two columns named '{name}'"))
                    .with_condition("COLUMN_ALREADY_EXISTS")
                    .with_parameter("columnName", format!("`{}`", name.to_lowercase()))
                    .with_hint("give one of them another name: SELECT … AS name"),
            );
        }
    }
    Ok(())
}

/// What a parser says about a place in `text`, as an error that shows the place.
pub fn syntax_error(what: &str, place: Place, text: &str) -> Error {
    let shown = shown_place(text, place.line, place.column);
    let shown = format!("{}{shown}", lower_first(what));
    Error::new(ErrorKind::Parse, shown).with_condition("PARSE_SYNTAX_ERROR")
}

/// A place in `text`: line and column, the line itself, and a mark under the column.
pub(super) fn shown_place(text: &str, line: usize, column: usize) -> String {
    let mut shown = format!(" (line {line}, column {column})");
    if let Some(source) = text.lines().nth(line.saturating_sub(1)) {
        let marker = " ".repeat(column.saturating_sub(1));
        shown.push_str(&format!("\n  {source}\n  {marker}^"));
    }
    shown
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn own_error(error: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(own) = current.downcast_ref::<Error>() {
            return Some(own.clone());
        }
        if let Some(DataFusionError::External(inner)) = current.downcast_ref::<DataFusionError>()
            && let Some(own) = inner.downcast_ref::<Error>()
        {
            return Some(own.clone());
        }
        if let Some(ArrowError::ExternalError(inner)) = current.downcast_ref::<ArrowError>() {
            if let Some(own) = inner.downcast_ref::<Error>() {
                return Some(own.clone());
            }
            if let Some(inner) = inner.downcast_ref::<DataFusionError>() {
                return own_error(inner);
            }
        }
        cause = current.source();
    }
    None
}

fn from_schema(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let columns: Vec<&str> = valid_fields.iter().map(|column| column.name()).collect();
            unresolved_column(field.name(), &columns)
        }
        SchemaError::AmbiguousReference { field } => Error::analysis(format!(
            "column '{}' is in more than one table",
            field.name()
        ))
        .with_condition("AMBIGUOUS_REFERENCE")
        .with_parameter("name", quoted(field.name()))
        .with_hint(format!(
            "write the table's name in front: t.{}",
            field.name()
        )),
        other => Error::analysis(other.to_string()),
    }
}

fn from_execution(message: &str) -> Error {
    let error = Error::new(ErrorKind::Runtime, message);
    if message.contains("overflow on ") {
        return error.with_condition("ARITHMETIC_OVERFLOW");
    }
    error
}

fn from_arrow(error: &ArrowError) -> Error {
    let message = error.to_string();
    match error {
        ArrowError::DivideByZero => Error::new(ErrorKind::Runtime, "division by zero")
            .with_condition("DIVIDE_BY_ZERO")
            .with_parameter("config", ANSI_SETTING)
            .with_hint("use try_divide(a, b) to get NULL instead, or nullif(b, 0)"),
        ArrowError::ArithmeticOverflow(_) => {
            Error::new(ErrorKind::Runtime, message).with_condition("ARITHMETIC_OVERFLOW")
        }
        ArrowError::CastError(text) | ArrowError::InvalidArgumentError(text)
            if is_out_of_decimal(text) =>
        {
            Error::new(ErrorKind::Runtime, lower_first(text))
                .with_condition("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
                .with_hint("use try_cast(x AS type) to get NULL instead, or a wider DECIMAL")
        }
        ArrowError::CastError(text) => {
            let is_overflow = text.contains("Can't cast value") || text.contains("verflow");
            let condition = if is_overflow {
                "CAST_OVERFLOW"
            } else {
                "CAST_INVALID_INPUT"
            };
            Error::new(ErrorKind::Runtime, text.clone())
                .with_condition(condition)
                .with_hint("use try_cast(x AS type) to get NULL instead")
        }
        ArrowError::ParseError(text) => {
            Error::new(ErrorKind::Runtime, text.clone()).with_condition("CAST_INVALID_INPUT")
        }
        _ => Error::new(ErrorKind::Runtime, message),
    }
}

fn is_out_of_decimal(text: &str) -> bool {
    let out_of_range = ["verflow", "too large to store", "too small to store"];
    text.contains("Decimal") && out_of_range.iter().any(|part| text.contains(part))
}
