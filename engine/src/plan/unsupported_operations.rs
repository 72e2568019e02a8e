//! What a streaming query may not do, found before it starts.
//!
//! The rules are Spark's, down to which of several wrongs is reported; the wording is ours.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, ExprSchemable, LogicalPlan};

use super::event_time::{has_event_time, session_bound_of, watermark_delay_ms};
use super::nodes::{Deduplicate, EventTimeWatermark, Sample, StreamingNode};
use super::row_id::MONOTONICALLY_INCREASING_ID;
use super::set_operation::{is_distinct_of_set_operation, is_set_operation};
use super::streaming_relation::{is_streaming, joins_streams};
use super::unsupported_groups::check_groups;
use super::unsupported_joins::check_join;
use crate::error::{Error, Result, Streams, hint};
use crate::output_mode::OutputMode;

/// Refuses a streaming plan that could not run, or could not run in this output mode.
pub(crate) fn check_supported(plan: &LogicalPlan, mode: OutputMode) -> Result<()> {
    let mut nodes = Vec::new();
    collect(plan, &mut nodes);
    for node in &nodes {
        check_subqueries(node)?;
    }
    let aggregations: Vec<&LogicalPlan> = nodes
        .iter()
        .copied()
        .filter(|node| is_streaming_aggregation(node))
        .collect();
    check_mode(plan, &aggregations, mode)?;
    check_groups(&nodes, mode)?;
    for node in &nodes {
        check_node(node, mode)?;
    }
    if mode != OutputMode::Append && nodes.iter().any(|node| is_above_aggregation(node)) {
        return Err(comes_too_late(mode));
    }
    // What Spark finds only when it plans the first batch.
    for node in &nodes {
        check_runnable(node, mode)?;
    }
    Ok(())
}

/// The nodes of a plan that read a stream, inputs before what reads them.
pub(super) fn collect<'a>(plan: &'a LogicalPlan, nodes: &mut Vec<&'a LogicalPlan>) {
    if !is_streaming(plan) {
        return;
    }
    for input in plan.inputs() {
        collect(input, nodes);
    }
    nodes.push(plan);
}

fn check_mode(plan: &LogicalPlan, aggregations: &[&LogicalPlan], mode: OutputMode) -> Result<()> {
    let without_watermark = || aggregations.iter().any(|node| !has_event_time_key(node));
    // Inputs come before what reads them.
    let over_sessions = || {
        aggregations
            .last()
            .is_some_and(|node| groups_by_session(node))
    };
    match mode {
        OutputMode::Complete if aggregations.is_empty() => {
            Err(
                unsupported_mode(mode, "a query without aggregation on the stream").with_hint([
                    hint::say("aggregate with GROUP BY, or use "),
                    hint::mode("append"),
                ]),
            )
        }
        OutputMode::Append if without_watermark() => Err(append_without_watermark(plan)),
        OutputMode::Update if over_sessions() => Err(unsupported_mode(
            mode,
            "an aggregation over session windows",
        )
        .with_hint([hint::say("use "), hint::mode("append")])),
        OutputMode::Update | OutputMode::Complete if aggregations.len() > 1 => {
            Err(comes_too_late(mode))
        }
        _ => Ok(()),
    }
}

/// Whether a node remembers rows by their event time and gets them from an aggregation.
fn is_above_aggregation(node: &LogicalPlan) -> bool {
    let remembers = match node {
        LogicalPlan::Join(join) => joins_streams(join),
        other => StreamingNode::<Deduplicate>::of(other)
            .is_some_and(|node| node.operation().is_by_event_time(node.inputs())),
    };
    let aggregated = |input: &&LogicalPlan| is_aggregated(input).unwrap_or(false);
    remembers && node.inputs().iter().any(aggregated)
}

fn comes_too_late(mode: OutputMode) -> Error {
    Error::analysis(format!(
        "an operation with state on an aggregation has a correctness issue in output mode {mode}: rows of the first can come too late for the second"
    ))
    .with_hint([hint::say("use "), hint::mode("append")])
}

/// As in Spark, the duplicates that a set operation removes are no aggregation yet.
pub(super) fn is_streaming_aggregation(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_))
        && !is_distinct_of_set_operation(node)
}

fn has_event_time_key(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Aggregate(aggregate) => group_keys(aggregate).iter().any(|key| {
            let field = key.to_field(aggregate.input.schema());
            field.is_ok_and(|(_, field)| watermark_delay_ms(&field).is_some())
        }),
        other => has_event_time(other.schema()),
    }
}

