//! Interval literals: `INTERVAL 1 DAY 2 HOURS`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '5 minutes'`.

use datafusion::scalar::ScalarValue;

use super::literal::shown_as;
use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::{Error, ErrorKind, Result};
use crate::tree::Expression;

const DAY: i128 = 86_400_000_000;
const HOUR: i128 = 3_600_000_000;
const MINUTE: i128 = 60_000_000;
const SECOND: i128 = 1_000_000;

/// A unit, and what it is of: months or microseconds.
struct Unit {
    name: &'static str,
    length: i128,
    /// The field of the type that it belongs to.
    field: Field,
}

/// A field of an interval's type, from the longest to the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Field {
    const ALL: [Self; 6] = [
        Self::Year,
        Self::Month,
        Self::Day,
        Self::Hour,
        Self::Minute,
        Self::Second,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Year => "YEAR",
            Self::Month => "MONTH",
            Self::Day => "DAY",
            Self::Hour => "HOUR",
            Self::Minute => "MINUTE",
            Self::Second => "SECOND",
        }
    }

    pub(super) fn is_months(self) -> bool {
        self <= Self::Month
    }

    fn length(self) -> i128 {
        match self {
            Self::Year => 12,
            Self::Month => 1,
            Self::Day => DAY,
            Self::Hour => HOUR,
            Self::Minute => MINUTE,
            Self::Second => SECOND,
        }
    }

    /// The highest value behind longer fields.
    fn highest(self) -> i128 {
        match self {
            Self::Year | Self::Day => 0,
            Self::Month => 11,
            Self::Hour => 23,
            Self::Minute | Self::Second => 59,
        }
    }
}

const UNITS: &[Unit] = &[
    Unit {
        name: "YEAR",
        length: 12,
        field: Field::Year,
    },
    Unit {
        name: "MONTH",
        length: 1,
        field: Field::Month,
    },
    Unit {
        name: "WEEK",
        length: 7 * DAY,
        field: Field::Day,
    },
    Unit {
        name: "DAY",
        length: DAY,
        field: Field::Day,
    },
    Unit {
        name: "HOUR",
        length: HOUR,
        field: Field::Hour,
    },
    Unit {
        name: "MINUTE",
        length: MINUTE,
        field: Field::Minute,
    },
    Unit {
        name: "SECOND",
        length: SECOND,
        field: Field::Second,
    },
    Unit {
        name: "MILLISECOND",
        length: 1_000,
        field: Field::Second,
    },
    Unit {
        name: "MICROSECOND",
        length: 1,
        field: Field::Second,
    },
];

/// The unit of a word, which may be a plural.
fn unit(word: &str) -> Option<&'static Unit> {
    let word = word.to_uppercase();
    let singular = word.strip_suffix('S').unwrap_or(&word);
    UNITS.iter().find(|unit| unit.name == singular)
}

