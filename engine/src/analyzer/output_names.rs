//! The names Spark gives to columns without one: `count(1)`, `(i + 1)`, `CAST(x AS INT)`.

use datafusion::scalar::ScalarValue;

use crate::tree::{
    Bound, Call, Case, Expression, Frame, FrameUnits, Literal, NullTreatment, Over, SortKey,
    SubqueryKind, Window, WindowSpec,
};
use crate::type_names::sql_type;

/// Functions that Spark shows in capitals.
const CAPITALS: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh",
    "cot", "csc", "degrees", "exp", "expm1", "floor", "hypot", "log", "log10", "log1p", "log2",
    "power", "radians", "rint", "rlike", "sec", "signum", "sin", "sinh", "sqrt", "tan", "tanh",
];

/// Functions whose name is another one in a column's name.
const SHOWN_AS: &[(&str, &str)] = &[
    ("pow", "power"),
    ("mean", "mean"),
    ("regexp", "rlike"),
    ("regexp_like", "rlike"),
];

/// Arguments that Spark shows although a query left them out: function, how many it gave, the rest.
const DEFAULTS: &[(&str, usize, &str)] = &[
    ("from_unixtime", 1, "yyyy-MM-dd HH:mm:ss"),
    ("regexp_extract", 2, "1"),
    ("regexp_extract_all", 2, "1"),
    ("regexp_replace", 3, "1"),
    ("round", 1, "0"),
    ("bround", 1, "0"),
    ("sort_array", 1, "true"),
    ("split", 2, "-1"),
    ("substr", 2, "2147483647"),
    ("substring", 2, "2147483647"),
    ("to_unix_timestamp", 1, "yyyy-MM-dd HH:mm:ss"),
    (
        "unix_timestamp",
        0,
        "current_timestamp(), yyyy-MM-dd HH:mm:ss",
    ),
    ("unix_timestamp", 1, "yyyy-MM-dd HH:mm:ss"),
    ("locate", 2, "1"),
    ("position", 2, "1"),
];

/// Operators that stand between their operands.
const INFIX: &[&str] = &[
    "=", "<=>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "div", "&", "|", "^",
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
        Expression::Call(call) => {
            for argument in &mut call.arguments {
                hide_variables(argument, parameters);
            }
        }
        Expression::Cast(cast) => hide_variables(&mut cast.expression, parameters),
        Expression::Item { of, key } => {
            hide_variables(of, parameters);
            hide_variables(key, parameters);
        }
        Expression::Field { of, .. } => hide_variables(of, parameters),
        Expression::Case(case) => {
            for (when, then) in &mut case.branches {
                hide_variables(when, parameters);
                hide_variables(then, parameters);
            }
            for part in case.operand.iter_mut().chain(&mut case.otherwise) {
                hide_variables(part, parameters);
            }
        }
        _ => {}
    }
}

fn names(list: &[Expression]) -> String {
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
        ("ilike", [text, pattern]) => {
            format!("ilike({}, {})", name_of(text), name_of(pattern))
        }
        ("when", _) => {
            let pairs = arguments.chunks_exact(2);
            case_name(&Case {
                operand: None,
                otherwise: pairs.remainder().first().cloned(),
                branches: pairs
                    .map(|pair| (pair[0].clone(), pair[1].clone()))
                    .collect(),
            })
        }
        ("if" | "iff", _) => format!("(IF({}))", names(arguments)),
        ("extract", [Expression::Literal(field), from]) => format!(
            "extract({} FROM {})",
            literal_name(field).to_uppercase(),
            name_of(from)
        ),
        ("window" | "session_window", _) => name.to_string(),
        _ => function_name(call),
    }
}

/// Whether an expression is a literal date.
fn is_date(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal(literal)
        if matches!(literal.value, ScalarValue::Date32(_)))
}

fn function_name(call: &Call) -> String {
    let name = call.name.as_str();
    let mut shown: Vec<String> = call
        .arguments
        .iter()
        .map(|argument| match argument {
            Expression::Star(star) if name == "count" && star.of.is_empty() => "1".to_string(),
            Expression::Argument { value, .. } => name_of(value),
            other => name_of(other),
        })
        .collect();
    match name {
        "log" if shown.len() == 1 => shown.insert(0, "E()".to_string()),
        "struct" if matches!(call.arguments.as_slice(), [Expression::Star(_)]) => {
            return "struct(*)".to_string();
        }
        // Schema and options are not shown.
        "from_json" | "from_csv" => shown.truncate(1),
        "e" | "pi" if shown.is_empty() => return format!("{}()", name.to_uppercase()),
        _ => {}
    }
    let left_out = DEFAULTS
        .iter()
        .find(|(own, given, _)| *own == name && *given == shown.len());
    shown.extend(left_out.map(|(_, _, rest)| rest.to_string()));
    let own = SHOWN_AS.iter().find(|(own, _)| *own == name);
    let own = own.map_or(name, |(_, shown)| shown);
    let own = match CAPITALS.contains(&own) {
        true => own.to_uppercase(),
        false => own.to_string(),
    };
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let mut text = format!("{own}({distinct}{})", shown.join(", "));
    if !call.order_by.is_empty() {
        text.push_str(&format!(
            " WITHIN GROUP (ORDER BY {})",
            sort_names(&call.order_by)
        ));
    }
    if call.nulls == Some(NullTreatment::Ignore) {
        text.push_str(" ignore nulls");
    }
    if let Some(filter) = &call.filter {
        text.push_str(&format!(" FILTER (WHERE {})", name_of(filter)));
    }
    text
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
const RANKING: &[&str] = &["cume_dist", "dense_rank", "percent_rank", "rank"];

fn over_name(over: &Over) -> String {
    let call = match &over.call {
        Expression::Call(call) => {
            let own = call_name(call);
            match RANKING.contains(&call.name.as_str()) {
                true => own.replacen(&call.name, &call.name.to_uppercase(), 1),
                false => own,
            }
        }
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
    let of_rows = matches!(call, Expression::Call(call) if call.name == "row_number"
        || call.name == "ntile" || RANKING.contains(&call.name.as_str()));
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

fn sort_names(keys: &[SortKey]) -> String {
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