/// Whether there is an aggregation of a stream in a plan.
fn is_aggregated(plan: &LogicalPlan) -> Result<bool> {
    let is_aggregation = |node: &LogicalPlan| is_streaming(node) && is_streaming_aggregation(node);
    let found = plan.exists(|node| Ok(is_aggregation(node)));
    found.map_err(crate::error::from_datafusion)
}

/// What an aggregation groups by; grouping sets one by one.
fn group_keys(aggregate: &Aggregate) -> Vec<&Expr> {
    grouping_set_to_exprlist(&aggregate.group_expr).unwrap_or_default()
}

fn groups_by_session(node: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = node else {
        return false;
    };
    group_keys(aggregate).into_iter().any(|key| {
        let field = key.to_field(aggregate.input.schema());
        field.is_ok_and(|(_, field)| session_bound_of(&field).is_some())
    })
}

fn check_node(node: &LogicalPlan, mode: OutputMode) -> Result<()> {
    check_expressions(node)?;
    match node {
        LogicalPlan::Sort(_) if mode != OutputMode::Complete || !is_aggregated(node)? => Err(
            Error::analysis("a stream can be sorted only after an aggregation, in complete mode")
                .with_hint([
                    hint::say("drop ORDER BY here and sort when you read the result, or use "),
                    hint::mode("complete"),
                ]),
        ),
        LogicalPlan::Limit(limit) => {
            if limit.skip.is_some() {
                return Err(Error::analysis("offset is not supported on a stream")
                    .with_hint("apply it when you read the result"));
            }
            if mode == OutputMode::Update {
                return Err(
                    Error::analysis("limit is not supported on a stream in update mode").with_hint(
                        [
                            hint::say("use "),
                            hint::mode("append"),
                            hint::say(", or apply it when you read the result"),
                        ],
                    ),
                );
            }
            Ok(())
        }
        LogicalPlan::Window(_) => Err(Error::analysis(
            "a window function (OVER …) on a stream is not supported",
        )
        .with_condition("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING")
        .with_hint("group by a time window instead: GROUP BY window(ts, '10 minutes')")),
        LogicalPlan::Join(join) => check_join(join, mode),
        LogicalPlan::Union(union) => {
            if union.inputs.iter().all(|input| is_streaming(input)) {
                Ok(())
            } else {
                Err(
                    Error::analysis("a union of a stream and a table is not supported").with_hint(
                        [
                            hint::say("read the table as a stream too: "),
                            hint::define_stream(None, None),
                        ],
                    ),
                )
            }
        }
        LogicalPlan::Distinct(Distinct::On(_)) => {
            Err(Error::analysis("DISTINCT ON is not supported on a stream"))
        }
        LogicalPlan::Extension(_) => check_extension(node),
        LogicalPlan::RecursiveQuery(_) => {
            Err(Error::analysis("a recursive query cannot read a stream"))
        }
        _ => Ok(()),
    }
}

fn check_extension(node: &LogicalPlan) -> Result<()> {
    if StreamingNode::<Sample>::of(node).is_some() {
        return Err(Error::analysis("sampling a stream is not supported")
            .with_hint("filter by a column instead, e.g. WHERE crc32(id) % 10 = 0"));
    }
    if let Some(node) = StreamingNode::<Deduplicate>::of(node)
        && node.operation().within_watermark
        && !reads_event_time(node.inputs())
    {
        return Err(Error::analysis(
            "dropDuplicatesWithinWatermark needs a watermark on the stream",
        )
        .with_hint([hint::watermark("ts", Streams::The)]));
    }
    Ok(())
}

fn reads_event_time(inputs: &[LogicalPlan]) -> bool {
    inputs.iter().any(|input| has_event_time(input.schema()))
}

/// What would fail when the query runs.
fn check_runnable(node: &LogicalPlan, mode: OutputMode) -> Result<()> {
    if mode == OutputMode::Append && is_set_operation(node) && !has_event_time_key(node) {
        return Err(Error::analysis(
            "append needs a watermark where a set operation compares the rows of a stream with a table",
        )
        .with_condition("UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK")
        .with_hint([
            hint::say("use "),
            hint::mode("update"),
            hint::say(", or LEFT ANTI JOIN or LEFT SEMI JOIN instead"),
        ]));
    }
    if let Some(node) = StreamingNode::<EventTimeWatermark>::of(node)
        && reads_event_time(node.inputs())
    {
        let message = "this stream has a watermark already; it cannot be redefined";
        return Err(Error::analysis(message).with_hint("define the watermark once, on the source"));
    }
    check_sessions(node)
}

