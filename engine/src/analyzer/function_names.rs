//! How Spark shows calls of functions in the names of columns: some under another name, some with
//! arguments that the query left out, some without those that it has.

use super::output_names::{name_of, sort_names};
use crate::tree::{Call, Expression, NullTreatment};
use crate::user_functions;

/// Functions that Spark shows in capitals.
const CAPITALS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "csc",
    "degrees",
    "exp",
    "expm1",
    "floor",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "power",
    "radians",
    "regexp",
    "regexp_like",
    "rint",
    "rlike",
    "sec",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
];

/// Functions whose name is another one in a column's name.
const SHOWN_AS: &[(&str, &str)] = &[
    ("array_agg", "collect_list"),
    ("current_database", "current_schema"),
    ("dateadd", "date_add"),
    ("to_varchar", "to_char"),
];

/// How many arguments a function has, and what the last of them are where a query leaves them out.
const DEFAULTS: &[(&str, usize, &[&str])] = &[
    ("aes_decrypt", 5, &["GCM", "DEFAULT", ""]),
    ("aes_encrypt", 6, &["GCM", "DEFAULT", "", ""]),
    ("bround", 2, &["0"]),
    ("current_time", 1, &["6"]),
    ("from_unixtime", 2, &["yyyy-MM-dd HH:mm:ss"]),
    ("hmac", 3, &["SHA-256"]),
    ("lag", 3, &["1", "NULL"]),
    ("lead", 3, &["1", "NULL"]),
    ("listagg", 2, &["NULL"]),
    ("locate", 3, &["1"]),
    ("lpad", 3, &[" "]),
    ("make_dt_interval", 4, &["0", "0", "0", "0.000000"]),
    (
        "make_interval",
        7,
        &["0", "0", "0", "0", "0", "0", "0.000000"],
    ),
    ("make_ym_interval", 2, &["0", "0"]),
    ("mask", 5, &["X", "x", "n", "NULL"]),
    ("months_between", 3, &["true"]),
    ("overlay", 4, &["-1"]),
    ("percentile", 3, &["1"]),
    ("position", 3, &["1"]),
    ("regexp_extract", 3, &["1"]),
    ("regexp_extract_all", 3, &["1"]),
    ("regexp_instr", 3, &["0"]),
    ("regexp_replace", 4, &["1"]),
    ("round", 2, &["0"]),
    ("rpad", 3, &[" "]),
    ("sentences", 3, &["", ""]),
    ("sort_array", 2, &["true"]),
    ("split", 3, &["-1"]),
    ("str_to_map", 3, &[",", ":"]),
    ("string_agg", 2, &["NULL"]),
    ("substr", 3, &["2147483647"]),
    ("substring", 3, &["2147483647"]),
    ("to_unix_timestamp", 2, &["yyyy-MM-dd HH:mm:ss"]),
    ("try_aes_decrypt", 5, &["GCM", "DEFAULT", ""]),
    (
        "try_make_interval",
        7,
        &["0", "0", "0", "0", "0", "0", "0.000000"],
    ),
    (
        "unix_timestamp",
        2,
        &["current_timestamp()", "yyyy-MM-dd HH:mm:ss"],
    ),
];

/// Functions of which so many arguments are shown: the others are options.
const SHOWN_ARGUMENTS: &[(&str, usize)] = &[
    ("any_value", 1),
    ("first", 1),
    ("first_value", 1),
    ("from_csv", 1),
    ("from_json", 1),
    ("last", 1),
    ("last_value", 1),
    ("schema_of_csv", 1),
    ("schema_of_json", 1),
    ("to_csv", 1),
    ("to_json", 1),
    ("try_make_timestamp", 6),
];

/// A call that is no operator.
pub(super) fn function_name(call: &Call) -> String {
    let name = call.name.as_str();
    let arguments = call.arguments.iter().map(|argument| match argument {
        Expression::Star(star) if name == "count" && star.of.is_empty() => "1".to_string(),
        Expression::Argument { value, .. } => name_of(value),
        other => name_of(other),
    });
    let mut shown: Vec<String> = arguments.collect();
    match name {
        "log" if shown.len() == 1 => shown.insert(0, "E()".to_string()),
        "convert_timezone" if shown.len() == 2 => {
            shown.insert(0, "current_timezone()".to_string());
        }
        "assert_true" if let [condition] = shown.as_slice() => {
            shown.push(format!("'{condition}' is not true!"));
        }
        "struct" if matches!(call.arguments.as_slice(), [Expression::Star(_)]) => {
            return "struct(*)".to_string();
        }
        "e" | "pi" if shown.is_empty() => return format!("{}()", name.to_uppercase()),
        "mode" if !shown.is_empty() => return mode_name(&shown),
        _ => {}
    }
    let mut limits = SHOWN_ARGUMENTS.iter();
    if let Some((_, count)) = limits.find(|(own, _)| *own == name) {
        shown.truncate(*count);
    }
    shown.extend(left_out(name, shown.len()));
    let distinct = if call.distinct { "DISTINCT " } else { "" };
    let mut text = format!("{}({distinct}{})", shown_name(call), shown.join(", "));
    if !call.order_by.is_empty() {
        text.push_str(&format!(" WITHIN GROUP (ORDER BY {})", within_group(call)));
    }
    if call.nulls == Some(NullTreatment::Ignore) {
        text.push_str(" ignore nulls");
    }
    if let Some(filter) = &call.filter {
        text.push_str(&format!(" FILTER (WHERE {})", name_of(filter)));
    }
    text
}

/// The name of the function itself.
fn shown_name(call: &Call) -> String {
    let name = call.name.as_str();
    if name == "string_agg" && !call.order_by.is_empty() {
        return "listagg".to_string();
    }
    let other = SHOWN_AS.iter().find(|(own, _)| *own == name);
    let name = other.map_or(name, |(_, shown)| shown);
    match CAPITALS.contains(&name) {
        true => name.to_uppercase(),
        false => user_functions::shown_name(name).to_string(),
    }
}

/// The arguments that are shown although only `given` were.
fn left_out(name: &str, given: usize) -> impl Iterator<Item = String> + use<> {
    let missing = DEFAULTS.iter().find_map(|(own, total, defaults)| {
        let given_defaults = (given + defaults.len()).checked_sub(*total)?;
        let missing = defaults.get(given_defaults..)?;
        (*own == name && given < *total).then_some(missing)
    });
    let missing = missing.unwrap_or_default().iter();
    missing.map(ToString::to_string)
}

/// `mode(x, true)` is the smallest of several, as an order would make it.
fn mode_name(shown: &[String]) -> String {
    match shown {
        [value, least] if least == "true" => format!("mode() WITHIN GROUP (ORDER BY {value} DESC)"),
        [value, ..] => format!("mode({value})"),
        [] => "mode()".to_string(),
    }
}

/// The order WITHIN GROUP. That of a percentile is shown as short as it can be, and that of `mode` turned
/// round, as Spark has it.
fn within_group(call: &Call) -> String {
    let [key] = call.order_by.as_slice() else {
        return sort_names(&call.order_by);
    };
    let descends = match call.name.as_str() {
        "percentile_cont" | "percentile_disc" => !key.ascending,
        "mode" => key.ascending,
        _ => return sort_names(&call.order_by),
    };
    let direction = if descends { " DESC" } else { "" };
    format!("{}{direction}", name_of(&key.expression))
}
