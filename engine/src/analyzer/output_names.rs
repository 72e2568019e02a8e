//! The names Spark gives to columns without one: `count(1)`, `(i + 1)`, `CAST(x AS INT)`.

use datafusion::scalar::ScalarValue;

use super::function_names::function_name;
use super::operators::is_cast;
use crate::tree::{
    Bound, Call, Case, Expression, Frame, FrameUnits, Literal, Over, SortKey, SubqueryKind, Window,
    WindowSpec,
};
use crate::type_names::sql_type;

/// Operators that stand between their operands.
const INFIX: &[&str] = &[
    "=", "<=>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "div", "&", "|", "^", "<<", ">>",
    ">>>",
];

/// Spark's name for an unnamed select item.
pub(super) fn output_name(expression: &Expression) -> String {
    match expression {
        Expression::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
        // A cast of a bare column keeps the column's name.
        Expression::Cast(cast) if matches!(cast.expression, Expression::Name(_)) => {
            output_name(&cast.expression)
        }
        Expression::Subquery(subquery) if subquery.kind == SubqueryKind::Scalar => {
            "scalarsubquery()".to_string()
        }
        other => name_of(other),
    }
}

/// The same inside of another expression.
pub(super) fn name_of(expression: &Expression) -> String {
    match expression {
        Expression::Literal(literal) => literal_name(literal),
        Expression::Name(name) => name.parts.last().cloned().unwrap_or_default(),
        Expression::Star(star) => match star.of.as_slice() {
            [] => "*".to_string(),
            of => format!("{}.*", of.join(".")),
        },
        Expression::Call(call) => call_name(call),
        Expression::Cast(cast) => {
            let word = if cast.lenient { "TRY_CAST" } else { "CAST" };
            format!(
                "{word}({} AS {})",
                name_of(&cast.expression),
                sql_type(&cast.to)
            )
        }
        Expression::Case(case) => case_name(case),
        Expression::Alias { expression, names } => {
            format!("{} AS {}", name_of(expression), names.join(", "))
        }
        Expression::Lambda(lambda) => {
            let parameters: Vec<String> = lambda
                .parameters
                .iter()
                .map(|_| "namedlambdavariable()".to_string())
                .collect();
            let body = lambda_body(&lambda.body, &lambda.parameters);
            format!("lambdafunction({body}, {})", parameters.join(", "))
        }
        Expression::Field { of, name } => format!("{}.{name}", name_of(of)),
        Expression::Item { of, key } => format!("{}[{}]", name_of(of), name_of(key)),
        Expression::Over(over) => over_name(over),
        Expression::Subquery(subquery) => match &subquery.kind {
            SubqueryKind::Scalar => "scalarsubquery()".to_string(),
            SubqueryKind::Exists => "exists()".to_string(),
            SubqueryKind::In(values) => format!("({} IN (listquery()))", names(values)),
        },
        Expression::Parameter(name) => format!(":{name}"),
        Expression::Argument { name, value } => format!("{name} => {}", name_of(value)),
        Expression::UpdateFields { of, .. } => format!("update_fields({})", name_of(of)),
        Expression::Matching(pattern) => pattern.clone(),
    }
}

/// The body of a lambda, its variables shown as Spark shows them.
fn lambda_body(body: &Expression, parameters: &[String]) -> String {
    let mut shown = body.clone();
    hide_variables(&mut shown, parameters);
    name_of(&shown)
}

fn hide_variables(expression: &mut Expression, parameters: &[String]) {
    match expression {
        Expression::Name(name) => {
            if let [own] = name.parts.as_slice()
                && parameters.iter().any(|parameter| parameter == own)
            {
                name.parts = vec!["namedlambdavariable()".to_string()];
            }
        }
        other => {
            if let Expression::Call(call) = &mut *other
                && call.name == "struct"
            {
                name_fields(call);
            }
            for child in other.children_mut() {
                hide_variables(child, parameters);
            }
        }
    }
}

/// `struct(x, 1)` as `named_struct('x', x, 'col2', 1)`.
fn name_fields(call: &mut Call) {
    let values = std::mem::take(&mut call.arguments).into_iter().enumerate();
    call.arguments = values
        .flat_map(|(index, value)| {
            let name = match &value {
                Expression::Name(name) => name.parts.last().cloned().unwrap_or_default(),
                Expression::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
                _ => format!("col{}", index + 1),
            };
            let name = Expression::Literal(Literal {
                value: ScalarValue::from(name),
                shown: None,
            });
            [name, value]
        })
        .collect();
    call.name = "named_struct".to_string();
}

