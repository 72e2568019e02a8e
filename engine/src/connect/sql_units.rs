//! Calls that name a unit of time: `timestampdiff(MINUTE, a, b)`, `dateadd(HOUR, 2, ts)`, and the
//! seconds of a time with their fraction.

use datafusion::sql::sqlparser::ast::{DateTimeField, Expr, Value};

use super::sql_functions::{filled_in, parse};

/// How many units lie between two times.
const DIFFERENCES: &[&str] = &["timestampdiff", "datediff", "date_diff"];

/// A time so many units later.
const SUMS: &[&str] = &["timestampadd", "dateadd", "date_add"];

/// Parts of a time.
const PARTS: &[&str] = &["date_part", "datepart"];

/// Names of the seconds in [`PARTS`].
const SECONDS: &[&str] = &["s", "sec", "second", "seconds", "secs"];

/// The seconds of a minute with their fraction.
const SECOND: &str =
    "CAST(pmod(unix_micros(CAST($1 AS TIMESTAMP)), 60000000) * 0.000001 AS DECIMAL(8, 6))";

/// Units of a fixed length, in microseconds.
const FIXED: &[(&str, i64)] = &[
    ("microsecond", 1),
    ("millisecond", 1_000),
    ("second", 1_000_000),
    ("minute", 60_000_000),
    ("hour", 3_600_000_000),
    ("day", 86_400_000_000),
    ("dayofyear", 86_400_000_000),
    ("week", 604_800_000_000),
];

/// Units of the calendar, in months.
const MONTHS: &[(&str, i64)] = &[("month", 1), ("quarter", 3), ("year", 12)];

/// Whether calls of a function may name a unit.
pub(super) fn takes_unit(name: &str) -> bool {
    DIFFERENCES.contains(&name) || SUMS.contains(&name) || PARTS.contains(&name)
}

/// What a call that names a unit stands for, and the arguments of that.
pub(super) fn of_unit<'a>(name: &str, arguments: &'a [Expr]) -> Option<(String, &'a [Expr])> {
    let (unit, rest) = arguments.split_first()?;
    let unit = unit_name(unit)?;
    let of = |units: &[(&str, i64)]| {
        let unit = units.iter().find(|(known, _)| *known == unit);
        unit.map(|(_, length)| *length)
    };
    let sql = match rest.len() {
        1 if PARTS.contains(&name) && SECONDS.contains(&unit.as_str()) => SECOND.to_string(),
        2 if DIFFERENCES.contains(&name) => match (of(FIXED), of(MONTHS)) {
            (Some(micros), _) => format!(
                "((unix_micros(CAST($2 AS TIMESTAMP)) - unix_micros(CAST($1 AS TIMESTAMP))) div {micros})"
            ),
            (_, Some(months)) => {
                format!("(whole_months(CAST($1 AS TIMESTAMP), CAST($2 AS TIMESTAMP)) div {months})")
            }
            _ => return None,
        },
        2 if SUMS.contains(&name) => match (of(FIXED), of(MONTHS)) {
            (Some(micros), _) => format!(
                "arrow_cast(unix_micros(CAST($2 AS TIMESTAMP)) + CAST($1 AS BIGINT) * {micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
            ),
            (_, Some(months)) => {
                format!("(CAST($2 AS TIMESTAMP) + make_interval(0, CAST($1 AS INT) * {months}))")
            }
            _ => return None,
        },
        _ => return None,
    };
    Some((sql, rest))
}

/// `extract(SECOND FROM ts)`; the other fields are whole numbers.
pub(super) fn extracted(expr: &Expr) -> Option<Expr> {
    let Expr::Extract {
        field: DateTimeField::Second | DateTimeField::Seconds,
        expr,
        ..
    } = expr
    else {
        return None;
    };
    filled_in(parse(SECOND)?, std::slice::from_ref(expr))
}

/// A unit is a word, or a text.
fn unit_name(expr: &Expr) -> Option<String> {
    let name = match expr {
        Expr::Identifier(word) => &word.value,
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text,
            _ => return None,
        },
        _ => return None,
    };
    Some(name.to_lowercase())
}
