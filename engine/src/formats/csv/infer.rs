//! The schema of CSV files that were given none: Spark's rules. Columns have the names of the
//! header, or `_c0`, `_c1`, …; all are STRING unless types are asked for.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::decoder::is_record;
use super::fields::Fields;
use super::options::CsvOptions;
use super::values::parse_boolean;
use crate::datetime::DateTimePattern;
use crate::formats::line_format::LineSchemaInference;

/// Digits that every BIGINT can have.
const BIGINT_DIGITS: u8 = 20;
const MAX_PRECISION: usize = 38;

/// Looks at lines one after the other.
#[derive(Debug)]
pub(in crate::formats) struct CsvSchemaInference {
    options: CsvOptions,
    date: Option<DateTimePattern>,
    fields: Fields,
    at_header: bool,
    names: Option<Vec<String>>,
    kinds: Vec<Kind>,
}

/// What all values of a column are, so far; a value is tried as each kind from there on.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Kind {
    Null,
    Int,
    BigInt,
    /// A whole number of so many digits.
    Decimal(u8),
    Double,
    Date,
    Timestamp,
    Boolean,
    String,
}

impl CsvSchemaInference {
    /// Nothing seen yet.
    pub(in crate::formats) fn new(options: CsvOptions) -> Self {
        Self {
            date: match options.times.date {
                Some(_) => None,
                // A timestamp begins like a date, but is none.
                None => "yyyy-MM-dd".parse().ok(),
            },
            options,
            fields: Fields::default(),
            at_header: false,
            names: None,
            kinds: Vec::new(),
        }
    }

    fn set_names(&mut self, line: &str) {
        let values: Vec<_> = (0..self.fields.len())
            .map(|index| self.fields.value(index, line, &self.options))
            .collect();
        let lower = |value: &Option<&str>| value.map(str::to_lowercase);
        let is_repeated = |value: &Option<&str>| {
            let same = values.iter().filter(|other| lower(other) == lower(value));
            same.count() > 1
        };
        let name = |(index, value): (usize, &Option<&str>)| match value {
            Some(name) if self.options.header && is_repeated(value) => format!("{name}{index}"),
            Some(name) if self.options.header => name.to_string(),
            _ => format!("_c{index}"),
        };
        let names: Vec<String> = values.iter().enumerate().map(name).collect();
        self.kinds = vec![Kind::Null; names.len()];
        self.names = Some(names);
    }

    fn kind(&self, text: &str, known: Kind) -> Kind {
        let is_whole = || {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let is_date = || match &self.date {
            Some(pattern) => pattern.parse_date(text).is_some(),
            None => self.options.times.parse_date(text).is_some(),
        };
        if known <= Kind::Int && text.parse::<i32>().is_ok() {
            Kind::Int
        } else if known <= Kind::BigInt && text.parse::<i64>().is_ok() {
            Kind::BigInt
        } else if known < Kind::Double && is_whole() && text.len() <= MAX_PRECISION {
            Kind::Decimal(text.trim_start_matches(['+', '-']).len() as u8)
        } else if known <= Kind::Double
            && self
                .options
                .floats
                .plain(text)
                .is_some_and(|text| text.parse::<f64>().is_ok())
        {
            Kind::Double
        } else if known <= Kind::Date && is_date() {
            Kind::Date
        } else if known <= Kind::Timestamp && self.options.times.parse_timestamp(text).is_some() {
            Kind::Timestamp
        } else if known <= Kind::Boolean && parse_boolean(text).is_some() {
            Kind::Boolean
        } else {
            Kind::String
        }
    }
}

fn merge(known: Kind, other: Kind) -> Kind {
    match (known, other) {
        (Kind::Null, kind) => kind,
        (Kind::Decimal(left), Kind::Decimal(right)) => Kind::Decimal(left.max(right)),
        (Kind::Int | Kind::BigInt, Kind::Decimal(digits))
        | (Kind::Decimal(digits), Kind::Int | Kind::BigInt) => {
            Kind::Decimal(digits.max(BIGINT_DIGITS))
        }
        (left, right) if left <= Kind::Double && right <= Kind::Double => {
            if left > right {
                left
            } else {
                right
            }
        }
        (Kind::Date | Kind::Timestamp, Kind::Date | Kind::Timestamp) if known != other => {
            Kind::Timestamp
        }
        (left, right) if left == right => left,
        _ => Kind::String,
    }
}

impl LineSchemaInference for CsvSchemaInference {
    fn start_file(&mut self) {
        self.at_header = self.options.header;
    }

