//! `session_window(ts, gap)`: a session lasts until nothing has happened for as long as the gap.
//!
//! ```text
//! rows ─► + start, end (ts, ts + gap), without rows that last for no time
//!   stream: grouped by keys, start and end; the state merges what touches
//!   table:  numbered by session (a row begins one if it starts after all before it have ended),
//!           grouped by keys and number
//!   ─► {start, end} in the place of the call
//! ```

use datafusion::common::Column;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::WindowFunction as Over;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarUDF,
    WindowFrame, WindowFrameBound, WindowFrameUnits, lit, when,
};
use datafusion::scalar::ScalarValue;

use super::function::{Function, WindowFunction};
use super::spec::as_time;
use super::{is_call, replace, replace_named, rewrite_expressions};
use crate::error::Error;
use crate::plan::streaming_relation::is_streaming;

/// When a row's own session starts, and ends.
const START: &str = "__session_start";
const END: &str = "__session_end";

/// When all sessions before a row's own have ended.
const ENDED: &str = "__sessions_ended";

/// Which session of its key a row belongs to.
const NUMBER: &str = "__session_number";

/// Puts sessions in the place of the call of `session_window` in a node's own expressions.
pub(super) fn rewrite_session(node: LogicalPlan, call: &Expr) -> DataFusionResult<LogicalPlan> {
    let inputs = node.inputs();
    let &[input] = inputs.as_slice() else {
        return Err(Error::analysis(format!("{call} cannot be used in a join condition")).into());
    };
    let sessions = add_sessions(input.clone(), call)?;
    let session = session(column(START), column(END));
    match &node {
        LogicalPlan::Aggregate(aggregate) if is_streaming(&node) => {
            rewrite_stream(aggregate, sessions, call, &session)
        }
        LogicalPlan::Aggregate(aggregate) => rewrite_table(aggregate, sessions, call, &session),
        _ => rewrite_expressions(node, sessions, call, &session),
    }
}

/// Adds start and end of each row's own session.
fn add_sessions(input: LogicalPlan, call: &Expr) -> DataFusionResult<LogicalPlan> {
    let Expr::ScalarFunction(function) = call else {
        return datafusion::common::internal_err!("not a call of session_window");
    };
    let [time, gap] = function.args.as_slice() else {
        let message = format!(
            "session_window needs 2 arguments, not {}",
            function.args.len()
        );
        return Err(Error::analysis(message)
            .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with_hint("session_window(ts, '5 minutes')")
            .into());
    };
    let time = as_time(time, input.schema(), "session_window")?;
    let (_, field) = gap.to_field(input.schema())?;
    if !super::function::is_gap(field.data_type()) {
        let message = format!(
            "the gap of a session is a text or a calendar interval, but {gap} is {}",
            crate::type_names::sql_type(field.data_type())
        );
        let hint = "session_window(ts, '5 minutes')";
        return Err(Error::analysis(message).with_hint(hint).into());
    }
    let start = call_of(Function::SessionStart, vec![time.clone()]);
    let end = call_of(Function::SessionEnd, vec![time.clone(), gap.clone()]);
    let mut outputs: Vec<Expr> = columns(&input);
    outputs.extend([start.alias(START), end.alias(END)]);
    LogicalPlanBuilder::from(input)
        .filter(time.is_not_null())?
        .project(outputs)?
        .filter(column(END).gt(column(START)))?
        .build()
}

/// Groups by start and end.
fn rewrite_stream(
    aggregate: &Aggregate,
    input: LogicalPlan,
    call: &Expr,
    session: &Expr,
) -> DataFusionResult<LogicalPlan> {
    let mut groups = Vec::new();
    for expr in aggregate.group_expr.iter().cloned() {
        match is_call(&expr, call) {
            true => groups.extend([column(START), column(END)]),
            false => groups.push(replace(expr, call, session)?),
        }
    }
    let aggregates = replace_named(aggregate.aggr_expr.iter().cloned(), call, session)?;
    let grouped = LogicalPlanBuilder::from(input)
        .aggregate(groups, aggregates)?
        .build()?;
    let columns = grouped.schema().columns().into_iter();
    let values =
        columns
            .filter(|column| column.name != END)
            .map(|column| match column.name == START {
                true => session.clone(),
                false => Expr::Column(column),
            });
    project_as(aggregate, values.collect(), grouped)
}

