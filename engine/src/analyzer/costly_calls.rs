//! What costs much is computed once: a condition about it stays above the projection that computes it.
//!
//! ```text
//! Filter data.k > 5                       DataFusion moves the condition below the projection, and the text
//!   Projection from_json(value) AS data   is then parsed for the condition and once more for the columns
//! ```
//! A condition about other columns goes down as ever. So does one above a projection that computes more
//! than the costly value and columns: what it would keep from being computed may be an error.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection, ScalarUDF};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{Optimizer, OptimizerConfig, OptimizerRule};
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

use crate::plan::is_user_function;

/// The rule that moves conditions.
const MOVES: &str = "push_down_filter";

/// The rule that does the same to plans that are ready to run.
const MOVES_READY: &str = "FilterPushdown";

/// Functions that take texts apart.
const COSTLY: &[&str] = &[
    "from_csv",
    "from_json",
    "from_xml",
    "regexp_extract",
    "regexp_extract_all",
    "regexp_replace",
];

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// The optimizer's rules, so that costly calls are computed once.
pub(super) fn rules() -> Vec<Rule> {
    let rules = Optimizer::new().rules.into_iter();
    let rules = rules.map(|rule| match rule.name() {
        MOVES => Arc::new(Once(rule)) as Rule,
        _ => rule,
    });
    rules.collect()
}

type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// The physical optimizer's `rules`, so that costly calls are computed once.
pub(super) fn physical(rules: Vec<PhysicalRule>) -> Vec<PhysicalRule> {
    let rules = rules.into_iter().map(|rule| match rule.name() {
        MOVES_READY => Arc::new(InPlace(rule)) as PhysicalRule,
        _ => rule,
    });
    rules.collect()
}

/// Moves no condition in a plan with costly calls.
#[derive(Debug)]
struct InPlace(PhysicalRule);

impl PhysicalOptimizerRule for InPlace {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match computes_costly(&plan)? {
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

fn computes_costly(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        node.apply_expressions(&mut |expr| {
            found |= expr.exists(|part| {
                let call = part.downcast_ref::<ScalarFunctionExpr>();
                Ok(call.is_some_and(|call| costs_much(call.fun())))
            })?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(match found {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    })?;
    Ok(found)
}

#[derive(Debug)]
struct Once(Rule);

impl OptimizerRule for Once {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else {
            return self.0.rewrite(plan, config);
        };
        let LogicalPlan::Projection(projection) = filter.input.as_ref() else {
            return self.0.rewrite(plan, config);
        };
        let costly = costly_columns(projection);
        if costly.is_empty() {
            return self.0.rewrite(plan, config);
        }
        let parts = split_conjunction_owned(filter.predicate.clone());
        let (stay, go): (Vec<Expr>, Vec<Expr>) = parts
            .into_iter()
            .partition(|part| is_about(part, &costly, &projection.schema));
        let (Some(stay), go) = (conjunction(stay), conjunction(go)) else {
            return self.0.rewrite(plan, config);
        };
        let Some(go) = go else {
            return Ok(Transformed::no(plan));
        };
        let below = Filter::try_new(go, Arc::clone(&filter.input))?;
        let below = self.0.rewrite(LogicalPlan::Filter(below), config)?;
        below.map_data(|below| Filter::try_new(stay, Arc::new(below)).map(LogicalPlan::Filter))
    }
}

/// The places of the costly values of a projection that computes nothing else.
fn costly_columns(projection: &Projection) -> Vec<usize> {
    let mut costly = Vec::new();
    for (index, expr) in projection.expr.iter().enumerate() {
        if is_costly(expr) {
            costly.push(index);
        } else if !is_column(expr) {
            return Vec::new();
        }
    }
    costly
}

fn is_costly(expr: &Expr) -> bool {
    let found = expr
        .exists(|part| Ok(matches!(part, Expr::ScalarFunction(call) if costs_much(&call.func))));
    found.unwrap_or(false)
}

fn costs_much(function: &ScalarUDF) -> bool {
    COSTLY.contains(&function.name()) || is_user_function(function)
}

/// Whether nothing is computed.
fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => is_column(&alias.expr),
        Expr::Column(_) | Expr::Literal(..) => true,
        _ => false,
    }
}

fn is_about(part: &Expr, costly: &[usize], schema: &DFSchema) -> bool {
    let is_costly = |column: &&Column| {
        let index = schema.maybe_index_of_column(column);
        index.is_some_and(|index| costly.contains(&index))
    };
    part.column_refs().iter().any(is_costly)
}
