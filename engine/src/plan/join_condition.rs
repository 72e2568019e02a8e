//! The condition of a join of two streams: what is a key, what bounds the times of the two sides, which
//! rows can match at all.

use std::fmt;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ExprSchema, NullEquality};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::utils::{find_valid_equijoin_key_pair, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Join, Operator};
use datafusion::scalar::ScalarValue;

use super::as_typed::as_typed;
use super::event_time::{has_event_time, watermark_delay_ms};
use crate::operators::Bound;

/// A condition, its equalities apart from the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(super) struct JoinCondition {
    /// What must be equal: an expression of the left side, and one of the right.
    pub(super) keys: Vec<(Expr, Expr)>,
    /// Which of the keys match also if both are NULL.
    null_equals_null: Vec<bool>,
    /// What must hold besides.
    rest: Vec<Expr>,
}

impl JoinCondition {
    pub(super) fn of(join: &Join) -> Self {
        let (left, right) = (join.left.schema(), join.right.schema());
        let null_equals_null = join.null_equality == NullEquality::NullEqualsNull;
        let keys = join.on.iter().cloned();
        let keys = keys.map(|pair| bare_windows(pair, left, right));
        let mut condition = Self {
            keys: keys.collect(),
            null_equals_null: vec![null_equals_null; join.on.len()],
            rest: Vec::new(),
        };
        for part in join.filter.iter().flat_map(split_conjunction) {
            match (equality(part, left, right), part) {
                (Some((pair, null_equals_null)), _) => {
                    condition.keys.push(pair);
                    condition.null_equals_null.push(null_equals_null);
                }
                (None, Expr::Between(between)) if !between.negated => {
                    let value = || between.expr.as_ref().clone();
                    let low = value().gt_eq(between.low.as_ref().clone());
                    let high = value().lt_eq(between.high.as_ref().clone());
                    condition.rest.extend([low, high]);
                }
                (None, other) => condition.rest.push(other.clone()),
            }
        }
        condition
    }

    /// The columns that must be equal, of the left side and of the right.
    pub(super) fn equal_columns(&self) -> Vec<(&Column, &Column)> {
        let keys = self.keys.iter().zip(&self.null_equals_null);
        let keys = keys.filter(|(_, null_equals_null)| !**null_equals_null);
        let columns = keys.filter_map(|(pair, _)| match pair {
            (Expr::Column(left), Expr::Column(right)) => Some((left, right)),
            _ => None,
        });
        columns.collect()
    }

    /// What must hold of the left side alone, of the right side alone, and of both.
    pub(super) fn by_side(
        &self,
        left: &DFSchema,
        right: &DFSchema,
    ) -> (Vec<Expr>, Vec<Expr>, Vec<Expr>) {
        let (mut on_left, mut on_right, mut on_both) = (Vec::new(), Vec::new(), Vec::new());
        for part in &self.rest {
            let is_of = |schema: &DFSchema| {
                !part.is_volatile()
                    && part
                        .column_refs()
                        .iter()
                        .all(|column| schema.has_column(column))
            };
            let place = match (is_of(left), is_of(right)) {
                (true, false) => &mut on_left,
                (false, true) => &mut on_right,
                _ => &mut on_both,
            };
            place.push(part.clone());
        }
        (on_left, on_right, on_both)
    }

    /// The number of the key that is an event time, on whichever side.
    pub(super) fn watermark_key(&self, left: &DFSchema, right: &DFSchema) -> Option<usize> {
        let is_event_time = |key: &Expr, schema: &DFSchema| match key {
            Expr::Column(column) => {
                let field = schema.field_from_column(column);
                field.is_ok_and(|field| watermark_delay_ms(field).is_some())
            }
            _ => false,
        };
        let keys = || self.keys.iter();
        let on_left = keys().position(|(key, _)| is_event_time(key, left));
        on_left.or_else(|| keys().position(|(_, key)| is_event_time(key, right)))
    }

    /// What the condition says of the times of rows of `own` that rows of `other` can match.
    pub(super) fn bounds(&self, own: &DFSchema, other: &DFSchema) -> Vec<Bound> {
        if !has_event_time(other) {
            return Vec::new();
        }
        let bounds = self.rest.iter().filter_map(|part| {
            let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else {
                return None;
            };
            let (lower, upper) = match op {
                Operator::Lt | Operator::LtEq => (left, right),
                Operator::Gt | Operator::GtEq => (right, left),
                _ => return None,
            };
            let or_equal = matches!(op, Operator::LtEq | Operator::GtEq);
            bound(lower, upper, own, other).map(|bound| Bound { or_equal, ..bound })
        });
        bounds.collect()
    }

