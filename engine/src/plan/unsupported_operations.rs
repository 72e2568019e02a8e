//! What a streaming query may not do, found before it starts.
//!
//! The rules are Spark's, down to which of several wrongs is reported; the wording is ours.

use arrow::datatypes::Field;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, JoinType, LogicalPlan};

use super::event_time::watermark_delay_ms;
use super::streaming_node::{NodeKind, StreamingNode};
use super::streaming_relation::is_streaming;
use super::unsupported_groups::check_groups;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;

/// Refuses a streaming plan that could not run, or could not run in this output mode.
pub fn check_supported(plan: &LogicalPlan, mode: OutputMode) -> Result<()> {
    let mut nodes = Vec::new();
    collect(plan, &mut nodes);
    let aggregations: Vec<&LogicalPlan> = nodes
        .iter()
        .copied()
        .filter(|node| is_streaming_aggregation(node))
        .collect();

    if mode == OutputMode::Complete && aggregations.is_empty() {
        return Err(
            unsupported_mode(mode, "a query without aggregation on the stream")
                .with_hint("aggregate with GROUP BY, or use --mode append"),
        );
    }
    if mode == OutputMode::Append {
        for aggregation in &aggregations {
            if !has_event_time_key(aggregation) {
                return Err(append_without_watermark(plan));
            }
        }
    }
    if mode != OutputMode::Append && aggregations.len() > 1 {
        return Err(Error::analysis(format!(
            "an aggregation of an aggregation in output mode {mode} has a correctness issue: rows of the first can come too late for the second"
        ))
        .with_hint("use --mode append"));
    }
    check_groups(&nodes, mode)?;
    for node in &nodes {
        check_node(node, mode, !aggregations.is_empty())?;
    }
    Ok(())
}

/// The nodes of a plan that read a stream, the plan itself first.
pub(super) fn collect<'a>(plan: &'a LogicalPlan, nodes: &mut Vec<&'a LogicalPlan>) {
    if !is_streaming(plan) {
        return;
    }
    nodes.push(plan);
    for input in plan.inputs() {
        collect(input, nodes);
    }
}

pub(super) fn is_streaming_aggregation(node: &LogicalPlan) -> bool {
    matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_))
}

fn has_event_time_key(node: &LogicalPlan) -> bool {
    let is_event_time = |field: &Field| watermark_delay_ms(field).is_some();
    match node {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.iter().any(|key| {
            let field = key.to_field(aggregate.input.schema());
            field.is_ok_and(|(_, field)| is_event_time(&field))
        }),
        other => other
            .schema()
            .fields()
            .iter()
            .any(|field| is_event_time(field)),
    }
}

fn check_node(node: &LogicalPlan, mode: OutputMode, after_aggregation: bool) -> Result<()> {
    check_expressions(node)?;
    match node {
        LogicalPlan::Sort(_) if mode != OutputMode::Complete || !after_aggregation => Err(
            Error::analysis("a stream can be sorted only after an aggregation, in complete mode")
                .with_hint(
                    "drop ORDER BY here and sort when you read the result, or use --mode complete",
                ),
        ),
        LogicalPlan::Limit(limit) => {
            if limit.skip.is_some() {
                return Err(Error::analysis("offset is not supported on a stream")
                    .with_hint("apply it when you read the result"));
            }
            match mode {
                OutputMode::Complete => Ok(()),
                OutputMode::Update => Err(Error::analysis(
                    "limit is not supported on a stream in update mode",
                )
                .with_hint("apply it when you read the result")),
                OutputMode::Append => Err(Error::analysis(
                    "limit on a stream is not supported in this version",
                )
                .with_hint("apply it when you read the result, or stop with --until rows=N")),
            }
        }
        LogicalPlan::Window(_) => Err(Error::analysis(
            "a window function (OVER …) on a stream is not supported",
        )
        .with_condition("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING")
        .with_hint("group by a time window instead: GROUP BY window(ts, '10 minutes')")),
        LogicalPlan::Join(join) => check_join(&join.left, &join.right, join.join_type),
        LogicalPlan::Union(union) => {
            if union.inputs.iter().all(|input| is_streaming(input)) {
                Ok(())
            } else {
                Err(
                    Error::analysis("a union of a stream and a table is not supported")
                        .with_hint("read the table as a stream too: %%source"),
                )
            }
        }
        LogicalPlan::Distinct(Distinct::On(_)) => {
            Err(Error::analysis("DISTINCT ON is not supported on a stream"))
        }
        LogicalPlan::Extension(extension) => {
            match extension.node.as_any().downcast_ref::<StreamingNode>() {
                Some(node) => check_streaming_node(node),
                None => Ok(()),
            }
        }
        LogicalPlan::RecursiveQuery(_) => {
            Err(Error::analysis("a recursive query cannot read a stream"))
        }
        _ => Ok(()),
    }
}

fn check_streaming_node(node: &StreamingNode) -> Result<()> {
    let NodeKind::Deduplicate {
        within_watermark: true,
        ..
    } = node.kind()
    else {
        return Ok(());
    };
    let fields = node.input().schema().fields();
    if fields
        .iter()
        .any(|field| watermark_delay_ms(field).is_some())
    {
        return Ok(());
    }
    Err(
        Error::analysis("dropDuplicatesWithinWatermark needs a watermark on the stream")
            .with_hint("add --watermark \"ts 10 minutes\" to the %%source"),
    )
}

fn check_join(left: &LogicalPlan, right: &LogicalPlan, join_type: JoinType) -> Result<()> {
    let streams = (is_streaming(left), is_streaming(right));
    let refused = match streams {
        (true, true) => {
            return Err(
                Error::analysis("joining two streams is not supported in this version")
                    .with_hint("write one stream to files first and join with those"),
            );
        }
        (true, false) => !matches!(
            join_type,
            JoinType::Inner
                | JoinType::Left
                | JoinType::LeftSemi
                | JoinType::LeftAnti
                | JoinType::LeftMark
        ),
        (false, true) => !matches!(
            join_type,
            JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti
        ),
        (false, false) => false,
    };
    if refused {
        let (left, right) = if streams.0 {
            ("stream", "table")
        } else {
            ("table", "stream")
        };
        return Err(Error::analysis(format!(
            "a {join_type} join with a {left} on the left and a {right} on the right is not supported"
        ))
        .with_hint("keep all rows of the stream's side only, or use an inner join"));
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
                Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_)
                    if subquery_of(expr).is_some_and(is_streaming) =>
                {
                    refused = Some(Error::analysis(
                        "a subquery in an expression cannot read a stream",
                    ));
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
}

fn append_without_watermark(plan: &LogicalPlan) -> Error {
    let error = Error::analysis("append needs a watermark for this aggregation")
        .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION");
    if has_watermark(plan) {
        return error.with_hint(
            "group by the event time too, e.g. GROUP BY window(ts, '10 minutes'), or use --mode update",
        );
    }
    match scanned_views(plan).as_slice() {
        [source] => error.with_hint(format!(
            "add --watermark \"{} 10 minutes\" to %%source {}, or use --mode update",
            source.1, source.0
        )),
        _ => error
            .with_hint("add --watermark \"ts 10 minutes\" to the %%source, or use --mode update"),
    }
}

fn has_watermark(plan: &LogicalPlan) -> bool {
    let found = plan.exists(|node| {
        let LogicalPlan::Extension(extension) = node else {
            return Ok(false);
        };
        let node = extension.node.as_any().downcast_ref::<StreamingNode>();
        Ok(node.is_some_and(|node| matches!(node.kind(), NodeKind::EventTimeWatermark { .. })))
    });
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
