//! Expressions as text, close to SQL: what a column shows as, and what it is called.

use std::fmt;

use super::expression::{CastTo, Expression, SortOrder};
use crate::row::Value;

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute { name } | Self::Regex(name) | Self::Variable(name) => {
                f.write_str(name)
            }
            Self::Literal(value) => value.fmt(f),
            Self::Sql(text) => f.write_str(text),
            Self::Star { target } => f.write_str(target.as_deref().unwrap_or("*")),
            Self::Function {
                name,
                arguments,
                distinct,
            } => function(f, name, arguments, *distinct),
            Self::Call { name, arguments } => function(f, name, arguments, false),
            Self::Alias {
                expression, names, ..
            } => {
                write!(f, "{expression} AS {}", names.join(", "))
            }
            Self::Cast {
                expression,
                to,
                or_null,
            } => {
                let cast = if *or_null { "TRY_CAST" } else { "CAST" };
                write!(f, "{cast}({expression} AS {to})")
            }
            Self::CaseWhen {
                branches,
                otherwise,
            } => {
                f.write_str("CASE")?;
                for (when, then) in branches {
                    write!(f, " WHEN {when} THEN {then}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " ELSE {otherwise}")?;
                }
                f.write_str(" END")
            }
            Self::SortOrder(order) => order.fmt(f),
            Self::Extract { expression, key } => match &**key {
                Self::Literal(Value::String(name)) => write!(f, "{expression}.{name}"),
                key => write!(f, "{expression}[{key}]"),
            },
            Self::UpdateField {
                expression,
                name,
                value,
            } => match value {
                Some(value) => write!(f, "update_fields({expression}, {name} = {value})"),
                None => write!(f, "update_fields({expression}, drop {name})"),
            },
            Self::Lambda { body, arguments } => write!(f, "({}) -> {body}", arguments.join(", ")),
            Self::Window {
                function,
                partition,
                order,
                ..
            } => {
                write!(f, "{function} OVER (")?;
                if !partition.is_empty() {
                    write!(f, "PARTITION BY {}", list(partition))?;
                }
                if !order.is_empty() {
                    let space = if partition.is_empty() { "" } else { " " };
                    write!(f, "{space}ORDER BY {}", list(order))?;
                }
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for CastTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(data_type) => write!(f, "{}", data_type.simple_string().to_uppercase()),
            Self::Name(name) => write!(f, "{}", name.to_uppercase()),
        }
    }
}

impl fmt::Display for SortOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = if self.nulls_last { "LAST" } else { "FIRST" };
        write!(f, "{} {direction} NULLS {nulls}", self.child)
    }
}

fn function(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    arguments: &[Expression],
    distinct: bool,
) -> fmt::Result {
    match arguments {
        [left, right] if is_operator(name) => {
            write!(
                f,
                "({left} {} {right})",
                name.to_uppercase().replace("==", "=")
            )
        }
        [inner] if name == "not" => write!(f, "(NOT {inner})"),
        [inner] if name == "isnull" => write!(f, "({inner} IS NULL)"),
        [inner] if name == "isnotnull" => write!(f, "({inner} IS NOT NULL)"),
        [inner, values @ ..] if name == "in" => write!(f, "({inner} IN ({}))", list(values)),
        _ => {
            let distinct = if distinct { "DISTINCT " } else { "" };
            write!(f, "{name}({distinct}{})", list(arguments))
        }
    }
}

fn is_operator(name: &str) -> bool {
    matches!(name, "and" | "or" | "like" | "ilike" | "rlike")
        || name
            .chars()
            .all(|character| character.is_ascii_punctuation() && character != '_')
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
