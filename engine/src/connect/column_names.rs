//! The names Spark gives to columns of frames that have no name of their own: `count(1)`,
//! `(price * 2)`, `upper(name)`. SQL text gets its names in `sql_names`.

use super::expressions::{is_star, literal_value};
use super::proto::Expression;
use super::proto::expression::cast::CastToType;
use super::proto::expression::{Cast, ExprType, Literal, UnresolvedFunction};
use super::sql_names::expression_name;

/// The name of the column that an expression makes.
pub(super) fn column_name(expression: &Expression) -> String {
    match &expression.expr_type {
        Some(ExprType::Alias(alias)) => alias.name.join("."),
        Some(ExprType::Cast(cast)) => match cast.expr.as_deref() {
            Some(column) if is_column(column) => name(column),
            _ => cast_name(cast),
        },
        _ => name(expression),
    }
}

fn is_column(expression: &Expression) -> bool {
    matches!(expression.expr_type, Some(ExprType::UnresolvedAttribute(_)))
}

fn name(expression: &Expression) -> String {
    match &expression.expr_type {
        Some(ExprType::Literal(literal)) => literal_name(literal),
        Some(ExprType::UnresolvedAttribute(attribute)) => {
            let full = attribute.unparsed_identifier.replace('`', "");
            full.rsplit('.').next().unwrap_or_default().to_string()
        }
        Some(ExprType::UnresolvedFunction(call)) => function_name(call),
        Some(ExprType::CallFunction(call)) => {
            call_name(&call.function_name.replace('`', ""), false, &call.arguments)
        }
        Some(ExprType::CommonInlineUserDefinedFunction(call)) => {
            call_name(&call.function_name, call.is_distinct, &call.arguments)
        }
        _ if is_star(expression) => "1".to_string(),
        Some(ExprType::ExpressionString(text)) => expression_name(&text.expression),
        Some(ExprType::Alias(alias)) => {
            let inner = alias.expr.as_deref().map(name).unwrap_or_default();
            format!("{inner} AS {}", alias.name.join("."))
        }
        Some(ExprType::Cast(cast)) => cast_name(cast),
        _ => String::new(),
    }
}

fn cast_name(cast: &Cast) -> String {
    let value = cast.expr.as_deref().map(name).unwrap_or_default();
    match &cast.cast_to_type {
        Some(CastToType::TypeStr(data_type)) => {
            format!("CAST({value} AS {})", data_type.to_uppercase())
        }
        _ => value,
    }
}

fn literal_name(literal: &Literal) -> String {
    match literal_value(literal) {
        Ok(value) if value.is_null() => "NULL".to_string(),
        Ok(value) => value.to_string(),
        Err(_) => String::new(),
    }
}

fn call_name(function: &str, distinct: bool, arguments: &[Expression]) -> String {
    let arguments: Vec<String> = arguments.iter().map(name).collect();
    let distinct = if distinct { "DISTINCT " } else { "" };
    format!("{function}({distinct}{})", arguments.join(", "))
}

fn function_name(call: &UnresolvedFunction) -> String {
    let function = call.function_name.to_lowercase();
    let arguments: Vec<String> = call.arguments.iter().map(name).collect();
    match (function.as_str(), arguments.as_slice()) {
        ("!=" | "<>", [left, right]) => format!("(NOT ({left} = {right}))"),
        ("==", [left, right]) => format!("({left} = {right})"),
        ("and" | "or", [left, right]) => {
            format!("({left} {} {right})", function.to_uppercase())
        }
        (
            "div" | "=" | "<" | "<=" | ">" | ">=" | "<=>" | "+" | "-" | "*" | "/" | "%",
            [left, right],
        ) => {
            format!("({left} {function} {right})")
        }
        ("not" | "!", [inner]) => format!("(NOT {inner})"),
        ("negative" | "-", [inner]) => format!("(- {inner})"),
        ("isnull", [inner]) => format!("({inner} IS NULL)"),
        ("isnotnull", [inner]) => format!("({inner} IS NOT NULL)"),
        ("in", [inner, list @ ..]) => format!("({inner} IN ({}))", list.join(", ")),
        ("like", [text, pattern]) => format!("{text} LIKE {pattern}"),
        ("when", [_, _, ..]) => case_name(&arguments),
        ("window" | "session_window", _) => function,
        ("count", []) => "count(1)".to_string(),
        _ => call_name(&function, call.is_distinct, &call.arguments),
    }
}

/// Conditions and values in turn, then the value for what is left, if there is one.
fn case_name(arguments: &[String]) -> String {
    let mut text = "CASE".to_string();
    let mut pairs = arguments.chunks_exact(2);
    for pair in &mut pairs {
        text.push_str(&format!(" WHEN {} THEN {}", pair[0], pair[1]));
    }
    if let [otherwise] = pairs.remainder() {
        text.push_str(&format!(" ELSE {otherwise}"));
    }
    text.push_str(" END");
    text
}
