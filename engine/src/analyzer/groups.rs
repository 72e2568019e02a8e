//! Grouping: the keys of GROUP BY, the aggregation, and what stands above it.

use std::collections::HashSet;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{
    Expr, ExprSchemable, GroupingSet, LogicalPlan, LogicalPlanBuilder, lit,
};

use super::compare::as_grouped;
use super::expression::Expressions;
use super::held::HeldValues;
use super::order::ordinal;
use super::planned::{distinct_name, node, same_name};
use super::select::Item;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::{Expression, GroupBy, GroupKey};

/// How many rows a group has, where that is asked.
const ROWS: &str = "__rows_of_group";
/// How many sets of keys one query may have.
const MAX_SETS: usize = 65_536;

/// The keys of a query.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// All of them.
    all: Vec<Expr>,
    /// What they are where equal values may differ, and what is grouped by then.
    canonical: Vec<(Expr, Expr)>,
    /// The sets that they are grouped by; none is all of them together.
    sets: Option<Vec<Vec<Expr>>>,
}

impl Keys {
    /// The keys as the query has them.
    pub(super) fn columns(&self) -> Vec<Expr> {
        let own = self.canonical.iter().map(|(own, _)| own);
        own.chain(&self.all).cloned().collect()
    }

    /// Groups by what depends on the keys only too.
    pub(super) fn add_dependent<'c>(
        &mut self,
        columns: &[Column],
        mut depends_on: impl Iterator<Item = &'c Column>,
    ) {
        let is_key = |column: &Column| self.all.contains(&Expr::Column(column.clone()));
        if self.sets.is_none() && depends_on.all(is_key) {
            self.all.extend(columns.iter().cloned().map(Expr::Column));
        }
    }

    /// What is grouped by.
    fn key(&mut self, key: Typed) -> Expr {
        let own = key.expr.clone();
        let key = as_grouped(key).expr;
        if key != own {
            self.canonical.push((own, key.clone()));
        }
        key
    }

    /// The keys of GROUP BY; `None` without one.
    pub(super) fn plan(
        expressions: &Expressions<'_>,
        group_by: &GroupBy,
        items: &[Item],
    ) -> Result<Option<Self>> {
        let keys = match group_by {
            GroupBy::None => return Ok(None),
            GroupBy::All => {
                let mut own = Self::default();
                let plain = items.iter().filter(|item| !has_aggregate(&item.typed.expr));
                let all = plain.map(|item| own.key(item.typed.clone()));
                let all: Vec<Expr> = all.collect();
                own.all = all;
                return Ok(Some(own));
            }
            GroupBy::Keys(keys) => keys,
        };
        let mut own = Self::default();
        let mut parts: Vec<Vec<Vec<Expr>>> = Vec::new();
        let mut has_sets = false;
        for key in keys {
            let mut lists = |lists: &[Vec<Expression>]| {
                let lists = lists.iter().map(|list| {
                    let keys = list
                        .iter()
                        .map(|key| Ok(own.key(key_of(expressions, key, items)?)));
                    keys.collect::<Result<Vec<Expr>>>()
                });
                lists.collect::<Result<Vec<_>>>()
            };
            let sets = match key {
                GroupKey::Expression(key) => lists(&[vec![key.clone()]])?,
                GroupKey::Rollup(keys) => {
                    has_sets = true;
                    let keys = lists(keys)?;
                    let first = |count| keys.iter().take(count).flatten().cloned().collect();
                    (0..=keys.len()).rev().map(first).collect()
                }
                GroupKey::Cube(keys) => {
                    has_sets = true;
                    let keys = lists(keys)?;
                    if keys.len() > 12 {
                        return Err(too_many_sets());
                    }
                    let sets = (0..1_usize << keys.len()).map(|left_out| {
                        let kept = keys.iter().enumerate();
                        let last = keys.len() - 1;
                        let kept = kept.filter(|(at, _)| left_out >> (last - at) & 1 == 0);
                        kept.flat_map(|(_, key)| key.clone()).collect()
                    });
                    sets.collect()
                }
                GroupKey::Sets(sets) => {
                    has_sets = true;
                    lists(sets)?
                }
            };
            for key in sets.iter().flatten() {
                if !own.all.contains(key) {
                    own.all.push(key.clone());
                }
            }
            parts.push(sets);
        }
        let mut sets: Vec<Vec<Expr>> = vec![Vec::new()];
        for part in parts {
            if sets.len().saturating_mul(part.len()) > MAX_SETS {
                return Err(too_many_sets());
            }
            let combined = sets.iter().flat_map(|set| {
                part.iter().map(move |more| {
                    let mut set = set.clone();
                    let new = more.iter().filter(|key| !set.contains(key)).cloned();
                    let new: Vec<Expr> = new.collect();
                    set.extend(new);
                    set
                })
            });
            sets = combined.collect();
        }
        own.sets = has_sets.then_some(sets);
        Ok(Some(own))
    }
}

