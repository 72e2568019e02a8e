//! Joins: on a condition, on columns of one name, on nothing.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::Column;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, lit};

use super::Analyzer;
use super::cast::cast_to;
use super::compare::{comparable, comparison_type};
use super::expression::Clause;
use super::lateral::lateral;
use super::planned::{Planned, Visible, node};
use super::query::Context;
use super::scope::Scope;
use super::typed::Typed;
use super::unmoved::above_one_row;
use crate::error::{Error, Result};
use crate::tree::{Join, JoinCondition, JoinKind};

impl Analyzer<'_> {
    /// A join.
    pub(super) fn join(&self, join: &Join, context: &Context<'_>) -> Result<Planned> {
        let left = self.relation(&join.left, context)?;
        if let Some((input, name)) = lateral(&join.right) {
            return self.lateral_join(left, input, name, join, context);
        }
        let right = self.relation(&join.right, context)?;
        let left = left.qualified_beside(&right)?;
        let right = right.beside(&left)?;
        let kind = join_type(join.kind);
        let names = match &join.condition {
            JoinCondition::Using(names) => names.clone(),
            JoinCondition::Natural => {
                let is_shared =
                    |column: &&Visible| right.shown().any(|other| other.is_named(&column.name));
                let shared = left.shown().filter(is_shared);
                shared.map(|column| column.name.clone()).collect()
            }
            JoinCondition::None => Vec::new(),
            JoinCondition::On(condition) => {
                let both = self.both(&left, &right)?;
                let condition = {
                    let scope = Scope::of(&both, context.outer);
                    let expressions = self.expressions(&scope, Clause::On, context);
                    expressions.condition(condition)?
                };
                let below = |side: &Planned| above_one_row(side.plan.clone(), &condition);
                let plan = LogicalPlanBuilder::from(below(&left)?);
                let plan = node(plan.join_on(below(&right)?, kind, [condition]))?;
                return Ok(joined(plan, left, right, kind));
            }
        };
        if !names.is_empty() {
            return join_using(left, right, kind, &names);
        }
        let plan = LogicalPlanBuilder::from(left.plan.clone());
        let plan = match kind {
            JoinType::Inner => plan.cross_join(right.plan.clone()),
            kind => plan.join_on(right.plan.clone(), kind, [lit(true)]),
        };
        Ok(joined(node(plan)?, left, right, kind))
    }

    /// The columns of both sides, as a condition sees them.
    fn both(&self, left: &Planned, right: &Planned) -> Result<Planned> {
        let plan = LogicalPlanBuilder::from(left.plan.clone()).cross_join(right.plan.clone());
        let plan = plan.and_then(LogicalPlanBuilder::build);
        let columns = left.columns.iter().chain(&right.columns).cloned();
        Ok(Planned {
            plan: plan.map_err(crate::error::from_datafusion)?,
            columns: columns.collect(),
        })
    }
}

pub(super) fn join_type(kind: JoinKind) -> JoinType {
    match kind {
        JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Right => JoinType::Right,
        JoinKind::Full => JoinType::Full,
        JoinKind::Semi => JoinType::LeftSemi,
        JoinKind::Anti => JoinType::LeftAnti,
    }
}

/// The columns of a join: of both sides, or of the left one.
pub(super) fn joined(plan: LogicalPlan, left: Planned, right: Planned, kind: JoinType) -> Planned {
    let mut columns = left.columns;
    if !matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
        columns.extend(right.columns);
    }
    let planned = Planned {
        plan: plan.clone(),
        columns,
    };
    planned.with_plan(plan)
}

