//! The names Spark gives to columns without one: `count(1)`, `(i + 1)`, `CAST(x AS INT)`.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, DateTimeField, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Interval, Subscript, TypedString, UnaryOperator, Value,
};

use super::literals::ALL_COLUMNS;
use super::sql_tokens::TYPED_LITERAL;

/// Functions that Spark shows in capitals.
const CAPITALS: &[&str] = &[
    "acos", "asin", "atan", "atan2", "cbrt", "ceil", "cos", "cosh", "exp", "expm1", "floor",
    "hypot", "log", "log10", "log1p", "log2", "power", "rint", "signum", "sin", "sinh", "sqrt",
    "tan", "tanh",
];

/// Arguments that Spark shows although a query left them out: function, how many it gave, the rest.
const DEFAULTS: &[(&str, usize, &str)] = &[
    ("from_unixtime", 1, "yyyy-MM-dd HH:mm:ss"),
    ("regexp_extract", 2, "1"),
    ("regexp_replace", 3, "1"),
    ("round", 1, "0"),
    ("bround", 1, "0"),
    ("sort_array", 1, "true"),
    ("split", 2, "-1"),
    ("substr", 2, "2147483647"),
    ("substring", 2, "2147483647"),
    ("to_unix_timestamp", 1, "yyyy-MM-dd HH:mm:ss"),
    ("unix_timestamp", 1, "yyyy-MM-dd HH:mm:ss"),
];

/// Spark's name for an unnamed select item.
pub(super) fn column_name(expr: &Expr) -> String {
    match expr {
        Expr::Nested(inner) => column_name(inner),
        // A cast of a bare column keeps the column's name.
        Expr::Cast { expr, .. } if is_column(expr) => column_name(expr),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map(|part| part.value.clone())
            .unwrap_or_default(),
        Expr::Function(call) if is_named(call, "explode") => "col".to_string(),
        other => name(other),
    }
}

pub(super) fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn is_named(call: &Function, name: &str) -> bool {
    call.name.to_string().eq_ignore_ascii_case(name)
}

fn name(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map(|part| part.value.clone())
            .unwrap_or_default(),
        Expr::CompoundFieldAccess { root, access_chain } => access_name(root, access_chain),
        Expr::Nested(inner) => name(inner),
        Expr::Function(function) => function_name(function),
        Expr::Cast {
            kind,
            expr,
            data_type,
            ..
        } => {
            let cast = match kind {
                CastKind::TryCast | CastKind::SafeCast => "TRY_CAST",
                CastKind::Cast | CastKind::DoubleColon => "CAST",
            };
            let data_type = data_type.to_string().to_uppercase();
            format!("{cast}({} AS {data_type})", name(expr))
        }
        Expr::BinaryOp { left, op, right } => binary_name(left, op, right),
        Expr::UnaryOp { op, expr } => match op {
            UnaryOperator::Minus if is_number(expr) => format!("-{}", name(expr)),
            UnaryOperator::Minus => format!("(- {})", name(expr)),
            UnaryOperator::Not | UnaryOperator::BangNot => format!("(NOT {})", name(expr)),
            _ => format!("({op} {})", name(expr)),
        },
        Expr::IsNull(inner) => format!("({} IS NULL)", name(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", name(inner)),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            other => value_name(other),
        },
        Expr::TypedString(TypedString {
            data_type, value, ..
        }) => format!("{data_type} {value}"),
        Expr::Interval(interval) => interval_name(interval),
        Expr::Case { .. } => case_name(expr),
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let test = format!("between({}, {}, {})", name(expr), name(low), name(high));
            negatable(*negated, test)
        }
        Expr::Like {
            negated,
            expr,
            pattern,
            ..
        } => negatable(*negated, format!("{} LIKE {}", name(expr), name(pattern))),
        Expr::RLike {
            negated,
            expr,
            pattern,
            ..
        } => negatable(
            *negated,
            format!("RLIKE({}, {})", name(expr), name(pattern)),
        ),
        Expr::InList {
            expr,
            list,
            negated,
        } => negatable(*negated, format!("({} IN ({}))", name(expr), names(list))),
        Expr::Extract { field, expr, .. } => format!("extract({field} FROM {})", name(expr)),
        Expr::Floor { expr, .. } => format!("FLOOR({})", name(expr)),
        Expr::Ceil { expr, .. } => format!("CEIL({})", name(expr)),
        Expr::Trim {
            expr,
            trim_where: None,
            trim_what: None,
            trim_characters: None,
        } => format!("trim({})", name(expr)),
        Expr::Substring {
            expr,
            substring_from,
            substring_for,
            shorthand,
            ..
        } => {
            let function = if *shorthand { "substr" } else { "substring" };
            let given = [substring_from, substring_for].into_iter().flatten();
            let arguments = std::iter::once(expr).chain(given).map(|expr| name(expr));
            call_name(function, "", arguments.collect())
        }
        Expr::Struct { values, .. } => format!("struct({})", names(values)),
        Expr::Named { expr, name: alias } => format!("{} AS {}", name(expr), alias.value),
        other => other.to_string().replace('`', ""),
    }
}

