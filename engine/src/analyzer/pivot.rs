//! PIVOT: values of a column become columns; UNPIVOT: columns become rows.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::Analyzer;
use super::cast::cast_to;
use super::expression::Clause;
use super::generate::unnested;
use super::name::lookup;
use super::output_names::{name_of, output_name};
use super::planned::{Metadata, Planned, Visible, distinct_name, node, same_name};
use super::query::Context;
use super::scope::Scope;
use super::select::Parts;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::common_type;
use crate::sql::call;
use crate::tree::{Expression, GroupBy, GroupKey, Literal, Name, Pivot, PivotValue, Unpivot};
use datafusion::scalar::ScalarValue;

impl Analyzer<'_> {
    /// A pivoted relation: the keys, then for each value its aggregates.
    pub(super) fn pivot(&self, pivot: &Pivot, context: &Context<'_>) -> Result<Planned> {
        let input = self.relation(&pivot.input, context)?;
        let keys = match &pivot.keys {
            Some(keys) => keys.clone(),
            None => other_columns(&input, pivot)?,
        };
        let mut items = keys.clone();
        for value in self.pivot_values.of(pivot) {
            let name = value_name(value);
            for aggregate in &pivot.aggregates {
                let (expression, own) = match aggregate {
                    Expression::Alias { expression, names } => {
                        (expression.as_ref(), names.first().cloned())
                    }
                    other => (other, None),
                };
                let named = match (pivot.aggregates.len(), own) {
                    (1, _) => name.clone(),
                    (_, Some(own)) => format!("{name}_{own}"),
                    (_, None) => format!("{name}_{}", output_name(expression)),
                };
                items.push(Expression::Alias {
                    expression: Box::new(self.only_for(expression, pivot, value)?),
                    names: vec![named],
                });
            }
        }
        let group_by = GroupBy::Keys(
            keys.into_iter()
                .map(|key| {
                    GroupKey::Expression(match key {
                        Expression::Alias { expression, .. } => *expression,
                        other => other,
                    })
                })
                .collect(),
        );
        let parts = Parts::grouped(&items, &group_by);
        self.selected(input, &parts, context)
    }

    /// An unpivoted relation: the columns that stay, the name, the values.
    pub(super) fn unpivot(&self, unpivot: &Unpivot, context: &Context<'_>) -> Result<Planned> {
        let input = self.relation(&unpivot.input, context)?;
        let mut rows = Vec::new();
        let mut used = Vec::new();
        let width = unpivot.values.len();
        let mut types = vec![Vec::new(); width];
        {
            let scope = Scope::of(&input, context.outer);
            let expressions = self.expressions(&scope, Clause::Select, context);
            for column in &unpivot.columns {
                if column.columns.len() != width {
                    return Err(Error::analysis(format!(
                        "UNPIVOT has {width} columns of values, but {} columns were given together",
                        column.columns.len()
                    ))
                    .with_condition("UNPIVOT_VALUE_SIZE_MISMATCH"));
                }
                let values = expressions.plan_all(&column.columns)?;
                for (value, types) in values.iter().zip(&mut types) {
                    types.push(value.data_type().clone());
                }
                used.extend(values.iter().map(|value| value.expr.clone()));
                let names: Vec<String> = column.columns.iter().map(output_name).collect();
                let name = column.name.clone().unwrap_or_else(|| names.join("_"));
                rows.push((name, values));
            }
        }
        let mut common = Vec::new();
        for types in &types {
            common.push(common_type(types).ok_or_else(|| {
                Error::analysis("the columns of UNPIVOT are of different types")
                    .with_condition("UNPIVOT_VALUE_DATA_TYPE_MISMATCH")
                    .with_hint("cast them: CAST(x AS type)")
            })?);
        }
        let ids = match &unpivot.ids {
            Some(ids) => {
                let scope = Scope::of(&input, context.outer);
                let expressions = self.expressions(&scope, Clause::Select, context);
                let named = ids
                    .iter()
                    .map(|id| Ok((expressions.plan(id)?, output_name(id))));
                named.collect::<Result<Vec<_>>>()?
            }
            None => {
                let shown = input.shown().map(|column| {
                    let expr = Expr::Column(column.column.clone());
                    let field = Arc::clone(&column.field);
                    (Typed { expr, field }, column.name.clone())
                });
                shown.filter(|(id, _)| !used.contains(&id.expr)).collect()
            }
        };
        if rows.is_empty() {
            return Err(Error::analysis("UNPIVOT needs a column")
                .with_condition("UNPIVOT_REQUIRES_VALUE_COLUMNS"));
        }
        // The input is read once: each of its rows becomes as many as there are columns.
        let count = i32::try_from(rows.len()).unwrap_or(i32::MAX);
        let mut cells = vec![Typed::literal(ScalarValue::Int32(Some(count)))];
        for (name, values) in rows {
            cells.push(Typed::literal(name.into()));
            for (value, to) in values.into_iter().zip(&common) {
                cells.push(cast_to(value, to)?);
            }
        }
        let rows = {
            let scope = Scope::of(&input, context.outer);
            let expressions = self.expressions(&scope, Clause::Select, context);
            expressions.registered("stack_rows", cells, None)?
        };
        let (plan, values) = unnested(input.plan.clone(), &rows)?;
        let mut taken = HashSet::new();
        let mut outputs = Vec::new();
        let mut columns = Vec::new();
        let own = std::iter::once(&unpivot.name).chain(&unpivot.values);
        let made = values.into_iter().zip(own.cloned());
        for (typed, name) in ids.into_iter().chain(made) {
            let distinct = distinct_name(&name, &mut taken);
            outputs.push(typed.expr.alias(&distinct));
            columns.push(Visible {
                qualifier: None,
                name,
                column: Column::new_unqualified(distinct),
                field: typed.field,
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
        }
        .with_plan(plan);
        if unpivot.include_nulls {
            return Ok(planned);
        }
        let values = planned.columns.iter().rev().take(width);
        let there = values
            .map(|column| Expr::Column(column.column.clone()).is_not_null())
            .reduce(Expr::or);
        let Some(there) = there else {
            return Ok(planned);
        };
        let plan = node(LogicalPlanBuilder::from(planned.plan.clone()).filter(there))?;
        Ok(planned.with_plan(plan))
    }
}

/// The columns that PIVOT neither aggregates nor turns: what SQL groups by.
fn other_columns(input: &Planned, pivot: &Pivot) -> Result<Vec<Expression>> {
    let mut used = Vec::new();
    for expression in pivot.aggregates.iter().chain(&pivot.columns) {
        names_in(expression, &mut used);
    }
    let mut taken = Vec::new();
    for name in used {
        if let Some((column, _)) = lookup(&input.columns, name)? {
            taken.push(column.column.clone());
        }
    }
    let shown = input.shown().enumerate();
    let others = shown.filter(|(_, column)| !taken.contains(&column.column));
    Ok(others
        .map(|(index, _)| {
            Expression::Name(Name {
                parts: vec![format!("{}{index}", super::planned::PLACE)],
                plan_id: None,
                place: None,
            })
        })
        .collect())
}

/// Collects the names in an expression that are no variables of its lambdas.
fn names_in<'e>(expression: &'e Expression, names: &mut Vec<&'e Name>) {
    match expression {
        Expression::Name(name) => names.push(name),
        Expression::Lambda(lambda) => {
            let mut own = Vec::new();
            names_in(&lambda.body, &mut own);
            let is_variable = |name: &Name| {
                let first = name.parts.first();
                let mut variables = lambda.parameters.iter();
                first.is_some_and(|first| variables.any(|variable| same_name(variable, first)))
            };
            names.extend(own.into_iter().filter(|name| !is_variable(name)));
        }
        other => {
            for child in other.children() {
                names_in(child, names);
            }
        }
    }
}

