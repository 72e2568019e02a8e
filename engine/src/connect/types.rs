//! Spark's types: DDL text (`user_id STRING, amount DOUBLE, ts TIMESTAMP`) to Arrow.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, ColumnOption, DataType as SqlType, ExactNumberInfo, TimezoneInfo,
};
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::{Error, ErrorKind, Result, check_unique_columns, syntax_error};
use crate::nearest::nearest;

/// The time zone of `TIMESTAMP` columns.
pub(super) const TIME_ZONE: &str = "UTC";

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
    let failed = |error: datafusion::sql::sqlparser::parser::ParserError| {
        syntax_error(&error.to_string(), ddl)
            .context("the schema cannot be parsed")
            .with_hint("list columns and types: user_id STRING, amount DOUBLE, ts TIMESTAMP")
    };
    let mut parser = Parser::new(&SparkSqlDialect {})
        .try_with_sql(ddl)
        .map_err(failed)?;
    let mut fields = Vec::new();
    loop {
        let name = parser.parse_identifier().map_err(failed)?;
        let data_type = parser.parse_data_type().map_err(failed)?;
        while let Some(option) = parser.parse_optional_column_option().map_err(failed)? {
            match option {
                // A source never promises that a field is there, so a column may always be NULL.
                ColumnOption::NotNull | ColumnOption::Null | ColumnOption::Comment(_) => {}
                other => {
                    let message = format!("column '{}' cannot have {other} here", name.value);
                    return Err(Error::analysis(message));
                }
            }
        }
        fields.push(Field::new(
            &name.value,
            arrow_type(&data_type, &name.value)?,
            true,
        ));
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::EOF).map_err(failed)?;
    check_unique_columns(fields.iter().map(|field| field.name().as_str()))?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Parses a schema that is a list of columns, which make a struct, or one type: `array<int>`.
pub fn parse_schema(text: &str) -> Result<DataType> {
    let first = text.split_once('<').map_or("", |(first, _)| first.trim());
    if ["array", "map", "struct"]
        .iter()
        .any(|name| first.eq_ignore_ascii_case(name))
    {
        return parse_type(text);
    }
    Ok(DataType::Struct(parse_ddl(text)?.fields().clone()))
}

/// Parses one type: `decimal(10, 2)`.
pub fn parse_type(text: &str) -> Result<DataType> {
    arrow_type(&parse_sql_type(text)?, "value")
}

/// Parses a text that is one type and nothing else, as SQL's syntax tree has it.
pub(super) fn parse_sql_type(text: &str) -> Result<SqlType> {
    let parsed = Parser::new(&SparkSqlDialect {})
        .try_with_sql(text)
        .and_then(|mut parser| {
            let data_type = parser.parse_data_type()?;
            parser.expect_token(&Token::EOF)?;
            Ok(data_type)
        });
    parsed.map_err(|error| syntax_error(&error.to_string(), text))
}

pub(super) fn arrow_type(sql_type: &SqlType, column: &str) -> Result<DataType> {
    Ok(match sql_type {
        SqlType::Varchar(None) | SqlType::Char(None) => return Err(needs_length(sql_type, column)),
        SqlType::String(_) | SqlType::Text | SqlType::Varchar(_) | SqlType::Char(_) => {
            DataType::Utf8
        }
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) => DataType::Int32,
        SqlType::BigInt(_) => DataType::Int64,
        SqlType::Float(_) | SqlType::Real => DataType::Float32,
        SqlType::Double(_) | SqlType::DoublePrecision => DataType::Float64,
        SqlType::Date => DataType::Date32,
        SqlType::Timestamp(
            _,
            TimezoneInfo::None | TimezoneInfo::WithTimeZone | TimezoneInfo::Tz,
        ) => DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into())),
        SqlType::Timestamp(_, TimezoneInfo::WithoutTimeZone) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        SqlType::TimestampNtz(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        SqlType::Binary(_) | SqlType::Bytea | SqlType::Blob(_) => DataType::Binary,
        SqlType::Decimal(info) | SqlType::Numeric(info) | SqlType::Dec(info) => {
            decimal(info, column)?
        }
        SqlType::Array(
            ArrayElemTypeDef::AngleBracket(item)
            | ArrayElemTypeDef::Parenthesis(item)
            | ArrayElemTypeDef::SquareBracket(item, _),
        ) => DataType::List(Arc::new(Field::new_list_field(
            arrow_type(item, column)?,
            true,
        ))),
        SqlType::Struct(fields, _) => {
            let fields = fields
                .iter()
                .map(|field| {
                    let name = field
                        .field_name
                        .as_ref()
                        .map_or("", |name| name.value.as_str());
                    Ok(Field::new(
                        name,
                        arrow_type(&field.field_type, column)?,
                        true,
                    ))
                })
                .collect::<Result<Vec<_>>>()?;
            DataType::Struct(Fields::from(fields))
        }
        SqlType::Map(key, value) => {
            let entries = Fields::from(vec![
                Field::new("key", arrow_type(key, column)?, false),
                Field::new("value", arrow_type(value, column)?, true),
            ]);
            DataType::Map(
                Arc::new(Field::new("entries", DataType::Struct(entries), false)),
                false,
            )
        }
        SqlType::Custom(name, _) => match name.to_string().to_ascii_uppercase().as_str() {
            "BYTE" => DataType::Int8,
            "SHORT" => DataType::Int16,
            "LONG" => DataType::Int64,
            "TIMESTAMP_NTZ" => DataType::Timestamp(TimeUnit::Microsecond, None),
            "TIMESTAMP_LTZ" => DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into())),
            _ => return Err(unsupported(&name.to_string(), column)),
        },
        other => return Err(unsupported(&other.to_string(), column)),
    })
}

fn decimal(info: &ExactNumberInfo, column: &str) -> Result<DataType> {
    let (precision, scale) = match *info {
        ExactNumberInfo::None => (10, 0),
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    if !(1..=38).contains(&precision) || scale < 0 || scale as u64 > precision {
        let message = format!("column '{column}': DECIMAL({precision}, {scale}) is out of range");
        return Err(Error::analysis(message)
            .with_condition("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION")
            .with_hint("the precision is 1 to 38, the scale 0 to the precision"));
    }
    Ok(DataType::Decimal128(precision as u8, scale as i8))
}

fn needs_length(sql_type: &SqlType, column: &str) -> Error {
    Error::new(
        ErrorKind::Parse,
        format!("column '{column}' has the type '{sql_type}', which needs a length"),
    )
    .with_condition("DATATYPE_MISSING_SIZE")
    .with_hint(format!("write {sql_type}(10), or STRING for any length"))
}

fn unsupported(name: &str, column: &str) -> Error {
    let message = format!("column '{column}' has the type '{name}', which does not exist");
    let error = Error::analysis(message).with_condition("UNSUPPORTED_DATATYPE");
    let all = TYPES.join(", ");
    match nearest(&name.to_ascii_lowercase(), TYPES.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean {near}? the types are {all}")),
        None => error.with_hint(format!("the types are {all}")),
    }
}