    /// The condition as it may have been typed.
    pub(super) fn as_typed(&self) -> String {
        let keys = self.keys.iter().map(|(left, right)| {
            let (left, right) = (as_typed(left), as_typed(right));
            format!("{left} = {right}")
        });
        let rest = self.rest.iter().map(as_typed);
        keys.chain(rest).collect::<Vec<_>>().join(" AND ")
    }

    /// What is not NULL in any row that matches: of the left side, and of the right.
    pub(super) fn never_null(&self, left: &DFSchema, right: &DFSchema) -> (Vec<Expr>, Vec<Expr>) {
        let keys = self.keys.iter().zip(&self.null_equals_null);
        let keys = keys.filter(|(_, null_equals_null)| !**null_equals_null);
        let (mut on_left, mut on_right): (Vec<Expr>, Vec<Expr>) =
            keys.map(|(pair, _)| pair.clone()).unzip();
        let mut columns = Vec::new();
        for part in &self.rest {
            if let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part
                && is_comparison(*op)
            {
                never_null(left, &mut columns);
                never_null(right, &mut columns);
            }
        }
        for column in columns {
            match (left.has_column(&column), right.has_column(&column)) {
                (true, false) => on_left.push(Expr::Column(column)),
                (false, true) => on_right.push(Expr::Column(column)),
                _ => {}
            }
        }
        (on_left, on_right)
    }
}

impl fmt::Display for JoinCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self
            .keys
            .iter()
            .map(|(left, right)| format!("{left} = {right}"));
        let rest = self.rest.iter().map(ToString::to_string);
        write!(f, "{}", keys.chain(rest).collect::<Vec<_>>().join(" AND "))
    }
}

/// The sides of an equality that is a key, and whether NULL equals NULL in it.
fn equality(part: &Expr, left: &DFSchema, right: &DFSchema) -> Option<((Expr, Expr), bool)> {
    let Expr::BinaryExpr(BinaryExpr {
        left: one,
        op: op @ (Operator::Eq | Operator::IsNotDistinctFrom),
        right: other,
    }) = part
    else {
        return None;
    };
    let pair = find_valid_equijoin_key_pair(one, other, left, right).ok()?;
    Some((
        bare_windows(pair?, left, right),
        *op == Operator::IsNotDistinctFrom,
    ))
}

/// Two windows of time that are compared by their comparison keys, as the windows they are: their ends
/// say when rows are complete.
fn bare_windows((one, other): (Expr, Expr), left: &DFSchema, right: &DFSchema) -> (Expr, Expr) {
    match (bare_window(&one, left), bare_window(&other, right)) {
        (Some(left), Some(right)) => (left, right),
        _ => (one, other),
    }
}

fn bare_window(expr: &Expr, schema: &DFSchema) -> Option<Expr> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let (COMPARISON_KEY, [column @ Expr::Column(_)]) = (call.name(), call.args.as_slice()) else {
        return None;
    };
    let DataType::Struct(fields) = column.get_type(schema).ok()? else {
        return None;
    };
    let names = fields.iter().map(|field| field.name().as_str());
    names.eq(["start", "end"]).then(|| column.clone())
}

/// Whether a comparison with NULL gives NULL.
fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// The columns without which an expression is NULL.
fn never_null(expr: &Expr, columns: &mut Vec<Column>) {
    match expr {
        Expr::Column(column) => columns.push(column.clone()),
        Expr::Cast(cast) => never_null(&cast.expr, columns),
        Expr::Negative(of) => never_null(of, columns),
        Expr::ScalarFunction(call) if NULL_OF_NULL.contains(&call.name()) => {
            call.args.iter().for_each(|arg| never_null(arg, columns));
        }
        _ => {}
    }
}

/// What nested values are compared by.
const COMPARISON_KEY: &str = "comparison_key";

/// Functions that give NULL if an argument is NULL.
const NULL_OF_NULL: [&str; 12] = [
    "spark_cast_to",
    "spark_add",
    "spark_subtract",
    "spark_multiply",
    "spark_divide",
    "spark_div",
    "mod",
    "plus_interval",
    "minus_interval",
    "upper",
    "lower",
    "trim",
];

/// A part of a sum, once it is brought to one side of a comparison.
#[derive(Debug, PartialEq)]
struct Term<'a> {
    is_negative: bool,
    value: Value<'a>,
}

