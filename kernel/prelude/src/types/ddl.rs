//! Types in Spark's DDL: `array<int>`, `user STRING, ts TIMESTAMP`.

use super::{DataType, StructField};
use crate::error::{Error, Result};

/// A type, or a schema without the word `struct`.
pub(super) fn parse(text: &str) -> Result<DataType> {
    parse_type(text).or_else(|_| {
        let mut parser = Parser::new(text);
        let fields = parser.fields(None)?;
        parser.end(DataType::Struct { fields })
    })
}

/// A type alone.
pub(super) fn parse_type(text: &str) -> Result<DataType> {
    let mut parser = Parser::new(text);
    let data_type = parser.data_type()?;
    parser.end(data_type)
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.trim_start(),
        }
    }

    fn data_type(&mut self) -> Result<DataType> {
        let name = self.name()?.to_ascii_lowercase();
        Ok(match name.as_str() {
            "void" | "null" => DataType::Null,
            "boolean" => DataType::Boolean,
            "tinyint" | "byte" => DataType::Byte,
            "smallint" | "short" => DataType::Short,
            "int" | "integer" => DataType::Integer,
            "bigint" | "long" => DataType::Long,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "decimal" | "dec" | "numeric" => self.decimal()?,
            "string" => DataType::String {
                collation: String::new(),
            },
            "char" | "character" => DataType::Char {
                length: self.numbers()?.0,
            },
            "varchar" => DataType::Varchar {
                length: self.numbers()?.0,
            },
            "binary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" | "timestamp_ltz" => DataType::Timestamp,
            "timestamp_ntz" => DataType::TimestampNtz,
            "array" => {
                self.expect('<')?;
                let element_type = Box::new(self.data_type()?);
                self.expect('>')?;
                DataType::Array {
                    element_type,
                    contains_null: true,
                }
            }
            "map" => {
                self.expect('<')?;
                let key_type = Box::new(self.data_type()?);
                self.expect(',')?;
                let value_type = Box::new(self.data_type()?);
                self.expect('>')?;
                DataType::Map {
                    key_type,
                    value_type,
                    value_contains_null: true,
                }
            }
            "struct" => {
                self.expect('<')?;
                DataType::Struct {
                    fields: self.fields(Some('>'))?,
                }
            }
            _ => return Err(self.error()),
        })
    }

    fn decimal(&mut self) -> Result<DataType> {
        if !self.rest.starts_with('(') {
            return Ok(DataType::Decimal {
                precision: 10,
                scale: 0,
            });
        }
        let (precision, scale) = self.numbers()?;
        Ok(DataType::Decimal {
            precision,
            scale: scale.unwrap_or(0),
        })
    }

    /// `name [:] type [NOT NULL] [COMMENT '…'], …` up to `close`, or the end.
    fn fields(&mut self, close: Option<char>) -> Result<Vec<StructField>> {
        let mut fields = Vec::new();
        if close.is_some_and(|close| self.take(close)) {
            return Ok(fields);
        }
        loop {
            let name = self.name()?;
            self.take(':');
            let mut field = StructField::new(name, self.data_type()?);
            let is_required = self.word("not");
            if is_required && !self.word("null") {
                return Err(self.error());
            }
            field.nullable = !is_required;
            if self.word("comment") {
                field
                    .metadata
                    .insert("comment".to_string(), self.quoted('\'')?.into());
            }
            fields.push(field);
            if self.take(',') {
                continue;
            }
            if let Some(close) = close {
                self.expect(close)?;
            }
            return Ok(fields);
        }
    }

    /// At least one number in parentheses.
    fn numbers(&mut self) -> Result<(i32, Option<i32>)> {
        self.expect('(')?;
        let Some((inner, rest)) = self.rest.split_once(')') else {
            return Err(self.error());
        };
        let numbers = inner.split(',').map(|number| number.trim().parse());
        let numbers = numbers
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| self.error())?;
        let mut numbers = numbers.into_iter();
        let first = numbers.next().ok_or_else(|| self.error())?;
        self.rest = rest.trim_start();
        Ok((first, numbers.next()))
    }

    fn name(&mut self) -> Result<String> {
        if self.rest.starts_with('`') {
            return self.quoted('`');
        }
        let is_part = |character: char| character.is_alphanumeric() || "_-".contains(character);
        let end = self
            .rest
            .find(|character| !is_part(character))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.error());
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Ok(name.to_string())
    }

    fn quoted(&mut self, quote: char) -> Result<String> {
        let inner = self.rest.strip_prefix(quote);
        let Some((name, rest)) = inner.and_then(|inner| inner.split_once(quote)) else {
            return Err(self.error());
        };
        self.rest = rest.trim_start();
        Ok(name.to_string())
    }

    fn word(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((start, rest)) if start.eq_ignore_ascii_case(word) => {
                self.rest = rest.trim_start();
                true
            }
            _ => false,
        }
    }

    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, character: char) -> Result<()> {
        if self.take(character) {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    fn end(&self, data_type: DataType) -> Result<DataType> {
        if self.rest.is_empty() {
            Ok(data_type)
        } else {
            Err(self.error())
        }
    }

    fn error(&self) -> Error {
        let at = self.text.len() - self.rest.len();
        Error::of(
            "ParseException",
            format!("'{}' is not a type or a schema: character {at}", self.text),
        )
        .with_hint("write it as \"user STRING, amount DOUBLE, ts TIMESTAMP\"")
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(ddl: &str, name: &str) {
        assert_eq!(parse(ddl).unwrap().simple_string(), name, "{ddl}");
    }

    #[test]
    fn reads_types_and_schemas() {
        check("INT", "int");
        check("decimal(5, 2)", "decimal(5,2)");
        check("map<string, array<bigint>>", "map<string,array<bigint>>");
        check("struct<a: int, b: struct<>>", "struct<a:int,b:struct<>>");
        check(
            "user STRING NOT NULL COMMENT 'who', `a b` DOUBLE",
            "struct<user:string,a b:double>",
        );
        check("ts TIMESTAMP", "struct<ts:timestamp>");
    }

    #[test]
    fn says_where_it_is_lost() {
        let error = parse("a INT, b STRIN").unwrap_err();
        assert!(error.message().contains("character 14"), "{error}");
        assert!(parse("array<int").is_err());
    }
}
