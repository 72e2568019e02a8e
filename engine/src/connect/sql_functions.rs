//! Puts what Spark's functions stand for in the place of their calls.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, NullTreatment, ObjectName, Value,
};
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::sql_definitions::{AGGREGATES, IGNORING_NULLS, SCALARS};
use super::sql_units::{of_unit, takes_unit};
use super::sql_visit::{SqlVisitor, walk_expression};

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
    if let Some((sql, arguments)) = of_unit(&name, &arguments) {
        return filled_in(parse(&sql)?, arguments);
    }
    let mut definitions = AGGREGATES.iter().chain(SCALARS);
    let (_, _, sql) =
        definitions.find(|(known, count, _)| *known == name && *count == arguments.len())?;
    let mut expanded = parse(sql)?;
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
    filled_in(expanded, &arguments)
}

/// A definition with the arguments in it.
pub(super) fn filled_in(mut definition: Expr, arguments: &[Expr]) -> Option<Expr> {
    walk_expression(&mut definition, &mut Substitute { arguments });
    Some(definition)
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
    definitions.any(|(known, _, _)| *known == name) || takes_unit(name)
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

/// Hands FILTER, DISTINCT and OVER on to the aggregate that takes the call's place, which is the
/// innermost call of a definition.
struct Clauses<'a> {
    call: &'a Function,
    list: &'a FunctionArgumentList,
    done: bool,
}

impl SqlVisitor for Clauses<'_> {
    fn expression_done(&mut self, expr: &mut Expr) {
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