/// A session has two keys of its own, its start and its end.
fn check_sessions(node: &LogicalPlan) -> Result<()> {
    if let LogicalPlan::Aggregate(aggregate) = node
        && groups_by_session(node)
    {
        // What is the same for all rows divides none of them.
        let is_key = |key: &&&Expr| !key.column_refs().is_empty() || key.is_volatile();
        if group_keys(aggregate).iter().filter(is_key).count() == 2 {
            return Err(Error::analysis(
                "an aggregation over a session window alone is not supported on a stream",
            )
            .with_hint("group by another column too"));
        }
        if matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]) {
            return Err(Error::analysis(
                "a session window cannot be one of several grouping sets on a stream",
            )
            .with_hint("group by the session window and the other columns"));
        }
    }
    Ok(())
}

fn check_subqueries(node: &LogicalPlan) -> Result<()> {
    let mut reads_stream = false;
    let visited = node.apply_expressions(|expr| {
        reads_stream |= expr.exists(|part| Ok(subquery_of(part).is_some_and(is_streaming)))?;
        Ok(TreeNodeRecursion::Continue)
    });
    visited.map_err(crate::error::from_datafusion)?;
    if reads_stream {
        return Err(
            Error::analysis("a subquery in an expression cannot read a stream")
                .with_condition("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY")
                .with_hint("write the stream to files first and read those in the subquery"),
        );
    }
    Ok(())
}

fn check_expressions(node: &LogicalPlan) -> Result<()> {
    let mut refused = None;
    let visited = node.apply_expressions(|expr| {
        expr.apply(|expr| {
            match expr {
                Expr::AggregateFunction(call) if call.params.distinct => {
                    refused = Some(
                        Error::analysis(format!(
                            "a distinct aggregate is not supported on a stream: {expr}"
                        ))
                        .with_hint(
                            "use approx_count_distinct(…), or SELECT DISTINCT in a subquery",
                        ),
                    );
                }
                Expr::ScalarFunction(call) if call.name() == MONOTONICALLY_INCREASING_ID => {
                    refused = Some(
                        Error::analysis(format!("{expr} is not supported on a stream"))
                            .with_hint("use a key that the data has"),
                    );
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    visited.map_err(crate::error::from_datafusion)?;
    refused.map_or(Ok(()), Err)
}

fn subquery_of(expr: &Expr) -> Option<&LogicalPlan> {
    match expr {
        Expr::InSubquery(subquery) => Some(&subquery.subquery.subquery),
        Expr::Exists(exists) => Some(&exists.subquery.subquery),
        Expr::ScalarSubquery(subquery) => Some(&subquery.subquery),
        _ => None,
    }
}

pub(super) fn unsupported_mode(mode: OutputMode, what: &str) -> Error {
    Error::analysis(format!("output mode {mode} is not supported for {what}"))
        .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION")
        .with_parameter("outputMode", mode.as_str())
        .with_parameter("operation", what)
}

fn append_without_watermark(plan: &LogicalPlan) -> Error {
    let error = Error::analysis("append needs a watermark for this aggregation")
        .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION")
        .with_parameter("outputMode", OutputMode::Append.as_str())
        .with_parameter("operation", "streaming aggregations without watermark");
    if has_watermark(plan) {
        return error.with_hint([
            hint::say(
                "group by the event time too, e.g. GROUP BY window(ts, '10 minutes'), or use ",
            ),
            hint::mode("update"),
        ]);
    }
    match scanned_views(plan).as_slice() {
        [source] => error.with_hint([
            hint::watermark(&source.1, Streams::Named(source.0.to_string())),
            hint::say(", or use "),
            hint::mode("update"),
        ]),
        _ => error.with_hint([
            hint::watermark("ts", Streams::The),
            hint::say(", or use "),
            hint::mode("update"),
        ]),
    }
}

fn has_watermark(plan: &LogicalPlan) -> bool {
    let found = plan.exists(|node| Ok(StreamingNode::<EventTimeWatermark>::of(node).is_some()));
    found.unwrap_or(false)
}

/// Names of the streams a plan reads, each with its first timestamp column.
fn scanned_views(plan: &LogicalPlan) -> Vec<(String, String)> {
    let mut names = Vec::new();
    let mut visit = |node: &LogicalPlan| {
        if let LogicalPlan::SubqueryAlias(alias) = node
            && is_streaming(node)
        {
            let fields = node.schema().fields().iter();
            let time = fields.clone().find(|field| field.data_type().is_temporal());
            let time = time.map_or("ts", |field| field.name());
            names.push((alias.alias.to_string(), time.to_string()));
            return Ok(TreeNodeRecursion::Jump);
        }
        Ok(TreeNodeRecursion::Continue)
    };
    let visited = plan.apply(&mut visit);
    debug_assert!(visited.is_ok(), "the visitor does not fail");
    names
}
