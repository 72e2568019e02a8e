//! Operators whose meaning in Spark depends on the types of their operands, and SQL's types.

use datafusion::common::DFSchema;
use datafusion::common::datatype::DataTypeExt;
use datafusion::error::Result;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr, TypePlanner,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, cast};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType};
use datafusion_spark::function::datetime::{date_add, date_sub};

use arrow::datatypes::{DataType, FieldRef};

use super::functions::{Operation, arithmetic, array_item, narrowest};
use super::types::arrow_type;

/// Plans `+ - * / % div` and `array[index]` as Spark means them.
#[derive(Debug)]
pub(super) struct SparkOperators;

impl ExprPlanner for SparkOperators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let operation = match expr.op {
            BinaryOperator::Plus => Operation::Add,
            BinaryOperator::Minus => Operation::Subtract,
            BinaryOperator::Multiply => Operation::Multiply,
            BinaryOperator::Divide => Operation::Divide,
            BinaryOperator::MyIntegerDivide => Operation::IntegralDivide,
            BinaryOperator::Modulo => Operation::Remainder,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let types = (expr.left.get_type(schema), expr.right.get_type(schema));
        let (Ok(left), Ok(right)) = types else {
            return Ok(PlannerResult::Original(expr));
        };
        let is_date = left == DataType::Date32 && right.is_integer();
        let days = |days: Expr| cast(days, DataType::Int32);
        Ok(match operation {
            Operation::Add if is_date => {
                PlannerResult::Planned(date_add().call(vec![expr.left, days(expr.right)]))
            }
            Operation::Subtract if is_date => {
                PlannerResult::Planned(date_sub().call(vec![expr.left, days(expr.right)]))
            }
            _ if are_numbers(&left, &right) => {
                let operands = vec![beside(expr.left, &right), beside(expr.right, &left)];
                PlannerResult::Planned(arithmetic(operation).call(operands))
            }
            _ => PlannerResult::Original(expr),
        })
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let is_list = matches!(expr.expr.get_type(schema), Ok(DataType::List(_)));
        Ok(match expr.field_access {
            GetFieldAccess::ListIndex { key } if is_list => {
                PlannerResult::Planned(array_item().call(vec![expr.expr, *key]))
            }
            field_access => PlannerResult::Original(RawFieldAccessExpr {
                field_access,
                ..expr
            }),
        })
    }
}

/// Numbers, with text or NULL beside them at most.
fn are_numbers(left: &DataType, right: &DataType) -> bool {
    let fits = |data_type: &DataType| {
        data_type.is_numeric() || data_type.is_null() || data_type.is_string()
    };
    let is_known =
        left.is_numeric() || right.is_numeric() || (left.is_string() && right.is_string());
    is_known && fits(left) && fits(right)
}

/// A whole number beside a decimal is a decimal as wide as it is written.
fn beside(operand: Expr, other: &DataType) -> Expr {
    let value = match (&operand, other) {
        (Expr::Literal(ScalarValue::Int64(Some(value)), _), DataType::Decimal128(..)) => *value,
        (Expr::Literal(ScalarValue::Int32(Some(value)), _), DataType::Decimal128(..)) => {
            i64::from(*value)
        }
        _ => return operand,
    };
    Expr::Literal(narrowest(value), None)
}

/// SQL's types as columns have them.
#[derive(Debug)]
pub(super) struct SparkTypes;

impl TypePlanner for SparkTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> Result<Option<FieldRef>> {
        // A field with a name would be one that the cast must give as it is, and nullable.
        let data_type = arrow_type(sql_type, "value")?;
        Ok(Some(data_type.into_nullable_field_ref()))
    }
}
