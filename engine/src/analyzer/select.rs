//! SELECT, and the frames that are one: from the rows of FROM to the select list, in order.
//!
//! ```text
//! FROM ─► WHERE ─► keys and items planned ─► grouped ─► HAVING ─► windows ─► QUALIFY
//!      ─► generator ─► select list (+ sort keys beside it) ─► DISTINCT ─► ORDER BY ─► names
//! ```

use std::collections::HashSet;

use datafusion::common::{Column, JoinType};
use datafusion::logical_expr::utils::{find_aggregate_exprs, find_window_exprs};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

use super::Analyzer;
use super::compare::{as_compared, as_grouped};
use super::expression::{Clause, Expressions};
use super::generate::is_generator;
use super::groups::{Grouped, Keys};
use super::held::HeldValues;
use super::name::lookup;
use super::output_names::output_name;
use super::over::windowed;
use super::planned::{Metadata, Planned, Visible, distinct_name, node, same_name};
use super::query::Context;
use super::relation::one_row;
use super::scope::Scope;
use super::typed::Typed;
use super::unmoved;
use crate::error::{Error, Result};
use crate::tree::{Call, Expression, GroupBy, Name, OrderBy, Select, WindowSpec};

/// One column of the select list.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub name: String,
    pub qualifier: Option<String>,
    pub plan_ids: Vec<i64>,
    /// Whether the query gave the name itself.
    pub is_alias: bool,
    pub typed: Typed,
    /// The names of the columns that a generator makes, if this is one.
    pub generator: Option<Generator>,
}

/// A generator in a select list.
#[derive(Debug, Clone)]
pub(super) struct Generator {
    pub names: Vec<String>,
}

/// What a select list is planned with.
pub(super) struct Parts<'q> {
    pub distinct: bool,
    pub items: &'q [Expression],
    pub filter: Option<&'q Expression>,
    pub group_by: &'q GroupBy,
    pub having: Option<&'q Expression>,
    pub qualify: Option<&'q Expression>,
    pub windows: &'q [(String, WindowSpec)],
    pub order_by: &'q OrderBy,
}

/// No ORDER BY.
pub(super) const UNSORTED: &OrderBy = &OrderBy::Keys(Vec::new());

impl<'q> Parts<'q> {
    /// A select list over rows that are grouped, with nothing else.
    pub(super) fn grouped(items: &'q [Expression], group_by: &'q GroupBy) -> Self {
        Self {
            distinct: false,
            items,
            filter: None,
            group_by,
            having: None,
            qualify: None,
            windows: &[],
            order_by: UNSORTED,
        }
    }
}

