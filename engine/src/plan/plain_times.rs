//! What is computed from an event time is a plain time: as in Spark, an event time goes on only in
//! a column, under whatever name, and in a window of one.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

use super::event_time::watermark_delay_ms;
use super::time_window::is_window_function;
use super::union::{is_marked, with_marks};

/// Takes the marks of event times off what a projection or an aggregation computes; DataFusion
/// hands them on through casts and through aggregates such as `first`. Names stay the same.
pub(super) fn make_times_plain(node: LogicalPlan) -> DataFusionResult<LogicalPlan> {
    if !matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_)) {
        return Ok(node);
    }
    let &[input] = node.inputs().as_slice() else {
        return Ok(node);
    };
    let schema = input.schema().as_ref().clone();
    if !schema
        .fields()
        .iter()
        .any(|field| watermark_delay_ms(field).is_some())
    {
        return Ok(node);
    }
    let plain = node.map_expressions(|expr| made_plain(expr, &schema))?;
    Ok(plain.map_data(LogicalPlan::recompute_schema)?.data)
}

fn made_plain(expr: Expr, schema: &DFSchema) -> DataFusionResult<Transformed<Expr>> {
    match expr {
        Expr::Column(_) => Ok(Transformed::no(expr)),
        expr if is_marked(&expr) => Ok(Transformed::no(expr)),
        // A window is an event time if its time argument is one.
        expr if matches!(expr, Expr::Alias(_) | Expr::GroupingSet(_))
            || is_window_function(&expr) =>
        {
            expr.map_children(|part| made_plain(part, schema))
        }
        expr => {
            let (_, field) = expr.to_field(schema)?;
            if watermark_delay_ms(&field).is_none() {
                return Ok(Transformed::no(expr));
            }
            expr.transform_down(|part| {
                Ok(
                    if matches!(part, Expr::Column(_)) || is_window_function(&part) {
                        Transformed::new(unmarked(part), true, TreeNodeRecursion::Jump)
                    } else {
                        Transformed::no(part)
                    },
                )
            })
        }
    }
}

fn unmarked(expr: Expr) -> Expr {
    with_marks(expr, Default::default())
}
