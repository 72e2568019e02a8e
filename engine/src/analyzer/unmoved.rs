//! Conditions that stay above what they are written above. DataFusion's optimizer moves a condition
//! below an aggregate or a window if it names none of its results: below an aggregate of all rows, which
//! gives a row also of none, and below any of them where `rand() < 0.5` has another value for each row.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::scalar::ScalarValue;

use super::planned::node;
use crate::error::{Result, from_datafusion};
use crate::plan::is_streaming;

/// The name of a condition's own column, for as long as it has one.
const CONDITION: &str = "__condition";

/// The rows of a plan that a condition leaves.
pub(super) fn filtered(plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
    if is_streaming(&plan) {
        let condition = of_results(&plan, condition);
        return node(LogicalPlanBuilder::from(plan).filter(condition));
    }
    let plan = above_one_row(plan, &condition)?;
    if !condition.is_volatile() {
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

/// A condition above an aggregate of a stream, where no limit can stand: those of its parts that would move
/// name a result of the aggregate.
fn of_results(plan: &LogicalPlan, condition: Expr) -> Expr {
    let has_aggregate = plan.exists(|plan| Ok(matches!(plan, LogicalPlan::Aggregate(_))));
    // The results of an aggregate stand behind its keys.
    let Some(result) = columns(plan)
        .pop()
        .filter(|_| has_aggregate.unwrap_or(false))
    else {
        return condition;
    };
    let parts = split_conjunction_owned(condition).into_iter().map(|part| {
        let moves = (names_nothing(&part) || part.is_volatile()) && !has_subquery(&part);
        match moves {
            true => ScalarUDF::from(Beside(Signature::any(2, Volatility::Immutable)))
                .call(vec![part, result.clone()]),
            false => part,
        }
    });
    conjunction(parts).unwrap_or_else(|| lit(true))
}

/// A value as it is, beside another that it seems to depend on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Beside(Signature);

impl ScalarUDFImpl for Beside {
    fn name(&self) -> &str {
        "beside"
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
            .ok_or_else(|| datafusion::common::internal_datafusion_err!("beside needs a value"))
    }
}

fn names_nothing(part: &Expr) -> bool {
    let is_true = matches!(part, Expr::Literal(ScalarValue::Boolean(Some(true)), _));
    !is_true && part.column_refs().is_empty()
}

/// Whether a condition is a subquery's, which becomes a join.
fn has_subquery(expr: &Expr) -> bool {
    let found = expr.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
        ))
    });
    found.unwrap_or(true)
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}
