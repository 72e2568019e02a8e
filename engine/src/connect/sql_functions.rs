//! Functions of Spark that are other functions under another name or with other arguments, written
//! down as SQL. `$1` is the first argument. The functions in a definition are DataFusion's, also one of
//! the same name.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, NullTreatment, ObjectName, Value,
};
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::sql_visit::{SqlVisitor, walk_expression};

/// Aggregates: name, number of arguments, and what the call stands for.
const AGGREGATES: &[(&str, usize, &str)] = &[
    ("any", 1, "bool_or($1)"),
    ("any_value", 1, "first_value($1)"),
    (
        "approx_count_distinct",
        1,
        "CAST(approx_distinct($1) AS BIGINT)",
    ),
    ("array_agg", 1, "collect_list($1)"),
    ("count_if", 1, "count(CASE WHEN $1 THEN 1 END)"),
    ("every", 1, "bool_and($1)"),
    ("first", 1, "first_value($1)"),
    ("last", 1, "last_value($1)"),
    (
        "max_by",
        2,
        "last_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)",
    ),
    (
        "median",
        1,
        "percentile_cont(CAST($1 AS DOUBLE), CAST(0.5 AS DOUBLE))",
    ),
    (
        "min_by",
        2,
        "first_value($1 ORDER BY $2) FILTER (WHERE $2 IS NOT NULL)",
    ),
    (
        "percentile",
        2,
        "percentile_cont(CAST($1 AS DOUBLE), CAST($2 AS DOUBLE))",
    ),
    ("some", 1, "bool_or($1)"),
    ("std", 1, "stddev($1)"),
    ("try_avg", 1, "avg($1)"),
    ("variance", 1, "var_samp($1)"),
];

/// Functions of single rows.
const SCALARS: &[(&str, usize, &str)] = &[
    // Text.
    ("char_length", 1, "length($1)"),
    ("character_length", 1, "length($1)"),
    ("len", 1, "length($1)"),
    ("lcase", 1, "lower($1)"),
    ("regexp_extract", 2, "regexp_extract($1, $2, 1)"),
    ("regexp_replace", 3, "regexp_replace($1, $2, $3, 'g')"),
    ("rlike", 2, "regexp_like($1, $2)"),
    ("regexp", 2, "regexp_like($1, $2)"),
    ("split", 2, "split($1, $2, -1)"),
    ("ucase", 1, "upper($1)"),
    // Numbers and conditions.
    ("isnotnull", 1, "($1 IS NOT NULL)"),
    ("isnull", 1, "($1 IS NULL)"),
    ("sign", 1, "signum($1)"),
    // Arrays and maps.
    (
        "cardinality",
        1,
        "CASE WHEN $1 IS NOT NULL THEN size($1) END",
    ),
    ("explode", 1, "unnest($1)"),
    ("explode_outer", 1, "unnest_outer($1)"),
    ("size", 1, "CASE WHEN $1 IS NOT NULL THEN size($1) END"),
    ("sort_array", 1, "array_sort($1, 'ASC', 'NULLS FIRST')"),
    (
        "sort_array",
        2,
        "CASE WHEN $2 THEN array_sort($1, 'ASC', 'NULLS FIRST') ELSE array_sort($1, 'DESC', 'NULLS LAST') END",
    ),
    // Time.
    ("add_months", 2, "add_months($1, CAST($2 AS INT))"),
    ("curdate", 0, "current_date()"),
    ("date_add", 2, "date_add($1, CAST($2 AS INT))"),
    ("date_sub", 2, "date_sub($1, CAST($2 AS INT))"),
    ("dateadd", 2, "date_add($1, CAST($2 AS INT))"),
    ("day", 1, "date_part('day', $1)"),
    ("dayofmonth", 1, "date_part('day', $1)"),
    ("dayofweek", 1, "date_part('dayofweek', $1)"),
    ("dayofyear", 1, "date_part('doy', $1)"),
    (
        "from_unixtime",
        1,
        "date_format(CAST($1 AS TIMESTAMP), 'yyyy-MM-dd HH:mm:ss')",
    ),
    ("from_unixtime", 2, "date_format(CAST($1 AS TIMESTAMP), $2)"),
    ("month", 1, "date_part('month', $1)"),
    ("quarter", 1, "date_part('quarter', $1)"),
    ("timestamp_seconds", 1, "CAST($1 AS TIMESTAMP)"),
    ("to_date", 1, "CAST($1 AS DATE)"),
    ("to_date", 2, "CAST(parse_timestamp($1, $2) AS DATE)"),
    ("to_timestamp", 1, "CAST($1 AS TIMESTAMP)"),
    ("to_timestamp", 2, "parse_timestamp($1, $2)"),
    (
        "to_unix_timestamp",
        1,
        "(unix_micros(CAST($1 AS TIMESTAMP)) div 1000000)",
    ),
    (
        "to_unix_timestamp",
        2,
        "(unix_micros(parse_timestamp($1, $2)) div 1000000)",
    ),
    ("try_to_timestamp", 1, "TRY_CAST($1 AS TIMESTAMP)"),
    ("unix_timestamp", 0, "CAST(current_timestamp() AS BIGINT)"),
    (
        "unix_timestamp",
        1,
        "(unix_micros(CAST($1 AS TIMESTAMP)) div 1000000)",
    ),
    (
        "unix_timestamp",
        2,
        "(unix_micros(parse_timestamp($1, $2)) div 1000000)",
    ),
    ("weekofyear", 1, "date_part('week', $1)"),
    ("year", 1, "date_part('year', $1)"),
];

