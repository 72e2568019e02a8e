//! Trees as terms: `f(a, b)`.

use super::super::*;
use crate::tree::{
    Bound, Frame, FrameUnits, GroupBy, GroupKey, JoinCondition, Literal, OrderBy, Relation,
    SortKey, SubqueryKind, Window, WindowSpec,
};

/// An expression as `f(a, b)`.
pub(super) fn term(expression: &Expression) -> String {
    match expression {
        Expression::Literal(Literal {
            shown: Some(text), ..
        }) => text.clone(),
        Expression::Literal(Literal { value, .. }) => match value {
            datafusion::scalar::ScalarValue::Utf8(Some(text)) => format!("'{text}'"),
            value => shown(value).unwrap(),
        },
        Expression::Name(name) => name.parts.join("."),
        Expression::Star(star) => {
            let of: Vec<String> = star.of.iter().map(|part| format!("{part}.")).collect();
            let except: Vec<String> = star.except.iter().map(|name| name.join(".")).collect();
            match except.is_empty() {
                true => format!("{}*", of.concat()),
                false => format!("{}*-({})", of.concat(), except.join(", ")),
            }
        }
        Expression::Call(call) => {
            let distinct = if call.distinct { "DISTINCT " } else { "" };
            let mut text = format!("{}({distinct}{})", call.name, terms(&call.arguments));
            if !call.order_by.is_empty() {
                text.push_str(&format!(" WITHIN {}", keys(&call.order_by)));
            }
            if let Some(filter) = &call.filter {
                text.push_str(&format!(" WHERE {}", term(filter)));
            }
            if let Some(nulls) = call.nulls {
                text.push_str(&format!(" {nulls:?}"));
            }
            text
        }
        Expression::Cast(cast) => {
            let name = if cast.lenient { "try_cast" } else { "cast" };
            format!(
                "{name}({}, {})",
                term(&cast.expression),
                crate::type_names::simple_string(&cast.to)
            )
        }
        Expression::Case(case) => {
            let operand = case
                .operand
                .as_ref()
                .map(|operand| format!("{}: ", term(operand)));
            let branches = case.branches.iter();
            let mut parts: Vec<String> = branches
                .map(|(when, then)| format!("{} => {}", term(when), term(then)))
                .collect();
            parts.extend(
                case.otherwise
                    .as_ref()
                    .map(|otherwise| format!("_ => {}", term(otherwise))),
            );
            format!("case({}{})", operand.unwrap_or_default(), parts.join(", "))
        }
        Expression::Alias { expression, names } => {
            format!("{} AS {}", term(expression), names.join(", "))
        }
        Expression::Lambda(lambda) => format!(
            "({}) -> {}",
            lambda.parameters.join(", "),
            term(&lambda.body)
        ),
        Expression::Field { of, name } => format!("{}->{name}", term(of)),
        Expression::Item { of, key } => format!("{}[{}]", term(of), term(key)),
        Expression::Over(over) => {
            let window = match &over.window {
                Window::Named(name) => name.clone(),
                Window::Spec(spec) => window(spec),
            };
            format!("{} OVER {window}", term(&over.call))
        }
        Expression::Subquery(subquery) => {
            let query = query_term(&subquery.query);
            match &subquery.kind {
                SubqueryKind::Scalar => format!("<{query}>"),
                SubqueryKind::Exists => format!("exists<{query}>"),
                SubqueryKind::In(values) => format!("{} in <{query}>", terms(values)),
            }
        }
        Expression::Parameter(name) => format!(":{name}"),
        Expression::Argument { name, value } => format!("{name}={}", term(value)),
        other => format!("{other:?}"),
    }
}

pub(super) fn terms(expressions: &[Expression]) -> String {
    expressions.iter().map(term).collect::<Vec<_>>().join(", ")
}

pub(super) fn keys(keys: &[SortKey]) -> String {
    let keys = keys.iter().map(|key| {
        let direction = if key.ascending { "" } else { " desc" };
        let nulls = match key.nulls_first == key.ascending {
            true => "",
            false if key.nulls_first => " nulls first",
            false => " nulls last",
        };
        format!("{}{direction}{nulls}", term(&key.expression))
    });
    format!("[{}]", keys.collect::<Vec<_>>().join(", "))
}

pub(super) fn window(spec: &WindowSpec) -> String {
    let bound = |bound: &Bound| match bound {
        Bound::Preceding(value) => format!("-{}", term(value)),
        Bound::Following(value) => format!("+{}", term(value)),
        other => format!("{other:?}"),
    };
    let frame = spec.frame.as_ref().map(|Frame { units, start, end }| {
        let units = if *units == FrameUnits::Rows {
            "rows"
        } else {
            "range"
        };
        format!(" {units} {}..{}", bound(start), bound(end))
    });
    let base = spec.base.clone().unwrap_or_default();
    let (partition, order) = (terms(&spec.partition_by), keys(&spec.order_by));
    format!(
        "{{{base}|{partition}|{order}{}}}",
        frame.unwrap_or_default()
    )
}

