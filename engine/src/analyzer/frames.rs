//! The steps of frames that SQL has no word for: new, renamed and dropped columns, watermarks,
//! duplicates, groups with a function.

use std::collections::HashSet;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::Analyzer;
use super::chains::with_columns_chain;
use super::compare::as_grouped;
use super::expression::Clause;
use super::group_map::Grouped;
use super::planned::{Planned, Visible, node, same_name};
use super::query::Context;
use super::scope::Scope;
use super::select::{Parts, UNSORTED};
use super::set_operation::replaced;
use crate::error::{Error, Result, unresolved_column};
use crate::functions::has_fractions;
use crate::interval::parse_interval;
use crate::plan::{deduplicate, is_streaming, sample, with_watermark};
use crate::sql::{call, literal};
use crate::tree::{Expression, GroupBy, Name, OrderBy, Relation};

impl Analyzer<'_> {
    /// A step of a frame.
    pub(super) fn frame(&self, relation: &Relation, context: &Context<'_>) -> Result<Planned> {
        match relation {
            Relation::Project { input, expressions } => {
                let input = match input {
                    Some(input) => self.relation(input, context)?,
                    None => super::relation::one_row()?,
                };
                self.project(input, expressions, context)
            }
            Relation::Filter { input, condition } => {
                let input = self.relation(input, context)?;
                self.filtered(input, condition, context)
            }
            Relation::WithColumns { input, columns } => {
                let (start, steps) = with_columns_chain(input, columns);
                let start = self.relation(start, context)?;
                let mut steps = steps.iter();
                steps.try_fold(start, |input, columns| {
                    self.with_columns(input, columns, context)
                })
            }
            Relation::Renamed { input, renames } => {
                let mut input = self.relation(input, context)?;
                for column in &mut input.columns {
                    let mut renames = renames.iter();
                    let new = renames.find(|(old, _)| column.is_named(old));
                    if let Some((_, new)) = new {
                        column.name.clone_from(new);
                    }
                }
                settled(input)
            }
            Relation::Drop {
                input,
                names,
                columns,
            } => self.drop_columns(input, names, columns, context),
            Relation::ToDf { input, names } => {
                let mut input = self.relation(input, context)?;
                let width = input.shown().count();
                if width != names.len() {
                    return Err(Error::illegal_argument(format!(
                        "toDF got {} names for {width} columns",
                        names.len()
                    )));
                }
                input.columns.retain(|column| !column.hidden);
                for (column, name) in input.columns.iter_mut().zip(names) {
                    column.name.clone_from(name);
                }
                settled(input)
            }
            Relation::Aggregate(aggregate) => self.aggregate(aggregate, context),
            Relation::Sort { input, keys } => {
                if let Relation::Project {
                    input: Some(inner),
                    expressions,
                } = input.as_ref()
                {
                    // A key may be a column that was not selected.
                    let inner = self.relation(inner, context)?;
                    let order_by = OrderBy::Keys(keys.clone());
                    return self.project_in_order(inner, expressions, &order_by, context);
                }
                let input = self.relation(input, context)?;
                self.ordered(input, &OrderBy::Keys(keys.clone()), context)
            }
            Relation::Limit { input, rows } => {
                let rows = usize::try_from(*rows)
                    .map_err(|_| Error::illegal_argument("a limit cannot be negative"))?;
                let input = self.relation(input, context)?;
                let limit = LogicalPlanBuilder::from(input.plan.clone()).limit(0, Some(rows));
                let plan = node(limit)?;
                Ok(input.with_plan(plan))
            }
            Relation::Offset { input, rows } => {
                let rows = usize::try_from(*rows)
                    .map_err(|_| Error::illegal_argument("an offset cannot be negative"))?;
                let input = self.relation(input, context)?;
                let offset = LogicalPlanBuilder::from(input.plan.clone()).limit(rows, None);
                let plan = node(offset)?;
                Ok(input.with_plan(plan))
            }
            Relation::Sample {
                lower,
                upper,
                seed,
                input,
            } => {
                let input = self.relation(input, context)?;
                if is_streaming(&input.plan) {
                    let plan = sample(input.plan.clone())?;
                    return Ok(input.with_plan(plan));
                }
                let seed = seed.map(|seed| literal(seed.into()));
                let chance = call("rand", seed.into_iter().collect());
                let is_in = call(
                    "and",
                    vec![
                        call(">=", vec![chance.clone(), literal((*lower).into())]),
                        call("<", vec![chance, literal((*upper).into())]),
                    ],
                );
                self.filtered(input, &is_in, context)
            }
            Relation::FillNa {
                input,
                columns,
                values,
            } => self.fill_na(self.relation(input, context)?, columns, values, context),
            Relation::DropNa {
                input,
                columns,
                at_least,
            } => self.drop_na(self.relation(input, context)?, columns, *at_least, context),
            Relation::Replace {
                input,
                columns,
                pairs,
            } => self.replace_values(self.relation(input, context)?, columns, pairs, context),
            Relation::ToSchema { input, schema } => {
                self.to_schema(self.relation(input, context)?, schema, context)
            }
            Relation::Describe {
                input,
                columns,
                statistics,
            } => self.describe(self.relation(input, context)?, columns, statistics, context),
            Relation::WithWatermark {
                input,
                event_time,
                delay,
            } => {
                let input = self.relation(input, context)?;
                let delay_us = parse_interval(delay)?.micros()?;
                if delay_us < 0 {
                    return Err(Error::illegal_argument(format!(
                        "the watermark's delay '{delay}' is negative"
                    )));
                }
                let input = with_files(input)?;
                let plan = with_watermark(input.plan.clone(), event_time, delay_us / 1000)?;
                Ok(input.with_plan(plan))
            }
            Relation::Deduplicate {
                input,
                columns,
                within_watermark,
            } => {
                let input = self.relation(input, context)?;
                let input = with_distinct_names(as_shown(input)?)?;
                let keys = columns_named(&input, columns)?;
                let input = match is_streaming(&input.plan) {
                    true => input,
                    false => with_equal_the_same(input, &keys)?,
                };
                let plan = deduplicate(input.plan.clone(), keys, *within_watermark)?;
                Ok(input.with_plan(plan))
            }
            Relation::GroupMap {
                input,
                keys,
                initial,
                map,
            } => {
                let grouped = self.grouped(input, keys, context)?;
                let initial = initial
                    .as_ref()
                    .map(|(initial, keys)| self.grouped(initial, keys, context));
                Ok(Planned::of(self.plan_groups(
                    map,
                    grouped,
                    initial.transpose()?,
                )?))
            }
            other => Err(Error::internal(format!("no step of a frame: {other:?}"))),
        }
    }

    /// A frame and what it is grouped by, for a function over groups.
    fn grouped(
        &self,
        input: &Relation,
        keys: &[Expression],
        context: &Context<'_>,
    ) -> Result<Grouped> {
        let input = as_shown(self.relation(input, context)?)?;
        let scope = Scope::of(&input, context.outer);
        let expressions = self.expressions(&scope, Clause::GroupBy, context);
        let named = keys.iter().map(|key| {
            let expr = expressions.plan(key)?.expr;
            Ok(match expr {
                Expr::Column(column) => Expr::Column(column),
                other => other.alias(super::output_names::output_name(key)),
            })
        });
        let keys = named.collect::<Result<Vec<Expr>>>()?;
        drop(expressions);
        Ok(Grouped {
            plan: input.plan,
            keys,
        })
    }

    /// `select`.
    pub(super) fn project(
        &self,
        input: Planned,
        expressions: &[Expression],
        context: &Context<'_>,
    ) -> Result<Planned> {
        self.project_in_order(input, expressions, UNSORTED, context)
    }

    /// `select(…).orderBy(…)`.
    fn project_in_order(
        &self,
        input: Planned,
        expressions: &[Expression],
        order_by: &OrderBy,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let parts = Parts {
            order_by,
            ..Parts::grouped(expressions, &GroupBy::None)
        };
        self.selected(input, &parts, context)
    }

    /// Puts new columns behind the others, or in the place of those with the same names.
    fn with_columns(
        &self,
        input: Planned,
        columns: &[(String, Expression)],
        context: &Context<'_>,
    ) -> Result<Planned> {
        let value_of = |name: &str| columns.iter().find(|(new, _)| same_name(new, name));
        let named = |name: &str, value: &Expression| Expression::Alias {
            expression: Box::new(value.clone()),
            names: vec![name.to_string()],
        };
        let mut items: Vec<Expression> = Vec::new();
        let mut replaced: Vec<&str> = Vec::new();
        for (index, column) in input.shown().enumerate() {
            match value_of(&column.name) {
                Some((name, value)) => {
                    replaced.push(name);
                    items.push(named(name, value));
                }
                None => {
                    items.push(at_place(index));
                }
            }
        }
        for (name, value) in columns {
            if !replaced.iter().any(|other| same_name(other, name)) {
                items.push(named(name, value));
            }
        }
        self.project(input, &items, context)
    }

    fn drop_columns(
        &self,
        input: &Relation,
        names: &[String],
        columns: &[Expression],
        context: &Context<'_>,
    ) -> Result<Planned> {
        let mut input = self.relation(input, context)?;
        let dropped = {
            let scope = Scope::of(&input, context.outer);
            let expressions = self.expressions(&scope, Clause::Select, context);
            let mut dropped = Vec::new();
            for column in columns {
                if let Expression::Name(name) = column
                    && let Some(typed) = expressions.find(name)?
                {
                    dropped.push(typed.expr);
                }
            }
            dropped
        };
        input.columns.retain(|column| {
            let is_named = names.iter().any(|name| column.is_named(name));
            !is_named && !dropped.contains(&Expr::Column(column.column.clone()))
        });
        settled(input)
    }
}