impl Analyzer<'_> {
    /// SELECT, with the ORDER BY of its query.
    pub(super) fn select(
        &self,
        select: &Select,
        order_by: &OrderBy,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let input = match &select.from {
            Some(from) => self.relation(from, context)?,
            None => one_row()?,
        };
        let parts = Parts {
            distinct: select.distinct,
            items: &select.items,
            filter: select.filter.as_ref(),
            group_by: &select.group_by,
            having: select.having.as_ref(),
            qualify: select.qualify.as_ref(),
            windows: &select.windows,
            order_by,
        };
        self.selected(input, &parts, context)
    }

    /// The columns of a select list over `input`.
    pub(super) fn selected(
        &self,
        input: Planned,
        parts: &Parts<'_>,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let input = match parts.filter {
            Some(filter) => self.filtered(input, filter, context)?,
            None => input,
        };
        let mut scope = Scope::with_subqueries(&input, context.outer, 0);
        scope
            .aliases
            .extend(self.group_windows(&scope, parts, context)?);
        scope.windows = scope.aliases.len();
        let (mut items, mut held) = self.items(&mut scope, parts, context)?;
        let is_sorted = !matches!(parts.order_by, OrderBy::Keys(keys) if keys.is_empty());
        if is_sorted && items.iter().any(|item| item.generator.is_some()) {
            // What is generated is sorted, so it must be there first.
            drop(scope);
            let unsorted = Parts {
                order_by: UNSORTED,
                filter: None,
                ..*parts
            };
            let planned = self.selected(input, &unsorted, context)?;
            return self.ordered(planned, parts.order_by, context);
        }
        let mut keys = self.keys(&scope, parts, &items, context)?;
        let mut subqueries = scope.taken_subqueries();

        // What is not in the select list, but computed beside it.
        let mut beside = Scope::with_subqueries(&input, context.outer, subqueries.len());
        beside.aliases.clone_from(&scope.aliases);
        beside.windows = scope.windows;
        beside.outputs = outputs(&items);
        beside.keys = keys.as_ref().map(Keys::columns).unwrap_or_default();
        let having = parts.having.map(|having| {
            let mut expressions = self.expressions(&beside, Clause::Having, context);
            expressions.windows = parts.windows;
            expressions.condition(having)
        });
        let mut having = having.transpose()?;
        beside.keys.clear();
        let qualify = parts.qualify.map(|qualify| {
            let mut expressions = self.expressions(&beside, Clause::Having, context);
            expressions.windows = parts.windows;
            expressions.condition(qualify)
        });
        let mut qualify = qualify.transpose()?;
        let mut sort = self.sort_keys(&beside, parts, &items, context)?;
        subqueries.extend(beside.taken_subqueries());
        drop(beside);
        drop(scope);

        let mut plan = input.plan.clone();
        for subquery in subqueries {
            if let Some(keys) = &mut keys {
                keys.add_dependent(&subquery.columns, subquery.outer());
            }
            plan = subquery.joined(plan, JoinType::Left)?;
        }
        let grouped_by = keys.as_ref().map(Keys::columns).unwrap_or_default();
        plan = held.computed(plan, |held| held.is_in(&grouped_by))?;
        let mut all: Vec<&mut Expr> = items.iter_mut().map(|item| &mut item.typed.expr).collect();
        all.extend(held.values());
        all.extend(having.as_mut());
        all.extend(qualify.as_mut());
        all.extend(sort.iter_mut().map(|sort| &mut sort.expr));
        let calls = find_aggregate_exprs(all.iter().map(|expr| &**expr));
        let is_grouped = !calls.is_empty() || keys.is_some() || parts.having.is_some();
        if is_grouped {
            let lacks_group_by = keys.is_none();
            let grouped = Grouped::plan(plan, keys.unwrap_or_default(), calls)?;
            for expr in all {
                let own = std::mem::take(expr);
                *expr = grouped.above(own, lacks_group_by)?;
            }
            plan = grouped.plan;
        }
        plan = held.computed(plan, |held| !held.has_window())?;
        if let Some(having) = having {
            plan = unmoved::filtered(plan, having)?;
        }
        let mut all: Vec<&mut Expr> = items.iter_mut().map(|item| &mut item.typed.expr).collect();
        all.extend(held.values());
        all.extend(qualify.as_mut());
        all.extend(sort.iter_mut().map(|sort| &mut sort.expr));
        let windows = find_window_exprs(all.iter().map(|expr| &**expr));
        if !windows.is_empty() {
            let (above, known) = windowed(plan, windows)?;
            plan = above;
            for expr in all {
                let own = std::mem::take(expr);
                *expr = super::groups::computed_from(own, &known)?;
            }
        }
        plan = held.computed(plan, |_| true)?;
        if let Some(qualify) = qualify {
            plan = unmoved::filtered(plan, qualify)?;
        }
        let (plan, items) = self.generated(plan, items)?;
        // The file of a row is known above the select list too.
        let files = match is_grouped || parts.distinct {
            true => Vec::new(),
            false => files(&input, &plan, &items),
        };
        self.projected(plan, items, files, sort, parts.distinct)
    }

    /// The rows that a condition leaves.
    pub(super) fn filtered(
        &self,
        input: Planned,
        condition: &Expression,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let (condition, subqueries) = {
            let scope = Scope::with_subqueries(&input, context.outer, 0);
            let expressions = self.expressions(&scope, Clause::Where, context);
            (expressions.condition(condition)?, scope.taken_subqueries())
        };
        let own = input.plan.schema().columns().into_iter().map(Expr::Column);
        let own: Vec<Expr> = own.collect();
        let is_joined = !subqueries.is_empty();
        let mut subqueries = subqueries.into_iter();
        let plan = subqueries.try_fold(input.plan.clone(), |plan, subquery| {
            subquery.joined(plan, JoinType::Left)
        })?;
        let mut plan = unmoved::filtered(plan, condition)?;
        if is_joined {
            plan = node(LogicalPlanBuilder::from(plan).project(own))?;
        }
        Ok(input.with_plan(plan))
    }

    /// The windows of time that a query groups by: its select list calls them `window`.
    fn group_windows(
        &self,
        scope: &Scope<'_>,
        parts: &Parts<'_>,
        context: &Context<'_>,
    ) -> Result<Vec<(String, Typed)>> {
        let mut windows = Vec::new();
        let GroupBy::Keys(keys) = parts.group_by else {
            return Ok(windows);
        };
        for key in keys {
            let crate::tree::GroupKey::Expression(expression) = key else {
                continue;
            };
            let (written, alias) = match expression {
                Expression::Alias { expression, names } => (expression.as_ref(), names.first()),
                written => (written, None),
            };
            let Expression::Call(call) = written else {
                continue;
            };
            if !is_time_window(call) {
                continue;
            }
            let expressions = self.expressions(scope, Clause::GroupBy, context);
            let typed = expressions.plan(written)?;
            windows.push((alias.unwrap_or(&call.name).clone(), typed));
        }
        Ok(windows)
    }

    /// The select list, stars written out; each item sees the names of those before it.
    fn items(
        &self,
        scope: &mut Scope<'_>,
        parts: &Parts<'_>,
        context: &Context<'_>,
    ) -> Result<(Vec<Item>, HeldValues)> {
        let mut items: Vec<Item> = Vec::new();
        let mut held = HeldValues::default();
        for item in parts.items {
            let planned = {
                let mut expressions = self.expressions(scope, Clause::Select, context);
                expressions.windows = parts.windows;
                self.item(&expressions, item, parts.group_by)?
            };
            for mut item in planned {
                if item.generator.is_none() {
                    item.typed = held.held(item.typed);
                }
                if item.is_alias {
                    scope.aliases.push((item.name.clone(), item.typed.clone()));
                }
                items.push(item);
            }
        }
        Ok((items, held))
    }

    /// The columns that one expression of a select list stands for.
    fn item(
        &self,
        expressions: &Expressions<'_>,
        item: &Expression,
        group_by: &GroupBy,
    ) -> Result<Vec<Item>> {
        let (expression, names) = match item {
            Expression::Alias { expression, names } => (expression.as_ref(), names.as_slice()),
            other => (other, &[][..]),
        };
        match expression {
            Expression::Star(star) => {
                let columns = expressions.star(star)?;
                Ok(columns
                    .into_iter()
                    .map(|(name, visible, typed)| Item {
                        name,
                        qualifier: visible.as_ref().and_then(|column| column.qualifier.clone()),
                        plan_ids: visible.map(|column| column.plan_ids).unwrap_or_default(),
                        is_alias: false,
                        typed,
                        generator: None,
                    })
                    .collect())
            }
            Expression::Matching(pattern) => expressions.matching(pattern),
            Expression::Call(call) if is_generator(&call.name) => {
                let (typed, own) = expressions.generator(call, false)?;
                let names = match names {
                    [] => own,
                    names if names.len() == own.len() => names.to_vec(),
                    names => {
                        return Err(Error::analysis(format!(
                            "{} gives {} columns, but {} names were given",
                            call.name,
                            own.len(),
                            names.len()
                        ))
                        .with_condition("UDTF_ALIAS_NUMBER_MISMATCH")
                        .with_place(call.place));
                    }
                };
                Ok(vec![Item {
                    name: names.first().cloned().unwrap_or_default(),
                    qualifier: None,
                    plan_ids: Vec::new(),
                    is_alias: false,
                    typed,
                    generator: Some(Generator { names }),
                }])
            }
            expression => {
                if let Expression::Call(call) = expression
                    && call.name == "window_time"
                    && groups_by_window(group_by)
                    && let [Expression::Name(name)] = call.arguments.as_slice()
                    && let [part] = name.parts.as_slice()
                    && same_name(part, "window")
                {
                    return Err(window_time_beside_window(&output_name(expression)));
                }
                let typed = expressions.plan(expression)?;
                let visible = match expression {
                    Expression::Name(name) if names.is_empty() => expressions.visible(name)?,
                    _ => None,
                };
                let name = match names {
                    [] if by_place(expression) => visible
                        .as_ref()
                        .map(|column| column.name.clone())
                        .unwrap_or_default(),
                    [] => expressions.shown_as.output_name(expression),
                    [name] => name.clone(),
                    names => {
                        return Err(Error::analysis(format!(
                            "one column was given {} names",
                            names.len()
                        ))
                        .with_condition("MULTI_ALIAS_WITHOUT_GENERATOR")
                        .with_hint("an alias needs exactly one name"));
                    }
                };
                Ok(vec![Item {
                    name,
                    qualifier: visible.as_ref().and_then(|column| column.qualifier.clone()),
                    plan_ids: visible.map(|column| column.plan_ids).unwrap_or_default(),
                    is_alias: !names.is_empty(),
                    typed,
                    generator: None,
                }])
            }
        }
    }

    fn keys(
        &self,
        scope: &Scope<'_>,
        parts: &Parts<'_>,
        items: &[Item],
        context: &Context<'_>,
    ) -> Result<Option<Keys>> {
        let mut expressions = self.expressions(scope, Clause::GroupBy, context);
        expressions.windows = parts.windows;
        Keys::plan(&expressions, parts.group_by, items)
    }

    /// The select list as the plan's columns, sorted.
    fn projected(
        &self,
        plan: LogicalPlan,
        items: Vec<Item>,
        files: Vec<Visible>,
        sort: Vec<SortExpr>,
        distinct: bool,
    ) -> Result<Planned> {
        let mut taken = HashSet::new();
        let mut columns: Vec<Visible> = Vec::new();
        let mut outputs: Vec<Expr> = Vec::new();
        let mut values: Vec<Expr> = Vec::new();
        let again: Vec<bool> = (0..items.len()).map(|at| is_again(&items, at)).collect();
        for (item, again) in items.into_iter().zip(again) {
            let name = distinct_name(&item.name, &mut taken);
            values.push(item.typed.expr.clone().unalias());
            let typed = match distinct {
                true => as_grouped(item.typed),
                false => item.typed,
            };
            let (expr, column) = match &typed.expr {
                // A column keeps its table's name if it can.
                Expr::Column(own) if own.name == name => (typed.expr.clone(), own.clone()),
                other => (
                    other.clone().unalias().alias(&name),
                    Column::new_unqualified(&name),
                ),
            };
            columns.push(Visible {
                qualifier: item.qualifier,
                name: item.name,
                column,
                field: typed.field,
                plan_ids: item.plan_ids,
                hidden: false,
                metadata: Metadata::No,
                again,
            });
            outputs.push(expr);
        }
        for file in files {
            outputs.push(Expr::Column(file.column.clone()));
            columns.push(file);
        }
        // Sort keys are columns of the select list, or columns beside it that go again.
        let mut keys: Vec<SortExpr> = Vec::new();
        let mut hidden: Vec<Expr> = Vec::new();
        for key in sort {
            let value = key.expr.clone().unalias();
            let mut own = values.iter().zip(&columns);
            let column = match own.find(|(other, _)| **other == value) {
                Some((_, own)) => own.column.clone(),
                None if distinct => {
                    return Err(Error::analysis(format!(
                        "ORDER BY {} is not in the select list of SELECT DISTINCT",
                        key.expr
                    ))
                    .with_condition("UNRESOLVED_COLUMN.WITH_SUGGESTION")
                    .with_hint("add it to the select list"));
                }
                None => {
                    let name = format!("__sort{}", hidden.len());
                    hidden.push(key.expr.clone().alias(&name));
                    Column::new_unqualified(name)
                }
            };
            let expr = Expr::Column(column);
            keys.push(SortExpr { expr, ..key });
        }
        let is_wide = !hidden.is_empty();
        outputs.extend(hidden);
        let mut plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
        if distinct {
            plan = node(LogicalPlanBuilder::from(plan).distinct())?;
        }
        if !keys.is_empty() {
            let keys = keys.into_iter().map(|key| {
                let typed = Typed::of(key.expr, plan.schema().as_ref())?;
                let expr = as_compared(typed).expr;
                Ok(SortExpr { expr, ..key })
            });
            let keys = keys.collect::<Result<Vec<_>>>()?;
            plan = node(LogicalPlanBuilder::from(plan).sort(keys))?;
        }
        if is_wide {
            let kept = columns
                .iter()
                .map(|column| Expr::Column(column.column.clone()));
            let kept: Vec<Expr> = kept.collect();
            plan = node(LogicalPlanBuilder::from(plan).project(kept))?;
        }
        let planned = Planned {
            plan: plan.clone(),
            columns,
        };
        Ok(planned.with_plan(plan))
    }
}

