//! Generators: `explode` and its kind, in a select list, as LATERAL VIEW and as a table.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, UnnestOptions};
use datafusion::functions::core::get_field;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::Analyzer;
use super::expression::{Clause, Expressions};
use super::planned::{Metadata, Planned, Visible, node};
use super::query::{Context, wrong_number_of_names};
use super::scope::Scope;
use super::select::Item;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::{Call, LateralView};

/// The column of generated rows.
const ROWS: &str = "__rows";

/// Generators, and the functions that give their rows as an array of structs.
const GENERATORS: &[(&str, &str)] = &[
    ("explode", "explode_rows"),
    ("inline", "inline_rows"),
    ("json_tuple", "json_tuple_rows"),
    ("posexplode", "posexplode_rows"),
    ("stack", "stack_rows"),
];

/// Whether a function gives several rows for one.
pub(super) fn is_generator(name: &str) -> bool {
    rows_of(name).is_some()
}

/// Generators of other names, which give a row of NULLs where there is none.
const OUTER: &[(&str, &str)] = &[
    ("explode_outer", "explode"),
    ("inline_outer", "inline"),
    ("posexplode_outer", "posexplode"),
];

/// The generators' names.
pub(crate) fn generators() -> impl Iterator<Item = &'static str> {
    let outer = OUTER.iter().map(|(name, _)| *name);
    GENERATORS.iter().map(|(name, _)| *name).chain(outer)
}

/// Whether a function gives the rows of a generator as an array.
pub(super) fn is_rows_function(name: &str) -> bool {
    GENERATORS.iter().any(|(_, rows)| *rows == name)
}

fn rows_of(name: &str) -> Option<&'static str> {
    let outer = OUTER.iter().find(|(own, _)| *own == name);
    let plain = outer.map_or(name, |(_, plain)| plain);
    let mut known = GENERATORS.iter();
    known.find(|(own, _)| *own == plain).map(|(_, rows)| *rows)
}

impl Expressions<'_> {
    /// A generator as an array of structs, and the names of the columns it gives.
    pub(super) fn generator(&self, call: &Call, outer: bool) -> Result<(Typed, Vec<String>)> {
        let rows = rows_of(&call.name);
        let rows = rows.ok_or_else(|| {
            Error::analysis(format!("{} gives no rows", call.name))
                .with_condition("UNRESOLVED_ROUTINE")
                .with_place(call.place)
        })?;
        let arguments = self.plan_all(&call.arguments)?;
        let typed = self.registered(rows, arguments, call.place);
        let mut typed = typed.map_err(|error| error.renamed(rows, &call.name))?;
        if outer || call.name.ends_with("_outer") {
            typed = self.registered("outer_rows", vec![typed], call.place)?;
        }
        let names = match typed.data_type() {
            DataType::List(item) => match item.data_type() {
                DataType::Struct(fields) => {
                    fields.iter().map(|field| field.name().clone()).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        Ok((typed, names))
    }
}

impl Analyzer<'_> {
    /// The plan with the rows of the generators among `items`, and the items that they become: each row
    /// of one with each of the next.
    pub(super) fn generated(
        &self,
        plan: LogicalPlan,
        items: Vec<Item>,
    ) -> Result<(LogicalPlan, Vec<Item>)> {
        let mut generating = items.iter().enumerate();
        let first = generating.find(|(_, item)| item.generator.is_some());
        let Some((at, item)) = first else {
            return Ok((plan, items));
        };
        // One after the other.
        let (plan, values) = unnested(plan, &item.typed)?;
        let mut all = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let Some(generator) = item.generator.as_ref().filter(|_| index == at) else {
                all.push(item);
                continue;
            };
            for (typed, name) in values.iter().zip(&generator.names) {
                all.push(Item {
                    name: name.clone(),
                    qualifier: None,
                    plan_ids: Vec::new(),
                    is_alias: true,
                    typed: typed.clone(),
                    generator: None,
                });
            }
        }
        self.generated(plan, all)
    }

    /// LATERAL VIEW.
    pub(super) fn lateral_view(
        &self,
        view: &LateralView,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let input = self.relation(&view.input, context)?;
        self.generated_beside(
            input,
            &view.generator,
            view.outer,
            view.table.as_deref(),
            &view.columns,
            context,
        )
    }

    /// `FROM explode(array(1, 2))`.
    pub(super) fn generated_table(
        &self,
        nothing: &Planned,
        call: &Call,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let mut planned =
            self.generated_beside(nothing.clone(), call, false, None, &[], context)?;
        for column in &mut planned.columns {
            column.qualifier = None;
        }
        Ok(planned)
    }

    /// The rows of `input`, each with the rows that a generator makes of it.
    pub(super) fn generated_beside(
        &self,
        input: Planned,
        call: &Call,
        outer: bool,
        table: Option<&str>,
        names: &[String],
        context: &Context<'_>,
    ) -> Result<Planned> {
        let (typed, own) = {
            let scope = Scope::of(&input, context.outer);
            let expressions = self.expressions(&scope, Clause::Select, context);
            expressions.generator(call, outer)?
        };
        if !names.is_empty() && names.len() != own.len() {
            return Err(wrong_number_of_names(&call.name, names.len(), own.len()));
        }
        let names = if names.is_empty() { &own } else { names };
        let (plan, values) = unnested(input.plan.clone(), &typed)?;
        let mut taken: HashSet<String> = HashSet::new();
        let mut outputs: Vec<Expr> = Vec::new();
        for column in &input.columns {
            taken.insert(column.column.name.to_lowercase());
            outputs.push(Expr::Column(column.column.clone()));
        }
        let mut columns = input.columns;
        for (value, name) in values.into_iter().zip(names) {
            let distinct = super::planned::distinct_name(name, &mut taken);
            outputs.push(value.expr.alias(&distinct));
            columns.push(Visible {
                qualifier: table.map(str::to_string),
                name: name.clone(),
                column: Column::new_unqualified(distinct),
                field: value.field,
                plan_ids: Vec::new(),
                hidden: false,
                metadata: Metadata::No,
                again: false,
            });
        }
        let plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
        let planned = Planned {
            plan: plan.clone(),
            columns,
        };
        Ok(planned.with_plan(plan))
    }
}

/// `plan` with a row for each element of `rows`, and the values of that element's fields.
pub(super) fn unnested(plan: LogicalPlan, rows: &Typed) -> Result<(LogicalPlan, Vec<Typed>)> {
    let columns = plan.schema().columns();
    let taken = |name: &str| columns.iter().any(|column| column.name == name);
    let mut name = ROWS.to_string();
    while taken(&name) {
        name.push('_');
    }
    let mut outputs: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
    outputs.push(rows.expr.clone().alias(&name));
    let plan = node(LogicalPlanBuilder::from(plan).project(outputs))?;
    let options = UnnestOptions::new().with_preserve_nulls(false);
    let column = Column::new_unqualified(name);
    let unnested = LogicalPlanBuilder::from(plan)
        .unnest_column_with_options(column.clone(), options)
        .and_then(LogicalPlanBuilder::build);
    let plan = unnested.map_err(from_datafusion)?;
    let fields = match rows.data_type() {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => return Err(Error::internal("a generator gives no structs")),
        },
        _ => return Err(Error::internal("a generator gives no array")),
    };
    let values = fields.iter().map(|field| {
        let own = Expr::Column(column.clone());
        Typed {
            expr: get_field().call(vec![own, lit(field.name().as_str())]),
            field: Arc::clone(field),
        }
    });
    Ok((plan, values.collect()))
}
