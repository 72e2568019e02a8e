//! Outer joins of streams whose rows without match a condition above takes away: as in Spark they are inner
//! joins, or outer on one side only, and remember less.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ExprSchema, ScalarValue};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Filter, Join, LogicalPlan};
use datafusion::optimizer::Optimizer;
use datafusion::optimizer::eliminate_outer_join::eliminate_outer;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::join_constraints::with_constraints;
use super::join_nulls::without_null_keys;
use super::streaming_relation::joins_streams;
use crate::error::{Result, from_datafusion};

/// Leaves out of joins with streams what their results cannot show. Done before the optimizer moves
/// conditions towards the sources.
pub(super) fn simpler_joins(plan: LogicalPlan, session: &SessionState) -> Result<LogicalPlan> {
    let plan = with_constraints(without_null_keys(plan)?)?;
    if !plan
        .exists(|node| Ok(is_outer(node)))
        .map_err(from_datafusion)?
    {
        return Ok(plan);
    }
    let mover = Optimizer::with_rules(vec![Arc::new(PushDownFilter::new())]);
    let moved = mover.optimize(plan.clone(), session, |_, _| {});
    let simpler = moved
        .and_then(|plan| plan.transform_up(|node| simpler_join(node, session)))
        .map_err(from_datafusion)?;
    match simpler.transformed {
        // A join that gives fewer rows can make one below it give fewer.
        true => simpler_joins(simpler.data, session),
        false => Ok(plan),
    }
}

fn is_outer(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Join(join) if join.join_type.is_outer() && joins_streams(join))
}

fn simpler_join(
    node: LogicalPlan,
    session: &SessionState,
) -> DataFusionResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Filter(filter) = &node else {
        return Ok(Transformed::no(node));
    };
    let LogicalPlan::Join(join) = filter.input.as_ref() else {
        return Ok(Transformed::no(node));
    };
    if !is_outer(&filter.input) {
        return Ok(Transformed::no(node));
    }
    let needs = |side: &DFSchema| {
        let mut conditions = split_conjunction(&filter.predicate).into_iter();
        conditions.any(|condition| refuses_nulls(condition, side, session))
    };
    let (left, right) = (needs(join.left.schema()), needs(join.right.schema()));
    let join_type = eliminate_outer(join.join_type, left, right);
    if join_type == join.join_type {
        return Ok(Transformed::no(node));
    }
    let join = LogicalPlan::Join(Join {
        join_type,
        ..join.clone()
    });
    let filter = Filter::try_new(filter.predicate.clone(), Arc::new(join))?;
    Ok(Transformed::yes(LogicalPlan::Filter(filter)))
}

/// Whether a condition on one side alone is not true of a row of NULLs.
fn refuses_nulls(condition: &Expr, side: &DFSchema, session: &SessionState) -> bool {
    let columns = condition.column_refs();
    let is_of_side = columns.iter().all(|column| side.has_column(column));
    if columns.is_empty() || !is_of_side || condition.is_volatile() {
        return false;
    }
    let nulls = condition.clone().transform(|part| match &part {
        Expr::Column(column) => {
            let kind = side.field_from_column(column)?.data_type();
            let null = ScalarValue::try_from(kind)?;
            Ok(Transformed::yes(Expr::Literal(null, None)))
        }
        _ => Ok(Transformed::no(part)),
    });
    let context = SimplifyContext::builder()
        .with_config_options(Arc::clone(session.config_options()))
        .build();
    let value = nulls.and_then(|nulls| ExprSimplifier::new(context).simplify(nulls.data));
    match value {
        Ok(Expr::Literal(ScalarValue::Boolean(value), _)) => value != Some(true),
        Ok(Expr::Literal(value, _)) => value.is_null(),
        _ => false,
    }
}