impl Expressions<'_> {
    /// The column that a name is, if it is no field of one.
    fn visible(&self, name: &Name) -> Result<Option<Visible>> {
        if !self.variables.is_empty() {
            return Ok(None);
        }
        Ok(match lookup(self.scope.columns, name)? {
            Some((column, [])) => Some(column.clone()),
            _ => None,
        })
    }
}

/// `_metadata` of an input's files, as far as it is not what an item is called or is.
fn files(input: &Planned, plan: &LogicalPlan, items: &[Item]) -> Vec<Visible> {
    let files = input.columns.iter().filter(|column| column.is_metadata());
    let files = files.filter(|file| {
        let clashes = items.iter().any(|item| {
            let is_it =
                matches!(&item.typed.expr, Expr::Column(own) if own.name == file.column.name);
            is_it || same_name(&item.name, &file.column.name)
        });
        !clashes && plan.schema().has_column(&file.column)
    });
    files.cloned().collect()
}

/// Whether an item is a column, or an item before it, that is in the list already under the same name.
fn is_again(items: &[Item], at: usize) -> bool {
    let (before, rest) = items.split_at(at);
    let Some(item) = rest.first().filter(|item| !item.is_alias) else {
        return false;
    };
    before
        .iter()
        .any(|other| same_name(&other.name, &item.name) && other.typed.expr == item.typed.expr)
}

