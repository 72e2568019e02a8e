//! What a query with Spark's continuous processing may not do: everything but projections, filters and
//! one stream that can be followed.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::current_time::current;
use super::nodes::{Deduplicate, EventTimeWatermark, StreamingNode};
use super::streaming_relation::{StreamingRelation, is_streaming, scanned_stream};
use crate::error::{Error, Result, from_datafusion, hint};
use crate::sources::NotContinuous;

/// Refuses a plan that Spark's continuous processing does not run. The plan is one that
/// [`check_supported`](super::check_supported) has let pass.
pub(crate) fn check_continuous(plan: &LogicalPlan) -> Result<()> {
    // The first wrong is the lowest, as in Spark.
    for input in plan.inputs() {
        check_continuous(input)?;
    }
    if let Some(operation) = refused(plan) {
        return Err(unsupported(operation));
    }
    if tells_time(plan)? {
        return Err(unsupported("current time"));
    }
    match scanned_stream(plan) {
        Some(stream) => check_stream(&stream),
        None => Ok(()),
    }
}

/// Spark's name for what a node does, if it may not.
fn refused(node: &LogicalPlan) -> Option<&'static str> {
    Some(match node {
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
            return None;
        }
        LogicalPlan::TableScan(_) if is_streaming(node) => return None,
        LogicalPlan::TableScan(_) => "LogicalRelation",
        LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => "LocalRelation",
        LogicalPlan::Aggregate(_) => "Aggregate",
        LogicalPlan::Distinct(_) => "Deduplicate",
        LogicalPlan::Join(_) => "Join",
        LogicalPlan::Union(_) => "Union",
        LogicalPlan::Sort(_) => "Sort",
        LogicalPlan::Limit(_) => "LocalLimit",
        LogicalPlan::Repartition(_) => "Repartition",
        LogicalPlan::Unnest(_) => "Generate",
        LogicalPlan::Window(_) => "Window",
        LogicalPlan::Extension(_) if StreamingNode::<EventTimeWatermark>::of(node).is_some() => {
            "EventTimeWatermark"
        }
        LogicalPlan::Extension(_) if StreamingNode::<Deduplicate>::of(node).is_some() => {
            "Deduplicate"
        }
        LogicalPlan::Extension(_) => "FlatMapGroupsWithState",
        _ => "these",
    })
}

fn tells_time(node: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    let visited = node.apply_expressions(|expr| {
        found |= expr.exists(|part: &Expr| Ok(current(part).is_some()))?;
        Ok(TreeNodeRecursion::Continue)
    });
    visited.map_err(from_datafusion)?;
    Ok(found)
}

fn check_stream(stream: &std::sync::Arc<dyn datafusion::catalog::TableProvider>) -> Result<()> {
    let relation = stream.downcast_ref::<StreamingRelation>();
    let refused = relation.and_then(|relation| relation.spec().not_continuous());
    let Some(refused) = refused else {
        return Ok(());
    };
    let error = match refused {
        NotContinuous::Operation(operation) => unsupported(operation),
        NotContinuous::Format(format) => Error::analysis(format!(
            "Data source {format} does not support continuous processing."
        ))
        .with_condition("_LEGACY_ERROR_TEMP_2253"),
    };
    Err(error.with_hint([
        hint::say("use "),
        hint::real_time(None),
        hint::say(", or a source that can be followed: kafka, rate, socket or memory"),
    ]))
}

fn unsupported(operation: &str) -> Error {
    let message = format!("Continuous processing does not support {operation} operations.");
    Error::analysis(message)
        .with_condition("_LEGACY_ERROR_TEMP_3102")
        .with_hint([
            hint::say("use "),
            hint::real_time(None),
            hint::say(", which runs every query, or leave it to select and filter"),
        ])
}