/// Groups by the number of the session.
fn rewrite_table(
    aggregate: &Aggregate,
    input: LogicalPlan,
    call: &Expr,
    session: &Expr,
) -> DataFusionResult<LogicalPlan> {
    let mut keys = Vec::new();
    for expr in aggregate.group_expr.iter().cloned() {
        if matches!(expr, Expr::GroupingSet(_)) {
            let message = format!("{call} cannot be one of several grouping sets");
            return Err(Error::analysis(message)
                .with_hint("group by it and the other columns in a subquery")
                .into());
        }
        if !is_call(&expr, call) {
            keys.push(replace(expr, call, session)?);
        }
    }
    let numbered = number_sessions(input, &keys)?;
    let mut groups: Vec<Expr> = keys.clone();
    groups.push(column(NUMBER));
    let own = replace_named(aggregate.aggr_expr.iter().cloned(), call, session)?;
    let mut aggregates = vec![min(column(START)).alias(START), max(column(END)).alias(END)];
    aggregates.extend(own);
    let grouped = LogicalPlanBuilder::from(numbered)
        .aggregate(groups, aggregates)?
        .build()?;
    let all = grouped.schema().columns();
    let (key_columns, rest) = all.split_at(keys.len());
    let mut key_columns = key_columns.iter().cloned();
    let mut values = Vec::new();
    for expr in &aggregate.group_expr {
        match is_call(expr, call) {
            true => values.push(session.clone()),
            false => values.extend(key_columns.next().map(Expr::Column)),
        }
    }
    // Behind the keys stand the number, the start and the end.
    values.extend(rest.iter().skip(3).cloned().map(Expr::Column));
    project_as(aggregate, values, grouped)
}

/// Adds to each row the number of its session among those of its key.
fn number_sessions(input: LogicalPlan, keys: &[Expr]) -> DataFusionResult<LogicalPlan> {
    let keys: Vec<Expr> = keys.iter().map(|key| key.clone().unalias()).collect();
    let in_order = vec![column(START).sort(true, true)];
    let rows_before = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::Preceding(ScalarValue::UInt64(Some(1))),
    );
    let ended = Expr::from(Over::new(max_udaf(), vec![column(END)]))
        .partition_by(keys.clone())
        .order_by(in_order.clone())
        .window_frame(rows_before)
        .build()?;
    let mut outputs = columns(&input);
    outputs.push(column(ENDED));
    let ended = LogicalPlanBuilder::from(input)
        .window(vec![ended.alias(ENDED)])?
        .project(outputs.clone())?
        .build()?;
    let begins = when(column(START).lt_eq(column(ENDED)), lit(0_i64)).otherwise(lit(1_i64))?;
    let rows_so_far = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(ScalarValue::UInt64(None)),
        WindowFrameBound::CurrentRow,
    );
    let number = Expr::from(Over::new(sum_udaf(), vec![begins]))
        .partition_by(keys)
        .order_by(in_order)
        .window_frame(rows_so_far)
        .build()?;
    outputs.pop();
    outputs.push(column(NUMBER));
    LogicalPlanBuilder::from(ended)
        .window(vec![number.alias(NUMBER)])?
        .project(outputs)?
        .build()
}

/// `values` under the names that `aggregate` gives its columns.
fn project_as(
    aggregate: &Aggregate,
    values: Vec<Expr>,
    input: LogicalPlan,
) -> DataFusionResult<LogicalPlan> {
    let named = aggregate.schema.iter().zip(values);
    let outputs: Vec<Expr> = named
        .map(|((qualifier, field), value)| value.alias_qualified(qualifier.cloned(), field.name()))
        .collect();
    LogicalPlanBuilder::from(input).project(outputs)?.build()
}

fn session(start: Expr, end: Expr) -> Expr {
    call_of(Function::SessionStruct, vec![start, end])
}

fn call_of(function: Function, args: Vec<Expr>) -> Expr {
    ScalarUDF::from(WindowFunction::new(function)).call(args)
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter();
    columns.map(Expr::Column).collect()
}
