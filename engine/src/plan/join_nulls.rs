//! Rows of a stream that a join cannot use because of a NULL in them: as in Spark they are left out before,
//! so that they take no place in any state and do not move the watermark.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::join_condition::JoinCondition;
use super::set_operation::SetOperation;
use super::streaming_relation::is_streaming;
use crate::error::{Result, from_datafusion};

/// Puts a condition on every side of a join with a stream that gives only rows that match. Done before the
/// optimizer moves conditions towards the sources.
pub(super) fn without_null_keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    let filtered = plan.transform_up(|node| {
        let LogicalPlan::Join(mut join) = node else {
            return Ok(Transformed::no(node));
        };
        let reads_stream = is_streaming(&join.left) || is_streaming(&join.right);
        if !reads_stream || SetOperation::of(&join).is_some() {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        }
        let condition = JoinCondition::of(&join);
        let (on_left, on_right) = condition.never_null(join.left.schema(), join.right.schema());
        let (left, right) = match join.join_type {
            JoinType::Inner | JoinType::LeftSemi => (true, true),
            JoinType::Left => (false, true),
            JoinType::Right => (true, false),
            _ => (false, false),
        };
        if left {
            join.left = not_null(&join.left, on_left)?;
        }
        if right {
            join.right = not_null(&join.right, on_right)?;
        }
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    });
    Ok(filtered.map_err(from_datafusion)?.data)
}

/// The rows of `input` in which none of `values` is NULL.
fn not_null(input: &Arc<LogicalPlan>, values: Vec<Expr>) -> DataFusionResult<Arc<LogicalPlan>> {
    let conditions = values.into_iter().map(Expr::is_not_null);
    let Some(condition) = conditions.reduce(Expr::and) else {
        return Ok(Arc::clone(input));
    };
    let filtered = LogicalPlanBuilder::from(input.as_ref().clone()).filter(condition)?;
    Ok(Arc::new(filtered.build()?))
}
