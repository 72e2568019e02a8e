//! LATERAL: a side of a join that is computed for each row of the other one.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, Spans};
use datafusion::logical_expr::{
    Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery, lit, when,
};
use datafusion::scalar::ScalarValue;

use super::Analyzer;
use super::domain::{PerDomain, needs_domain, not_supported};
use super::expression::Clause;
use super::generate::is_generator;
use super::join::{join_type, joined};
use super::output_names::output_name;
use super::planned::{Metadata, Planned, Visible, distinct_name, node};
use super::query::Context;
use super::scope::Scope;
use super::unmoved;
use crate::error::{Error, Result, from_datafusion};
use crate::plan::is_streaming;
use crate::tree::{Expression, GroupBy, Join, JoinCondition, OrderBy, Relation, Select};

impl Analyzer<'_> {
    /// A join whose right side is computed for each row of the left one.
    pub(super) fn lateral_join(
        &self,
        left: Planned,
        input: &Relation,
        name: Option<Named<'_>>,
        join: &Join,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let kind = join_type(join.kind);
        Self::check_left(kind, &join.condition)?;
        if let Relation::TableFunction(call) = input
            && call.name != "range"
        {
            let (table, columns) =
                name.map_or((None, &[][..]), |(name, columns)| (Some(name), columns));
            let outer = kind == JoinType::Left;
            let generated = self.generated_beside(left, call, outer, table, columns, context)?;
            return self.filtered_join(generated, &join.condition, context);
        }
        if let Some(select) = one_row_of(input)
            && let Some(planned) = self.computed_beside(&left, select, name, kind, context)?
        {
            return self.filtered_join(planned, &join.condition, context);
        }
        let scope = Scope::of(&left, context.outer);
        let inner = context.inside(Some(&scope));
        let right = self.relation(input, &inner)?;
        let right = match name {
            Some((name, columns)) => right.aliased(name, columns)?,
            None => right,
        };
        let right = right.beside(&left)?;
        let outer_ref_columns = right.plan.all_out_ref_exprs();
        if outer_ref_columns.is_empty() {
            let plan = LogicalPlanBuilder::from(left.plan.clone());
            let plan = node(plan.join_on(right.plan.clone(), kind, [lit(true)]))?;
            let planned = joined(plan, left.clone(), right, kind);
            return self.filtered_join(planned, &join.condition, context);
        }
        if needs_domain(&right.plan) {
            let planned = beside_domain(left, right, kind)?;
            return self.filtered_join(planned, &join.condition, context);
        }
        let subquery = LogicalPlan::Subquery(Subquery {
            subquery: Arc::new(right.plan.clone()),
            outer_ref_columns,
            spans: Spans::new(),
        });
        let plan = LogicalPlanBuilder::from(left.plan.clone());
        let plan = node(plan.join_on(subquery, kind, [lit(true)]))?;
        let planned = joined(plan, left.clone(), right, kind);
        self.filtered_join(planned, &join.condition, context)
    }

    /// A condition cannot take rows of the left side away from a LEFT JOIN.
    fn check_left(kind: JoinType, condition: &JoinCondition) -> Result<()> {
        let is_plain = match condition {
            JoinCondition::None => true,
            JoinCondition::On(Expression::Literal(literal)) => {
                literal.value == ScalarValue::Boolean(Some(true))
            }
            _ => false,
        };
        match kind == JoinType::Left && !is_plain {
            true => Err(Error::analysis("LEFT JOIN LATERAL can be on true only")
                .with_condition("UNSUPPORTED_FEATURE.LATERAL_JOIN_USING")
                .with_hint("put the condition into WHERE of the subquery, and write ON true")),
            false => Ok(()),
        }
    }

    fn filtered_join(
        &self,
        planned: Planned,
        condition: &JoinCondition,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let condition = match condition {
            JoinCondition::None => return Ok(planned),
            JoinCondition::On(condition) => condition,
            JoinCondition::Using(_) | JoinCondition::Natural => {
                return Err(Error::analysis("a LATERAL join cannot have USING")
                    .with_condition("UNSUPPORTED_FEATURE.LATERAL_JOIN_USING"));
            }
        };
        let scope = Scope::of(&planned, context.outer);
        let condition = self
            .expressions(&scope, Clause::On, context)
            .condition(condition)?;
        let plan = unmoved::filtered(planned.plan.clone(), condition)?;
        Ok(planned.with_plan(plan))
    }

    /// `LATERAL (SELECT a + 1 AS b WHERE a > 0)`: one row for each, so its columns stand beside the
    /// others. `None` if it is more than that.
    fn computed_beside(
        &self,
        left: &Planned,
        select: &Select,
        name: Option<Named<'_>>,
        kind: JoinType,
        context: &Context<'_>,
    ) -> Result<Option<Planned>> {
        let scope = Scope::of(left, context.outer);
        let expressions = self.expressions(&scope, Clause::Select, context);
        let mut values = Vec::new();
        for item in &select.items {
            let bare = match item {
                Expression::Alias { expression, .. } => expression.as_ref(),
                other => other,
            };
            let is_more = match bare {
                Expression::Star(_) | Expression::Matching(_) => true,
                Expression::Call(call) => is_generator(&call.name),
                _ => false,
            };
            if is_more {
                return Ok(None);
            }
            let typed = expressions.plan(item)?;
            let is_plain = typed.expr.exists(|expr| {
                Ok(matches!(
                    expr,
                    Expr::AggregateFunction(_) | Expr::WindowFunction(_)
                ))
            });
            if is_plain.map_err(from_datafusion)? {
                return Ok(None);
            }
            values.push((output_name(item), typed));
        }
        let filter = select.filter.as_ref().map(|filter| {
            let expressions = self.expressions(&scope, Clause::Where, context);
            expressions.condition(filter)
        });
        let filter = filter.transpose()?;
        let mut taken: HashSet<String> = HashSet::new();
        let mut outputs: Vec<Expr> = Vec::new();
        let mut columns: Vec<Visible> = left.columns.clone();
        for column in &left.columns {
            taken.insert(column.column.name.to_lowercase());
            outputs.push(Expr::Column(column.column.clone()));
        }
        let new_names = name.map_or(&[][..], |(_, columns)| columns);
        for (index, (own, typed)) in values.into_iter().enumerate() {
            let own = new_names.get(index).cloned().unwrap_or(own);
            let distinct = distinct_name(&own, &mut taken);
            let expr = match (&filter, kind) {
                (Some(filter), JoinType::Left) => when(filter.clone(), typed.expr)
                    .end()
                    .map_err(from_datafusion)?,
                _ => typed.expr,
            };
            outputs.push(expr.alias(&distinct));
            columns.push(Visible {
                qualifier: name.map(|(name, _)| name.to_string()),
                name: own,
                column: Column::new_unqualified(distinct),
                field: typed.field,
                plan_ids: Vec::new(),
                hidden: false,
                metadata: Metadata::No,
                again: false,
            });
        }
        let mut plan = LogicalPlanBuilder::from(left.plan.clone());
        if let (Some(filter), JoinType::Inner) = (filter, kind) {
            plan = LogicalPlanBuilder::from(node(plan.filter(filter))?);
        }
        let plan = node(plan.project(outputs))?;
        let planned = Planned {
            plan: plan.clone(),
            columns,
        };
        Ok(Some(planned.with_plan(plan)))
    }
}

