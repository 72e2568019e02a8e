//! A rule of DataFusion's that is left out where lambdas are: moving projections, it renumbers columns
//! but not the variables of lambdas that stand among them.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::physical_expr::HigherOrderFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

/// The rule's name.
const PROJECTIONS: &str = "ProjectionPushdown";

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// `rules`, those that move projections not for plans with lambdas.
pub(super) fn without_lambdas(rules: Vec<Rule>) -> Vec<Rule> {
    let rules = rules.into_iter().map(|rule| match rule.name() {
        PROJECTIONS => Arc::new(WithoutLambdas(rule)) as Rule,
        _ => rule,
    });
    rules.collect()
}

#[derive(Debug)]
struct WithoutLambdas(Rule);

impl PhysicalOptimizerRule for WithoutLambdas {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match has_lambdas(&plan)? {
            true => Ok(plan),
            false => self.0.optimize(plan, config),
        }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

fn has_lambdas(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        node.apply_expressions(&mut |expr| {
            found |= expr.exists(|expr| Ok(expr.is::<HigherOrderFunctionExpr>()))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}