impl Parser<'_> {
    /// Whether an interval literal comes next, and no column of that name.
    pub(super) fn is_interval(&self) -> bool {
        let signs = usize::from(self.is_at(1, "-") || self.is_at(1, "+"));
        let is_value = |ahead| {
            let kind = &self.peek_at(ahead).kind;
            matches!(kind, TokenKind::Text(_) | TokenKind::Number { .. })
        };
        self.is("INTERVAL") && is_value(1 + signs)
    }

    /// An interval literal.
    pub(super) fn interval(&mut self) -> Result<Expression> {
        let start = self.at;
        self.expect("INTERVAL")?;
        let negative = self.sign();
        let is_text = self.is_text();
        let value = self.interval_value()?;
        let word = match &self.peek().kind {
            TokenKind::Word {
                text,
                quoted: false,
            } => unit(text),
            _ => None,
        };
        let Some(first) = word else {
            // `INTERVAL '1 day 2 hours'`
            return match is_text && !negative {
                true => of_text(&value),
                false => Err(self.expected("a unit of time")),
            };
        };
        let to_field = self.is_at(1, "TO").then(|| match &self.peek_at(2).kind {
            TokenKind::Word {
                text,
                quoted: false,
            } => unit(text).map(|unit| unit.field),
            _ => None,
        });
        if let Some(end) = to_field {
            let end = end.ok_or_else(|| self.expected("YEAR TO MONTH or DAY TO SECOND"))?;
            self.at += 3;
            return from_to(&value, negative, first.field, end);
        }
        self.at = start + 1;
        let mut sum = Sum::default();
        loop {
            let negative = self.sign();
            let value = self.interval_value()?;
            let unit = match &self.peek().kind {
                TokenKind::Word {
                    text,
                    quoted: false,
                } => unit(text),
                _ => None,
            };
            let unit = unit.ok_or_else(|| self.expected("a unit of time"))?;
            self.advance();
            sum.add(value.trim(), unit, negative)?;
            if !self.another_interval() {
                return sum.literal();
            }
        }
    }

    /// Whether a value and a unit come next.
    fn another_interval(&self) -> bool {
        let signs = usize::from(self.is("-") || self.is("+"));
        let is_unit = match &self.peek_at(signs + 1).kind {
            TokenKind::Word {
                text,
                quoted: false,
            } => unit(text).is_some(),
            _ => false,
        };
        // A sign is an operator, as in `INTERVAL 1 DAY - 2`, unless a unit follows.
        let kind = &self.peek_at(signs).kind;
        is_unit && matches!(kind, TokenKind::Text(_) | TokenKind::Number { .. })
    }

    fn sign(&mut self) -> bool {
        let negative = self.eat("-");
        let _ = negative || self.eat("+");
        negative
    }

    fn interval_value(&mut self) -> Result<String> {
        match self.peek().kind.clone() {
            TokenKind::Text(text) => {
                self.advance();
                Ok(text)
            }
            TokenKind::Number { digits, suffix } if suffix.is_empty() => {
                self.advance();
                Ok(digits)
            }
            _ => Err(self.expected("the length of an interval")),
        }
    }

    /// `DAY TO SECOND` behind the type INTERVAL: its first field.
    pub(super) fn interval_fields(&mut self) -> Result<Option<Field>> {
        let field = |parser: &mut Self| {
            let field = Field::ALL
                .into_iter()
                .find(|field| parser.eat(field.name()));
            field.ok_or_else(|| parser.expected("a unit of time"))
        };
        if !self.is_any(&Field::ALL.map(Field::name)) {
            return Ok(None);
        }
        let start = field(self)?;
        if self.eat("TO") {
            let end = field(self)?;
            if end <= start || end.is_months() != start.is_months() {
                return Err(self.error("an interval goes from a longer unit to a shorter one"));
            }
        }
        Ok(Some(start))
    }
}

fn invalid(text: &str) -> Error {
    Error::new(ErrorKind::Parse, format!("'{text}' is not an interval"))
        .with_condition("INVALID_INTERVAL_FORMAT")
        .with_hint("write it like INTERVAL 10 MINUTES, INTERVAL '1 02:03:04' DAY TO SECOND or INTERVAL '1-2' YEAR TO MONTH")
}

fn too_long() -> Error {
    Error::new(ErrorKind::Parse, "an interval is too long")
        .with_condition("INTERVAL_ARITHMETIC_OVERFLOW")
}

/// `1 day 2 hours`, the words of a text.
fn of_text(text: &str) -> Result<Expression> {
    let mut words = text.split_whitespace().peekable();
    words.next_if(|word| word.eq_ignore_ascii_case("interval"));
    let mut sum = Sum::default();
    while let Some(value) = words.next() {
        let (value, negative) = match (value, words.peek()) {
            ("-" | "+", Some(_)) => (words.next().unwrap_or_default(), value == "-"),
            _ => (value, false),
        };
        let unit = words.next().and_then(unit).ok_or_else(|| invalid(text))?;
        sum.add(value, unit, negative)?;
    }
    sum.literal().map_err(|error| match error.condition() {
        Some("INVALID_INTERVAL_FORMAT") => invalid(text),
        _ => error,
    })
}

/// What values with units add up to.
#[derive(Default)]
struct Sum {
    months: i128,
    micros: i128,
    fields: Option<(Field, Field)>,
}

