//! Semi and anti joins of a stream with a table, put below the aggregations and the joins of streams that they
//! stand above: as in Spark, what the table takes away takes no place in a state.
//!
//! ```text
//! SemiJoin(Aggregate(stream), table)     ─► Aggregate(SemiJoin(stream, table))     on columns that are grouped by
//! SemiJoin(Join(left, right), table)     ─► Join(SemiJoin(left, table), right)     on columns of one side
//! ```
//! Spark does the first one only with something that must be equal, and if the table is small enough to be
//! broadcast (10 MB, unless set otherwise); here every table counts as that small, so that the same query
//! always has the same plan. An aggregation over several grouping sets stays as it is.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprSchemable, Join, LogicalPlan, Projection, SubqueryAlias, Union,
};
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerRule};

use super::event_time::session_bound_of;
use super::join_condition::JoinCondition;
use super::streaming_relation::{is_streaming, joins_streams};
use crate::error::{Result, from_datafusion};

/// Lets tables take away rows of streams before these are remembered.
pub(super) fn semi_joins_first(plan: LogicalPlan, session: &SessionState) -> Result<LogicalPlan> {
    let asked = Asked::of(&plan).map_err(from_datafusion)?;
    if !(asked.joins || asked.of_table || asked.of_row) {
        return Ok(plan);
    }
    // A condition that can go further down is not in the way. One that asks whether a value is in a table
    // goes like any other, also before a watermark; one that asks the table about each row is a join first.
    let push = || Arc::new(PushDownFilter::new()) as Arc<dyn OptimizerRule + Send + Sync>;
    let as_joins = Arc::new(DecorrelatePredicateSubquery::new());
    let mut rules = vec![as_joins, push()];
    if !asked.of_row {
        rules.insert(0, push());
    }
    let moved = Optimizer::with_rules(rules).optimize(plan.clone(), session, |_, _| {});
    let lower = moved
        .and_then(|plan| plan.transform_up(lowered))
        .map_err(from_datafusion)?;
    let is_moved = asked.of_table && !asked.of_row;
    Ok(match lower.transformed || is_moved {
        true => lower.data,
        false => plan,
    })
}

/// In which ways a plan asks a table about rows of a stream.
#[derive(Debug, Default)]
struct Asked {
    /// By a semi or anti join.
    joins: bool,
    /// By a condition that a value is in the table.
    of_table: bool,
    /// By a condition with a query of its own for each row.
    of_row: bool,
}

