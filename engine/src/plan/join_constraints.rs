//! What is known of one side of a join with a stream holds of the other side too, where their columns must be
//! equal: as in Spark it is asked there before, so that rows that match nothing take no place in the state.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection};

use super::join_condition::JoinCondition;
use super::nodes::{Deduplicate, EventTimeWatermark, StreamingNode};
use super::set_operation::SetOperation;
use super::streaming_relation::is_streaming;
use crate::error::{Result, from_datafusion};

/// Puts the conditions of one side on the other side of every join with a stream that gives only rows
/// that match there.
pub(super) fn with_constraints(plan: LogicalPlan) -> Result<LogicalPlan> {
    let constrained = plan.transform_up(|node| {
        let LogicalPlan::Join(mut join) = node else {
            return Ok(Transformed::no(node));
        };
        let reads_stream = is_streaming(&join.left) || is_streaming(&join.right);
        if !reads_stream || SetOperation::of(&join).is_some() {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        }
        let (to_left, to_right) = match join.join_type {
            JoinType::Inner | JoinType::LeftSemi => (true, true),
            JoinType::Left => (false, true),
            JoinType::Right => (true, false),
            _ => (false, false),
        };
        let condition = JoinCondition::of(&join);
        let pairs = condition.equal_columns();
        let (on_left, on_right, _) = condition.by_side(join.left.schema(), join.right.schema());
        let left = [known(&join.left), on_left].concat();
        let right = [known(&join.right), on_right].concat();
        let backwards: Vec<_> = pairs.iter().map(|(one, other)| (*other, *one)).collect();
        if to_right {
            join.right = filtered(&join.right, inferred(&left, &pairs, &right))?;
        }
        if to_left {
            join.left = filtered(&join.left, inferred(&right, &backwards, &left))?;
        }
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    });
    Ok(constrained.map_err(from_datafusion)?.data)
}

/// What `conditions` say of the columns that must be equal to theirs, as far as that is not `known`.
fn inferred(conditions: &[Expr], pairs: &[(&Column, &Column)], known: &[Expr]) -> Vec<Expr> {
    let moved = conditions.iter().filter_map(|condition| {
        renamed(condition.clone(), |column| {
            let pair = pairs.iter().find(|(own, _)| *own == column);
            pair.map(|(_, other)| (*other).clone())
        })
    });
    moved.filter(|moved| !known.contains(moved)).collect()
}

/// The conditions that every row of a plan satisfies.
fn known(plan: &LogicalPlan) -> Vec<Expr> {
    let mut conditions = match plan {
        LogicalPlan::Filter(filter) => {
            let mut conditions = known(&filter.input);
            conditions.extend(split_conjunction_owned(filter.predicate.clone()));
            conditions
        }
        LogicalPlan::Projection(projection) => {
            let conditions = known(&projection.input).into_iter();
            let kept = conditions
                .filter_map(|condition| renamed(condition, |column| kept_as(projection, column)));
            kept.collect()
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let conditions = known(&alias.input).into_iter();
            let inner = alias.input.schema();
            let kept = conditions.filter_map(|condition| {
                renamed(condition, |column| {
                    let at = inner.maybe_index_of_column(column)?;
                    Some(Column::from(alias.schema.qualified_field(at)))
                })
            });
            kept.collect()
        }
        LogicalPlan::Join(join) => {
            let (left, right) = match join.join_type {
                JoinType::Inner => (true, true),
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti => (true, false),
                JoinType::Right => (false, true),
                _ => (false, false),
            };
            let sides = [(left, &join.left), (right, &join.right)].into_iter();
            let sides = sides.filter(|(counts, _)| *counts);
            sides.flat_map(|(_, side)| known(side)).collect()
        }
        LogicalPlan::Aggregate(aggregate) => {
            let is_key = |column: &&Column| {
                let mut keys = aggregate.group_expr.iter();
                keys.any(|key| matches!(key, Expr::Column(key) if key == *column))
            };
            let mut conditions = known(&aggregate.input);
            conditions.retain(|condition| condition.column_refs().iter().all(is_key));
            conditions
        }
        // These give some of their rows, as they are.
        LogicalPlan::Distinct(_) => plan.inputs().into_iter().flat_map(known).collect(),
        other
            if StreamingNode::<EventTimeWatermark>::of(other).is_some()
                || StreamingNode::<Deduplicate>::of(other).is_some() =>
        {
            other.inputs().into_iter().flat_map(known).collect()
        }
        _ => Vec::new(),
    };
    let schema = plan.schema();
    conditions.retain(|condition| {
        let mut columns = condition.column_refs().into_iter();
        !condition.is_volatile() && columns.all(|column| schema.has_column(column))
    });
    conditions
}

/// The name that a projection gives to a column of its input as it is.
fn kept_as(projection: &Projection, column: &Column) -> Option<Column> {
    let outputs = projection.expr.iter().zip(projection.schema.iter());
    let mut kept = outputs.filter_map(|(expr, field)| {
        let is_column = matches!(expr.clone().unalias(), Expr::Column(own) if own == *column);
        is_column.then(|| Column::from(field))
    });
    kept.next()
}

/// A condition with other names for its columns; `None` if one of them has none, or it has no columns.
fn renamed(condition: Expr, name: impl Fn(&Column) -> Option<Column>) -> Option<Expr> {
    let columns = condition.column_refs();
    let is_known = |column: &&Column| name(column).is_some();
    if columns.is_empty() || !columns.iter().all(is_known) || has_subquery(&condition) {
        return None;
    }
    let renamed = condition.transform(|part| match part {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(
            name(&column).unwrap_or(column),
        ))),
        other => Ok(Transformed::no(other)),
    });
    renamed.ok().map(|renamed| renamed.data)
}

fn has_subquery(condition: &Expr) -> bool {
    let is_subquery = |part: &Expr| {
        matches!(
            part,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
        )
    };
    condition
        .exists(|part| Ok(is_subquery(part)))
        .unwrap_or(true)
}

fn filtered(input: &Arc<LogicalPlan>, conditions: Vec<Expr>) -> DataFusionResult<Arc<LogicalPlan>> {
    let Some(condition) = conditions.into_iter().reduce(Expr::and) else {
        return Ok(Arc::clone(input));
    };
    let filtered = LogicalPlanBuilder::from(input.as_ref().clone()).filter(condition)?;
    Ok(Arc::new(filtered.build()?))
}
