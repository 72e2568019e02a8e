//! Which joins and set operations a stream may take part in, by output mode.

use datafusion::logical_expr::{Join, JoinType};

use super::join_condition::JoinCondition;
use super::set_operation::SetOperation;
use super::streaming_relation::is_streaming;
use crate::error::{Error, Result, Streams, hint};
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

/// Two streams.
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
            format!("{kind} joins of two streams are not supported in output mode {mode}");
        return Err(Error::analysis(message).with_hint([hint::say("use "), hint::mode("append")]));
    }
    let condition = JoinCondition::of(join);
    if (is_outer || is_semi) && !is_bounded(join, &condition) {
        return Err(Error::analysis(format!(
            "a {kind} join of two streams needs a watermark in the join keys, or one on the other side with a range of time in the condition"
        ))
        .with_hint([
            hint::watermark("ts", Streams::Each),
            hint::say(", and join ON … AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 10 MINUTES"),
        ]));
    }
    if condition.keys.is_empty() {
        return Err(Error::analysis(
            "a join of two streams without an equality in its condition is not supported",
        )
        .with_hint("join ON a.key = b.key"));
    }
    Ok(())
}

/// Whether it is ever known that a row will not match.
fn is_bounded(join: &Join, condition: &JoinCondition) -> bool {
    let (left, right) = (join.left.schema(), join.right.schema());
    let of_left = || !condition.bounds(left, right).is_empty();
    let of_right = || !condition.bounds(right, left).is_empty();
    condition.watermark_key(left, right).is_some()
        || match join.join_type {
            JoinType::Right => of_right(),
            JoinType::Full => of_left() || of_right(),
            _ => of_left(),
        }
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
