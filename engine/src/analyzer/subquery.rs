//! Queries inside of expressions; the columns of the query outside are theirs to see.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Spans};
use datafusion::functions::core::{get_field, named_struct};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Subquery as PlanSubquery, Volatility, lit,
};

use super::compare::comparable;
use super::domain::{needs_domain, not_supported};
use super::expression::{Clause, Expressions};
use super::planned::{Planned, node};
use super::scope::Scope;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::plan::is_streaming;
use crate::tree::{Subquery, SubqueryKind};

impl Expressions<'_> {
    /// A query as a value or a condition.
    pub(super) fn subquery(&self, subquery: &Subquery) -> Result<Typed> {
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
                        )
                        .with_parameter("number", columns.len().to_string()));
                    }
                };
                let subquery = self.value_of(planned)?;
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
        let pairs = values.into_iter().zip(&columns).map(|(value, column)| {
            let own = Typed {
                expr: Expr::Column(column.column.clone()),
                field: Arc::clone(&column.field),
            };
            comparable(value, own)
        });
        let mut pairs = pairs.collect::<Result<Vec<_>>>()?;
        let is_correlated = !planned.plan.all_out_ref_exprs().is_empty();
        if pairs.len() == 1
            && !self.is_value()
            && !(negated && is_correlated)
            && let Some((left, right)) = pairs.pop()
        {
            return in_condition(left, right, planned);
        }
        // As in Spark, it is false and not NULL where a row might be equal. Negated, a row that might be
        // equal counts as one that is.
        let mut equal = lit(true);
        for (left, right) in pairs {
            equal = equal.and(right.expr.eq(as_outer(left.expr, self.scope)?));
        }
        let equal = match negated {
            true => equal.clone().or(equal.is_null()),
            false => equal,
        };
        let found = match self.is_value() {
            true => self.counted(planned, Some(equal))?.gt(lit(0_i64)),
            false => {
                let rows = LogicalPlanBuilder::from(planned.plan.clone()).filter(equal);
                let rows = planned.with_plan(node(rows)?);
                Expr::Exists(Exists::new(plan_of(rows)?, false))
            }
        };
        Ok(Typed::new(found, DataType::Boolean))
    }

    /// `NOT IN`, which is not just the opposite of `IN`.
    pub(super) fn not_in(&self, subquery: &Subquery) -> Result<Typed> {
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
        let some = self.counted(planned, None)?;
        Ok(Typed::new(some.gt(lit(0_i64)), DataType::Boolean))
    }
}

/// The name of what the value of an `IN` is compared with, where that is computed.
const COMPARED: &str = "__compared";

/// `IN` of one value, to filter rows.
fn in_condition(left: Typed, right: Typed, planned: Planned) -> Result<Typed> {
    let is_same = matches!(
        (&right.expr, planned.columns.as_slice()),
        (Expr::Column(column), [only]) if &only.column == column
    );
    let plan = match is_same {
        true => planned.plan,
        false => {
            // The columns that the query outside takes part by come beside it, one of its own name too.
            let value = right.expr.alias(COMPARED);
            node(LogicalPlanBuilder::from(planned.plan.clone()).project([value]))?
        }
    };
    let subquery = plan_of(Planned::of(plan))?;
    let expr = Expr::InSubquery(InSubquery::new(Box::new(left.expr), subquery, false));
    Ok(Typed::new(expr, DataType::Boolean))
}

impl Expressions<'_> {
    /// How many rows of a query a condition leaves.
    fn counted(&self, planned: Planned, condition: Option<Expr>) -> Result<Expr> {
        let mut builder = LogicalPlanBuilder::from(planned.plan);
        if let Some(condition) = condition {
            builder = builder.filter(condition).map_err(from_datafusion)?;
        }
        let count = count_udaf().call(vec![lit(COUNT_STAR_EXPANSION)]);
        let plan = node(builder.aggregate(Vec::<Expr>::new(), vec![count]))?;
        self.value_of(Planned::of(plan))
    }

    /// The query, made to fail if it gives more than one row for a row of the query outside.
    fn at_most_one_row(&self, planned: Planned) -> Result<Planned> {
        if gives_one_row(&planned.plan) {
            return Ok(planned);
        }
        let functions = self.analyzer.session.aggregate_functions();
        let single = functions.get("single_value");
        let single = single.ok_or_else(|| Error::internal("there is no single_value"))?;
        let Some(column) = planned.shown().next().map(|shown| shown.column.clone()) else {
            return Ok(planned);
        };
        // In a struct a NULL is a value like others.
        const VALUE: &str = "value";
        let whole = named_struct().call(vec![lit(VALUE), Expr::Column(column)]);
        let only = single.call(vec![whole]).alias(VALUE);
        let plan = LogicalPlanBuilder::from(planned.plan).aggregate(Vec::<Expr>::new(), [only]);
        let only = Expr::Column(Column::new_unqualified(VALUE));
        let value = get_field().call(vec![only, lit(VALUE)]).alias(VALUE);
        let plan = plan.and_then(|plan| plan.project([value]));
        Ok(Planned::of(node(plan)?))
    }

    /// The one value of a query.
    fn value_of(&self, planned: Planned) -> Result<Expr> {
        let is_correlated = !planned.plan.all_out_ref_exprs().is_empty();
        let planned = match is_correlated {
            true => self.at_most_one_row(planned)?,
            false => planned,
        };
        let subquery = plan_of(planned)?;
        let in_aggregate = is_correlated && self.inside_aggregate;
        if !in_aggregate && !needs_domain(&subquery.subquery) {
            return Ok(Expr::ScalarSubquery(subquery));
        }
        let Some(subqueries) = &self.scope.subqueries else {
            return Err(not_supported("more than an equality here"));
        };
        if is_streaming(subqueries.plan) {
            return Err(not_supported("more than an equality in a stream"));
        }
        subqueries.add(&subquery.subquery).map(Expr::Column)
    }
}

/// Whether a query gives one row at most.
fn gives_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => true,
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Distinct(_) => plan.inputs().into_iter().all(gives_one_row),
        other => other.max_rows().is_some_and(|rows| rows <= 1),
    }
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
