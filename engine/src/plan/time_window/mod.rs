//! `window(ts, '10 minutes'[, '5 minutes'[, start]])` and `session_window(ts, gap)`: from a function
//! call to plain columns.
//!
//! A tumbling window becomes one column, its start; a sliding one a list of starts, unnested. The
//! struct `{start, end}` a user sees is built only above the aggregation, so that grouping works
//! on a plain timestamp. Windows are aligned to 1970-01-01 UTC; rows without a time are left out.

mod function;
mod kernels;
mod session;
mod spec;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, lit};

pub(crate) use self::function::described_time_window;
use self::function::{Function, WindowFunction, function_of};
use self::session::rewrite_session;
use self::spec::{WINDOW_START, WindowSpec};
use crate::error::Error;

/// The functions as SQL finds them.
pub(crate) fn time_window_functions() -> Vec<ScalarUDF> {
    [
        Function::Window,
        Function::SessionWindow,
        Function::WindowTime,
    ]
    .into_iter()
    .map(|function| ScalarUDF::from(WindowFunction::new(function)))
    .collect()
}

/// Rewrites the call of a window in a node's own expressions. A node may use one window.
pub(super) fn resolve_windows(node: LogicalPlan) -> DataFusionResult<LogicalPlan> {
    let calls = window_calls(&node)?;
    match calls.as_slice() {
        [] => Ok(node),
        [call] => rewrite(node, call),
        [first, second, ..] => {
            let message =
                format!("one query level can use one window, but {first} and {second} were found");
            Err(Error::analysis(message)
                .with_hint("compute the second window in an outer query")
                .into())
        }
    }
}

/// The different calls of a window in a node's own expressions.
fn window_calls(node: &LogicalPlan) -> DataFusionResult<Vec<Expr>> {
    let mut calls: Vec<Expr> = Vec::new();
    node.apply_expressions(|expr| {
        expr.apply(|expr| {
            match function_of(expr) {
                Some(Function::Window | Function::SessionWindow) if !calls.contains(expr) => {
                    calls.push(expr.clone());
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(calls)
}

/// Whether an expression is a window, or what is computed on the way to one.
pub(super) fn is_window_function(expr: &Expr) -> bool {
    function_of(expr).is_some()
}

fn rewrite(node: LogicalPlan, call: &Expr) -> DataFusionResult<LogicalPlan> {
    if function_of(call) == Some(Function::SessionWindow) {
        return rewrite_session(node, call);
    }
    let spec = WindowSpec::of(call)?;
    let inputs = node.inputs();
    let &[input] = inputs.as_slice() else {
        return Err(Error::analysis(format!("{call} cannot be used in a join condition")).into());
    };
    let input = spec.add_starts(input.clone())?;
    let window = ScalarUDF::from(WindowFunction::new(Function::Struct))
        .call(vec![window_start(), lit(spec.duration_us)]);
    match &node {
        LogicalPlan::Aggregate(aggregate) => rewrite_aggregate(aggregate, input, call, &window),
        _ => rewrite_expressions(node, input, call, &window),
    }
}

/// Groups by the plain start; the struct is made of it above.
fn rewrite_aggregate(
    aggregate: &Aggregate,
    input: LogicalPlan,
    call: &Expr,
    window: &Expr,
) -> DataFusionResult<LogicalPlan> {
    let groups = aggregate.group_expr.iter().cloned();
    let groups = groups.map(|expr| match is_call(&expr, call) {
        true => Ok(window_start()),
        false => replace(expr, call, window),
    });
    let groups: Vec<Expr> = groups.collect::<DataFusionResult<_>>()?;
    let aggregates = replace_named(aggregate.aggr_expr.iter().cloned(), call, window)?;
    let grouped = LogicalPlanBuilder::from(input)
        .aggregate(groups, aggregates)?
        .build()?;
    let fields = aggregate.schema.iter().zip(grouped.schema().columns());
    let outputs: Vec<Expr> = fields
        .map(|((qualifier, field), column)| {
            let value = match column.name == WINDOW_START {
                true => window.clone(),
                false => Expr::Column(column),
            };
            value.alias_qualified(qualifier.cloned(), field.name())
        })
        .collect();
    LogicalPlanBuilder::from(grouped).project(outputs)?.build()
}

/// Puts the struct in the place of the call.
fn rewrite_expressions(
    node: LogicalPlan,
    input: LogicalPlan,
    call: &Expr,
    window: &Expr,
) -> DataFusionResult<LogicalPlan> {
    let expressions = replace_named(node.expressions(), call, window)?;
    match node {
        LogicalPlan::Projection(_) => LogicalPlanBuilder::from(input)
            .project(expressions)?
            .build(),
        LogicalPlan::Filter(filter) => {
            let columns = filter.input.schema().columns();
            let mut builder = LogicalPlanBuilder::from(input);
            for predicate in expressions {
                builder = builder.filter(predicate)?;
            }
            builder
                .project(columns.into_iter().map(Expr::Column))?
                .build()
        }
        other => Err(Error::analysis(format!(
            "{call} can be used in SELECT, WHERE and GROUP BY, not in {}",
            other.display()
        ))
        .into()),
    }
}

fn window_start() -> Expr {
    Expr::Column(Column::new_unqualified(WINDOW_START))
}

fn replace(expr: Expr, call: &Expr, with: &Expr) -> DataFusionResult<Expr> {
    let replaced = expr.transform_down(|expr| {
        Ok(match &expr == call {
            true => Transformed::new(with.clone(), true, TreeNodeRecursion::Jump),
            false => Transformed::no(expr),
        })
    })?;
    Ok(replaced.data)
}

/// The same, and the columns keep their names.
fn replace_named(
    expressions: impl IntoIterator<Item = Expr>,
    call: &Expr,
    with: &Expr,
) -> DataFusionResult<Vec<Expr>> {
    let names = NamePreserver::new_for_projection();
    let expressions = expressions.into_iter().map(|expr| {
        let name = names.save(&expr);
        Ok(name.restore(replace(expr, call, with)?))
    });
    expressions.collect()
}

/// Whether an expression is `call`, under whatever name.
fn is_call(expr: &Expr, call: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_call(&alias.expr, call),
        other => other == call,
    }
}