    fn line(&mut self, line: &[u8]) -> bool {
        if !is_record(line, &self.options.syntax) {
            return true;
        }
        let is_header = std::mem::take(&mut self.at_header);
        if is_header && self.names.is_some() {
            return true;
        }
        let line = String::from_utf8_lossy(line);
        self.fields.split(&line, &self.options.syntax);
        if self.names.is_none() {
            self.set_names(&line);
        }
        if !self.options.infer_schema {
            return false;
        }
        if !is_header {
            let mut kinds = std::mem::take(&mut self.kinds);
            for (index, known) in kinds.iter_mut().enumerate() {
                if let Some(text) = self.fields.value(index, &line, &self.options) {
                    *known = merge(*known, self.kind(text, *known));
                }
            }
            self.kinds = kinds;
        }
        true
    }

    fn finish(&mut self) -> SchemaRef {
        let names = self.names.take().unwrap_or_default();
        let fields = names.into_iter().zip(&self.kinds).map(|(name, kind)| {
            let data_type = match kind {
                Kind::Int => DataType::Int32,
                Kind::BigInt => DataType::Int64,
                Kind::Decimal(digits) => DataType::Decimal128(*digits, 0),
                Kind::Double => DataType::Float64,
                Kind::Date => DataType::Date32,
                Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                Kind::Boolean => DataType::Boolean,
                Kind::Null | Kind::String => DataType::Utf8,
            };
            Field::new(name, data_type, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::CSV_OPTIONS;
    use crate::options::{OptionMap, Options};

    /// `name type, …`
    fn inferred(given: &[(&str, &str)], files: &[&str]) -> String {
        let given: OptionMap = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let options = Options::new("test", &given, &CSV_OPTIONS, &[]).unwrap();
        let mut inference = CsvSchemaInference::new(CsvOptions::new(&options).unwrap());
        for file in files {
            inference.start_file();
            for line in file.split('\n') {
                inference.line(line.as_bytes());
            }
        }
        let schema = inference.finish();
        let fields = schema.fields().iter();
        let named = fields.map(|field| format!("{} {}", field.name(), field.data_type()));
        named.collect::<Vec<_>>().join(", ")
    }

    /// What Spark 4.3 made of these files.
    #[test]
    fn schemas_as_spark_finds_them() {
        let typed = [("header", "true"), ("inferSchema", "true")];
        let timestamp = "Timestamp(µs, \"UTC\")";
        for (file, expected) in [
            ("h\n1\n\n1.5", "h Float64".to_string()),
            ("h\n1\ntrue", "h Utf8".to_string()),
            ("h\n1\n9999999999", "h Int64".to_string()),
            (
                "h\n99999999999999999999\n1",
                "h Decimal128(20, 0)".to_string(),
            ),
            ("h\n2024-01-01", "h Date32".to_string()),
            (
                "h\n\"2024-01-01\"\n2024-01-01 10:00:00",
                format!("h {timestamp}"),
            ),
            ("h\n2024-01-01T10:00:00Z\n2024", format!("h {timestamp}")),
            ("h,i\nNaN,TRUE\n1,", "h Float64, i Boolean".to_string()),
            ("h,i\n1,2,3\n1\n", "h Int32, i Int32".to_string()),
            (
                "a,,A,b\n,x,,1",
                "a0 Utf8, _c1 Utf8, A2 Utf8, b Int32".to_string(),
            ),
            ("", String::new()),
        ] {
            assert_eq!(inferred(&typed, &[file]), expected, "{file}");
        }
        assert_eq!(
            inferred(&[], &["1,2,3\n4,5"]),
            "_c0 Utf8, _c1 Utf8, _c2 Utf8"
        );
        assert_eq!(inferred(&typed, &["h\n1", "h\n2"]), "h Int32");
    }
}
