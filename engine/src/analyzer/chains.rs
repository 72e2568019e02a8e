//! Chains of `withColumn`: steps that do not build on each other are one projection, so that a chain
//! costs what its columns cost and not their square.

use super::planned::same_name;
use crate::tree::{Expression, Name, Relation};

/// New columns, name and value.
pub(super) type Columns = [(String, Expression)];

/// The relation at the start of a chain, and the chain's steps in order, as few as they can be.
pub(super) fn with_columns_chain<'r>(
    input: &'r Relation,
    columns: &'r Columns,
) -> (&'r Relation, Vec<Vec<(String, Expression)>>) {
    let mut steps = vec![columns];
    let mut start = input;
    while let Relation::WithColumns { input, columns } = start {
        steps.push(columns);
        start = input;
    }
    let mut joined: Vec<Vec<(String, Expression)>> = Vec::new();
    for step in steps.into_iter().rev() {
        match joined.last_mut() {
            Some(before) if stands_alone(step, before) => before.extend_from_slice(step),
            _ => joined.push(step.to_vec()),
        }
    }
    (start, joined)
}

/// Whether a step neither names nor replaces a column of those before it.
fn stands_alone(step: &Columns, before: &Columns) -> bool {
    let is_new = |name: &str| before.iter().any(|(new, _)| same_name(new, name));
    step.iter().all(|(name, value)| {
        let mut names = Vec::new();
        let is_known = names_of(value, &mut names);
        let mut parts = names.iter().flat_map(|name| &name.parts);
        is_known && !is_new(name) && !parts.any(|part| is_new(part))
    })
}

/// Collects the names in an expression; false if it may see columns in other ways.
fn names_of<'e>(expression: &'e Expression, names: &mut Vec<&'e Name>) -> bool {
    match expression {
        Expression::Literal(_) => true,
        Expression::Name(name) => {
            names.push(name);
            name.plan_id.is_none()
        }
        Expression::Call(call) => {
            call.filter.is_none()
                && call.order_by.is_empty()
                && call
                    .arguments
                    .iter()
                    .all(|argument| names_of(argument, names))
        }
        Expression::Cast(cast) => names_of(&cast.expression, names),
        Expression::Case(case) => {
            let branches = case.branches.iter().flat_map(|(when, then)| [when, then]);
            let mut parts = case.operand.iter().chain(branches).chain(&case.otherwise);
            parts.all(|part| names_of(part, names))
        }
        Expression::Alias { expression, .. } => names_of(expression, names),
        Expression::Field { of, .. } => names_of(of, names),
        Expression::Item { of, key } => names_of(of, names) && names_of(key, names),
        _ => false,
    }
}