/// Joins on columns that both sides have. The result has each of them once, in front; each side's own
/// can be named with its relation.
fn join_using(left: Planned, right: Planned, kind: JoinType, names: &[String]) -> Result<Planned> {
    let (left_keys, right_keys) = (keys(&left, names)?, keys(&right, names)?);
    let pairs = left_keys.iter().zip(&right_keys);
    let compared = pairs.map(|(one, other)| comparable(typed(one), typed(other)));
    let compared = compared.collect::<Result<Vec<_>>>()?;
    let on: (Vec<Expr>, Vec<Expr>) = compared
        .into_iter()
        .map(|(one, other)| (one.expr, other.expr))
        .unzip();
    let plan = LogicalPlanBuilder::from(left.plan.clone());
    let plan = plan.join_with_expr_keys(right.plan.clone(), kind, on, None);
    let mut plan = node(plan)?;
    let is_key =
        |column: &Visible, keys: &[Visible]| keys.iter().any(|key| key.column == column.column);
    let mut columns: Vec<Visible> = Vec::new();
    let mut aside: Vec<Visible> = Vec::new();
    let hidden = |key: &Visible| Visible {
        hidden: true,
        ..key.clone()
    };
    match kind {
        JoinType::Right => {
            columns.extend(right_keys.iter().cloned());
            aside.extend(left_keys.iter().map(hidden));
        }
        JoinType::Full => {
            let mut outputs: Vec<Expr> = Vec::new();
            for (index, (one, other)) in left_keys.iter().zip(&right_keys).enumerate() {
                let common = comparison_type(one.field.data_type(), other.field.data_type())?;
                let own = |side: &Visible| Ok(cast_to(typed(side), &common)?.expr);
                let either = coalesce(vec![own(one)?, own(other)?]);
                let taken = |name: &str| {
                    plan.schema()
                        .columns()
                        .iter()
                        .any(|column| column.name == name)
                };
                let mut numbers = (index..).map(|number| format!("__using{number}"));
                let name = numbers.find(|name| !taken(name)).unwrap_or_default();
                outputs.push(either.alias(&name));
                columns.push(Visible {
                    qualifier: None,
                    column: Column::new_unqualified(name),
                    field: Arc::new(Field::new(&one.name, common, true)),
                    plan_ids: Vec::new(),
                    ..one.clone()
                });
            }
            let own = plan.schema().columns().into_iter().map(Expr::Column);
            outputs.extend(own);
            plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
            aside.extend(left_keys.iter().chain(&right_keys).map(hidden));
        }
        JoinType::LeftSemi | JoinType::LeftAnti => columns.extend(left_keys.iter().cloned()),
        _ => {
            columns.extend(left_keys.iter().cloned());
            aside.extend(right_keys.iter().map(hidden));
        }
    }
    let others = left
        .columns
        .iter()
        .filter(|column| !is_key(column, &left_keys));
    columns.extend(others.cloned());
    if !matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
        let others = right
            .columns
            .iter()
            .filter(|column| !is_key(column, &right_keys));
        columns.extend(others.cloned());
    }
    columns.extend(aside);
    let planned = Planned {
        plan: plan.clone(),
        columns,
    };
    Ok(planned.with_plan(plan))
}

/// A column as an expression.
fn typed(column: &Visible) -> Typed {
    Typed {
        expr: Expr::Column(column.column.clone()),
        field: Arc::clone(&column.field),
    }
}

fn keys(side: &Planned, names: &[String]) -> Result<Vec<Visible>> {
    let find = |name: &String| {
        let mut found = side.shown().filter(|column| column.is_named(name));
        match (found.next(), found.next()) {
            (Some(column), None) => Ok(column.clone()),
            (None, _) => Err(Error::analysis(format!(
                "column '{name}' is not on both sides of the join"
            ))
            .with_condition("UNRESOLVED_USING_COLUMN_FOR_JOIN")
            .with_hint(format!("the columns are {}", side.names().join(", ")))),
            (Some(_), Some(_)) => Err(Error::analysis(format!(
                "column '{name}' is in more than one table of one side of the join"
            ))
            .with_condition("AMBIGUOUS_REFERENCE")),
        }
    };
    names.iter().map(find).collect()
}