/// What ORDER BY and HAVING call the items of a select list.
fn outputs(items: &[Item]) -> Vec<(String, Typed)> {
    let named = items.iter().filter(|item| item.generator.is_none());
    named
        .map(|item| (item.name.clone(), item.typed.clone()))
        .collect()
}

/// Whether an expression is a column by its place.
fn by_place(expression: &Expression) -> bool {
    matches!(expression, Expression::Name(name)
        if name.parts.first().is_some_and(|part| part.starts_with(super::planned::PLACE)))
}

/// Whether a call is a window of time.
pub(super) fn is_time_window(call: &Call) -> bool {
    matches!(call.name.as_str(), "window" | "session_window")
}

fn groups_by_window(group_by: &GroupBy) -> bool {
    let GroupBy::Keys(keys) = group_by else {
        return false;
    };
    keys.iter().any(|key| match key {
        crate::tree::GroupKey::Expression(Expression::Call(call)) => is_time_window(call),
        _ => false,
    })
}

fn window_time_beside_window(call: &str) -> Error {
    Error::analysis(format!(
        "{call} cannot stand in the query that groups by the window"
    ))
    .with_condition("MISSING_AGGREGATION")
    .with_hint(format!(
        "group in a subquery: SELECT *, {call} FROM (SELECT … GROUP BY window(…))"
    ))
}
