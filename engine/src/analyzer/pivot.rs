//! PIVOT: values of a column become columns; UNPIVOT: columns become rows.

use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::Analyzer;
use super::expression::Clause;
use super::name::lookup;
use super::output_names::{name_of, output_name};
use super::planned::{Planned, node};
use super::query::Context;
use super::scope::Scope;
use super::select::Parts;
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
        for value in &pivot.values {
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
                    expression: Box::new(only_for(expression, pivot, value)?),
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
                let ids = expressions.plan_all(ids)?;
                ids.into_iter().map(|typed| typed.expr).collect::<Vec<_>>()
            }
            None => {
                let shown = input
                    .shown()
                    .map(|column| Expr::Column(column.column.clone()));
                shown.filter(|column| !used.contains(column)).collect()
            }
        };
        // One branch for each column, one below the other.
        let mut union: Option<LogicalPlanBuilder> = None;
        for (name, values) in rows {
            let mut outputs = ids.clone();
            outputs.push(datafusion::logical_expr::lit(name).alias(&unpivot.name));
            for ((value, to), own) in values.into_iter().zip(&common).zip(&unpivot.values) {
                outputs.push(super::cast::cast_to(value, to)?.expr.alias(own));
            }
            let branch = node(LogicalPlanBuilder::from(input.plan.clone()).project(outputs))?;
            union = Some(match union {
                None => LogicalPlanBuilder::from(branch),
                Some(union) => LogicalPlanBuilder::from(node(union.union(branch))?),
            });
        }
        let union = union.ok_or_else(|| {
            Error::analysis("UNPIVOT needs a column")
                .with_condition("UNPIVOT_REQUIRES_VALUE_COLUMNS")
        })?;
        let mut planned = Planned::of(node(Ok(union))?);
        for column in &mut planned.columns {
            column.qualifier = None;
        }
        if unpivot.include_nulls {
            return Ok(planned);
        }
        let values = planned.columns.iter().skip(ids.len() + 1);
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

fn names_in<'e>(expression: &'e Expression, names: &mut Vec<&'e Name>) {
    match expression {
        Expression::Name(name) => names.push(name),
        Expression::Call(call) => {
            for argument in call.arguments.iter().chain(&call.filter) {
                names_in(argument, names);
            }
        }
        Expression::Cast(cast) => names_in(&cast.expression, names),
        Expression::Case(case) => {
            let branches = case.branches.iter().flat_map(|(when, then)| [when, then]);
            for part in case.operand.iter().chain(branches).chain(&case.otherwise) {
                names_in(part, names);
            }
        }
        Expression::Alias { expression, .. } => names_in(expression, names),
        Expression::Field { of, .. } => names_in(of, names),
        Expression::Item { of, key } => {
            names_in(of, names);
            names_in(key, names);
        }
        _ => {}
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

/// The aggregates of `expression`, of the rows with this value only.
fn only_for(expression: &Expression, pivot: &Pivot, value: &PivotValue) -> Result<Expression> {
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
        vec![some, with_filter(expression, &condition)],
    ))
}

fn with_filter(expression: &Expression, condition: &Expression) -> Expression {
    match expression {
        Expression::Call(own) if is_operator(&own.name) => {
            let mut own = own.as_ref().clone();
            let arguments = own.arguments.iter();
            own.arguments = arguments.map(|part| with_filter(part, condition)).collect();
            Expression::Call(Box::new(own))
        }
        Expression::Call(own) => {
            let mut own = own.as_ref().clone();
            own.filter = Some(match own.filter.take() {
                Some(others) => call("and", vec![others, condition.clone()]),
                None => condition.clone(),
            });
            Expression::Call(Box::new(own))
        }
        Expression::Cast(cast) => {
            let mut cast = cast.as_ref().clone();
            cast.expression = with_filter(&cast.expression, condition);
            Expression::Cast(Box::new(cast))
        }
        other => other.clone(),
    }
}

fn is_operator(name: &str) -> bool {
    !name.starts_with(|char: char| char.is_alphabetic())
        || ["and", "or", "not", "negative", "coalesce", "round"].contains(&name)
}

fn number(value: i32) -> Expression {
    Expression::Literal(Literal {
        value: ScalarValue::Int32(Some(value)),
        shown: None,
    })
}
