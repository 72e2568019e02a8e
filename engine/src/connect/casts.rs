//! Puts Spark's casts in the place of arrow's, those that a query wrote and those that types made
//! necessary.

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::functions::spark_cast;
use super::literals::rewrite_named;

/// Runs after the types of all operands are settled.
#[derive(Debug)]
pub(super) struct SparkCasts;

impl AnalyzerRule for SparkCasts {
    fn name(&self) -> &str {
        "spark_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|node| {
            let schema = match &node {
                LogicalPlan::TableScan(scan) => scan.projected_schema.as_ref().clone(),
                _ => merge_schema(&node.inputs()),
            };
            let names = NamePreserver::new(&node);
            node.map_expressions(|expr| {
                rewrite_named(expr, &names, |expr| {
                    expr.transform_up(|expr| own_cast(expr, &schema))
                })
            })?
            .map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(rewritten.data)
    }
}

fn own_cast(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let (inner, to, lenient) = match &expr {
        Expr::Cast(cast) => (&cast.expr, cast.field.data_type(), false),
        Expr::TryCast(cast) => (&cast.expr, cast.field.data_type(), true),
        _ => return Ok(Transformed::no(expr)),
    };
    // A correlated column has its type in the outer query; its cast stays as it is.
    let Ok(from) = inner.get_type(schema) else {
        return Ok(Transformed::no(expr));
    };
    Ok(match spark_cast(&from, to, lenient) {
        Some(function) => Transformed::yes(function.call(vec![inner.as_ref().clone()])),
        None => Transformed::no(expr),
    })
}