impl Asked {
    fn of(plan: &LogicalPlan) -> DataFusionResult<Self> {
        let mut asked = Self::default();
        plan.apply(|node| {
            asked.joins |= semi_join(node).is_some();
            if let LogicalPlan::Filter(filter) = node
                && is_streaming(&filter.input)
            {
                filter.predicate.apply(|part| {
                    match part {
                        Expr::InSubquery(of) if of.subquery.outer_ref_columns.is_empty() => {
                            asked.of_table = true;
                        }
                        Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => {
                            asked.of_row = true;
                        }
                        _ => {}
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(asked)
    }
}

/// A node that keeps the rows of a stream that a table has, or has not.
fn semi_join(node: &LogicalPlan) -> Option<&Join> {
    let LogicalPlan::Join(join) = node else {
        return None;
    };
    let is_semi = matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti);
    let with_table = is_streaming(&join.left) && !is_streaming(&join.right);
    (is_semi && with_table).then_some(join)
}

fn lowered(node: LogicalPlan) -> DataFusionResult<Transformed<LogicalPlan>> {
    let below = match semi_join(&node) {
        Some(join) => Lookup::of(join).below(&join.left)?,
        None => None,
    };
    Ok(match below {
        Some(below) => Transformed::yes(below),
        None => Transformed::no(node),
    })
}

/// A semi or anti join without its left side.
#[derive(Clone)]
struct Lookup {
    /// Its expressions are of the columns of whatever is joined.
    join: Join,
    /// Whether something is looked up that must be equal: what Spark asks of a join that it puts below an
    /// aggregation.
    compares: bool,
}

impl Lookup {
    fn of(join: &Join) -> Self {
        Self {
            join: join.clone(),
            compares: !JoinCondition::of(join).keys.is_empty(),
        }
    }

    /// The lookup somewhere below `input`; `None` if it would not be below anything that remembers.
    fn below(&self, input: &LogicalPlan) -> DataFusionResult<Option<LogicalPlan>> {
        match input {
            LogicalPlan::Projection(projection) => self.below_projection(projection),
            LogicalPlan::SubqueryAlias(alias) => self.below_alias(alias),
            LogicalPlan::Aggregate(aggregate) => self.below_aggregate(aggregate),
            LogicalPlan::Distinct(Distinct::All(of)) if self.compares => {
                let Some(lookup) = self.moved(input, of, |at| column_of(of, at)) else {
                    return Ok(None);
                };
                let of = Arc::new(lookup.over(of)?);
                Ok(Some(LogicalPlan::Distinct(Distinct::All(of))))
            }
            LogicalPlan::Join(join) => self.below_join(join),
            LogicalPlan::Union(union) => self.below_union(union),
            _ => Ok(None),
        }
    }

    /// The lookup on `input` or somewhere below it.
    fn over(&self, input: &LogicalPlan) -> DataFusionResult<LogicalPlan> {
        if let Some(below) = self.below(input)? {
            return Ok(below);
        }
        let join = &self.join;
        Join::try_new(
            Arc::new(input.clone()),
            Arc::clone(&join.right),
            join.on.clone(),
            join.filter.clone(),
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )
        .map(LogicalPlan::Join)
    }

    fn below_projection(&self, projection: &Projection) -> DataFusionResult<Option<LogicalPlan>> {
        if projection.expr.iter().any(Expr::is_volatile) {
            return Ok(None);
        }
        let output = LogicalPlan::Projection(projection.clone());
        let value = |at: usize| projection.expr.get(at).cloned().map(Expr::unalias_nested);
        let value = |at: usize| value(at).map(|value| value.data);
        let Some(lookup) = self.moved(&output, &projection.input, value) else {
            return Ok(None);
        };
        let below = lookup.below(&projection.input)?;
        let projected = below.map(|input| {
            let outputs = projection.expr.clone();
            Projection::try_new(outputs, Arc::new(input)).map(LogicalPlan::Projection)
        });
        projected.transpose()
    }

    fn below_alias(&self, alias: &SubqueryAlias) -> DataFusionResult<Option<LogicalPlan>> {
        let (output, input) = (LogicalPlan::SubqueryAlias(alias.clone()), &alias.input);
        let Some(lookup) = self.moved(&output, input, |at| column_of(input, at)) else {
            return Ok(None);
        };
        let below = lookup.below(input)?;
        let aliased = below.map(|input| {
            let name = alias.alias.clone();
            SubqueryAlias::try_new(Arc::new(input), name).map(LogicalPlan::SubqueryAlias)
        });
        aliased.transpose()
    }

    /// Below an aggregation, if all that is looked up is grouped by.
    fn below_aggregate(&self, aggregate: &Aggregate) -> DataFusionResult<Option<LogicalPlan>> {
        let (keys, input) = (&aggregate.group_expr, &aggregate.input);
        let is_set = keys.iter().any(|key| matches!(key, Expr::GroupingSet(_)));
        let mut volatile = keys.iter().chain(&aggregate.aggr_expr);
        if keys.is_empty() || is_set || !self.compares || volatile.any(Expr::is_volatile) {
            return Ok(None);
        }
        let output = LogicalPlan::Aggregate(aggregate.clone());
        let key = |at: usize| {
            let key = keys.get(at)?.clone().unalias_nested().data;
            let (_, field) = key.to_field(input.schema()).ok()?;
            // Where a session begins and ends is known only when it is complete.
            session_bound_of(&field).is_none().then_some(key)
        };
        let Some(lookup) = self.moved(&output, input, key) else {
            return Ok(None);
        };
        let input = Arc::new(lookup.over(input)?);
        let aggregations = aggregate.aggr_expr.clone();
        let below = Aggregate::try_new(input, keys.clone(), aggregations)?;
        Ok(Some(LogicalPlan::Aggregate(below)))
    }

    /// To the side of a join that all that is looked up belongs to, if none of that side's rows come out
    /// without it.
    fn below_join(&self, inner: &Join) -> DataFusionResult<Option<LogicalPlan>> {
        let (to_left, to_right) = match inner.join_type {
            JoinType::Inner => (true, true),
            JoinType::Left => (true, false),
            JoinType::Right => (false, true),
            _ => (false, false),
        };
        let output = LogicalPlan::Join(inner.clone());
        let width = inner.left.schema().fields().len();
        let on_left = |at: usize| column_of(&inner.left, at);
        let on_right = |at: usize| column_of(&inner.right, at.checked_sub(width)?);
        let remembers = joins_streams(inner);
        let side = |lookup: Self, side: &LogicalPlan| match remembers {
            true => lookup.over(side).map(Some),
            false => lookup.below(side),
        };
        let mut lower = inner.clone();
        if to_left && let Some(lookup) = self.moved(&output, &inner.left, on_left) {
            let Some(left) = side(lookup, &inner.left)? else {
                return Ok(None);
            };
            lower.left = Arc::new(left);
        } else if to_right && let Some(lookup) = self.moved(&output, &inner.right, on_right) {
            let Some(right) = side(lookup, &inner.right)? else {
                return Ok(None);
            };
            lower.right = Arc::new(right);
        } else {
            return Ok(None);
        }
        Ok(Some(LogicalPlan::Join(lower)))
    }

    /// To every input of a union, if one of them remembers.
    fn below_union(&self, union: &Union) -> DataFusionResult<Option<LogicalPlan>> {
        let output = LogicalPlan::Union(union.clone());
        let (mut inputs, mut is_below) = (Vec::new(), false);
        for input in &union.inputs {
            let Some(lookup) = self.moved(&output, input, |at| column_of(input, at)) else {
                return Ok(None);
            };
            is_below |= lookup.below(input)?.is_some();
            inputs.push(Arc::new(lookup.over(input)?));
        }
        Ok(is_below.then(|| {
            LogicalPlan::Union(Union {
                inputs,
                schema: Arc::clone(&union.schema),
            })
        }))
    }

    /// The lookup of the rows of `input`, where `value` says what of them the columns of `output` are;
    /// `None` if it says so not of all that is looked up.
    fn moved(
        &self,
        output: &LogicalPlan,
        input: &LogicalPlan,
        value: impl Fn(usize) -> Option<Expr>,
    ) -> Option<Self> {
        // What is called alike on both sides could not be told apart.
        let table = self.join.right.schema();
        let mut columns = input.schema().columns().into_iter();
        if columns.any(|column| table.has_column(&column)) {
            return None;
        }
        let moved = |expr: &Expr| {
            let own = |column: &Column| output.schema().maybe_index_of_column(column);
            let mut is_known = true;
            let moved = expr.clone().transform(|part| match part {
                Expr::Column(column) => Ok(match own(&column).map(&value) {
                    Some(Some(value)) => Transformed::yes(value),
                    Some(None) => {
                        is_known = false;
                        Transformed::no(Expr::Column(column))
                    }
                    None => Transformed::no(Expr::Column(column)),
                }),
                other => Ok(Transformed::no(other)),
            });
            moved.ok().filter(|_| is_known).map(|moved| moved.data)
        };
        let on = self.join.on.iter();
        let on = on.map(|(left, right)| Some((moved(left)?, right.clone())));
        let filter = self.join.filter.as_ref();
        Some(Self {
            join: Join {
                on: on.collect::<Option<_>>()?,
                filter: match filter {
                    Some(filter) => Some(moved(filter)?),
                    None => None,
                },
                ..self.join.clone()
            },
            compares: self.compares,
        })
    }
}

/// A column by its place.
fn column_of(plan: &LogicalPlan, at: usize) -> Option<Expr> {
    let schema = plan.schema();
    (at < schema.fields().len()).then(|| Expr::Column(Column::from(schema.qualified_field(at))))
}
