//! The value that the text of a field stands for, by the type of its column.

use std::str::FromStr;

use arrow::array::ArrayRef;
use arrow::datatypes::Field;

use super::options::FloatNames;
use crate::datetime::TimeFormats;
use crate::error::Result;
use crate::formats::decimal::parse_decimal;
use crate::formats::json::column::{Column, append};
use crate::formats::records::unfinished;

/// Appends the value, if the text stands for one.
pub(super) fn append_text(column: &mut Column, text: &str, floats: &FloatNames) -> bool {
    match column {
        Column::String(column) => {
            column.append_value(text);
            true
        }
        Column::Boolean(column) => {
            let value = parse_boolean(text);
            value.inspect(|value| column.append_value(*value)).is_some()
        }
        Column::Int8(column) => append(column, text.parse().ok()),
        Column::Int16(column) => append(column, text.parse().ok()),
        Column::Int32(column) => append(column, text.parse().ok()),
        Column::Int64(column) => append(column, text.parse().ok()),
        Column::Float32(column) => append(column, floats.plain(text).and_then(parsed)),
        Column::Float64(column) => append(column, floats.plain(text).and_then(parsed)),
        Column::Decimal(column, precision, scale) => {
            let digits = text.replace(',', "");
            append(column, parse_decimal(&digits, *precision, *scale))
        }
        Column::Date(column, times) => append(column, times.parse_date(text)),
        Column::Timestamp(column, times) => append(column, times.parse_timestamp(text)),
        Column::TimestampNtz(column, times) => append(column, times.parse_timestamp_ntz(text)),
        Column::Binary(column) => {
            column.append_value(text);
            true
        }
        Column::Struct(..) | Column::List(_) | Column::Map(_) => false,
    }
}

pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The value that a text stands for, as an array of one; none if it stands for none.
pub(crate) fn value_of_text(field: &Field, text: &str) -> Result<Option<ArrayRef>> {
    let times = TimeFormats::default();
    let mut column = Column::new(field.name(), field.data_type(), &times, 1)?;
    match append_text(&mut column, text, &FloatNames::default()) {
        true => column.finish().map(Some).map_err(unfinished),
        false => Ok(None),
    }
}

fn parsed<T: FromStr>(number: &str) -> Option<T> {
    number.parse().ok()
}

impl FloatNames {
    /// The text as Rust writes the number that it is in Java: there white space around it and a `d`
    /// or `f` behind it do not count, and case does.
    pub(super) fn plain<'a>(&self, text: &'a str) -> Option<&'a str> {
        match text {
            _ if text == self.nan => return Some("NaN"),
            _ if text == self.positive_inf => return Some("inf"),
            _ if text == self.negative_inf => return Some("-inf"),
            _ => {}
        }
        let text = text.trim_matches(|char| char <= ' ');
        if matches!(text, "NaN" | "Infinity" | "+Infinity" | "-Infinity") {
            return Some(text);
        }
        let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
        let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        number.bytes().all(plain).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_java_reads_them() {
        for (text, expected) in [
            (" 1 ", Some(1.0)),
            ("1e3", Some(1000.0)),
            ("1d", Some(1.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e400", Some(f64::INFINITY)),
            ("-Inf", Some(f64::NEG_INFINITY)),
            ("Infinity", Some(f64::INFINITY)),
            ("nan", None),
            ("inf", None),
            ("0x10", None),
            ("1,5", None),
            ("", None),
        ] {
            let plain = FloatNames::default().plain(text).map(str::to_string);
            let parsed: Option<f64> = plain.and_then(|text| text.parse().ok());
            assert_eq!(parsed, expected, "{text}");
        }
        let named = FloatNames {
            nan: "-".to_string(),
            positive_inf: "max".to_string(),
            ..FloatNames::default()
        };
        assert_eq!(named.plain("-"), Some("NaN"));
        assert_eq!(
            (named.plain("max"), named.plain("Inf")),
            (Some("inf"), None)
        );
        assert_eq!(
            (parse_boolean("TRUE"), parse_boolean("t")),
            (Some(true), None)
        );
    }
}
