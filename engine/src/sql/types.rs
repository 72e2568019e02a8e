//! Spark's types: DDL text (`user_id STRING, amount DOUBLE, ts TIMESTAMP`) to Arrow.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};

use super::parser::Parser;
use crate::error::{Error, ErrorKind, Result, check_unique_columns};
use crate::nearest::nearest;

const TYPES: &[&str] = &[
    "STRING",
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "TIME",
    "BINARY",
    "ARRAY",
    "MAP",
    "STRUCT",
];

/// Parses the columns of a schema as they stand in DDL.
pub fn parse_ddl(ddl: &str) -> Result<SchemaRef> {
    if ddl.trim().is_empty() {
        return Err(Error::illegal_argument("the schema is empty")
            .with_hint("list columns and types: user_id STRING, amount DOUBLE, ts TIMESTAMP"));
    }
    let failed = |error: Error| match error.kind() {
        ErrorKind::Parse if error.hint().is_none() => error
            .context("the schema cannot be parsed")
            .with_hint("list columns and types: user_id STRING, amount DOUBLE, ts TIMESTAMP"),
        _ => error,
    };
    let mut parser = Parser::new(ddl).map_err(failed)?;
    let fields = parser.columns().map_err(failed)?;
    parser.expect_end().map_err(failed)?;
    check_unique_columns(fields.iter().map(|field| field.name().as_str()))?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Parses one type: `decimal(10, 2)`.
pub fn parse_type(text: &str) -> Result<DataType> {
    let mut parser = Parser::new(text)?;
    let data_type = parser.data_type()?;
    parser.expect_end()?;
    Ok(data_type)
}

/// `DECIMAL(precision, scale)`, if there is such a type.
pub(super) fn decimal_type(precision: i64, scale: i64, column: &str) -> Result<DataType> {
    if !(1..=38).contains(&precision) || !(0..=precision).contains(&scale) {
        let message = format!("column '{column}': DECIMAL({precision}, {scale}) is out of range");
        return Err(Error::analysis(message)
            .with_condition("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION")
            .with_hint("the precision is 1 to 38, the scale 0 to the precision"));
    }
    Ok(DataType::Decimal128(precision as u8, scale as i8))
}

pub(super) fn missing_length(name: &str, column: &str) -> Error {
    Error::new(
        ErrorKind::Parse,
        format!("column '{column}' has the type '{name}', which needs a length"),
    )
    .with_condition("DATATYPE_MISSING_SIZE")
    .with_hint(format!("write {name}(10), or STRING for any length"))
}

/// The refusal of a TIME with other digits than it has here.
pub(super) fn no_such_time(digits: &[i64], column: &str) -> Error {
    let digits: Vec<String> = digits.iter().map(i64::to_string).collect();
    let message = format!(
        "column '{column}' has the type 'TIME({})', but a TIME always has six digits behind the point here",
        digits.join(", ")
    );
    Error::analysis(message)
        .with_condition("UNSUPPORTED_TIME_PRECISION")
        .with_hint("write TIME")
}

pub(super) fn no_such_type(name: &str, column: &str) -> Error {
    let message = format!("column '{column}' has the type '{name}', which does not exist");
    let error = Error::analysis(message)
        .with_condition("UNSUPPORTED_DATATYPE")
        .with_parameter("typeName", format!("\"{}\"", name.to_uppercase()));
    let all = TYPES.join(", ");
    match nearest(&name.to_ascii_lowercase(), TYPES.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean {near}? the types are {all}")),
        None => error.with_hint(format!("the types are {all}")),
    }
}