#[derive(Debug, PartialEq)]
enum Value<'a> {
    Column(&'a Column),
    /// Microseconds.
    Constant(f64),
}

/// What `lower < upper` says of the one time of `own` in it: solved for that, with the watermark in the
/// place of the event time of `other`. As in Spark a plain number counts as seconds.
fn bound(lower: &Expr, upper: &Expr, own: &DFSchema, other: &DFSchema) -> Option<Bound> {
    let mut columns = lower.column_refs();
    columns.extend(upper.column_refs());
    for schema in [own, other] {
        let of_side = columns.iter().filter(|column| schema.has_column(column));
        if of_side.count() > 1 {
            return None;
        }
    }
    let mut terms = Vec::new();
    let both = (own, other);
    collect_terms(lower, false, both, &mut terms)?;
    collect_terms(upper, true, both, &mut terms)?;
    let (mut times, mut offset_us, mut is_bounded) = (0.0, 0.0, false);
    for Term { is_negative, value } in terms {
        let sign = if is_negative { -1.0 } else { 1.0 };
        match value {
            Value::Constant(us) => offset_us += sign * us,
            Value::Column(column) if own.has_column(column) => {
                if is_bounded || !is_negative {
                    return None;
                }
                is_bounded = true;
            }
            Value::Column(column) => {
                watermark_delay_ms(other.field_from_column(column).ok()?)?;
                times += sign;
            }
        }
    }
    is_bounded.then_some(Bound {
        times,
        offset_us,
        or_equal: false,
    })
}

/// Takes a sum apart; `None` if it is none. A term that stands there twice counts once.
fn collect_terms<'a>(
    expr: &'a Expr,
    negate: bool,
    both: (&DFSchema, &DFSchema),
    terms: &mut Vec<Term<'a>>,
) -> Option<()> {
    let mut add = |value| {
        let term = Term {
            is_negative: negate,
            value,
        };
        if !terms.contains(&term) {
            terms.push(term);
        }
    };
    match expr {
        Expr::Column(column) => add(Value::Column(column)),
        Expr::Literal(value, _) => add(Value::Constant(micros(value)?)),
        Expr::Negative(of) => collect_terms(of, !negate, both, terms)?,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let negate_right = match op {
                Operator::Plus => negate,
                Operator::Minus => !negate,
                _ => return None,
            };
            collect_terms(left, negate, both, terms)?;
            collect_terms(right, negate_right, both, terms)?;
        }
        Expr::Cast(cast) => {
            is_number_or_time(expr, both)?;
            collect_terms(&cast.expr, negate, both, terms)?;
        }
        Expr::ScalarFunction(call) => match (call.name(), call.args.as_slice()) {
            ("spark_add" | "plus_interval", [left, right]) => {
                collect_terms(left, negate, both, terms)?;
                collect_terms(right, negate, both, terms)?;
            }
            ("spark_subtract" | "minus_interval", [left, right]) => {
                collect_terms(left, negate, both, terms)?;
                collect_terms(right, !negate, both, terms)?;
            }
            ("negative" | "interval_negated", [of]) => {
                collect_terms(of, !negate, both, terms)?;
            }
            ("spark_cast_to", [of]) => {
                is_number_or_time(expr, both)?;
                collect_terms(of, negate, both, terms)?;
            }
            _ => return None,
        },
        _ => return None,
    }
    Some(())
}

fn is_number_or_time(expr: &Expr, (own, other): (&DFSchema, &DFSchema)) -> Option<()> {
    let of = |schema: &DFSchema| -> DataFusionResult<DataType> { expr.get_type(schema) };
    let data_type = of(own).or_else(|_| of(other)).ok()?;
    let fits = data_type.is_numeric() || matches!(data_type, DataType::Timestamp(..));
    fits.then_some(())
}

/// A length of time; a number is one in seconds. `None` for months, which have no length, and for what
/// is no length.
fn micros(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::DurationMicrosecond(Some(us)) => Some(*us as f64),
        ScalarValue::DurationSecond(Some(seconds)) => Some(*seconds as f64 * 1e6),
        ScalarValue::IntervalMonthDayNano(Some(value)) if value.months == 0 => {
            Some(f64::from(value.days) * 86_400e6 + value.nanoseconds as f64 / 1e3)
        }
        number if number.data_type().is_numeric() => {
            let seconds = number.cast_to(&DataType::Float64).ok()?;
            match seconds {
                ScalarValue::Float64(Some(seconds)) => Some(seconds * 1e6),
                _ => None,
            }
        }
        _ => None,
    }
}
