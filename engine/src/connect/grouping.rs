//! Aggregations of frames: `groupBy`, `rollup`, `cube` and `groupingSets`, each with `agg`.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, ExprSchemable, GroupingSet, LogicalPlan, LogicalPlanBuilder};

use super::expressions::ExpressionPlanner;
use super::proto::{self, aggregate::GroupType};
use super::relations::{RelationPlanner, resolved};
use crate::error::{Error, Result, from_datafusion};

impl RelationPlanner<'_> {
    /// The keys, then the values, each in the order given.
    pub(super) async fn aggregate(&self, aggregate: &proto::Aggregate) -> Result<LogicalPlan> {
        let input = self.input(aggregate.input.as_deref()).await?;
        let expressions = self.expressions(&input);
        let keys = expressions.plan_list(&aggregate.grouping_expressions)?;
        let values = expressions.plan_list(&aggregate.aggregate_expressions)?;
        let groups = groups(&expressions, aggregate, keys.clone())?;
        let calls = find_aggregate_exprs(&values);
        let outputs = key_columns(&input, &keys);
        let grouped = LogicalPlanBuilder::from(input).aggregate(groups, calls.clone());
        let grouped = grouped.map_err(from_datafusion)?;

        let columns = grouped.schema().columns();
        let results = columns[columns.len() - calls.len()..].to_vec();
        let mut outputs = outputs.map_err(from_datafusion)?;
        let known: Vec<(Expr, Expr)> = calls
            .into_iter()
            .zip(results.into_iter().map(Expr::Column))
            .chain(keys.into_iter().map(Expr::unalias).zip(outputs.clone()))
            .collect();
        for value in values {
            outputs.push(computed_from(value, &known).map_err(from_datafusion)?);
        }
        resolved(grouped.project(outputs))
    }
}

/// What the input is grouped by: the keys together, or sets of them.
fn groups(
    expressions: &ExpressionPlanner<'_>,
    aggregate: &proto::Aggregate,
    keys: Vec<Expr>,
) -> Result<Vec<Expr>> {
    let sets = match aggregate.group_type() {
        GroupType::Unspecified | GroupType::Groupby => return Ok(keys),
        GroupType::Rollup => GroupingSet::Rollup(keys),
        GroupType::Cube => GroupingSet::Cube(keys),
        GroupType::GroupingSets => {
            let sets = aggregate.grouping_sets.iter();
            let sets = sets.map(|set| expressions.plan_list(&set.grouping_set));
            GroupingSet::GroupingSets(sets.collect::<Result<_>>()?)
        }
        GroupType::Pivot => {
            return Err(Error::analysis("pivot is not supported in this version")
                .with_hint("use sum(CASE WHEN key = 'a' THEN value END) AS a for each column"));
        }
    };
    Ok(vec![Expr::GroupingSet(sets)])
}

/// The columns in which an aggregation gives its keys.
fn key_columns(input: &LogicalPlan, keys: &[Expr]) -> datafusion::error::Result<Vec<Expr>> {
    let columns = keys.iter().map(|key| {
        let (relation, field) = key.to_field(input.schema())?;
        Ok(Expr::Column(Column::new(relation, field.name())))
    });
    columns.collect()
}

/// `value` with every expression in `known` replaced by the column that holds it already.
fn computed_from(value: Expr, known: &[(Expr, Expr)]) -> datafusion::error::Result<Expr> {
    let computed = value.transform_down(|expr| {
        let column = known.iter().find(|(call, _)| call == &expr);
        Ok(match column {
            Some((_, column)) => Transformed::new(
                column.clone(),
                true,
                datafusion::common::tree_node::TreeNodeRecursion::Jump,
            ),
            None => Transformed::no(expr),
        })
    })?;
    Ok(computed.data)
}
