//! What a plan goes through when it has been built: what DataFusion plans otherwise than Spark is
//! put right, node by node from the leaves up.

use datafusion::logical_expr::LogicalPlan;

use super::plain_times::make_times_plain;
use super::set_operation::distinct_last;
use super::time_window::resolve_windows;
use super::union::unify_event_times;
use crate::error::Result;

/// Resolves the time windows, event times and set operations of the topmost node; those below it went
/// through this when they were built.
pub(crate) fn resolve_node(node: LogicalPlan) -> Result<LogicalPlan> {
    let resolved = match node {
        LogicalPlan::Union(union) => unify_event_times(union),
        LogicalPlan::Join(join) => resolve_windows(distinct_last(join)),
        other => make_times_plain(other).and_then(resolve_windows),
    };
    let resolved = resolved.and_then(LogicalPlan::recompute_schema);
    resolved.map_err(crate::error::from_datafusion)
}
