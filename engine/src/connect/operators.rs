//! Operators whose meaning in Spark depends on the types of their operands, and SQL's types.

use datafusion::common::datatype::DataTypeExt;
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::error::Result;
use datafusion::functions::core::get_field;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr, TypePlanner,
};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, cast, lit};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType as SqlType};
use datafusion_spark::function::datetime::{date_add, date_sub};

use arrow::datatypes::{DataType, Field, FieldRef};

use super::functions::{Operation, arithmetic, array_item, element_at, narrowest};
use super::intervals::interval_arithmetic;
use super::types::arrow_type;

/// Plans `+ - * / % div`, `array[index]`, `map[key]` and `struct.field` as Spark means them.
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
        let (one, other) = ((&expr.left, &left), (&expr.right, &right));
        if let Some(planned) = interval_arithmetic(operation, one, other) {
            return Ok(PlannerResult::Planned(planned));
        }
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
        // What has no type here is refused where DataFusion resolves it.
        let data_type = expr.expr.get_type(schema).unwrap_or(DataType::Null);
        Ok(match (expr.field_access, &data_type) {
            (GetFieldAccess::ListIndex { key }, DataType::List(_)) => {
                PlannerResult::Planned(array_item().call(vec![expr.expr, *key]))
            }
            (GetFieldAccess::ListIndex { key }, DataType::Map(..)) => {
                PlannerResult::Planned(element_at().call(vec![expr.expr, *key]))
            }
            (GetFieldAccess::NamedStructField { name }, data_type) => {
                let own = name.try_as_str().flatten();
                let own = own.and_then(|name| own_name(data_type, name));
                let name = own.map_or(name.clone(), ScalarValue::from);
                PlannerResult::Planned(get_field().call(vec![expr.expr, lit(name)]))
            }
            (field_access, _) => PlannerResult::Original(RawFieldAccessExpr {
                field_access,
                ..expr
            }),
        })
    }

    /// `column.field.field`, where the column has the spelling of its table.
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let mut expr = Expr::Column(Column::from((qualifier, field)));
        let mut data_type = Some(field.data_type());
        for name in nested_names {
            let own = data_type.and_then(|data_type| struct_field(data_type, name));
            let name = own.map_or(name, |field| field.name());
            expr = get_field().call(vec![expr, lit(name.as_str())]);
            data_type = own.map(|field| field.data_type());
        }
        Ok(PlannerResult::Planned(expr))
    }
}

/// The name that a struct has for its field `name`, whatever the case.
fn own_name<'a>(data_type: &'a DataType, name: &str) -> Option<&'a str> {
    struct_field(data_type, name).map(|field| field.name().as_str())
}

/// A struct's field, whatever the case of its name; that of the very case first.
fn struct_field<'a>(data_type: &'a DataType, name: &str) -> Option<&'a FieldRef> {
    let DataType::Struct(fields) = data_type else {
        return None;
    };
    let exact = fields.iter().find(|field| field.name() == name);
    exact.or_else(|| {
        let mut fields = fields.iter();
        fields.find(|field| field.name().to_lowercase() == name.to_lowercase())
    })
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
