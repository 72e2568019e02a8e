//! Operators: `+`, `AND`, `BETWEEN`, `IN`, `LIKE`. Those that choose between values are in `conditionals`.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::expr::{Between, InList, Like};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};
use datafusion::scalar::ScalarValue;
use datafusion_spark::function::datetime::{date_add, date_sub};

use super::compare::{as_compared, comparable, comparison_type};
use super::expression::Expressions;
use super::shown_as::Shown;
use super::typed::Typed;
use crate::datetime::TIME_ZONE;
use crate::error::{Error, Result};
use crate::functions::{
    Operation, arithmetic, as_number, check_time_type, interval_arithmetic, is_ansi, narrowest,
    negated_interval,
};
use crate::tree::{Call, Expression, SubqueryKind};
use crate::type_names::sql_type;

/// What is written between, before or around values, and in Spark a function too.
pub(crate) const OPERATORS: &[&str] = &[
    "!",
    "!=",
    "%",
    "*",
    "+",
    "-",
    "/",
    "<",
    "<=",
    "<>",
    "=",
    "==",
    ">",
    ">=",
    "and",
    "between",
    "case",
    "cast",
    "div",
    "grouping_id",
    "in",
    "not",
    "or",
    "when",
    "||",
];

impl Expressions<'_> {
    /// A call that is an operator; `None` if it is a function.
    pub(super) fn operator(&self, call: &Call, written: &Expression) -> Result<Option<Typed>> {
        let name = call.name.as_str();
        let arguments = call.arguments.as_slice();
        let planned = match (name, arguments) {
            ("and" | "or", [left, right]) => self.logical(name, left, right),
            ("not" | "!", [Expression::Subquery(subquery)])
                if matches!(subquery.kind, SubqueryKind::In(_)) =>
            {
                self.not_in(subquery)
            }
            ("not" | "!", [operand]) => {
                let truth = self.truth(operand)?;
                Ok(Typed::new(!truth, DataType::Boolean))
            }
            ("=" | "==" | "<=>" | "!=" | "<>" | "<" | "<=" | ">" | ">=", [left, right]) => {
                let (left, right) = (self.plan(left)?, self.plan(right)?);
                self.compare(name, left, right)
            }
            ("+" | "-" | "*" | "/" | "%" | "div", [left, right]) => {
                let (left, right) = self.operands(left, right)?;
                if let Some(shown) = as_days(name, left.data_type(), right.data_type()) {
                    self.shown_as.put(written, shown);
                }
                self.arithmetic(name, left, right)
            }
            ("try_add" | "try_subtract" | "try_multiply" | "try_divide", [left, right]) => {
                let (left, right) = (self.plan(left)?, self.plan(right)?);
                let is_plain = [&left, &right].iter().all(|typed| {
                    let data_type = typed.data_type();
                    data_type.is_numeric() || data_type.is_string() || data_type.is_null()
                });
                match is_plain {
                    true => self.registered(name, vec![left, right], call.place),
                    false => {
                        let operator = match name {
                            "try_add" => "+",
                            "try_subtract" => "-",
                            "try_multiply" => "*",
                            _ => "/",
                        };
                        let right = match operator {
                            "/" => {
                                self.null_if(right, Typed::literal(ScalarValue::Int32(Some(0))))?
                            }
                            _ => right,
                        };
                        self.arithmetic(operator, left, right)
                    }
                }
            }
            ("-" | "negative", [operand]) => {
                let operand = self.plan(operand)?;
                self.negative(operand)
            }
            ("+" | "positive", [operand]) => self.plan(operand),
            (name, [operand]) if cast_type(name).is_some() => {
                let to = cast_type(name).unwrap_or(DataType::Null);
                self.cast(operand, &to, false)
            }
            ("isnull", [operand]) => Ok(certain(self.plan(operand)?.expr.is_null())),
            ("isnotnull", [operand]) => Ok(certain(self.plan(operand)?.expr.is_not_null())),
            ("istrue", [operand]) => Ok(certain(self.truth(operand)?.is_true())),
            ("isnottrue", [operand]) => Ok(certain(self.truth(operand)?.is_not_true())),
            ("isfalse", [operand]) => Ok(certain(self.truth(operand)?.is_false())),
            ("isnotfalse", [operand]) => Ok(certain(self.truth(operand)?.is_not_false())),
            ("isunknown", [operand]) => Ok(certain(self.truth(operand)?.is_unknown())),
            ("isnotunknown", [operand]) => Ok(certain(self.truth(operand)?.is_not_unknown())),
            ("in", [value, list @ ..]) if !list.is_empty() => self.in_list(value, list),
            ("between", [value, low, high]) => self.between(value, low, high),
            ("like" | "ilike", [text, pattern]) => self.like(name, text, pattern),
            (
                "like_any" | "like_all" | "ilike_any" | "ilike_all" | "not_like_any"
                | "not_like_all" | "not_ilike_any" | "not_ilike_all",
                [text, patterns @ ..],
            ) if !patterns.is_empty() => self.like_each(name, text, patterns),
            ("when", [_, _, ..]) => {
                let (branches, otherwise) = arguments.as_chunks();
                let branches = branches.iter().map(|[condition, then]| (condition, then));
                self.branches(None, branches.collect(), otherwise.first())
            }
            ("if", [condition, then, otherwise]) => {
                self.branches(None, vec![(condition, then)], Some(otherwise))
            }
            ("nvl2", [value, then, otherwise]) => {
                let there = self.plan(value)?.expr.is_not_null();
                let (then, otherwise) = (self.plan(then)?, self.plan(otherwise)?);
                self.choose(None, vec![(there, then)], Some(otherwise))
            }
            ("coalesce" | "nvl" | "ifnull", [_, ..]) => {
                let values = self.plan_all(arguments)?;
                self.first_there(name, values)
            }
            ("zeroifnull", [value]) => {
                let value = self.plan(value)?;
                self.first_there(
                    name,
                    vec![value, Typed::literal(ScalarValue::Int32(Some(0)))],
                )
            }
            ("nullif", [value, other]) => {
                let (value, other) = (self.plan(value)?, self.plan(other)?);
                self.null_if(value, other)
            }
            ("nullifzero", [value]) => {
                let value = self.plan(value)?;
                self.null_if(value, Typed::literal(ScalarValue::Int32(Some(0))))
            }
            ("extract" | "datepart", [_, _]) => {
                let arguments = self.plan_all(arguments)?;
                self.registered("date_part", arguments, call.place)
            }
            _ => return Ok(None),
        };
        planned
            .map(Some)
            .map_err(|error| error.with_place(call.place))
    }

    /// The operands of arithmetic. Beside a decimal a whole number is as wide as it is written, but one that
    /// was computed as wide as its type.
    fn operands(&self, left: &Expression, right: &Expression) -> Result<(Typed, Typed)> {
        let (one, other) = (self.plan(left)?, self.plan(right)?);
        let wide = |typed: &Typed, written: &Expression, beside: &Typed| {
            let is_written = matches!(written, Expression::Literal(_));
            let decimal = match typed.value() {
                Some(ScalarValue::Int32(Some(value))) => (i128::from(*value), 10),
                Some(ScalarValue::Int64(Some(value))) => (i128::from(*value), 20),
                _ => return None,
            };
            let (value, precision) = decimal;
            (!is_written && beside.data_type().is_decimal())
                .then(|| Typed::literal(ScalarValue::Decimal128(Some(value), precision, 0)))
        };
        let left = wide(&one, left, &other).unwrap_or_else(|| one.clone());
        let right = wide(&other, right, &one).unwrap_or(other);
        Ok((left, right))
    }

    /// A BOOLEAN operand.
    pub(super) fn truth(&self, operand: &Expression) -> Result<Expr> {
        let typed = self.plan(operand)?;
        match typed.data_type() {
            DataType::Boolean => Ok(typed.expr),
            DataType::Null => Ok(lit(ScalarValue::Boolean(None))),
            text if text.is_string() => Ok(self.cast_to(typed, &DataType::Boolean)?.expr),
            other => Err(Error::analysis(format!(
                "a condition is needed, not a value of type {}",
                sql_type(other)
            ))
            .with_condition("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE")
            .with_hint("compare the value: x > 0")),
        }
    }

    fn logical(&self, name: &str, left: &Expression, right: &Expression) -> Result<Typed> {
        // A chain of a thousand is flat, not a thousand deep.
        let mut operands = vec![right];
        let mut first = left;
        while let Expression::Call(call) = first
            && call.name == name
            && let [left, right] = call.arguments.as_slice()
        {
            operands.push(right);
            first = left;
        }
        let op = match name {
            "and" => Operator::And,
            _ => Operator::Or,
        };
        let first = self.truth(first)?;
        let expr = operands.into_iter().rev().try_fold(first, |left, right| {
            let right = Box::new(self.truth(right)?);
            Ok::<_, Error>(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, right)))
        })?;
        Ok(Typed::new(expr, DataType::Boolean))
    }

    /// `left op right` of operands made comparable.
    pub(super) fn compare(&self, name: &str, left: Typed, right: Typed) -> Result<Typed> {
        let op = match name {
            "=" | "==" => Operator::Eq,
            "<=>" => Operator::IsNotDistinctFrom,
            "!=" | "<>" => Operator::NotEq,
            "<" => Operator::Lt,
            "<=" => Operator::LtEq,
            ">" => Operator::Gt,
            _ => Operator::GtEq,
        };
        let (left, right) = comparable(left, right)?;
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        let expr = Expr::BinaryExpr(BinaryExpr::new(left, op, right));
        Ok(Typed::new(expr, DataType::Boolean))
    }

    /// `left + right` and its kind.
    pub(super) fn arithmetic(&self, name: &str, left: Typed, right: Typed) -> Result<Typed> {
        let operation = match name {
            "+" => Operation::Add,
            "-" => Operation::Subtract,
            "*" => Operation::Multiply,
            "/" => Operation::Divide,
            "div" => Operation::IntegralDivide,
            _ => Operation::Remainder,
        };
        let (one, other) = (left.data_type().clone(), right.data_type().clone());
        if let Some(expr) =
            interval_arithmetic(operation, (&left.expr, &one), (&right.expr, &other))
        {
            let is_of_time = [&one, &other]
                .iter()
                .any(|data_type| matches!(data_type, DataType::Time64(_)));
            check_time_type(self.analyzer.session.config_options(), is_of_time)?;
            return Typed::of(expr, self.scope.schema.as_ref());
        }
        let days = |days: Typed| self.cast_to(days, &DataType::Int32);
        match (operation, &one, &other) {
            (Operation::Add, DataType::Date32, days_type) if days_type.is_integer() => {
                return self.invoke(&date_add(), vec![left, days(right)?]);
            }
            (Operation::Add, days_type, DataType::Date32) if days_type.is_integer() => {
                return self.invoke(&date_add(), vec![right, days(left)?]);
            }
            (Operation::Subtract, DataType::Date32, days_type) if days_type.is_integer() => {
                return self.invoke(&date_sub(), vec![left, days(right)?]);
            }
            _ => {}
        }
        if (one.is_string() || other.is_string())
            && !is_ansi(self.analyzer.session.config_options())
        {
            let number = |typed: Typed| match typed.data_type().is_string() {
                true => self.cast_to(typed, &DataType::Float64),
                false => Ok(typed),
            };
            return self.arithmetic(name, number(left)?, number(right)?);
        }
        if one.is_string() && other.is_string() {
            return Err(wrong_operands(name, &one, &other));
        }
        let is_known = as_number(&one, &other).is_some() && as_number(&other, &one).is_some();
        if !is_known {
            return Err(wrong_operands(name, &one, &other));
        }
        let operands = vec![beside(left, &other), beside(right, &one)];
        self.invoke(&Arc::new(arithmetic(operation)), operands)
    }

    fn negative(&self, operand: Typed) -> Result<Typed> {
        match operand.data_type() {
            DataType::Duration(_) | DataType::Interval(_) => {
                let data_type = operand.data_type().clone();
                let negated = negated_interval(&operand.expr, &data_type);
                let expr = negated.unwrap_or_else(|| Expr::Negative(Box::new(operand.expr)));
                Ok(Typed::new(expr, data_type))
            }
            _ => self.registered("negative", vec![operand], None),
        }
    }

    fn in_list(&self, value: &Expression, list: &[Expression]) -> Result<Typed> {
        let value = self.plan(value)?;
        let list = self.plan_all(list)?;
        let mut common = value.data_type().clone();
        for item in &list {
            common = comparison_type(&common, item.data_type())?;
        }
        let compared = |typed: Typed| Ok::<_, Error>(as_compared(self.cast_to(typed, &common)?));
        let value = compared(value)?;
        let list = list
            .into_iter()
            .map(|item| compared(item).map(|item| item.expr));
        let expr = Expr::InList(InList::new(
            Box::new(value.expr),
            list.collect::<Result<_>>()?,
            false,
        ));
        Ok(Typed::new(expr, DataType::Boolean))
    }

    fn between(&self, value: &Expression, low: &Expression, high: &Expression) -> Result<Typed> {
        let (value, low, high) = (self.plan(value)?, self.plan(low)?, self.plan(high)?);
        self.once(value, |value| {
            self.in_range(value, low.clone(), high.clone())
        })
    }

    fn in_range(&self, value: Typed, low: Typed, high: Typed) -> Result<Typed> {
        let lower = comparison_type(value.data_type(), low.data_type())?;
        let upper = comparison_type(value.data_type(), high.data_type())?;
        if lower != upper {
            // Each bound is compared in a type of its own.
            let at_least = self.compare(">=", value.clone(), low)?;
            let at_most = self.compare("<=", value, high)?;
            return Ok(Typed::new(
                at_least.expr.and(at_most.expr),
                DataType::Boolean,
            ));
        }
        let compared = |typed: Typed| {
            let cast = self.cast_to(typed, &lower)?;
            Ok::<_, Error>(Box::new(as_compared(cast).expr))
        };
        let (value, low, high) = (compared(value)?, compared(low)?, compared(high)?);
        let expr = Expr::Between(Between::new(value, false, low, high));
        Ok(Typed::new(expr, DataType::Boolean))
    }

    /// What `f` makes of a value that may be another one each time it is computed: `f` may use it more
    /// than once.
    pub(super) fn once(&self, value: Typed, f: impl Fn(Typed) -> Result<Typed>) -> Result<Typed> {
        if !value.expr.is_volatile() {
            return f(value);
        }
        let alone = self.registered("array", vec![value], None)?;
        let made = self.of_each(alone, f)?;
        self.item(made, Typed::literal(ScalarValue::Int32(Some(0))))
    }

    /// LIKE with a pattern that needs nothing special, as the library's own operator.
    fn like(&self, name: &str, text: &Expression, pattern: &Expression) -> Result<Typed> {
        let (text, pattern) = (self.plan(text)?, self.plan(pattern)?);
        self.likeness(name, text, pattern)
    }

    fn likeness(&self, name: &str, text: Typed, pattern: Typed) -> Result<Typed> {
        if crate::functions::is_own(name) {
            return self.registered(name, vec![text, pattern], None);
        }
        let text = self.cast_to(text, &DataType::Utf8)?;
        let pattern = self.cast_to(pattern, &DataType::Utf8)?;
        let insensitive = name == "ilike";
        let (text, pattern) = (Box::new(text.expr), Box::new(pattern.expr));
        let like = Like::new(false, text, pattern, Some('\\'), insensitive);
        Ok(Typed::new(Expr::Like(like), DataType::Boolean))
    }

    fn like_each(&self, name: &str, text: &Expression, patterns: &[Expression]) -> Result<Typed> {
        let patterns = self.plan_all(patterns)?;
        self.once(self.plan(text)?, |text| {
            self.like_all_or_any(name, &text, &patterns)
        })
    }

    fn like_all_or_any(&self, name: &str, text: &Typed, patterns: &[Typed]) -> Result<Typed> {
        let negated = name.starts_with("not_");
        let like = if name.contains("ilike") {
            "ilike"
        } else {
            "like"
        };
        let all = name.ends_with("_all");
        let mut result: Option<Expr> = None;
        for pattern in patterns {
            let one = self.likeness(like, text.clone(), pattern.clone())?.expr;
            let one = if negated { !one } else { one };
            result = Some(match result {
                None => one,
                Some(others) if all => others.and(one),
                Some(others) => others.or(one),
            });
        }
        let expr = result.unwrap_or_else(|| lit(all));
        Ok(Typed::new(expr, DataType::Boolean))
    }
}

