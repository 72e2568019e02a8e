//! An expression as it may have been typed, for whoever asks why: with the names of its tables, without the
//! functions that stand for operators in a plan.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, Operator, binary_expr, ident};
use datafusion::scalar::ScalarValue;

use crate::text::format_value;

/// What is shown of an expression.
pub(super) fn as_typed(expr: &Expr) -> String {
    let typed = expr.clone().transform_up(simpler);
    let typed = typed.map_or_else(|_| expr.clone(), |typed| typed.data);
    typed.human_display().to_string()
}

fn simpler(part: Expr) -> DataFusionResult<Transformed<Expr>> {
    let simpler = match &part {
        Expr::Literal(value, _) => Some(ident(literal(value)?)),
        Expr::ScalarFunction(call) => match (call.name(), call.args.as_slice()) {
            ("spark_add" | "plus_interval", [left, right]) => {
                Some(binary_expr(left.clone(), Operator::Plus, right.clone()))
            }
            ("spark_subtract" | "minus_interval", [left, right]) => {
                Some(binary_expr(left.clone(), Operator::Minus, right.clone()))
            }
            ("spark_cast_to" | "comparison_key", [of]) => Some(of.clone()),
            _ => None,
        },
        _ => None,
    };
    Ok(simpler.map_or_else(|| Transformed::no(part), Transformed::yes))
}

fn literal(value: &ScalarValue) -> DataFusionResult<String> {
    let text = format_value(value.to_array()?.as_ref(), 0);
    let is_quoted = matches!(
        value.data_type(),
        DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Timestamp(..)
            | DataType::Date32
    );
    Ok(match is_quoted && !value.is_null() {
        true => format!("'{}'", text.replace('\'', "''")),
        false => text,
    })
}
