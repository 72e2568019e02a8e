//! Conditions that stay above what they are written above. DataFusion's optimizer moves a condition
//! below an aggregate or a window if it names none of its results: below an aggregate of all rows, which
//! gives a row also of none, and below any of them where `rand() < 0.5` has another value for each row.

use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;

use super::planned::node;
use crate::error::{Result, from_datafusion};
use crate::plan::is_streaming;

/// The name of a condition's own column, for as long as it has one.
const CONDITION: &str = "__condition";

/// The rows of a plan that a condition leaves.
pub(super) fn filtered(plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
    let plan = above_one_row(plan, &condition)?;
    if is_streaming(&plan) || !condition.is_volatile() {
        return node(LogicalPlanBuilder::from(plan).filter(condition));
    }
    let (computed, others): (Vec<Expr>, Vec<Expr>) = split_conjunction_owned(condition)
        .into_iter()
        .partition(|part| part.is_volatile() && !has_subquery(part));
    let own = columns(&plan);
    let mut plan = plan;
    if let Some(others) = conjunction(others) {
        plan = node(LogicalPlanBuilder::from(plan).filter(others))?;
    }
    let Some(computed) = conjunction(computed) else {
        return Ok(plan);
    };
    let mut beside = own.clone();
    beside.push(computed.alias(CONDITION));
    let column = Column::new_unqualified(CONDITION);
    let builder = LogicalPlanBuilder::from(plan).project(beside);
    let builder = builder.and_then(|builder| builder.filter(Expr::Column(column)));
    node(builder.and_then(|builder| builder.project(own)))
}

/// The plan of a side that `condition` is about; if a part of that names no column, the plan's
/// aggregates of all rows end in a limit, below which no condition moves.
pub(super) fn above_one_row(plan: LogicalPlan, condition: &Expr) -> Result<LogicalPlan> {
    let parts = split_conjunction(condition);
    if !parts.into_iter().any(names_nothing) {
        return Ok(plan);
    }
    let limited = plan.transform_up(|plan| {
        let gives_one_row =
            matches!(&plan, LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty());
        if !gives_one_row || is_streaming(&plan) || !plan.all_out_ref_exprs().is_empty() {
            return Ok(Transformed::no(plan));
        }
        let limit = LogicalPlanBuilder::from(Arc::new(plan)).limit(0, Some(1))?;
        Ok(Transformed::yes(limit.build()?))
    });
    limited.map(|limited| limited.data).map_err(from_datafusion)
}

fn names_nothing(part: &Expr) -> bool {
    let is_true = matches!(part, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    !is_true && part.column_refs().is_empty()
}

fn has_subquery(expr: &Expr) -> bool {
    let found = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
        ))
    });
    found.unwrap_or(true)
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}
