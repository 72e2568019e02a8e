//! A stream beside a table in a join: the stream is the side that is read first and to its end.
//!
//! DataFusion does not look at the second side of a join whose first side turned out to be empty.
//! With a table first, an empty table would then keep the batch from being read, counted and put
//! into the state of the operators below, and its offsets would be committed all the same.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};

use crate::operators::StreamingSourceExec;

type Rules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// `rules` with ours behind the one that decides on the sides of joins.
pub(super) fn with_streams_first(mut rules: Rules) -> Rules {
    let selection = rules
        .iter()
        .position(|rule| rule.name() == "join_selection");
    rules.insert(selection.map_or(0, |at| at + 1), Arc::new(StreamsFirst));
    rules
}

#[derive(Debug)]
struct StreamsFirst;

impl PhysicalOptimizerRule for StreamsFirst {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let swapped = plan.transform_up(|node| {
            Ok(match swapped(&node)? {
                Some(swapped) => Transformed::yes(swapped),
                None => Transformed::no(node),
            })
        })?;
        Ok(swapped.data)
    }

    fn name(&self) -> &str {
        "streams_first"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The node with its sides changed, if it is a join that needs it.
fn swapped(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let children = node.children();
    let &[first, second] = children.as_slice() else {
        return Ok(None);
    };
    if reads_stream(first) || !reads_stream(second) {
        return Ok(None);
    }
    // Other joins give rows of the second side also if the first one is empty.
    let needs_both = |kind: &JoinType| matches!(kind, JoinType::Inner | JoinType::RightSemi);
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let needs_both = needs_both(join.join_type());
        return needs_both.then(|| join.swap_inputs(join.mode)).transpose();
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let needs_both = needs_both(join.join_type());
        return needs_both.then(|| join.swap_inputs()).transpose();
    }
    let cross = node.downcast_ref::<CrossJoinExec>();
    cross.map(CrossJoinExec::swap_inputs).transpose()
}

fn reads_stream(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<StreamingSourceExec>() || plan.children().into_iter().any(reads_stream)
}