fn too_many_sets() -> Error {
    Error::analysis(format!("GROUP BY has more than {MAX_SETS} grouping sets"))
        .with_condition("GROUPING_SIZE_LIMIT_EXCEEDED")
}

/// One key: the number of a select item, a column, or the name of a select item.
fn key_of(expressions: &Expressions<'_>, key: &Expression, items: &[Item]) -> Result<Typed> {
    if let Some((number, Item { typed, .. })) = ordinal(key, items, "GROUP BY")? {
        if has_aggregate(&typed.expr) {
            return Err(
                Error::analysis(format!("GROUP BY {number} is an aggregate"))
                    .with_condition("GROUP_BY_POS_AGGREGATE")
                    .with_hint("group by columns, and put the aggregate into SELECT"),
            );
        }
        return Ok(typed.clone());
    }
    if let Expression::Name(name) = key
        && let [own] = name.parts.as_slice()
        && super::name::lookup(expressions.scope.columns, name)?.is_none()
        && let Some(item) = items
            .iter()
            .find(|item| item.is_alias && same_name(&item.name, own))
    {
        if has_aggregate(&item.typed.expr) {
            return Err(
                Error::analysis(format!("GROUP BY cannot use the aggregate {own}"))
                    .with_condition("GROUP_BY_AGGREGATE")
                    .with_hint("group by columns, and put the aggregate into SELECT"),
            );
        }
        return Ok(item.typed.clone());
    }
    expressions.plan(key)
}

fn has_aggregate(expr: &Expr) -> bool {
    let found = expr.exists(|expr| Ok(matches!(expr, Expr::AggregateFunction(_))));
    found.unwrap_or(false)
}

/// A planned aggregation.
#[derive(Debug)]
pub(super) struct Grouped {
    pub plan: LogicalPlan,
    /// What it computes, and the column that holds it.
    known: Vec<(Expr, Expr)>,
    keys: Keys,
}

