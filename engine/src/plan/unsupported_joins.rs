//! Which joins and set operations a stream may take part in, by output mode.

use datafusion::logical_expr::utils::{find_valid_equijoin_key_pair, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Join, JoinType, Operator};

use super::event_time::has_event_time;
use super::set_operation::SetOperation;
use super::streaming_relation::is_streaming;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;

/// Refuses a join, or what was planned as one, that cannot run on streams.
pub(super) fn check_join(join: &Join, mode: OutputMode) -> Result<()> {
    let streams = (is_streaming(&join.left), is_streaming(&join.right));
    match (SetOperation::of(join), streams) {
        (Some(operation), _) => check_set_operation(operation, streams),
        (None, (true, true)) => check_streams(join, mode),
        (None, (true, false)) => check_one_stream(join.join_type, ("stream", "table")),
        (None, (false, true)) => check_one_stream(join.join_type, ("table", "stream")),
        (None, (false, false)) => Ok(()),
    }
}

fn check_set_operation(operation: SetOperation, streams: (bool, bool)) -> Result<()> {
    match (operation, streams) {
        (SetOperation::Intersect, (true, _) | (_, true)) => Err(Error::analysis(
            "the intersection (INTERSECT) of a stream is not supported",
        )
        .with_hint("use a left semi join with the table")),
        (SetOperation::Except, (_, true)) => Err(Error::analysis(
            "EXCEPT with a stream on the right is not supported",
        )
        .with_hint("write that stream to files first and leave out those rows")),
        _ => Ok(()),
    }
}

/// Two streams: what Spark refuses, and then that this version cannot do the rest either.
fn check_streams(join: &Join, mode: OutputMode) -> Result<()> {
    let kind = name(join.join_type);
    let is_outer = matches!(
        join.join_type,
        JoinType::Left | JoinType::Right | JoinType::Full
    );
    let is_semi = join.join_type == JoinType::LeftSemi;
    if !is_outer && !is_semi && join.join_type != JoinType::Inner {
        let message = format!("a {kind} join with a stream on the right is not supported");
        return Err(
            Error::analysis(message).with_hint("use a left join and keep rows without match")
        );
    }
    if mode == OutputMode::Complete || is_outer && mode != OutputMode::Append {
        let message =
            format!("a {kind} join of two streams is not supported in output mode {mode}");
        return Err(Error::analysis(message).with_hint("use --mode append"));
    }
    let has_watermark =
        || has_event_time(join.left.schema()) || has_event_time(join.right.schema());
    if (is_outer || is_semi) && !has_watermark() {
        return Err(Error::analysis(format!(
            "a {kind} join of two streams needs a watermark, in the join keys or with a range of time in the condition"
        ))
        .with_hint("add --watermark \"ts 10 minutes\" to each %%source"));
    }
    if !has_equality(join) {
        return Err(Error::analysis(
            "a join of two streams without an equality in its condition is not supported",
        )
        .with_hint("join ON a.key = b.key"));
    }
    Err(
        Error::analysis("joining two streams is not supported in this version")
            .with_hint("write one stream to files first and join with those"),
    )
}

/// Whether a column of one side must equal a column of the other.
fn has_equality(join: &Join) -> bool {
    if !join.on.is_empty() {
        return true;
    }
    let (left, right) = (join.left.schema(), join.right.schema());
    let mut conditions = join.filter.iter().flat_map(split_conjunction);
    conditions.any(|condition| match condition {
        Expr::BinaryExpr(BinaryExpr {
            left: one,
            op: Operator::Eq,
            right: other,
        }) => {
            find_valid_equijoin_key_pair(one, other, left, right).is_ok_and(|pair| pair.is_some())
        }
        _ => false,
    })
}

/// A stream and a table: all rows of the stream, matched or not, or only some of them.
fn check_one_stream(join_type: JoinType, (left, right): (&str, &str)) -> Result<()> {
    let is_fine = if left == "stream" {
        matches!(
            join_type,
            JoinType::Inner
                | JoinType::Left
                | JoinType::LeftSemi
                | JoinType::LeftAnti
                | JoinType::LeftMark
        )
    } else {
        matches!(
            join_type,
            JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti
        )
    };
    if is_fine {
        return Ok(());
    }
    let kind = name(join_type);
    Err(Error::analysis(format!(
        "a {kind} join with a {left} on the left and a {right} on the right is not supported"
    ))
    .with_hint("keep all rows of the stream's side only, or use an inner join"))
}

fn name(join_type: JoinType) -> &'static str {
    match join_type {
        JoinType::Inner => "inner",
        JoinType::Left => "left outer",
        JoinType::Right => "right outer",
        JoinType::Full => "full outer",
        JoinType::LeftSemi => "left semi",
        JoinType::RightSemi => "right semi",
        JoinType::LeftAnti => "left anti",
        JoinType::RightAnti => "right anti",
        JoinType::LeftMark | JoinType::RightMark => "mark",
    }
}
