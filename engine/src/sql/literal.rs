//! Literals: numbers with their types, times, bytes.

use datafusion::scalar::ScalarValue;

use super::parser::Parser;
use super::tokens::TokenKind;
use crate::datetime::{
    TIME_ZONE, Zone, parse_date, parse_timestamp, parse_timestamp_ntz, read_time,
};
use crate::error::{Error, ErrorKind, Result};
use crate::text::format_value;
use crate::tree::{Expression, Literal, SESSION_ZONE};

/// The digits that a DECIMAL has at most.
const MAX_DIGITS: usize = 38;

/// A literal that its value shows.
pub(crate) fn literal(value: ScalarValue) -> Expression {
    Expression::Literal(Literal { value, shown: None })
}

/// A text as a literal.
pub(crate) fn text_literal(text: impl Into<String>) -> Expression {
    literal(ScalarValue::Utf8(Some(text.into())))
}

impl Parser<'_> {
    /// A number, behind a minus if `negative`.
    pub(super) fn number(&mut self, negative: bool) -> Result<Expression> {
        let TokenKind::Number { digits, suffix } = self.peek().kind.clone() else {
            return Err(self.expected("a number"));
        };
        let sign = if negative { "-" } else { "" };
        let value = number(&format!("{sign}{digits}"), &suffix);
        let value = value.map_err(|wrong| match wrong {
            Wrong::Range(name) => self
                .error(&format!(
                    "the number {sign}{digits} does not fit into {name}"
                ))
                .with_condition("INVALID_NUMERIC_LITERAL_RANGE"),
            Wrong::Digits => self
                .error(&format!(
                    "the number {sign}{digits} has more than {MAX_DIGITS} digits"
                ))
                .with_condition("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION"),
            Wrong::Form => self.error(&format!("{sign}{digits}{suffix} is not a number")),
        })?;
        self.advance();
        Ok(literal(value))
    }

    /// `DATE '…'` and its kind, `X'…'`; `None` if no such literal comes next.
    pub(super) fn typed_literal(&mut self) -> Result<Option<Expression>> {
        if let TokenKind::Hex(digits) = &self.peek().kind {
            let literal = bytes_literal(digits)?;
            self.advance();
            return Ok(Some(literal));
        }
        let is_text = matches!(self.peek_at(1).kind, TokenKind::Text(_));
        // With a space before its quote.
        if is_text && self.eat("X") {
            return bytes_literal(&self.string()?).map(Some);
        }
        let names = [
            "DATE",
            "TIMESTAMP",
            "TIMESTAMP_NTZ",
            "TIMESTAMP_LTZ",
            "TIME",
        ];
        let Some(name) = names.into_iter().find(|name| is_text && self.is(name)) else {
            return Ok(None);
        };
        self.advance();
        let text = self.string()?;
        time(name, &text).map(Some)
    }
}

/// A literal that is shown in a way of its own.
pub(crate) fn shown_as(value: ScalarValue, shown: String) -> Expression {
    let shown = Some(shown);
    Expression::Literal(Literal { value, shown })
}

/// The date or timestamp that a text is, shown as Spark does.
fn time(name: &str, text: &str) -> Result<Expression> {
    let value = match name {
        "DATE" => parse_date(text).map(|days| ScalarValue::Date32(Some(days))),
        "TIMESTAMP_NTZ" => parse_timestamp_ntz(text)
            .map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), None)),
        "TIME" => read_time(text).map(|micros| ScalarValue::Time64Microsecond(Some(micros))),
        _ => parse_timestamp(text, Zone::UTC).map(|micros| {
            // Without a zone of its own it is a time of the session's.
            let is_local = parse_timestamp(text, Zone::Fixed(3_600)) != Some(micros);
            let zone = if is_local { SESSION_ZONE } else { TIME_ZONE };
            ScalarValue::TimestampMicrosecond(Some(micros), Some(zone.into()))
        }),
    };
    let example = match name {
        "DATE" => "DATE '2024-01-31'",
        "TIME" => "TIME '12:00:00'",
        _ => "TIMESTAMP '2024-01-31 12:00:00'",
    };
    if name == "TIME"
        && text
            .split('.')
            .nth(1)
            .is_some_and(|digits| digits.trim().len() > 6)
    {
        return Err(Error::analysis(format!(
            "'{text}' has more digits behind the point than a TIME has here, which are six"
        ))
        .with_condition("INVALID_TYPED_LITERAL"));
    }
    let value = value.ok_or_else(|| invalid(text, name, example))?;
    let name = name.trim_end_matches("_LTZ");
    let shown = format!("{name} '{}'", shown(&value)?);
    Ok(shown_as(value, shown))
}

fn invalid(text: &str, name: &str, example: &str) -> Error {
    let message = format!("'{text}' is not a valid {name}");
    Error::new(ErrorKind::Parse, message)
        .with_condition("INVALID_TYPED_LITERAL")
        .with_parameter("valueType", format!("\"{name}\""))
        .with_parameter("value", format!("'{text}'"))
        .with_hint(format!("write it like {example}"))
}

/// A value as `show` prints it.
pub(crate) fn shown(value: &ScalarValue) -> Result<String> {
    let array = value.to_array().map_err(crate::error::from_datafusion)?;
    Ok(format_value(array.as_ref(), 0))
}

fn bytes_literal(digits: &str) -> Result<Expression> {
    let bytes = bytes(digits).ok_or_else(|| invalid(digits, "X", "X'1F'"))?;
    let shown: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let value = ScalarValue::Binary(Some(bytes));
    Ok(shown_as(value, format!("X'{shown}'")))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let padded = match digits.len() % 2 {
        0 => digits.to_string(),
        _ => format!("0{digits}"),
    };
    let is_hex = padded.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pairs = (0..padded.len()).step_by(2).filter(|_| is_hex);
    let bytes = pairs.map(|at| u8::from_str_radix(&padded[at..at + 2], 16).ok());
    bytes.collect::<Option<Vec<u8>>>().filter(|_| is_hex)
}

