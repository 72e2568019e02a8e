//! `format_number`: with a number of decimal places, or by a pattern like `#,##0.00`.

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};

use super::decimals::{Digits, Numbers, grouped};
use crate::error::{Error, Result, from_datafusion};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

/// More decimal places than anyone reads would only fill the memory.
const MAX_PLACES: usize = 10_000;

pub(super) const FORMAT_NUMBER: &[Scalar] = &[Scalar {
    name: "format_number",
    forms: &[&[Takes::Number, Takes::Any]],
    returns: Returns::By(checked),
    call: format_number,
    doc: "A number with commas between thousands and so many decimal places, or by a pattern of #, 0, \
          comma and point.",
    example: "SELECT format_number(12345.678, 2)",
    ..SCALAR
}];

/// Other numbers than INT are not cast to decimal places.
fn checked(inputs: &Inputs<'_>) -> Result<DataType> {
    match inputs.data_type(1)? {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Null => Ok(DataType::Utf8),
        other if other.is_string() => Ok(DataType::Utf8),
        other => Err(Error::analysis(format!(
            "argument 2 of format_number must be INT or STRING, but it is {}",
            sql_type(other)
        ))
        .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
        .with_hint("cast it: CAST(x AS INT)")),
    }
}

fn format_number(call: &Call<'_>) -> Result<ArrayRef> {
    let [numbers, layouts] = call.first()?;
    let numbers = Numbers::new(numbers)?;
    if !layouts.data_type().is_string() {
        let places = cast(layouts, &DataType::Int32);
        let places = places.map_err(|error| from_datafusion(error.into()))?;
        let places = places.as_primitive::<Int32Type>();
        return call.strings(|row| {
            let places = usize::try_from(places.value(row)).ok();
            let places = places.filter(|places| *places <= MAX_PLACES);
            Ok(places.map(|places| Layout::of_places(places).text(&numbers, row)))
        });
    }
    let patterns = cast(layouts, &DataType::Utf8);
    let patterns = patterns.map_err(|error| from_datafusion(error.into()))?;
    let patterns = patterns.as_string::<i32>();
    let mut known: Option<(&str, Layout)> = None;
    call.strings(|row| {
        let pattern = patterns.value(row);
        let same = known.take().filter(|(known, _)| *known == pattern);
        let (_, layout) = known.insert(same.unwrap_or_else(|| (pattern, Layout::new(pattern))));
        Ok(Some(layout.text(&numbers, row)))
    })
}

/// What a pattern asks for.
struct Layout {
    prefix: String,
    suffix: String,
    /// Around a negative number, if not a minus sign in front.
    negative: Option<(String, String)>,
    /// Digits in a group; 0 without groups.
    group: usize,
    min_whole: usize,
    min_fraction: usize,
    max_fraction: usize,
    has_point: bool,
    is_percent: bool,
}

impl Layout {
    fn of_places(places: usize) -> Self {
        Self {
            prefix: String::new(),
            suffix: String::new(),
            negative: None,
            group: 3,
            min_whole: 1,
            min_fraction: places,
            max_fraction: places,
            has_point: false,
            is_percent: false,
        }
    }

    fn new(pattern: &str) -> Self {
        if pattern.is_empty() {
            return Self::of_places(0);
        }
        let [prefix, number, suffix, rest] = pieces(pattern);
        let negative = rest.strip_prefix(';').map(|rest| {
            let [prefix, _, suffix, _] = pieces(rest);
            (unquoted(prefix), unquoted(suffix))
        });
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let zeros = |text: &str| text.matches('0').count();
        let digits = |text: &str| text.matches(['#', '0']).count();
        let has_point = number.contains('.');
        let no_zero = has_point && zeros(number) == 0;
        Self {
            is_percent: prefix.contains('%') || suffix.contains('%'),
            prefix: unquoted(prefix),
            suffix: unquoted(suffix),
            negative,
            group: whole.rfind(',').map_or(0, |comma| digits(&whole[comma..])),
            // Without a zero the digit at the point is one.
            min_whole: zeros(whole).max(usize::from(no_zero && digits(whole) > 0)),
            min_fraction: zeros(fraction).max(usize::from(no_zero && digits(whole) == 0)),
            max_fraction: digits(fraction),
            has_point: has_point && fraction.is_empty(),
        }
    }

    fn text(&self, numbers: &Numbers, row: usize) -> String {
        let digits = numbers.rounded(row, self.max_fraction, self.is_percent);
        let (is_negative, number) = match digits {
            Digits::NotANumber => return "NaN".to_owned(),
            Digits::Infinite { is_negative } => (is_negative, "∞".to_owned()),
            Digits::Finite {
                is_negative,
                whole,
                fraction,
            } => (is_negative, self.number(&whole, &fraction)),
        };
        match (&self.negative, is_negative) {
            (Some((prefix, suffix)), true) => format!("{prefix}{number}{suffix}"),
            (None, true) => format!("-{}{number}{}", self.prefix, self.suffix),
            _ => format!("{}{number}{}", self.prefix, self.suffix),
        }
    }

    fn number(&self, whole: &str, fraction: &str) -> String {
        let whole = whole.trim_start_matches('0');
        let whole = format!("{whole:0>width$}", width = self.min_whole);
        let zeros = fraction.len() - fraction.trim_end_matches('0').len();
        let spare = (fraction.len() - self.min_fraction.min(fraction.len())).min(zeros);
        let fraction = &fraction[..fraction.len() - spare];
        let whole = match whole.is_empty() && fraction.is_empty() {
            true => "0".to_owned(),
            false => grouped(&whole, self.group),
        };
        match fraction.is_empty() && !self.has_point {
            true => whole,
            false => format!("{whole}.{fraction}"),
        }
    }
}

/// What stands in front of the number, the number, what stands behind it, and the rest.
fn pieces(pattern: &str) -> [&str; 4] {
    let is_number = |c: char| "#0,.".contains(c);
    let start = unquoted_position(pattern, is_number);
    let (prefix, rest) = pattern.split_at(start);
    let end = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    let (suffix, rest) = rest.split_at(unquoted_position(rest, |c| c == ';'));
    [prefix, number, suffix, rest]
}

fn unquoted_position(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    let mut is_quoted = false;
    let found = text.char_indices().find(|(_, c)| {
        is_quoted ^= *c == '\'';
        !is_quoted && wanted(*c)
    });
    found.map_or(text.len(), |(at, _)| at)
}

/// Without the quotes around signs that stand for themselves; two of them are one.
fn unquoted(text: &str) -> String {
    text.replace("''", "\u{0}")
        .replace('\'', "")
        .replace('\u{0}', "'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Float64Array;
    use std::sync::Arc;

    #[test]
    fn numbers_are_laid_out() {
        let text = |value: f64, pattern: &str| {
            let values: ArrayRef = Arc::new(Float64Array::from(vec![value]));
            Layout::new(pattern).text(&Numbers::new(&values).unwrap(), 0)
        };
        assert_eq!(text(12332.123456, "##################.###"), "12332.123");
        assert_eq!(text(1234567.5, "#,##0.00"), "1,234,567.50");
        assert_eq!(text(0.5, "#.##"), "0.5");
        assert_eq!(text(0.0, "#"), "0");
        assert_eq!(text(-0.256, "0.0%"), "-25.6%");
        assert_eq!(text(-3.0, "0;(0)"), "(3)");
        assert_eq!(text(7.0, "'#'00"), "#07");
    }
}
