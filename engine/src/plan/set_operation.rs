//! `INTERSECT` and `EXCEPT`, which DataFusion plans as joins in which NULL equals NULL.

use std::sync::Arc;

use datafusion::common::NullEquality;
use datafusion::logical_expr::{Distinct, Join, JoinType, LogicalPlan};

/// Which set operation a join stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperation {
    Intersect,
    Except,
}

impl SetOperation {
    /// The set operation that was planned as this join, if it was one.
    pub(super) fn of(join: &Join) -> Option<Self> {
        match (join.null_equality, join.join_type) {
            (NullEquality::NullEqualsNull, JoinType::LeftSemi) => Some(Self::Intersect),
            (NullEquality::NullEqualsNull, JoinType::LeftAnti) => Some(Self::Except),
            _ => None,
        }
    }
}

/// Removes duplicates after the set operation instead of before it: as Spark, which then remembers
/// only rows that are in the result.
pub(super) fn distinct_last(mut join: Join) -> LogicalPlan {
    if SetOperation::of(&join).is_some()
        && let LogicalPlan::Distinct(Distinct::All(input)) = join.left.as_ref()
    {
        join.left = Arc::clone(input);
        return LogicalPlan::Distinct(Distinct::All(Arc::new(LogicalPlan::Join(join))));
    }
    LogicalPlan::Join(join)
}

/// Whether `node` is a set operation other than UNION, before duplicates are removed.
pub(super) fn is_set_operation(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Join(join) if SetOperation::of(join).is_some())
}

/// Whether `node` removes the duplicates of a set operation.
pub(super) fn is_distinct_of_set_operation(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Distinct(Distinct::All(input)) if is_set_operation(input))
}