/// Aggregates whose second argument says whether NULL counts.
const IGNORING_NULLS: &[(&str, &str)] = &[
    ("any_value", "first_value"),
    ("first", "first_value"),
    ("first_value", "first_value"),
    ("last", "last_value"),
    ("last_value", "last_value"),
];

/// What a call stands for, if it is one of these.
pub(super) fn expand(expr: &Expr) -> Option<Expr> {
    let Expr::Function(call) = expr else {
        return None;
    };
    let FunctionArguments::List(list) = &call.args else {
        return None;
    };
    let name = call.name.to_string().replace('`', "").to_lowercase();
    let arguments = plain_arguments(list)?;
    if let Some(expanded) = ignoring_nulls(&name, call, &arguments) {
        return Some(expanded);
    }
    let mut definitions = AGGREGATES.iter().chain(SCALARS);
    let (_, _, sql) =
        definitions.find(|(known, count, _)| *known == name && *count == arguments.len())?;
    let mut expanded = parse(sql)?;
    walk_expression(
        &mut expanded,
        &mut Substitute {
            arguments: &arguments,
        },
    );
    if call.filter.is_some() || list.duplicate_treatment.is_some() || call.over.is_some() {
        walk_expression(
            &mut expanded,
            &mut Clauses {
                call,
                list,
                done: false,
            },
        );
    }
    Some(expanded)
}

fn plain_arguments(list: &FunctionArgumentList) -> Option<Vec<Expr>> {
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        })
        .collect()
}

pub(super) fn parse(sql: &str) -> Option<Expr> {
    let mut parser = Parser::new(&SparkSqlDialect {}).try_with_sql(sql).ok()?;
    parser.parse_expr().ok()
}

/// `first(x, true)` leaves NULL out.
fn ignoring_nulls(name: &str, call: &Function, arguments: &[Expr]) -> Option<Expr> {
    let (_, function) = IGNORING_NULLS.iter().find(|(known, _)| *known == name)?;
    let [value, Expr::Value(ignore)] = arguments else {
        return None;
    };
    let Value::Boolean(ignore) = ignore.value else {
        return None;
    };
    let mut call = call.clone();
    call.name = ObjectName::from(vec![Ident::new(*function)]);
    call.null_treatment = ignore.then_some(NullTreatment::IgnoreNulls);
    if let FunctionArguments::List(list) = &mut call.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(value.clone()))];
    }
    Some(Expr::Function(call))
}

/// Whether a function is defined here, whatever the number of its arguments.
pub(super) fn is_defined(name: &str) -> bool {
    let mut definitions = AGGREGATES.iter().chain(SCALARS);
    definitions.any(|(known, _, _)| *known == name)
}

/// Whether a defined function is an aggregate.
pub(super) fn is_aggregate(name: &str) -> bool {
    let mut aggregates = AGGREGATES.iter();
    aggregates.any(|(known, _, _)| *known == name)
}

/// Puts the arguments in.
struct Substitute<'a> {
    arguments: &'a [Expr],
}

impl SqlVisitor for Substitute<'_> {
    fn expression_done(&mut self, expr: &mut Expr) {
        let Expr::Value(value) = expr else {
            return;
        };
        let Value::Placeholder(name) = &value.value else {
            return;
        };
        let number = name.trim_start_matches('$').parse::<usize>();
        if let Some(argument) = number
            .ok()
            .and_then(|number| self.arguments.get(number - 1))
        {
            *expr = argument.clone();
        }
    }
}

/// Hands FILTER, DISTINCT and OVER on to the aggregate that takes the call's place.
struct Clauses<'a> {
    call: &'a Function,
    list: &'a FunctionArgumentList,
    done: bool,
}

impl SqlVisitor for Clauses<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        let Expr::Function(inner) = expr else {
            return;
        };
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        inner.filter = match (inner.filter.take(), self.call.filter.clone()) {
            (Some(own), Some(given)) => Some(Box::new(Expr::BinaryOp {
                left: own,
                op: BinaryOperator::And,
                right: given,
            })),
            (own, given) => own.or(given),
        };
        inner.over.clone_from(&self.call.over);
        if let FunctionArguments::List(list) = &mut inner.args {
            list.duplicate_treatment = self.list.duplicate_treatment;
        }
    }
}
