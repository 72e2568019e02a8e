//! Queries inside of expressions; the columns of the query outside are theirs to see.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Spans;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Subquery as PlanSubquery, Volatility, lit,
};

use super::compare::comparison_type;
use super::expression::{Clause, Expressions};
use super::planned::{Planned, node};
use super::scope::Scope;
use super::struct_fields::structure;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::{Subquery, SubqueryKind};

impl Expressions<'_> {
    /// A query as a value or a condition.
    pub fn subquery(&self, subquery: &Subquery) -> Result<Typed> {
        if matches!(self.clause, Clause::Values | Clause::Limit) {
            return Err(Error::analysis("a subquery cannot stand here")
                .with_condition("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY"));
        }
        let context = self.context.inside(Some(self.scope));
        let planned = self.analyzer.query(&subquery.query, &context)?;
        match &subquery.kind {
            SubqueryKind::Exists if self.is_value() => self.exists_value(planned),
            SubqueryKind::Exists => {
                let exists = Exists::new(plan_of(planned)?, false);
                Ok(Typed::new(Expr::Exists(exists), DataType::Boolean))
            }
            SubqueryKind::Scalar => {
                let field = match planned.shown().collect::<Vec<_>>().as_slice() {
                    [column] => Arc::clone(&column.field),
                    columns => {
                        return Err(Error::analysis(format!(
                            "a subquery that is a value must have one column, but it has {}",
                            columns.len()
                        ))
                        .with_condition(
                            "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                        ));
                    }
                };
                let subquery = Expr::ScalarSubquery(plan_of(planned)?);
                // Without a row it is NULL, whatever its column may be.
                let subquery = match field.is_nullable() {
                    true => subquery,
                    false => nullable().call(vec![subquery]),
                };
                Ok(Typed::new(subquery, field.data_type().clone()))
            }
            SubqueryKind::In(values) => {
                let values = self.plan_all(values)?;
                self.in_subquery(values, planned, false)
            }
        }
    }

    fn in_subquery(&self, values: Vec<Typed>, planned: Planned, negated: bool) -> Result<Typed> {
        let columns: Vec<_> = planned.shown().cloned().collect();
        if columns.len() != values.len() {
            return Err(Error::analysis(format!(
                "IN compares {} values with the {} columns of a subquery",
                values.len(),
                columns.len()
            ))
            .with_condition("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH"));
        }
        let mut left = Vec::new();
        let mut right = Vec::new();
        for (value, column) in values.into_iter().zip(&columns) {
            let common = comparison_type(value.data_type(), column.field.data_type())?;
            let own = Typed {
                expr: Expr::Column(column.column.clone()),
                field: Arc::clone(&column.field),
            };
            left.push(self.cast_to(value, &common)?);
            right.push(self.cast_to(own, &common)?);
        }
        let one = |mut parts: Vec<Typed>| match parts.len() {
            1 => parts.swap_remove(0),
            _ => {
                let parts = parts.into_iter().enumerate();
                structure(
                    parts
                        .map(|(index, part)| (format!("c{index}"), part))
                        .collect(),
                )
            }
        };
        let (left, right) = (one(left), one(right));
        if self.is_value() {
            return self.in_value(left, right, planned, negated);
        }
        let is_same = matches!(&right.expr, Expr::Column(column) if planned.columns.len() == 1 && &planned.columns[0].column == column);
        let plan = match is_same {
            true => planned.plan,
            false => {
                let name = columns
                    .first()
                    .map_or("value", |column| column.name.as_str());
                let value = right.expr.alias(name);
                node(LogicalPlanBuilder::from(planned.plan).project([value]))?
            }
        };
        let subquery = plan_of(Planned::of(plan))?;
        let expr = Expr::InSubquery(InSubquery::new(Box::new(left.expr), subquery, false));
        Ok(Typed::new(expr, DataType::Boolean))
    }
}

impl Expressions<'_> {
    /// Whether a subquery is an IN that is wanted as a value.
    pub fn is_in_value(&self, subquery: &Subquery) -> bool {
        self.is_value() && matches!(subquery.kind, SubqueryKind::In(_))
    }

    /// `NOT IN` as a value.
    pub fn not_in_value(&self, subquery: &Subquery) -> Result<Typed> {
        let SubqueryKind::In(values) = &subquery.kind else {
            return Err(Error::internal("not an IN"));
        };
        let context = self.context.inside(Some(self.scope));
        let planned = self.analyzer.query(&subquery.query, &context)?;
        let values = self.plan_all(values)?;
        let some = self.in_subquery(values, planned, true)?;
        Ok(Typed::new(!some.expr, DataType::Boolean))
    }

    /// Whether a condition is wanted as a value of each row, and not to filter rows.
    fn is_value(&self) -> bool {
        matches!(self.clause, Clause::Select | Clause::OrderBy)
    }

    /// `EXISTS` as a value: whether there are more than no rows.
    fn exists_value(&self, planned: Planned) -> Result<Typed> {
        let some = counted(planned, None)?;
        Ok(Typed::new(some.gt(lit(0_i64)), DataType::Boolean))
    }

    /// `IN` as a value: whether a row is equal. As in Spark, it is false and not NULL where one might be.
    /// Negated, a row that might be equal counts as one that is.
    fn in_value(
        &self,
        left: Typed,
        right: Typed,
        planned: Planned,
        negated: bool,
    ) -> Result<Typed> {
        let outer = as_outer(left.expr, self.scope)?;
        let equal = right.expr.eq(outer);
        let equal = match negated {
            true => equal.clone().or(equal.is_null()),
            false => equal,
        };
        let is_equal = counted(planned, Some(equal))?.gt(lit(0_i64));
        Ok(Typed::new(is_equal, DataType::Boolean))
    }
}