impl Grouped {
    /// `input` grouped by `keys`, with the aggregates `calls`.
    pub(super) fn plan(input: LogicalPlan, keys: Keys, calls: Vec<Expr>) -> Result<Self> {
        let calls: Vec<Expr> = calls
            .into_iter()
            .map(|call| with_all_keys(call, &keys))
            .collect();
        let mut names: HashSet<String> = HashSet::new();
        let mut outputs = Vec::new();
        for key in &keys.all {
            let (relation, field) = key.to_field(input.schema()).map_err(from_datafusion)?;
            names.insert(field.name().to_lowercase());
            outputs.push(Expr::Column(Column::new(relation, field.name())));
        }
        // Two calls that differ in a type only have one name; in the plan they must not.
        let aggregates = calls.iter().map(|call| {
            let own = call.schema_name().to_string();
            let distinct = distinct_name(&own, &mut names);
            match distinct == own {
                true => (call.clone(), Column::new_unqualified(own)),
                false => (
                    call.clone().alias(&distinct),
                    Column::new_unqualified(distinct),
                ),
            }
        });
        let (mut aggregates, results): (Vec<Expr>, Vec<Column>) = aggregates.unzip();
        // Of no rows there are no groups, not even the one of all of them.
        let makes_total = keys.sets.iter().flatten().any(Vec::is_empty);
        // HAVING alone makes all rows one group, of which nothing need be known.
        if makes_total || aggregates.is_empty() && keys.all.is_empty() {
            let rows = count_udaf().call(vec![lit(COUNT_STAR_EXPANSION)]);
            aggregates.push(rows.alias(ROWS));
        }
        let groups = match keys.sets {
            None => keys.all.clone(),
            Some(ref sets) => vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets.clone()))],
        };
        let grouped = LogicalPlanBuilder::from(input).aggregate(groups, aggregates);
        let mut plan = node(grouped)?;
        if makes_total {
            let some = Expr::Column(Column::new_unqualified(ROWS)).gt(lit(0_i64));
            plan = node(LogicalPlanBuilder::from(plan).filter(some))?;
        }
        let as_spoken = keys.canonical.iter().filter_map(|(own, key)| {
            let mut known = keys.all.iter().zip(&outputs);
            let (_, output) = known.find(|(other, _)| *other == key)?;
            Some((own.clone(), output.clone()))
        });
        let as_spoken: Vec<(Expr, Expr)> = as_spoken.collect();
        let keys_known = keys.all.iter().cloned().map(Expr::unalias).zip(outputs);
        let known: Vec<(Expr, Expr)> = calls
            .into_iter()
            .zip(results.into_iter().map(Expr::Column))
            .chain(keys_known)
            .chain(as_spoken)
            .collect();
        Ok(Self { plan, known, keys })
    }

    /// An expression of the rows below as one of the groups.
    pub(super) fn above(&self, expr: Expr, lacks_group_by: bool) -> Result<Expr> {
        let keys: Vec<Expr> = self
            .known
            .iter()
            .map(|(_, column)| column.clone())
            .collect();
        let own = with_all_keys_of(expr, &self.keys);
        let computed = computed_from(own, &self.known)?;
        let columns = computed.column_refs().into_iter().cloned();
        let is_known = |column: &Column| {
            keys.contains(&Expr::Column(column.clone())) || HeldValues::is_held(column)
        };
        let mut missing = columns.filter(|column| !is_known(column));
        let Some(column) = missing.next() else {
            return Ok(computed);
        };
        let error = Error::analysis(format!(
            "column '{}' is neither in GROUP BY nor in an aggregate",
            column.name
        ));
        Err(match lacks_group_by {
            true => error
                .with_condition("MISSING_GROUP_BY")
                .with_hint("add GROUP BY with the columns that stand beside the aggregate"),
            false => error.with_condition("MISSING_AGGREGATION").with_hint(
                "add the column to GROUP BY or put it into an aggregate such as first(…)",
            ),
        })
    }
}

/// `grouping_id()` is that of all keys, and `grouping(k)` that of what is grouped by for `k`.
fn with_all_keys(call: Expr, keys: &Keys) -> Expr {
    match call {
        Expr::AggregateFunction(mut own) if own.func.name() == "grouping" => {
            match own.params.args.is_empty() {
                true => own.params.args.clone_from(&keys.all),
                false => {
                    for argument in &mut own.params.args {
                        let mut canonical = keys.canonical.iter();
                        if let Some((_, key)) = canonical.find(|(own, _)| own == argument) {
                            *argument = key.clone();
                        }
                    }
                }
            }
            Expr::AggregateFunction(own)
        }
        other => other,
    }
}

fn with_all_keys_of(expr: Expr, keys: &Keys) -> Expr {
    let is_grouping =
        |expr: &Expr| matches!(expr, Expr::AggregateFunction(own) if own.func.name() == "grouping");
    let replaced = expr.clone().transform_up(|expr| {
        Ok(match is_grouping(&expr) {
            true => Transformed::yes(with_all_keys(expr, keys)),
            false => Transformed::no(expr),
        })
    });
    replaced.map_or(expr, |replaced| replaced.data)
}

/// `value` with every expression in `known` replaced by the column that holds it already.
pub(super) fn computed_from(value: Expr, known: &[(Expr, Expr)]) -> Result<Expr> {
    let computed = value.transform_down(|expr| {
        let column = known.iter().find(|(call, _)| call == &expr);
        Ok(match column {
            Some((_, column)) => Transformed::new(column.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        })
    });
    Ok(computed.map_err(from_datafusion)?.data)
}
