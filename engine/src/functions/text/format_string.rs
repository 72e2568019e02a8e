//! `format_string`: Java's formats, as in `%5.2f|%-10s|%,d`. What is no text, truth, whole number or
//! fixed fraction is datafusion-spark's matter.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::scalar::ScalarValue;
use datafusion_spark::function::string::format_string::Formatter;

use super::decimals::{grouped, increment};
use crate::error::{Error, Result, from_datafusion};
use crate::functions::scalar::{Call, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::{format_value, is_null};
use crate::type_names::sql_type;

pub(super) const FORMAT_STRING: &[Scalar] = &[Scalar {
    name: "format_string",
    aliases: &["printf"],
    forms: &[&[Takes::Text, Takes::Rest(&Takes::Any)]],
    call: |call| {
        let mut texts = StringBuilder::new();
        for row in 0..call.rows {
            match call.text(0)?.is_valid(row) {
                true => texts.append_value(formatted(call, row)?),
                false => texts.append_null(),
            }
        }
        Ok(Arc::new(texts.finish()))
    },
    doc: "A text in which values stand in the places of %s, %d, %.2f and the like.",
    example: "SELECT format_string('%s: %05.2f m', 'high tide', 3.456D)",
    ..SCALAR
}];

fn formatted(call: &Call<'_>, row: usize) -> Result<String> {
    let format = call.str(0, row)?;
    let mut text = String::new();
    let (mut next, mut last) = (1, 0);
    let mut rest = format;
    while let Some((plain, after)) = rest.split_once('%') {
        text.push_str(plain);
        let (spec, more) = Spec::parse(after).ok_or_else(|| {
            Error::runtime(format!("'{format}' is not a format"))
                .with_hint("write %% for the sign itself")
        })?;
        rest = more;
        match spec.conversion {
            "%" => text.push_str(&spec.padded("%".to_owned())),
            "n" => text.push('\n'),
            _ => {
                last = match spec.index {
                    Index::Next => {
                        next += 1;
                        next - 1
                    }
                    Index::Last => last,
                    Index::Given(index) => index,
                };
                let values = call
                    .arguments
                    .get(last)
                    .filter(|_| last > 0)
                    .ok_or_else(|| {
                        Error::runtime(format!("'{format}' names more values than there are"))
                            .with_hint("give one value for each %")
                    })?;
                text.push_str(&spec.text(values, row)?);
            }
        }
    }
    Ok(text + rest)
}

/// Which value.
enum Index {
    Next,
    Last,
    Given(usize),
}

/// What stands behind a percent sign.
struct Spec<'a> {
    index: Index,
    flags: &'a str,
    width: usize,
    precision: Option<usize>,
    conversion: &'a str,
    /// All but the index.
    source: &'a str,
}

impl<'a> Spec<'a> {
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let (number, behind) = digits(text);
        let (index, source) = match (number.parse(), behind.strip_prefix('$')) {
            (Ok(index), Some(rest)) => (Index::Given(index), rest),
            _ => match text.strip_prefix('<') {
                Some(rest) => (Index::Last, rest),
                None => (Index::Next, text),
            },
        };
        let end = source
            .find(|c| !"-#+ 0,(".contains(c))
            .unwrap_or(source.len());
        let (flags, rest) = source.split_at(end);
        let (width, rest) = digits(rest);
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        let first = rest.chars().next()?;
        let has_second = matches!(first, 't' | 'T');
        let length = rest
            .chars()
            .take(1 + usize::from(has_second))
            .map(char::len_utf8)
            .sum();
        let (conversion, rest) = rest.split_at(length);
        let spec = Self {
            index,
            flags,
            width: width.parse().unwrap_or(0),
            precision: precision.parse().ok(),
            conversion,
            source: &source[..source.len() - rest.len()],
        };
        Some((spec, rest))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn text(&self, values: &ArrayRef, row: usize) -> Result<String> {
        let data_type = values.data_type();
        let kind = self.conversion.to_ascii_lowercase();
        let as_type = |to: DataType| {
            cast(&values.slice(row, 1), &to).map_err(|error| from_datafusion(error.into()))
        };
        Ok(match kind.as_str() {
            "b" if is_null(values, row) => self.padded(self.cut("false".to_owned())),
            _ if is_null(values, row) => self.padded(self.cut("null".to_owned())),
            "b" => {
                let truth = values
                    .as_boolean_opt()
                    .is_none_or(|values| values.value(row));
                self.padded(self.cut(truth.to_string()))
            }
            "s" => self.padded(self.cut(format_value(values, row))),
            "d" if data_type.is_integer() => {
                let number = as_type(DataType::Int64)?
                    .as_primitive::<Int64Type>()
                    .value(0);
                self.number(number < 0, number.unsigned_abs().to_string())
            }
            "f" if data_type.is_floating() => self.fraction(
                as_type(DataType::Float64)?
                    .as_primitive::<Float64Type>()
                    .value(0),
            ),
            // Numbers with a fixed point are no numbers to Java.
            _ if data_type.is_decimal() => return Err(self.wrong(data_type)),
            _ => {
                let value = ScalarValue::try_from_array(values, row).map_err(from_datafusion)?;
                let source = format!("%{}", self.source);
                let formatter = Formatter::parse(&source, std::slice::from_ref(data_type));
                let text = formatter.and_then(|formatter| formatter.format(&[value]));
                text.map_err(|_| self.wrong(data_type))?
            }
        })
    }