fn names(list: &[Expr]) -> String {
    list.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn negatable(negated: bool, test: String) -> String {
    if negated {
        format!("(NOT {test})")
    } else {
        test
    }
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::Function(call) => is_named(call, TYPED_LITERAL),
        _ => false,
    }
}

fn value_name(value: &Value) -> String {
    match value {
        Value::Number(number, _) => number.clone(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Null => "NULL".to_string(),
        other => other.to_string(),
    }
}

fn access_name(root: &Expr, chain: &[AccessExpr]) -> String {
    let mut text = match root {
        Expr::CompoundIdentifier(parts) => {
            let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
            parts.join(".")
        }
        other => name(other),
    };
    for access in chain {
        match access {
            AccessExpr::Dot(field) => text.push_str(&format!(".{}", name(field))),
            AccessExpr::Subscript(Subscript::Index { index }) => {
                text.push_str(&format!("[{}]", name(index)));
            }
            AccessExpr::Subscript(slice) => text.push_str(&format!("[{slice}]")),
        }
    }
    text
}

fn binary_name(left: &Expr, op: &BinaryOperator, right: &Expr) -> String {
    let is_interval = |expr: &Expr| matches!(expr, Expr::Interval(_));
    let (left_name, right_name) = (name(left), name(right));
    match op {
        BinaryOperator::NotEq => format!("(NOT ({left_name} = {right_name}))"),
        BinaryOperator::StringConcat => format!("concat({left_name}, {right_name})"),
        BinaryOperator::MyIntegerDivide => format!("({left_name} div {right_name})"),
        BinaryOperator::Plus | BinaryOperator::Minus
            if is_interval(right) && !is_interval(left) =>
        {
            format!("{left_name} {op} {right_name}")
        }
        _ => format!("({left_name} {op} {right_name})"),
    }
}

fn case_name(expr: &Expr) -> String {
    let Expr::Case {
        operand,
        conditions,
        else_result,
        ..
    } = expr
    else {
        return String::new();
    };
    let mut text = "CASE".to_string();
    for when in conditions {
        let condition = match operand {
            Some(operand) => format!("({} = {})", name(operand), name(&when.condition)),
            None => name(&when.condition),
        };
        text.push_str(&format!(" WHEN {condition} THEN {}", name(&when.result)));
    }
    if let Some(result) = else_result {
        text.push_str(&format!(" ELSE {}", name(result)));
    }
    text.push_str(" END");
    text
}

/// `INTERVAL '05' MINUTE`: hours, minutes and seconds have two digits at least.
fn interval_name(interval: &Interval) -> String {
    let value = name(&interval.value);
    let (Ok(number), Some(unit)) = (value.parse::<i64>(), &interval.leading_field) else {
        return interval.to_string();
    };
    match unit {
        DateTimeField::Hour | DateTimeField::Hours => format!("INTERVAL '{number:02}' HOUR"),
        DateTimeField::Minute | DateTimeField::Minutes => format!("INTERVAL '{number:02}' MINUTE"),
        DateTimeField::Second | DateTimeField::Seconds => format!("INTERVAL '{number:02}' SECOND"),
        DateTimeField::Day | DateTimeField::Days => format!("INTERVAL '{number}' DAY"),
        DateTimeField::Week(_) | DateTimeField::Weeks => format!("INTERVAL '{}' DAY", number * 7),
        DateTimeField::Month | DateTimeField::Months => format!("INTERVAL '{number}' MONTH"),
        DateTimeField::Year | DateTimeField::Years => format!("INTERVAL '{number}' YEAR"),
        _ => interval.to_string(),
    }
}

fn function_name(function: &Function) -> String {
    let called = function.name.to_string().replace('`', "").to_lowercase();
    let FunctionArguments::List(arguments) = &function.args else {
        return format!("{called}()");
    };
    if called == "window" || called == "session_window" {
        return called;
    }
    let distinct = arguments
        .duplicate_treatment
        .is_some_and(|treatment| treatment.to_string().eq_ignore_ascii_case("distinct"));
    let mut shown: Vec<String> = arguments
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => name(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if called == "count" => "1".to_string(),
            other => other.to_string(),
        })
        .collect();
    match called.as_str() {
        "log" if shown.len() == 1 => shown.insert(0, "E()".to_string()),
        TYPED_LITERAL => return shown.swap_remove(0),
        ALL_COLUMNS => return "struct(*)".to_string(),
        "if" => return format!("(IF({}))", shown.join(", ")),
        // Schema and options are not shown.
        "from_json" => shown.truncate(1),
        _ => {}
    }
    let mut text = call_name(&called, if distinct { "DISTINCT " } else { "" }, shown);
    if let Some(filter) = &function.filter {
        text.push_str(&format!(" FILTER (WHERE {})", name(filter)));
    }
    text
}

fn call_name(function: &str, distinct: &str, mut arguments: Vec<String>) -> String {
    let left_out = DEFAULTS
        .iter()
        .find(|(name, given, _)| *name == function && *given == arguments.len());
    arguments.extend(left_out.map(|(_, _, rest)| rest.to_string()));
    let shown = if CAPITALS.contains(&function) {
        function.to_uppercase()
    } else {
        function.to_string()
    };
    format!("{shown}({distinct}{})", arguments.join(", "))
}