enum Wrong {
    Range(&'static str),
    Digits,
    Form,
}

/// The value of a number with these letters behind it.
fn number(digits: &str, suffix: &str) -> Result<ScalarValue, Wrong> {
    let whole = |name| digits.parse::<i64>().map_err(|_| Wrong::Range(name));
    let finite = |name, number: f64| match number.is_finite() {
        true => Ok(number),
        false => Err(Wrong::Range(name)),
    };
    let float = digits.parse::<f64>().map_err(|_| Wrong::Form);
    Ok(match suffix {
        "" if digits.contains(['e', 'E']) => ScalarValue::Float64(Some(finite("DOUBLE", float?)?)),
        "" if digits.contains('.') => decimal(digits)?,
        "" => match (digits.parse::<i32>(), digits.parse::<i64>()) {
            (Ok(number), _) => ScalarValue::Int32(Some(number)),
            (_, Ok(number)) => ScalarValue::Int64(Some(number)),
            _ => decimal(digits)?,
        },
        "D" => ScalarValue::Float64(Some(finite("DOUBLE", float?)?)),
        "F" => {
            let narrow = float? as f32;
            finite("FLOAT", f64::from(narrow))?;
            ScalarValue::Float32(Some(narrow))
        }
        "BD" => decimal(digits)?,
        _ if digits.contains(['.', 'e', 'E']) => return Err(Wrong::Form),
        "L" => ScalarValue::Int64(Some(whole("BIGINT")?)),
        "S" => {
            let number = i16::try_from(whole("SMALLINT")?);
            ScalarValue::Int16(Some(number.map_err(|_| Wrong::Range("SMALLINT"))?))
        }
        "Y" => {
            let number = i8::try_from(whole("TINYINT")?);
            ScalarValue::Int8(Some(number.map_err(|_| Wrong::Range("TINYINT"))?))
        }
        _ => return Err(Wrong::Form),
    })
}

/// A DECIMAL with the digits written; an exponent moves the point.
fn decimal(text: &str) -> Result<ScalarValue, Wrong> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| Wrong::Digits)?;
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut scale = fraction.len() as i64 - exponent;
    let mut digits = format!("{whole}{fraction}");
    digits = digits.trim_start_matches('0').to_string();
    if scale < 0 {
        let zeros = usize::try_from(-scale)
            .unwrap_or(usize::MAX)
            .min(MAX_DIGITS + 1);
        let zeros = if digits.is_empty() { 0 } else { zeros };
        digits.push_str(&"0".repeat(zeros));
        scale = 0;
    }
    let precision = digits
        .len()
        .max(usize::try_from(scale).unwrap_or(usize::MAX))
        .max(1);
    if precision > MAX_DIGITS {
        return Err(Wrong::Digits);
    }
    let number = match digits.as_str() {
        "" => 0,
        digits => format!("{sign}{digits}").parse().map_err(|_| Wrong::Form)?,
    };
    Ok(ScalarValue::Decimal128(
        Some(number),
        precision as u8,
        scale as i8,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_expression;

    fn value(text: &str) -> ScalarValue {
        match parse_expression(text) {
            Ok(Expression::Literal(literal)) => literal.value,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_have_the_types_written() {
        let decimal =
            |value, precision, scale| ScalarValue::Decimal128(Some(value), precision, scale);
        for (text, expected) in [
            ("1", ScalarValue::Int32(Some(1))),
            ("-2147483648", ScalarValue::Int32(Some(i32::MIN))),
            ("2147483648", ScalarValue::Int64(Some(2_147_483_648))),
            ("-9223372036854775808L", ScalarValue::Int64(Some(i64::MIN))),
            (
                "9223372036854775808",
                decimal(9_223_372_036_854_775_808, 19, 0),
            ),
            ("-128Y", ScalarValue::Int8(Some(-128))),
            ("7s", ScalarValue::Int16(Some(7))),
            ("1.50", decimal(150, 3, 2)),
            ("0.05", decimal(5, 2, 2)),
            ("0.0", decimal(0, 1, 1)),
            ("5.", decimal(5, 1, 0)),
            (".5", decimal(5, 1, 1)),
            ("1e3", ScalarValue::Float64(Some(1000.0))),
            ("1e3BD", decimal(1000, 4, 0)),
            ("1.5e-3BD", decimal(15, 4, 4)),
            ("2.5D", ScalarValue::Float64(Some(2.5))),
            ("2.5f", ScalarValue::Float32(Some(2.5))),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
        for text in [
            "128Y",
            "40000S",
            "1e400",
            "9223372036854775808L",
            "1e39F",
            "1.5L",
            "1x",
        ] {
            assert!(parse_expression(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_bytes() {
        let shown = |text: &str| match parse_expression(text) {
            Ok(Expression::Literal(literal)) => literal.shown.unwrap_or_default(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(shown("date '2024-1-5'"), "DATE '2024-01-05'");
        assert_eq!(
            shown("timestamp'2024-01-05T01:02:03.50+01:00'"),
            "TIMESTAMP '2024-01-05 00:02:03.5'"
        );
        assert_eq!(
            shown("TIMESTAMP_NTZ '2024-01-05'"),
            "TIMESTAMP_NTZ '2024-01-05 00:00:00'"
        );
        assert_eq!(shown("x'1f0'"), "X'01F0'");
        let error = parse_expression("DATE '2024-13-01'").unwrap_err();
        assert_eq!(error.condition(), Some("INVALID_TYPED_LITERAL"));
    }
}
