//! Subqueries that the query outside takes part in by more than an equality: they are computed once for
//! each combination of the outer values, the domain, and joined with the rows that have those values.
//!
//! ```text
//! SELECT a, (SELECT max(b) FROM u WHERE b < a) FROM t
//!   t ─┬─────────────────────────────────────────────────────► left join on a ─► …
//!      └► distinct a ─► × u ─► filter b < a ─► max(b) by a ──────┘
//! ```

use std::cell::Cell;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, TableReference};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Distinct, Expr, ExprFunctionExt, ExprSchemable, FetchType, JoinConstraint,
    LogicalPlan, LogicalPlanBuilder, Operator, SkipType, SortExpr, lit,
};

use super::planned::node;
use crate::error::{Error, Result, from_datafusion};

/// A subquery for all outer values at once, to be joined with the query outside.
#[derive(Debug)]
pub(super) struct PerDomain {
    plan: LogicalPlan,
    /// Outer columns, and those of the subquery that have their values.
    on: Vec<(Column, Column)>,
    /// What the subquery gives.
    pub columns: Vec<Column>,
}

impl PerDomain {
    /// `plan`, a subquery of a query whose rows are those of `outer`; `number` is its own in that query.
    pub(super) fn of(plan: &LogicalPlan, outer: &LogicalPlan, number: usize) -> Result<Self> {
        let domain = Domain {
            outer,
            columns: outer_columns(plan, outer)?,
            count: Cell::new(0),
            number,
        };
        let inner = domain.computed(plan)?;
        let name = format!("__subquery{number}");
        let aliased = LogicalPlanBuilder::from(inner.plan).alias(name.as_str());
        let own = |column: Column| {
            let table = TableReference::bare(name.as_str());
            Column::new(Some(table), column.name)
        };
        let columns = plan.schema().columns().into_iter().map(own).collect();
        let values = inner.values.into_iter().map(own);
        Ok(Self {
            plan: node(aliased)?,
            on: domain.columns.iter().cloned().zip(values).collect(),
            columns,
        })
    }

    /// The rows of the query outside, each with what the subquery gives for it.
    pub(super) fn joined(self, outer: LogicalPlan, kind: JoinType) -> Result<LogicalPlan> {
        let same = self.on.into_iter().map(|(one, other)| same(one, other));
        let joined = LogicalPlanBuilder::from(outer).join_on(self.plan, kind, same);
        node(joined)
    }

    /// The outer columns that the subquery depends on.
    pub(super) fn outer(&self) -> impl Iterator<Item = &Column> {
        self.on.iter().map(|(outer, _)| outer)
    }
}

/// Whether DataFusion cannot tell the rows of a correlated subquery apart by itself: it can where an
/// aggregate's rows are chosen by equalities.
pub(super) fn needs_domain(plan: &LogicalPlan) -> bool {
    fn has_aggregate(plan: &LogicalPlan) -> bool {
        matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Limit(_))
            || plan.inputs().into_iter().any(has_aggregate)
    }
    fn is_beyond_equality(plan: &LogicalPlan) -> bool {
        let own = match plan {
            LogicalPlan::Filter(filter) => {
                let mut parts = split_conjunction(&filter.predicate).into_iter();
                parts.any(|part| part.contains_outer() && !is_equality(part))
            }
            other => {
                let mut expressions = other.expressions().into_iter();
                expressions.any(|expr| expr.contains_outer())
            }
        };
        own || plan.inputs().into_iter().any(is_beyond_equality)
    }
    has_aggregate(plan) && is_beyond_equality(plan)
}

/// `column = outer`.
fn is_equality(expr: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Eq,
        right,
    }) = expr
    else {
        return false;
    };
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(_), other) | (other, Expr::Column(_)) => other.column_refs().is_empty(),
        _ => false,
    }
}

