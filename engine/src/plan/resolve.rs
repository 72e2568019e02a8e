//! What a plan goes through when it has been built: what DataFusion plans otherwise than Spark is
//! put right, from the leaves up.

use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;

use super::plain_times::make_times_plain;
use super::set_operation::distinct_last;
use super::time_window::resolve_windows;
use super::union::unify_event_times;
use crate::error::Result;

/// Resolves time windows, event times, and set operations.
pub fn resolve(plan: LogicalPlan) -> Result<LogicalPlan> {
    let resolved = plan.transform_up_with_subqueries(|node| {
        let node = match node {
            LogicalPlan::Union(union) => unify_event_times(union)?,
            LogicalPlan::Join(join) => resolve_windows(distinct_last(join))?,
            other => resolve_windows(make_times_plain(other)?)?,
        };
        Ok(Transformed::yes(node.recompute_schema()?))
    });
    Ok(resolved.map_err(crate::error::from_datafusion)?.data)
}