impl Sum {
    fn add(&mut self, value: &str, unit: &Unit, negative: bool) -> Result<()> {
        let millionths = millionths(value).ok_or_else(|| invalid(value))?;
        if value.contains('.') && unit.name != "SECOND" {
            let message = format!("only seconds can have a fraction, not {}", unit.name);
            return Err(
                Error::new(ErrorKind::Parse, message).with_condition("INVALID_INTERVAL_FORMAT")
            );
        }
        let part = millionths.checked_mul(unit.length).ok_or_else(too_long)? / 1_000_000;
        let part = if negative { -part } else { part };
        let (start, end) = self.fields.unwrap_or((unit.field, unit.field));
        self.fields = Some((start.min(unit.field), end.max(unit.field)));
        let sum = match unit.field.is_months() {
            true => &mut self.months,
            false => &mut self.micros,
        };
        *sum = sum.checked_add(part).ok_or_else(too_long)?;
        Ok(())
    }

    fn literal(self) -> Result<Expression> {
        let (start, end) = self.fields.ok_or_else(|| invalid(""))?;
        if start.is_months() != end.is_months() {
            let message = "an interval cannot have both months and days";
            return Err(Error::new(ErrorKind::Parse, message)
                .with_condition("_LEGACY_ERROR_TEMP_0029")
                .with_hint("add two intervals one after the other, or use make_interval"));
        }
        interval_literal(self.months + self.micros, start, end)
    }
}

/// A decimal number in millionths; more than six digits behind the point do not count.
fn millionths(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let number = format!("{whole}{fraction:0<6}").parse::<i128>().ok()?;
    Some(if negative { -number } else { number })
}