pub(super) fn names(list: &[Expression]) -> String {
    list.iter().map(name_of).collect::<Vec<_>>().join(", ")
}

fn literal_name(literal: &Literal) -> String {
    if let Some(shown) = &literal.shown {
        return shown.clone();
    }
    match &literal.value {
        ScalarValue::Utf8(Some(text)) => text.clone(),
        value if value.is_null() => "NULL".to_string(),
        value => match value.to_array() {
            Ok(array) => crate::text::format_value(&array, 0),
            Err(_) => value.to_string(),
        },
    }
}

fn call_name(call: &Call) -> String {
    let name = call.name.as_str();
    let arguments = call.arguments.as_slice();
    let is_interval = |argument: &Expression| {
        matches!(argument, Expression::Literal(literal) if matches!(
            literal.value,
            ScalarValue::DurationMicrosecond(_)
                | ScalarValue::DurationSecond(_)
                | ScalarValue::IntervalYearMonth(_)
        ))
    };
    match (name, arguments) {
        ("and", [left, right]) => format!("({} AND {})", name_of(left), name_of(right)),
        ("or", [left, right]) => format!("({} OR {})", name_of(left), name_of(right)),
        ("not" | "!", [operand]) => format!("(NOT {})", name_of(operand)),
        ("!=" | "<>", [left, right]) => {
            format!("(NOT ({} = {}))", name_of(left), name_of(right))
        }
        ("==", [left, right]) => format!("({} = {})", name_of(left), name_of(right)),
        ("+" | "-", [left, right]) if is_interval(right) && !is_interval(left) => {
            format!("{} {name} {}", name_of(left), name_of(right))
        }
        (op, [left, right]) if INFIX.contains(&op) => {
            format!("({} {op} {})", name_of(left), name_of(right))
        }
        ("negative" | "-", [operand]) => format!("(- {})", name_of(operand)),
        ("positive" | "+", [operand]) => format!("(+ {})", name_of(operand)),
        ("~", [operand]) => format!("~{}", name_of(operand)),
        ("isnull", [operand]) => format!("({} IS NULL)", name_of(operand)),
        ("isnotnull", [operand]) => format!("({} IS NOT NULL)", name_of(operand)),
        ("istrue", [operand]) => format!("({} <=> true)", name_of(operand)),
        ("isnottrue", [operand]) => format!("(NOT ({} <=> true))", name_of(operand)),
        ("isfalse", [operand]) => format!("({} <=> false)", name_of(operand)),
        ("isnotfalse", [operand]) => format!("(NOT ({} <=> false))", name_of(operand)),
        ("in", [value, list @ ..]) => format!("({} IN ({}))", name_of(value), names(list)),
        ("between", [value, low, high]) => format!(
            "between({}, {}, {})",
            name_of(value),
            name_of(low),
            name_of(high)
        ),
        ("like_any" | "like_all" | "not_like_any" | "not_like_all", [text, ..]) => {
            format!("{}({})", name.replace('_', ""), name_of(text))
        }
        ("ilike_any" | "ilike_all" | "not_ilike_any" | "not_ilike_all", [text, ..]) => {
            let own = name.replace("ilike", "like").replace('_', "");
            format!("{own}(lower({}))", name_of(text))
        }
        ("isunknown", [operand]) => format!("({} IS NULL)", name_of(operand)),
        ("isnotunknown", [operand]) => format!("({} IS NOT NULL)", name_of(operand)),
        ("+", [date, days]) if is_date(date) => {
            format!("date_add({}, {})", name_of(date), name_of(days))
        }
        ("like", [text, pattern]) => format!("{} LIKE {}", name_of(text), name_of(pattern)),
        ("like", [text, pattern, escape]) => format!(
            "{} LIKE {} ESCAPE '{}'",
            name_of(text),
            name_of(pattern),
            name_of(escape)
        ),
        ("ilike", [text, pattern, ..]) => {
            format!("ilike({}, {})", name_of(text), name_of(pattern))
        }
        ("when", _) => {
            let (branches, otherwise) = arguments.as_chunks();
            let branches = branches.iter().cloned();
            case_name(&Case {
                operand: None,
                otherwise: otherwise.first().cloned(),
                branches: branches.map(<(_, _)>::from).collect(),
            })
        }
        ("if", _) => format!("(IF({}))", names(arguments)),
        ("datepart", [field, from]) => {
            format!("datepart({} FROM {})", name_of(field), name_of(from))
        }
        ("extract", [Expression::Literal(field), from]) => format!(
            "extract({} FROM {})",
            literal_name(field).to_uppercase(),
            name_of(from)
        ),
        ("window" | "session_window", _) => name.to_string(),
        ("trim" | "ltrim" | "rtrim", [taken, text]) => {
            let side = match name {
                "trim" => "BOTH",
                "ltrim" => "LEADING",
                _ => "TRAILING",
            };
            format!("TRIM({side} {} FROM {})", name_of(taken), name_of(text))
        }
        // A cast that is no word of the query is not shown.
        (name, [operand]) if is_cast(name) => name_of(operand),
        ("aggregate" | "reduce", [_, _, _]) => {
            let variable = "namedlambdavariable()";
            let own = function_name(call);
            let own = own.strip_suffix(')').unwrap_or(&own);
            format!("{own}, lambdafunction({variable}, {variable}))")
        }
        _ => function_name(call),
    }
}

