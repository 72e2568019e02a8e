//! Comparisons of values of different types. As in Spark, text beside a whole number is read as
//! BIGINT and beside another number as DOUBLE, and intervals compare by their length; DataFusion
//! would read text as the very type of the literal beside it, and compare intervals unit by unit.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Between, BinaryExpr, Case, InList};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, cast};

use super::functions::as_number;
use super::intervals::{DAY_TIME, as_day_time, is_interval};

/// Casts the operands of the comparisons in `expr`, `IN`, `BETWEEN` and `CASE x WHEN` among them, to
/// the types that Spark compares.
pub(super) fn make_comparable(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| {
        let compared = match &expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
                compared(left, *op, right, schema)
            }
            Expr::InList(list) => in_list(list, schema),
            Expr::Between(between) => both_comparisons(between, schema),
            Expr::Case(case) => searched(case, schema),
            _ => None,
        };
        Ok(match compared {
            Some(compared) => Transformed::yes(compared),
            None => Transformed::no(expr),
        })
    })
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(
        op,
        Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom
    )
}

/// `left op right` with both operands cast, if they have to be.
fn compared(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Option<Expr> {
    let (left_type, right_type) = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
    let common = common_type(&left_type, &right_type)?;
    let left = Box::new(converted(left, &left_type, &common)?);
    let right = Box::new(converted(right, &right_type, &common)?);
    Some(Expr::BinaryExpr(BinaryExpr { left, op, right }))
}

/// All items and the value have one type.
fn in_list(list: &InList, schema: &DFSchema) -> Option<Expr> {
    let value = list.expr.get_type(schema).ok()?;
    let items = list.list.iter().map(|item| item.get_type(schema).ok());
    let items: Vec<DataType> = items.collect::<Option<_>>()?;
    let mut common = value.clone();
    let mut is_ours = false;
    for item in &items {
        common = match common_type(&common, item) {
            Some(wider) => {
                is_ours = true;
                wider
            }
            None => comparison_coercion(&common, item)?,
        };
    }
    if !is_ours {
        return None;
    }
    let converted_items = list.list.iter().zip(&items);
    let converted_items = converted_items.map(|(item, from)| converted(item, from, &common));
    Some(Expr::InList(InList {
        expr: Box::new(converted(&list.expr, &value, &common)?),
        list: converted_items.collect::<Option<_>>()?,
        negated: list.negated,
    }))
}

/// `x >= low AND x <= high`, which is what BETWEEN is in Spark, each with types of its own.
fn both_comparisons(between: &Between, schema: &DFSchema) -> Option<Expr> {
    let Between {
        expr, low, high, ..
    } = between;
    let lower = compared(expr, Operator::GtEq, low, schema);
    let upper = compared(expr, Operator::LtEq, high, schema);
    if lower.is_none() && upper.is_none() {
        return None;
    }
    let plain = |op, bound: &Expr| {
        Expr::BinaryExpr(BinaryExpr {
            left: expr.clone(),
            op,
            right: Box::new(bound.clone()),
        })
    };
    let lower = lower.unwrap_or_else(|| plain(Operator::GtEq, low));
    let both = lower.and(upper.unwrap_or_else(|| plain(Operator::LtEq, high)));
    Some(match between.negated {
        true => Expr::Not(Box::new(both)),
        false => both,
    })
}

/// `CASE WHEN x = a …` for `CASE x WHEN a …`.
fn searched(case: &Case, schema: &DFSchema) -> Option<Expr> {
    let operand = case.expr.as_ref()?;
    let mut is_ours = false;
    let pairs = case.when_then_expr.iter().map(|(when, then)| {
        let equal = compared(operand, Operator::Eq, when, schema);
        is_ours |= equal.is_some();
        let equal = equal.unwrap_or_else(|| operand.as_ref().clone().eq(when.as_ref().clone()));
        (Box::new(equal), then.clone())
    });
    let pairs = pairs.collect();
    is_ours.then(|| Expr::Case(Case::new(None, pairs, case.else_expr.clone())))
}

/// The type that Spark compares two others in, where DataFusion would take another one.
fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    one_sided(left, right)
        .or_else(|| one_sided(right, left))
        .or_else(|| {
            let is_day_time = |data_type: &DataType| {
                matches!(data_type, DataType::Duration(_)) || is_interval(data_type)
            };
            (is_day_time(left) && is_day_time(right)).then_some(DAY_TIME)
        })
}

fn one_sided(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (text, number) if text.is_string() && number.is_numeric() => as_number(text, number),
        (text, DataType::Boolean | DataType::Timestamp(..)) if text.is_string() => {
            Some(right.clone())
        }
        (DataType::Date32, DataType::Timestamp(..)) => Some(right.clone()),
        (decimal, fraction) if decimal.is_decimal() && fraction.is_floating() => {
            Some(DataType::Float64)
        }
        (whole, DataType::Float32) if whole.is_integer() => Some(DataType::Float64),
        _ => None,
    }
}

/// `expr` as a value of type `to`, if it can be one.
fn converted(expr: &Expr, from: &DataType, to: &DataType) -> Option<Expr> {
    if from == to {
        Some(expr.clone())
    } else if is_interval(from) {
        as_day_time(expr)
    } else {
        Some(cast(expr.clone(), to.clone()))
    }
}