/// `'1 02:03:04.5' DAY TO SECOND`: fields from `start` to `end`, with a mark between them.
fn from_to(text: &str, outer_sign: bool, start: Field, end: Field) -> Result<Expression> {
    if end <= start || end.is_months() != start.is_months() {
        let message = format!("there is no INTERVAL {} TO {}", start.name(), end.name());
        return Err(Error::new(ErrorKind::Parse, message).with_condition("INVALID_INTERVAL_FORMAT"));
    }
    let trimmed = text.trim();
    let (sign, mut rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let mut total = 0;
    for field in Field::ALL
        .into_iter()
        .filter(|field| (start..=end).contains(field))
    {
        let marks: &[char] = match field {
            _ if field == end => &[],
            Field::Year => &['-'],
            Field::Day => &[' ', 'T'],
            _ => &[':'],
        };
        let (value, behind) = match field == end {
            true => (rest, ""),
            false => rest.split_once(marks).ok_or_else(|| invalid(text))?,
        };
        rest = behind;
        let allows_fraction = field == Field::Second;
        let limit = if field == start {
            i128::MAX
        } else {
            field.highest()
        };
        let starts_well = value.starts_with(|char: char| char.is_ascii_digit());
        let value = millionths(value)
            .filter(|value| starts_well && (allows_fraction || value % 1_000_000 == 0))
            .filter(|value| value / 1_000_000 <= limit)
            .ok_or_else(|| invalid(text))?;
        let part = value.checked_mul(field.length()).ok_or_else(too_long)? / 1_000_000;
        total += part;
    }
    let sign = if outer_sign { -sign } else { sign };
    interval_literal(sign * total, start, end)
}

/// An interval of months or microseconds with the fields of its type, shown as Spark does.
pub(crate) fn interval_literal(total: i128, start: Field, end: Field) -> Result<Expression> {
    let shown = interval_text(total, start, end);
    let value = match start.is_months() {
        true => {
            let months = i32::try_from(total).map_err(|_| too_long())?;
            ScalarValue::IntervalYearMonth(Some(months))
        }
        false => {
            let micros = i64::try_from(total).map_err(|_| too_long())?;
            // Whole days are INTERVAL DAY.
            match (start, end) {
                (Field::Day, Field::Day) => ScalarValue::DurationSecond(Some(micros / 1_000_000)),
                _ => ScalarValue::DurationMicrosecond(Some(micros)),
            }
        }
    };
    Ok(shown_as(value, shown))
}

/// `INTERVAL '1 02' DAY TO HOUR`: all fields but the first have two digits; hours, minutes and seconds
/// always do.
fn interval_text(total: i128, start: Field, end: Field) -> String {
    let mut text = if total < 0 {
        "-".to_string()
    } else {
        String::new()
    };
    let mut rest = total.abs();
    for field in Field::ALL
        .into_iter()
        .filter(|field| (start..=end).contains(field))
    {
        if field > start {
            text.push(match field {
                Field::Month => '-',
                Field::Hour => ' ',
                _ => ':',
            });
        }
        let count = rest / field.length();
        rest %= field.length();
        match field {
            Field::Year | Field::Month | Field::Day => text.push_str(&count.to_string()),
            _ => text.push_str(&format!("{count:02}")),
        }
        if field == Field::Second && rest > 0 {
            text.push_str(format!(".{rest:06}").trim_end_matches('0'));
        }
    }
    match start == end {
        true => format!("INTERVAL '{text}' {}", start.name()),
        false => format!("INTERVAL '{text}' {} TO {}", start.name(), end.name()),
    }
}

/// A day-time or year-month interval with all its fields.
pub(crate) fn whole_interval(total: i128, is_months: bool) -> Result<Expression> {
    match is_months {
        true => interval_literal(total, Field::Year, Field::Month),
        false => interval_literal(total, Field::Day, Field::Second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_expression;

    fn parsed(text: &str) -> (ScalarValue, String) {
        match parse_expression(text) {
            Ok(Expression::Literal(literal)) => (literal.value, literal.shown.unwrap_or_default()),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn intervals_of_all_forms() {
        let micros = |micros| ScalarValue::DurationMicrosecond(Some(micros));
        let days = |days: i64| ScalarValue::DurationSecond(Some(days * 86_400));
        let months = |months| ScalarValue::IntervalYearMonth(Some(months));
        for (text, value, shown) in [
            (
                "INTERVAL 5 MINUTES",
                micros(300_000_000),
                "INTERVAL '05' MINUTE",
            ),
            ("INTERVAL '1' DAY", days(1), "INTERVAL '1' DAY"),
            (
                "INTERVAL -5 MINUTES",
                micros(-300_000_000),
                "INTERVAL '-05' MINUTE",
            ),
            (
                "INTERVAL - '5' MINUTES",
                micros(-300_000_000),
                "INTERVAL '-05' MINUTE",
            ),
            ("INTERVAL 2 weeks", days(14), "INTERVAL '14' DAY"),
            (
                "INTERVAL 1 DAY 2 HOURS",
                micros(93_600_000_000),
                "INTERVAL '1 02' DAY TO HOUR",
            ),
            (
                "INTERVAL 1.5 SECONDS",
                micros(1_500_000),
                "INTERVAL '01.5' SECOND",
            ),
            (
                "INTERVAL '5 minutes'",
                micros(300_000_000),
                "INTERVAL '05' MINUTE",
            ),
            (
                "INTERVAL 100 MILLISECONDS",
                micros(100_000),
                "INTERVAL '00.1' SECOND",
            ),
            (
                "INTERVAL '1-2' YEAR TO MONTH",
                months(14),
                "INTERVAL '1-2' YEAR TO MONTH",
            ),
            ("INTERVAL 3 MONTHS", months(3), "INTERVAL '3' MONTH"),
            (
                "INTERVAL 1 YEAR 3 MONTHS",
                months(15),
                "INTERVAL '1-3' YEAR TO MONTH",
            ),
            (
                "INTERVAL '1 02:03:04.5' DAY TO SECOND",
                micros(93_784_500_000),
                "INTERVAL '1 02:03:04.5' DAY TO SECOND",
            ),
            (
                "INTERVAL '-10:30' HOUR TO MINUTE",
                micros(-37_800_000_000),
                "INTERVAL '-10:30' HOUR TO MINUTE",
            ),
        ] {
            assert_eq!(parsed(text), (value, shown.to_string()), "{text}");
        }
        for text in [
            "INTERVAL 1 MONTH 1 DAY",
            "INTERVAL 1.5 DAYS",
            "INTERVAL '1' DAY TO YEAR",
            "INTERVAL 'x' DAY",
            "INTERVAL '1 25' DAY TO HOUR",
            "INTERVAL 'soon'",
            "INTERVAL 999999999999999 DAYS",
        ] {
            assert!(parse_expression(text).is_err(), "{text}");
        }
    }
}