/// How many rows of a query a condition leaves, as a subquery.
fn counted(planned: Planned, condition: Option<Expr>) -> Result<Expr> {
    let mut builder = LogicalPlanBuilder::from(planned.plan);
    if let Some(condition) = condition {
        builder = builder.filter(condition).map_err(from_datafusion)?;
    }
    let count = count_udaf().call(vec![lit(COUNT_STAR_EXPANSION)]);
    let plan = node(builder.aggregate(Vec::<Expr>::new(), vec![count]))?;
    Ok(Expr::ScalarSubquery(plan_of(Planned::of(plan))?))
}

/// An expression of the rows outside, as the query inside sees it.
fn as_outer(expr: Expr, scope: &Scope<'_>) -> Result<Expr> {
    let outer = expr.transform_up(|expr| {
        Ok(match expr {
            Expr::Column(column) => {
                let index = scope.schema.index_of_column(&column)?;
                let field = Arc::clone(scope.schema.field(index));
                Transformed::yes(Expr::OuterReferenceColumn(field, column))
            }
            other => Transformed::no(other),
        })
    });
    Ok(outer.map_err(from_datafusion)?.data)
}

/// A value as it is, which may be NULL.
fn nullable() -> ScalarUDF {
    ScalarUDF::from(Nullable(Signature::any(1, Volatility::Immutable)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Nullable(Signature);

impl ScalarUDFImpl for Nullable {
    fn name(&self) -> &str {
        "nullable"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, types: &[DataType]) -> datafusion::error::Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(
        &self,
        args: ScalarFunctionArgs,
    ) -> datafusion::error::Result<ColumnarValue> {
        let mut args = args.args.into_iter();
        args.next()
            .ok_or_else(|| datafusion::common::internal_datafusion_err!("nullable needs a value"))
    }
}

fn plan_of(planned: Planned) -> Result<PlanSubquery> {
    let plan = planned.named()?;
    let outer_ref_columns = plan.all_out_ref_exprs();
    Ok(PlanSubquery {
        subquery: Arc::new(plan),
        outer_ref_columns,
        spans: Spans::new(),
    })
}