/// A column by its place, since another column may have its name.
pub(super) fn at_place(index: usize) -> Expression {
    Expression::Name(Name {
        parts: vec![format!("{}{}", super::planned::PLACE, index)],
        plan_id: None,
        place: None,
    })
}

/// All columns of these names, of which several may have one; without names, all columns.
fn columns_named(planned: &Planned, names: &[String]) -> Result<Vec<Column>> {
    if names.is_empty() {
        return Ok(planned.shown().map(|shown| shown.column.clone()).collect());
    }
    let mut columns: Vec<Column> = Vec::new();
    for name in names {
        let named = planned.shown().filter(|column| column.is_named(name));
        let named: Vec<Column> = named.map(|column| column.column.clone()).collect();
        if named.is_empty() {
            return Err(unresolved_column(name, &planned.names())
                .context("dropDuplicates needs a column of the frame"));
        }
        columns.extend(named);
    }
    Ok(columns)
}

/// The same, in the plan no two columns of one name.
fn with_distinct_names(planned: Planned) -> Result<Planned> {
    let mut names = HashSet::new();
    let mut columns = planned.columns.iter();
    match columns.all(|column| names.insert(column.column.name.to_lowercase())) {
        true => Ok(planned),
        false => settled(planned),
    }
}

/// The same, equal values of some columns the same.
fn with_equal_the_same(planned: Planned, keys: &[Column]) -> Result<Planned> {
    let is_key = |column: &Column| keys.contains(column);
    let differs = |column: &Visible| has_fractions(column.field.data_type());
    let may_differ = planned
        .shown()
        .any(|column| is_key(&column.column) && differs(column));
    if !may_differ {
        return Ok(planned);
    }
    replaced(planned, |typed| {
        Ok(match &typed.expr {
            Expr::Column(column) if is_key(column) => as_grouped(typed),
            _ => typed,
        })
    })
}