/// Whether an expression is a literal date.
fn is_date(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal(literal)
        if matches!(literal.value, ScalarValue::Date32(_)))
}

fn case_name(case: &Case) -> String {
    let mut text = "CASE".to_string();
    for (when, then) in &case.branches {
        let condition = match &case.operand {
            Some(operand) => format!("({} = {})", name_of(operand), name_of(when)),
            None => name_of(when),
        };
        text.push_str(&format!(" WHEN {condition} THEN {}", name_of(then)));
    }
    if let Some(otherwise) = &case.otherwise {
        text.push_str(&format!(" ELSE {}", name_of(otherwise)));
    }
    text.push_str(" END");
    text
}

/// Functions of windows that Spark shows in capitals, and whose frame is always the same.
const RANKING: &[&str] = &["dense_rank", "percent_rank", "rank"];

fn over_name(over: &Over) -> String {
    let call = match &over.call {
        Expression::Call(call) if RANKING.contains(&call.name.as_str()) => {
            format!("{}()", call.name.to_uppercase())
        }
        Expression::Call(call) => call_name(call),
        other => name_of(other),
    };
    let window = match &over.window {
        Window::Named(name) => return format!("{call} OVER {name}"),
        Window::Spec(spec) => window_name(spec, &over.call),
    };
    format!("{call} OVER ({window})")
}

fn window_name(spec: &WindowSpec, call: &Expression) -> String {
    let mut parts = Vec::new();
    if !spec.partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", names(&spec.partition_by)));
    }
    if !spec.order_by.is_empty() {
        parts.push(format!("ORDER BY {}", sort_names(&spec.order_by)));
    }
    if let (None, Some(at)) = (&spec.frame, offset(call)) {
        parts.push(format!("ROWS BETWEEN {at} FOLLOWING AND {at} FOLLOWING"));
        return parts.join(" ");
    }
    let of_rows = matches!(call, Expression::Call(call) if matches!(
            call.name.as_str(),
            "row_number" | "ntile"
        ) || RANKING.contains(&call.name.as_str()));
    parts.push(match &spec.frame {
        Some(frame) => frame_name(frame),
        None if of_rows => "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string(),
        None if spec.order_by.is_empty() => {
            "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_string()
        }
        None => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string(),
    });
    parts.join(" ")
}

/// How far from the current row the row stands that `lag` and `lead` look at.
fn offset(call: &Expression) -> Option<String> {
    let Expression::Call(call) = call else {
        return None;
    };
    let rows = match call.arguments.get(1) {
        Some(rows) => name_of(rows),
        None => "1".to_string(),
    };
    match call.name.as_str() {
        "lead" => Some(rows),
        "lag" => Some(match rows.strip_prefix('-') {
            Some(ahead) => ahead.to_string(),
            None => format!("-{rows}"),
        }),
        _ => None,
    }
}

pub(super) fn sort_names(keys: &[SortKey]) -> String {
    let keys = keys.iter().map(|key| {
        let direction = if key.ascending { "ASC" } else { "DESC" };
        let nulls = if key.nulls_first { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", name_of(&key.expression))
    });
    keys.collect::<Vec<_>>().join(", ")
}

fn frame_name(frame: &Frame) -> String {
    let units = match frame.units {
        FrameUnits::Rows => "ROWS",
        FrameUnits::Range => "RANGE",
    };
    let bound = |bound: &Bound| match bound {
        Bound::UnboundedPreceding => "UNBOUNDED PRECEDING".to_string(),
        Bound::UnboundedFollowing => "UNBOUNDED FOLLOWING".to_string(),
        Bound::CurrentRow => "CURRENT ROW".to_string(),
        Bound::Preceding(value) => format!("{} PRECEDING", name_of(value)),
        Bound::Following(value) => format!("{} FOLLOWING", name_of(value)),
    };
    format!(
        "{units} BETWEEN {} AND {}",
        bound(&frame.start),
        bound(&frame.end)
    )
}