pub(super) fn query_term(query: &Query) -> String {
    let mut text = String::new();
    for cte in &query.with {
        let recursive = if query.recursive { "recursive " } else { "" };
        text.push_str(&format!(
            "with {recursive}{}({}) = {}; ",
            cte.name,
            cte.columns.join(", "),
            query_term(&cte.query)
        ));
    }
    text.push_str(&relation(&query.body));
    match &query.order_by {
        OrderBy::Keys(none) if none.is_empty() => {}
        OrderBy::Keys(order) => text.push_str(&format!(" order {}", keys(order))),
        OrderBy::All { ascending, .. } => text.push_str(&format!(" order all {ascending}")),
    }
    if let Some(limit) = &query.limit {
        text.push_str(&format!(" limit {}", term(limit)));
    }
    if let Some(offset) = &query.offset {
        text.push_str(&format!(" offset {}", term(offset)));
    }
    text
}

pub(super) fn relation(of: &Relation) -> String {
    match of {
        Relation::Table { name, .. } => name.join("."),
        Relation::TableFunction(call) => term(&Expression::Call(call.clone())),
        Relation::Values(rows) => {
            let rows: Vec<String> = rows.iter().map(|row| format!("({})", terms(row))).collect();
            format!("values {}", rows.join(", "))
        }
        Relation::Query(query) => format!("({})", query_term(query)),
        Relation::Lateral(inner) => format!("lateral {}", relation(inner)),
        Relation::Select(select) => {
            let mut text = format!("select {}", terms(&select.items));
            if select.distinct {
                text.push_str(" distinct");
            }
            if let Some(from) = &select.from {
                text.push_str(&format!(" from {}", relation(from)));
            }
            if let Some(filter) = &select.filter {
                text.push_str(&format!(" where {}", term(filter)));
            }
            let set = |sets: &[Vec<Expression>]| {
                sets.iter()
                    .map(|set| format!("({})", terms(set)))
                    .collect::<String>()
            };
            match &select.group_by {
                GroupBy::None => {}
                GroupBy::All => text.push_str(" group all"),
                GroupBy::Keys(groups) => {
                    let groups = groups.iter().map(|key| match key {
                        GroupKey::Expression(key) => term(key),
                        GroupKey::Rollup(sets) => format!("rollup{}", set(sets)),
                        GroupKey::Cube(sets) => format!("cube{}", set(sets)),
                        GroupKey::Sets(sets) => format!("sets{}", set(sets)),
                    });
                    text.push_str(&format!(" group {}", groups.collect::<Vec<_>>().join(", ")));
                }
            }
            for (word, clause) in [("having", &select.having), ("qualify", &select.qualify)] {
                if let Some(clause) = clause {
                    text.push_str(&format!(" {word} {}", term(clause)));
                }
            }
            for (name, spec) in &select.windows {
                text.push_str(&format!(" window {name} {}", window(spec)));
            }
            text
        }
        Relation::SetOperation(set) => {
            let all = if set.all { " all" } else { "" };
            let by_name = if set.by_name { " by name" } else { "" };
            let operator = format!("{:?}{all}{by_name}", set.operator).to_lowercase();
            format!(
                "({} {operator} {})",
                relation(&set.left),
                relation(&set.right)
            )
        }
        Relation::Join(join) => {
            let condition = match &join.condition {
                JoinCondition::None => String::new(),
                JoinCondition::On(on) => format!(" on {}", term(on)),
                JoinCondition::Using(names) => format!(" using {}", names.join(", ")),
                JoinCondition::Natural => " natural".to_string(),
            };
            format!(
                "({} {:?} {}{condition})",
                relation(&join.left),
                join.kind,
                relation(&join.right)
            )
        }
        Relation::Alias {
            input,
            name,
            columns,
        } => match columns.is_empty() {
            true => format!("{} AS {name}", relation(input)),
            false => format!("{} AS {name}({})", relation(input), columns.join(", ")),
        },
        Relation::LateralView(view) => {
            let outer = if view.outer { " outer" } else { "" };
            let table = view.table.clone().unwrap_or_default();
            let call = term(&Expression::Call(Box::new(view.generator.clone())));
            format!(
                "({} view{outer} {call} {table}({}))",
                relation(&view.input),
                view.columns.join(", ")
            )
        }
        Relation::Pivot(pivot) => {
            let values = pivot.values.iter().map(|value| match &value.name {
                Some(name) => format!("{} AS {name}", terms(&value.values)),
                None => terms(&value.values),
            });
            let values = values.collect::<Vec<_>>().join("; ");
            let (aggregates, columns) = (terms(&pivot.aggregates), terms(&pivot.columns));
            format!(
                "({} pivot {aggregates} for {columns} in {values})",
                relation(&pivot.input)
            )
        }
        Relation::Unpivot(unpivot) => {
            let columns = unpivot.columns.iter().map(|column| match &column.name {
                Some(name) => format!("{} AS {name}", terms(&column.columns)),
                None => terms(&column.columns),
            });
            let columns = columns.collect::<Vec<_>>().join("; ");
            let values = unpivot.values.join(", ");
            format!(
                "({} unpivot {values} for {} in {columns})",
                relation(&unpivot.input),
                unpivot.name
            )
        }
        Relation::Filter { input, condition } => {
            format!("filter {} {}", relation(input), term(condition))
        }
        other => format!("{other:?}"),
    }
}