/// The same if the plan has columns that nobody sees, or has them in another order or under other names.
fn as_shown(planned: Planned) -> Result<Planned> {
    match planned.columns.iter().any(|column| column.hidden) {
        true => settled(planned),
        false => with_files(planned),
    }
}

/// The same, where the file of a row may still be asked for.
fn with_files(planned: Planned) -> Result<Planned> {
    let own = planned.plan.schema().columns();
    let is_seen = |column: &Visible| {
        column.is_metadata() || !column.hidden && column.is_named(&column.column.name)
    };
    let is_same = planned.columns.iter().all(is_seen)
        && planned
            .columns
            .iter()
            .map(|column| &column.column)
            .eq(own.iter());
    match is_same {
        true => Ok(planned),
        false => settled(planned),
    }
}

/// The columns as the plan's own, so that later steps find them by their names.
fn settled(planned: Planned) -> Result<Planned> {
    let columns = planned.columns.clone();
    let plan = planned.distinct()?;
    let own = plan.schema().columns().into_iter();
    let shown = columns.into_iter().filter(|column| !column.hidden);
    let columns = own
        .zip(shown)
        .map(|(column, visible)| Visible { column, ..visible });
    let planned = Planned {
        columns: columns.collect(),
        plan: plan.clone(),
    };
    Ok(planned.with_plan(plan))
}