/// The columns of `outer` that a subquery names.
fn outer_columns(plan: &LogicalPlan, outer: &LogicalPlan) -> Result<Vec<Column>> {
    let named = plan.all_out_ref_exprs().into_iter().map(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) if outer.schema().has_column(&column) => Ok(column),
        _ => Err(not_supported("a query further outside")),
    });
    named.collect()
}

/// The combinations of outer values.
struct Domain<'o> {
    outer: &'o LogicalPlan,
    columns: Vec<Column>,
    /// How often it was read.
    count: Cell<usize>,
    number: usize,
}

/// A part of the subquery with the values of the domain beside its rows.
struct Inner {
    plan: LogicalPlan,
    values: Vec<Column>,
}

impl Domain<'_> {
    /// Its rows.
    fn rows(&self) -> Result<Inner> {
        let count = self.count.replace(self.count.get() + 1);
        let name = |index: usize| format!("__outer{}_{count}_{index}", self.number);
        let columns = self.columns.iter().enumerate();
        let columns =
            columns.map(|(index, column)| Expr::Column(column.clone()).alias(name(index)));
        let columns: Vec<Expr> = columns.collect();
        let values = (0..columns.len()).map(|index| Column::new_unqualified(name(index)));
        let values = values.collect();
        let rows = LogicalPlanBuilder::from(self.outer.clone()).project(columns);
        let plan = node(rows.and_then(LogicalPlanBuilder::distinct))?;
        Ok(Inner { plan, values })
    }

    /// `plan` for all of its rows at once.
    fn computed(&self, plan: &LogicalPlan) -> Result<Inner> {
        if plan.all_out_ref_exprs().is_empty() {
            let Inner { plan: rows, values } = self.rows()?;
            let plan = node(LogicalPlanBuilder::from(rows).cross_join(plan.clone()))?;
            return Ok(Inner { plan, values });
        }
        match plan {
            LogicalPlan::Filter(filter) => {
                let Inner { plan, values } = self.computed(&filter.input)?;
                let condition = self.inside(filter.predicate.clone(), &values)?;
                let plan = node(LogicalPlanBuilder::from(plan).filter(condition))?;
                Ok(Inner { plan, values })
            }
            LogicalPlan::Projection(projection) => {
                let Inner { plan, values } = self.computed(&projection.input)?;
                let mut outputs = self.outputs(projection.expr.clone(), &values)?;
                outputs.extend(values.iter().cloned().map(Expr::Column));
                let plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
                Ok(Inner { plan, values })
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let Inner { plan, values } = self.computed(&alias.input)?;
                let plan = LogicalPlanBuilder::from(plan).alias(alias.alias.clone());
                let renamed = |column: Column| Column::new(Some(alias.alias.clone()), column.name);
                let values = values.into_iter().map(renamed).collect();
                let plan = node(plan)?;
                Ok(Inner { plan, values })
            }
            LogicalPlan::Sort(sort) => {
                let Inner { plan, values } = self.computed(&sort.input)?;
                let keys = self.sort_keys(&sort.expr, &values)?;
                let plan = node(LogicalPlanBuilder::from(plan).sort(keys))?;
                Ok(Inner { plan, values })
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let Inner { plan, values } = self.computed(input)?;
                let plan = node(LogicalPlanBuilder::from(plan).distinct())?;
                Ok(Inner { plan, values })
            }
            LogicalPlan::Aggregate(aggregate) => {
                let input = self.computed(&aggregate.input)?;
                self.aggregated(input, &aggregate.group_expr, &aggregate.aggr_expr)
            }
            LogicalPlan::Limit(limit) => {
                let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (
                    limit.get_skip_type().map_err(from_datafusion)?,
                    limit.get_fetch_type().map_err(from_datafusion)?,
                ) else {
                    return Err(not_supported("a LIMIT that is computed"));
                };
                self.limited(&limit.input, skip, fetch)
            }
            LogicalPlan::Join(join) if join.join_constraint == JoinConstraint::On => {
                self.joined(join)
            }
            other => Err(not_supported(&format!(
                "{} in the subquery",
                other
                    .display()
                    .to_string()
                    .split(':')
                    .next()
                    .unwrap_or_default()
            ))),
        }
    }

    /// An expression of the subquery, outer columns as those of the domain.
    fn inside(&self, expr: Expr, values: &[Column]) -> Result<Expr> {
        let replaced = expr.transform_up(|expr| {
            Ok(match &expr {
                Expr::OuterReferenceColumn(_, column) => {
                    let at = self.columns.iter().position(|own| own == column);
                    match at.and_then(|at| values.get(at)) {
                        Some(value) => Transformed::yes(Expr::Column(value.clone())),
                        None => Transformed::no(expr),
                    }
                }
                _ => Transformed::no(expr),
            })
        });
        Ok(replaced.map_err(from_datafusion)?.data)
    }

    /// The same of what has a name that others know it by.
    fn outputs(&self, exprs: Vec<Expr>, values: &[Column]) -> Result<Vec<Expr>> {
        let outputs = exprs.into_iter().map(|expr| {
            if !expr.contains_outer() {
                return Ok(expr);
            }
            let name = expr.schema_name().to_string();
            let inside = self.inside(expr, values)?;
            Ok(inside.unalias().alias(name))
        });
        outputs.collect()
    }

    fn sort_keys(&self, keys: &[SortExpr], values: &[Column]) -> Result<Vec<SortExpr>> {
        let keys = keys.iter().map(|key| {
            let expr = self.inside(key.expr.clone(), values)?;
            Ok(SortExpr {
                expr,
                ..key.clone()
            })
        });
        keys.collect()
    }

    /// Groups of each outer value. Without keys there is one for each, although it may have no rows.
    fn aggregated(&self, input: Inner, keys: &[Expr], calls: &[Expr]) -> Result<Inner> {
        if keys.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return Err(not_supported("GROUPING SETS in the subquery"));
        }
        let Inner { plan, values } = input;
        let mut groups = self.outputs(keys.to_vec(), &values)?;
        groups.extend(values.iter().cloned().map(Expr::Column));
        let calls = self.outputs(calls.to_vec(), &values)?;
        let grouped = LogicalPlanBuilder::from(plan).aggregate(groups, calls.clone());
        let grouped = node(grouped)?;
        if !keys.is_empty() {
            return Ok(Inner {
                plan: grouped,
                values,
            });
        }
        let all = self.rows()?;
        let pairs = all.values.iter().cloned().zip(values);
        let on = pairs.map(|(one, other)| same(one, other));
        let joined = LogicalPlanBuilder::from(all.plan).join_on(grouped, JoinType::Left, on);
        let joined = node(joined)?;
        let mut outputs: Vec<Expr> = all.values.iter().cloned().map(Expr::Column).collect();
        for call in calls {
            let name = call.schema_name().to_string();
            let column = Expr::Column(Column::new_unqualified(&name));
            let data_type = column.get_type(joined.schema()).map_err(from_datafusion)?;
            let of_nothing = match call.unalias() {
                Expr::AggregateFunction(AggregateFunction { func, .. }) => {
                    func.default_value(&data_type).map_err(from_datafusion)?
                }
                _ => return Err(not_supported("such an aggregate")),
            };
            outputs.push(match of_nothing.is_null() {
                true => column,
                false => coalesce(vec![column, lit(of_nothing)]).alias(name),
            });
        }
        let plan = node(LogicalPlanBuilder::from(joined).project(outputs))?;
        Ok(Inner {
            plan,
            values: all.values,
        })
    }

    /// So many rows for each outer value.
    fn limited(&self, input: &LogicalPlan, skip: usize, fetch: Option<usize>) -> Result<Inner> {
        // What only hides columns stands above: below, the rows are still in order.
        if let LogicalPlan::Projection(projection) = input {
            let Inner { plan, values } = self.limited(&projection.input, skip, fetch)?;
            let mut outputs = self.outputs(projection.expr.clone(), &values)?;
            outputs.extend(values.iter().cloned().map(Expr::Column));
            let plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
            return Ok(Inner { plan, values });
        }
        let Inner { plan, values } = self.computed(input)?;
        let order = match input {
            LogicalPlan::Sort(sort) => self.sort_keys(&sort.expr, &values)?,
            _ => Vec::new(),
        };
        let columns: Vec<Expr> = plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        let number = row_number()
            .partition_by(values.iter().cloned().map(Expr::Column).collect())
            .order_by(order)
            .build()
            .map_err(from_datafusion)?;
        let name = number.schema_name().to_string();
        let numbered = LogicalPlanBuilder::window_plan(plan, [number]).map_err(from_datafusion)?;
        let number = Expr::Column(Column::new_unqualified(name));
        let last = fetch.map_or(u64::MAX, |fetch| skip.saturating_add(fetch) as u64);
        let kept = number
            .clone()
            .gt(lit(skip as u64))
            .and(number.lt_eq(lit(last)));
        let builder = LogicalPlanBuilder::from(numbered).filter(kept);
        let plan = node(builder.and_then(|builder| builder.project(columns)))?;
        Ok(Inner { plan, values })
    }

    fn joined(&self, join: &datafusion::logical_expr::logical_plan::Join) -> Result<Inner> {
        let is_outer = |plan: &LogicalPlan| !plan.all_out_ref_exprs().is_empty();
        let (left, right) = (is_outer(&join.left), is_outer(&join.right));
        let keeps_left = matches!(
            join.join_type,
            JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti
        );
        if right && join.join_type != JoinType::Inner || !keeps_left {
            return Err(not_supported("an outer join in the subquery"));
        }
        let (one, other) = match (left, right) {
            (false, true) => (None, Some(self.computed(&join.right)?)),
            (_, false) => (Some(self.computed(&join.left)?), None),
            (true, true) => (
                Some(self.computed(&join.left)?),
                Some(self.computed(&join.right)?),
            ),
        };
        let values = match (&one, &other) {
            (Some(inner), _) | (None, Some(inner)) => inner.values.clone(),
            (None, None) => Vec::new(),
        };
        let mut conditions = Vec::new();
        if let (Some(one), Some(other)) = (&one, &other) {
            let pairs = one.values.iter().cloned().zip(other.values.iter().cloned());
            conditions.extend(pairs.map(|(one, other)| same(one, other)));
        }
        for (one, other) in &join.on {
            let equal = one.clone().eq(other.clone());
            conditions.push(self.inside(equal, &values)?);
        }
        if let Some(filter) = &join.filter {
            conditions.push(self.inside(filter.clone(), &values)?);
        }
        let plan_of = |inner: Option<Inner>, own: &LogicalPlan| match inner {
            Some(inner) => inner.plan,
            None => own.clone(),
        };
        let (one, other) = (plan_of(one, &join.left), plan_of(other, &join.right));
        let joined = LogicalPlanBuilder::from(one).join_on(other, join.join_type, conditions);
        let plan = node(joined)?;
        Ok(Inner { plan, values })
    }
}

/// The same value, or NULL on both sides.
fn same(one: Column, other: Column) -> Expr {
    let (one, other) = (Box::new(Expr::Column(one)), Box::new(Expr::Column(other)));
    Expr::BinaryExpr(BinaryExpr::new(one, Operator::IsNotDistinctFrom, other))
}

/// The refusal of a subquery that depends on the query outside in a way that cannot be computed.
pub(super) fn not_supported(what: &str) -> Error {
    Error::analysis(format!(
        "a subquery cannot depend on the query outside through {what}"
    ))
    .with_condition(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
    )
    .with_hint("write it as a join, and group that")
}
