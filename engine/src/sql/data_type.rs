//! Types inside of SQL: `CAST(x AS ARRAY<INT>)`, and lists of columns with their types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use super::parser::Parser;
use super::tokens::TokenKind;
use super::types::{decimal_type, missing_length, no_such_time, no_such_type};
use crate::datetime::TIME_ZONE;
use crate::error::Result;

impl Parser<'_> {
    /// A type.
    pub(super) fn data_type(&mut self) -> Result<DataType> {
        self.nested(|parser| parser.type_of("value"))
    }

    /// The type of a column, which errors name.
    fn type_of(&mut self, column: &str) -> Result<DataType> {
        if !self.is_word() {
            return Err(self.expected("a data type"));
        }
        let name = self.identifier()?;
        let data_type = match name.to_uppercase().as_str() {
            "BOOLEAN" => DataType::Boolean,
            "TINYINT" | "BYTE" => DataType::Int8,
            "SMALLINT" | "SHORT" => DataType::Int16,
            "INT" | "INTEGER" => DataType::Int32,
            "BIGINT" | "LONG" => DataType::Int64,
            "FLOAT" | "REAL" => DataType::Float32,
            "DOUBLE" => DataType::Float64,
            "DATE" => DataType::Date32,
            "TIMESTAMP" => self.timestamp()?,
            "TIMESTAMP_LTZ" => with_zone(),
            "TIMESTAMP_NTZ" => DataType::Timestamp(TimeUnit::Microsecond, None),
            "TIME" => self.time_of_day(column)?,
            "STRING" => DataType::Utf8,
            name @ ("CHAR" | "CHARACTER" | "VARCHAR") => match self.numbers()?.as_slice() {
                [_] => DataType::Utf8,
                _ => return Err(missing_length(name, column)),
            },
            "BINARY" => DataType::Binary,
            "DECIMAL" | "DEC" | "NUMERIC" => match self.numbers()?.as_slice() {
                [] => decimal_type(10, 0, column)?,
                [precision] => decimal_type(*precision, 0, column)?,
                [precision, scale, ..] => decimal_type(*precision, *scale, column)?,
            },
            "VOID" => DataType::Null,
            "INTERVAL" => match self.interval_fields()? {
                Some(field) if field.is_months() => DataType::Interval(IntervalUnit::YearMonth),
                Some(_) => DataType::Duration(TimeUnit::Microsecond),
                None => DataType::Interval(IntervalUnit::MonthDayNano),
            },
            "ARRAY" => {
                self.expect("<")?;
                let item = self.part_of(column)?;
                self.expect(">")?;
                DataType::List(Arc::new(Field::new_list_field(item, true)))
            }
            "MAP" => {
                self.expect("<")?;
                let key = Field::new("key", self.part_of(column)?, false);
                self.expect(",")?;
                let value = Field::new("value", self.part_of(column)?, true);
                self.expect(">")?;
                let entries = DataType::Struct(Fields::from(vec![key, value]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            "STRUCT" => self.fields()?,
            _ => return Err(no_such_type(&name, column)),
        };
        if data_type == DataType::Utf8 && self.eat("COLLATE") {
            self.qualified()?;
        }
        Ok(data_type)
    }

    fn part_of(&mut self, column: &str) -> Result<DataType> {
        self.nested(|parser| parser.type_of(column))
    }

    fn timestamp(&mut self) -> Result<DataType> {
        if self.eat_all(&["WITHOUT", "TIME", "ZONE"]) {
            return Ok(DataType::Timestamp(TimeUnit::Microsecond, None));
        }
        let _ = self.eat_all(&["WITH", "TIME", "ZONE"])
            || self.eat_all(&["WITH", "LOCAL", "TIME", "ZONE"]);
        Ok(with_zone())
    }

    /// `TIME` and `TIME(6)`, which are one type.
    fn time_of_day(&mut self, column: &str) -> Result<DataType> {
        let digits = self.numbers()?;
        let _ = self.eat_all(&["WITHOUT", "TIME", "ZONE"]);
        match digits.as_slice() {
            [] | [6] => Ok(DataType::Time64(TimeUnit::Microsecond)),
            digits => Err(no_such_time(digits, column)),
        }
    }

    /// `(10, 2)`, if it comes next.
    fn numbers(&mut self) -> Result<Vec<i64>> {
        if !self.is("(") {
            return Ok(Vec::new());
        }
        self.in_parens(|parser| {
            let negative = parser.eat("-");
            let number = match &parser.peek().kind {
                TokenKind::Number { digits, suffix } if suffix.is_empty() => digits.parse().ok(),
                _ => None,
            };
            let number: i64 = number.ok_or_else(|| parser.expected("a number"))?;
            parser.advance();
            Ok(if negative { -number } else { number })
        })
    }

    /// `<a: INT, b STRING>`.
    fn fields(&mut self) -> Result<DataType> {
        if self.eat("!=") {
            return Ok(DataType::Struct(Fields::empty()));
        }
        self.expect("<")?;
        let fields = match self.is(">") {
            true => Vec::new(),
            false => self.columns()?,
        };
        self.expect(">")?;
        Ok(DataType::Struct(fields.into()))
    }

    /// `a: INT NOT NULL COMMENT 'why', b STRING`: a source never promises that a field is there, so
    /// each may be NULL. A comment is kept beside the type.
    pub(super) fn columns(&mut self) -> Result<Vec<Field>> {
        self.list(|parser| {
            let name = parser.identifier()?;
            parser.eat(":");
            let data_type = parser.nested(|parser| parser.type_of(&name))?;
            let mut field = Field::new(&name, data_type, true);
            loop {
                if parser.eat_all(&["NOT", "NULL"]) || parser.eat("NULL") {
                    continue;
                }
                if !parser.eat("COMMENT") {
                    return Ok(field);
                }
                let comment = [(COMMENT.to_string(), parser.string()?)];
                field = field.with_metadata(comment.into());
            }
        })
    }
}

/// Under this name a field's metadata have its comment.
pub(crate) const COMMENT: &str = "comment";

fn with_zone() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
}
