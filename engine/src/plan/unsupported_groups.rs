//! What `mapGroupsWithState`, `flatMapGroupsWithState` and `transformWithState` may not do, found
//! before the query starts.

use datafusion::logical_expr::LogicalPlan;

use super::flat_map_groups_with_state::FlatMapGroupsWithStateNode;
use super::nodes::{Deduplicate, Processor, StreamingNode};
use super::streaming_relation::is_streaming;
use super::unsupported_operations::{is_streaming_aggregation, unsupported_mode};
use crate::error::{Error, Result, hint};
use crate::output_mode::OutputMode;
use crate::user_functions::GroupStateTimeout;

/// Refuses them where they could not run. `nodes` are the nodes of the plan that read a stream.
pub(super) fn check_groups(nodes: &[&LogicalPlan], mode: OutputMode) -> Result<()> {
    let aggregates = nodes.iter().any(|node| is_streaming_aggregation(node));
    let groups = || nodes.iter().filter_map(|node| as_groups(node));
    let count = groups().count();
    if count > 1 && groups().any(|groups| groups.asked.one_row) {
        return Err(Error::analysis(
            "more than one mapGroupsWithState in a query is not supported",
        )
        .with_hint("write the result of the first to files and read those with another query"));
    }
    let append = |mode| mode == OutputMode::Append;
    if count > 1 && !(append(mode) && groups().all(|groups| append(groups.asked.output_mode))) {
        return Err(Error::analysis(
            "more than one flatMapGroupsWithState in a query must all be in append mode, and so must the query",
        )
        .with_hint([
            hint::say("use "),
            hint::mode("append"),
            hint::say(" and the output mode append in each"),
        ]));
    }
    groups().try_for_each(|groups| {
        check_mode(groups, mode, aggregates)?;
        check_timeout(groups)
    })?;
    check_processors(nodes, mode)?;
    check_followers(nodes)
}

fn check_processors(nodes: &[&LogicalPlan], mode: OutputMode) -> Result<()> {
    let mut processors = nodes
        .iter()
        .filter_map(|node| StreamingNode::<Processor>::of(node));
    processors.try_for_each(|processor| {
        let own = processor.operation().asked.output_mode;
        if own != mode {
            let what = format!("transformWithState in {own} mode");
            return Err(unsupported_mode(mode, &what).with_hint([
                hint::say("use "),
                hint::mode(own),
            ]));
        }
        let others = nodes.iter().filter(|node| is_stateful(node)).count() > 1;
        match others && mode != OutputMode::Append {
            false => Ok(()),
            true => Err(Error::analysis(format!(
                "transformWithState beside another operation with state has a correctness issue in output mode {mode}: rows of the first can come too late for the second"
            ))
            .with_hint([hint::say("use "), hint::mode("append")])),
        }
    })
}

fn check_mode(
    groups: &FlatMapGroupsWithStateNode,
    mode: OutputMode,
    aggregates: bool,
) -> Result<()> {
    let own = groups.asked.output_mode;
    if groups.asked.one_row {
        return match (aggregates, mode) {
            (true, _) => Err(Error::analysis(
                "mapGroupsWithState is not supported with an aggregation on the stream",
            )
            .with_hint("use flatMapGroupsWithState in append mode")),
            (false, OutputMode::Update) => Ok(()),
            (false, _) => Err(unsupported_mode(mode, "mapGroupsWithState")
                .with_hint([hint::say("use "), hint::mode("update")])),
        };
    }
    let below = is_aggregated(&groups.input);
    match own {
        _ if !aggregates && own != mode => Err(unsupported_mode(
            mode,
            &format!("flatMapGroupsWithState in {own} mode"),
        )
        .with_hint([hint::say("use "), hint::mode(own)])),
        _ if !aggregates => Ok(()),
        OutputMode::Append if !below => Ok(()),
        OutputMode::Append => Err(Error::analysis(
            "flatMapGroupsWithState in append mode is not supported after an aggregation on the stream",
        )),
        _ => Err(Error::analysis(format!(
            "flatMapGroupsWithState in {own} mode is not supported with an aggregation on the stream"
        ))
        .with_hint("use its output mode append")),
    }
}

fn check_timeout(groups: &FlatMapGroupsWithStateNode) -> Result<()> {
    if groups.asked.timeout != GroupStateTimeout::EventTimeTimeout || groups.has_event_time() {
        return Ok(());
    }
    Err(
        Error::analysis("an event-time timeout needs a watermark on the rows that are grouped")
            .with_hint("add with_watermark(\"ts\", \"10 minutes\") before group_by"),
    )
}

/// What an event-time timeout emits can be older than the watermark, so nothing that drops late
/// rows may come after it.
fn check_followers(nodes: &[&LogicalPlan]) -> Result<()> {
    let emits_late = |node: &LogicalPlan| {
        let mut below = nodes_of(node).into_iter().rev().skip(1);
        below.any(|node| {
            as_groups(node)
                .is_some_and(|groups| groups.asked.timeout == GroupStateTimeout::EventTimeTimeout)
        })
    };
    match nodes.iter().any(|node| is_stateful(node) && emits_late(node)) {
        false => Ok(()),
        true => Err(Error::analysis(
            "a stateful operation after flatMapGroupsWithState with an event-time timeout has a correctness issue: rows of the first can come too late for the second",
        )
        .with_hint("write the result of the first to files and read those with another query")),
    }
}

fn is_stateful(node: &LogicalPlan) -> bool {
    let joins_streams = |node: &LogicalPlan| match node {
        LogicalPlan::Join(join) => is_streaming(&join.left) && is_streaming(&join.right),
        _ => false,
    };
    is_streaming_aggregation(node)
        || as_groups(node).is_some()
        || StreamingNode::<Processor>::of(node).is_some()
        || is_deduplication(node)
        || joins_streams(node)
}

fn is_deduplication(node: &LogicalPlan) -> bool {
    StreamingNode::<Deduplicate>::of(node).is_some()
}

fn is_aggregated(plan: &LogicalPlan) -> bool {
    nodes_of(plan).into_iter().any(is_streaming_aggregation)
}

/// The nodes of a plan that read a stream, the plan itself last.
fn nodes_of(plan: &LogicalPlan) -> Vec<&LogicalPlan> {
    let mut nodes = Vec::new();
    super::unsupported_operations::collect(plan, &mut nodes);
    nodes
}

fn as_groups(node: &LogicalPlan) -> Option<&FlatMapGroupsWithStateNode> {
    let LogicalPlan::Extension(extension) = node else {
        return None;
    };
    extension.node.as_any().downcast_ref()
}