    fn wrong(&self, data_type: &DataType) -> Error {
        Error::runtime(format!(
            "%{} cannot stand for {}",
            self.source,
            sql_type(data_type)
        ))
        .with_hint("%s stands for any value; cast others: CAST(x AS DOUBLE)")
    }

    /// At most as many characters as the precision, in capitals if the conversion is.
    fn cut(&self, text: String) -> String {
        let text: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        match self
            .conversion
            .starts_with(|c: char| c.is_ascii_uppercase())
        {
            true => text.to_uppercase(),
            false => text,
        }
    }

    fn padded(&self, text: String) -> String {
        let blanks = " ".repeat(self.width.saturating_sub(text.chars().count()));
        match self.has('-') {
            true => text + &blanks,
            false => blanks + &text,
        }
    }

    /// Rounded half up from the shortest digits that stand for the number.
    fn fraction(&self, value: f64) -> String {
        if !value.is_finite() {
            let text = if value.is_nan() { "NaN" } else { "Infinity" };
            return self.padded(self.signed(value < 0.0, text.to_owned()));
        }
        let places = self.precision.unwrap_or(6);
        let text = value.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let mut digits = format!("{whole}{fraction:0<places$}").into_bytes();
        let end = whole.len() + places;
        let rounds_up = digits.get(end).is_some_and(|digit| *digit >= b'5');
        digits.truncate(end);
        if rounds_up {
            increment(&mut digits);
        }
        let digits: String = digits.into_iter().map(char::from).collect();
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places > 0 || self.has('#') { "." } else { "" };
        let is_negative = value.is_sign_negative();
        match self.has(',') {
            true => self.number(
                is_negative,
                format!("{}{point}{fraction}", grouped(whole, 3)),
            ),
            false => self.number(is_negative, format!("{whole}{point}{fraction}")),
        }
    }

    fn signed(&self, is_negative: bool, digits: String) -> String {
        match is_negative {
            true if self.has('(') => format!("({digits})"),
            true => format!("-{digits}"),
            false if self.has('+') => format!("+{digits}"),
            false if self.has(' ') => format!(" {digits}"),
            false => digits,
        }
    }

    fn number(&self, is_negative: bool, digits: String) -> String {
        let digits = match self.has(',') && !digits.contains(['.', ',']) {
            true => grouped(&digits, 3),
            false => digits,
        };
        let length = self.signed(is_negative, digits.clone()).len();
        let zeros = match self.has('0') {
            true => "0".repeat(self.width.saturating_sub(length)),
            false => String::new(),
        };
        self.padded(self.signed(is_negative, zeros + &digits))
    }
}

/// The digits in front, and the rest.
fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int32Array};

    fn text(spec: &str, values: ArrayRef) -> String {
        let (spec, rest) = Spec::parse(spec).unwrap();
        assert_eq!(rest, "");
        spec.text(&values, 0).unwrap()
    }

    #[test]
    fn whole_numbers_are_written() {
        let write = |spec, number| text(spec, Arc::new(Int32Array::from(vec![number])));
        assert_eq!(write("d", 5), "5");
        assert_eq!(write("5d", -5), "   -5");
        assert_eq!(write("-5d", 5), "5    ");
        assert_eq!(write("05d", -5), "-0005");
        assert_eq!(write(",d", 1_234_567), "1,234,567");
        assert_eq!(write("(d", -5), "(5)");
        assert_eq!(write("x", 255), "ff");
    }

    #[test]
    fn fractions_are_rounded_half_up() {
        let write = |spec, number| text(spec, Arc::new(Float64Array::from(vec![number])));
        assert_eq!(write(".2f", 1.005), "1.01");
        assert_eq!(write("f", 0.5), "0.500000");
        assert_eq!(write(".0f", 9.5), "10");
        assert_eq!(write("08.2f", -3.5), "-0003.50");
        assert_eq!(write(",.1f", 12345.67), "12,345.7");
        assert_eq!(write("s", 1.5), "1.5");
    }
}