/// The type whose name is a function that casts to it: `int('1')`.
fn cast_type(name: &str) -> Option<DataType> {
    Some(match name {
        "bigint" => DataType::Int64,
        "binary" => DataType::Binary,
        "boolean" => DataType::Boolean,
        "date" => DataType::Date32,
        "decimal" => DataType::Decimal128(10, 0),
        "double" => DataType::Float64,
        "float" => DataType::Float32,
        "int" => DataType::Int32,
        "smallint" => DataType::Int16,
        "string" => DataType::Utf8,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into())),
        "tinyint" => DataType::Int8,
        _ => return None,
    })
}

/// Whether the function of that name casts.
pub(super) fn is_cast(name: &str) -> bool {
    cast_type(name).is_some()
}

/// A BOOLEAN that is never NULL.
fn certain(expr: Expr) -> Typed {
    let field = arrow::datatypes::Field::new("", DataType::Boolean, false).into();
    Typed { expr, field }
}

/// How Spark shows a sum or difference of a date and a number of days.
fn as_days(name: &str, left: &DataType, right: &DataType) -> Option<Shown> {
    match (name, left, right) {
        ("+", DataType::Date32, days) if days.is_integer() => Some(Shown::Call("date_add", false)),
        ("-", DataType::Date32, days) if days.is_integer() => Some(Shown::Call("date_sub", false)),
        ("+", days, DataType::Date32) if days.is_integer() => Some(Shown::Call("date_add", true)),
        _ => None,
    }
}

fn wrong_operands(operator: &str, left: &DataType, right: &DataType) -> Error {
    Error::analysis(format!(
        "'{operator}' cannot take {} and {}",
        sql_type(left),
        sql_type(right)
    ))
    .with_condition(match [left, right] {
        [DataType::Time64(_), _] | [_, DataType::Time64(_)] => {
            "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"
        }
        _ => "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
    })
    .with_hint("cast one side: CAST(x AS type)")
}

/// A whole number beside a decimal is a decimal as wide as it is written.
fn beside(operand: Typed, other: &DataType) -> Typed {
    if !other.is_decimal() {
        return operand;
    }
    match operand.value() {
        Some(ScalarValue::Int64(Some(value))) => Typed::literal(narrowest(*value)),
        Some(ScalarValue::Int32(Some(value))) => Typed::literal(narrowest(i64::from(*value))),
        _ => operand,
    }
}