/// The rows of `left`, each with those that `right` has for it.
fn beside_domain(left: Planned, right: Planned, kind: JoinType) -> Result<Planned> {
    if is_streaming(&left.plan) {
        return Err(not_supported("more than an equality in a stream"));
    }
    let per_row = PerDomain::of(&right.plan, &left.plan, 0)?;
    let own = right.plan.schema().columns().into_iter();
    let renamed: Vec<(Column, Column)> = own.zip(per_row.columns.clone()).collect();
    let mut right = right;
    for visible in &mut right.columns {
        let mut renamed = renamed.iter();
        if let Some((_, new)) = renamed.find(|(own, _)| own == &visible.column) {
            visible.column = new.clone();
        }
    }
    let plan = per_row.joined(left.plan.clone(), kind)?;
    Ok(joined(plan, left, right, kind))
}

/// The SELECT of a query without FROM and without anything else that could give more or less than one
/// row.
fn one_row_of(relation: &Relation) -> Option<&Select> {
    match relation {
        Relation::Select(select) => {
            let is_plain = select.from.is_none()
                && matches!(&select.group_by, GroupBy::None)
                && select.having.is_none()
                && select.qualify.is_none();
            is_plain.then_some(select.as_ref())
        }
        Relation::Query(query) => {
            let is_plain = query.with.is_empty()
                && query.limit.is_none()
                && query.offset.is_none()
                && matches!(&query.order_by, OrderBy::Keys(keys) if keys.is_empty());
            one_row_of(&query.body).filter(|_| is_plain)
        }
        _ => None,
    }
}

/// A relation's name, and new names for its columns.
pub(super) type Named<'r> = (&'r str, &'r [String]);

/// What stands behind LATERAL, and its name.
pub(super) fn lateral(relation: &Relation) -> Option<(&Relation, Option<Named<'_>>)> {
    match relation {
        Relation::Lateral(input) => match input.as_ref() {
            Relation::Alias {
                input,
                name,
                columns,
            } => Some((input, Some((name, columns)))),
            input => Some((input, None)),
        },
        Relation::Alias {
            input,
            name,
            columns,
        } => match input.as_ref() {
            Relation::Lateral(input) => Some((input, Some((name, columns)))),
            _ => None,
        },
        _ => None,
    }
}