fn value_name(value: &PivotValue) -> String {
    if let Some(name) = &value.name {
        return name.clone();
    }
    let names = value.values.iter().map(|value| match value {
        Expression::Literal(Literal {
            value: ScalarValue::Null,
            ..
        }) => "null".to_string(),
        other => name_of(other),
    });
    let names: Vec<String> = names.collect();
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("{{{}}}", many.join(", ")),
    }
}

impl Analyzer<'_> {
    /// The aggregates of `expression`, of the rows with this value only.
    fn only_for(
        &self,
        expression: &Expression,
        pivot: &Pivot,
        value: &PivotValue,
    ) -> Result<Expression> {
        if pivot.columns.len() != value.values.len() {
            return Err(Error::analysis(format!(
                "PIVOT has {} columns, but a value of it has {}",
                pivot.columns.len(),
                value.values.len()
            ))
            .with_condition("PIVOT_VALUE_DATA_TYPE_MISMATCH"));
        }
        let equal = |(column, value): (&Expression, &Expression)| {
            call("<=>", vec![column.clone(), value.clone()])
        };
        let mut conditions = pivot.columns.iter().zip(&value.values).map(equal);
        let first = conditions
            .next()
            .ok_or_else(|| Error::analysis("PIVOT needs a column"))?;
        let condition = conditions.fold(first, |all, next| call("and", vec![all, next]));
        // Without a row of that value there is nothing to count.
        let mut rows = call("count", vec![number(1)]);
        if let Expression::Call(count) = &mut rows {
            count.filter = Some(condition.clone());
        }
        let some = call(">", vec![rows, number(0)]);
        Ok(call(
            "when",
            vec![some, self.with_filter(expression, &condition)],
        ))
    }

    /// The expression, its aggregates of those rows only that the condition leaves.
    fn with_filter(&self, expression: &Expression, condition: &Expression) -> Expression {
        let mut filtered = expression.clone();
        self.filter_aggregates(&mut filtered, condition);
        filtered
    }

    fn filter_aggregates(&self, expression: &mut Expression, condition: &Expression) {
        if let Expression::Call(own) = expression
            && self.aggregate_function(&own.name).is_some()
        {
            own.filter = Some(match own.filter.take() {
                Some(others) => call("and", vec![others, condition.clone()]),
                None => condition.clone(),
            });
            return;
        }
        for child in expression.children_mut() {
            self.filter_aggregates(child, condition);
        }
    }
}

fn number(value: i32) -> Expression {
    Expression::Literal(Literal {
        value: ScalarValue::Int32(Some(value)),
        shown: None,
    })
}
