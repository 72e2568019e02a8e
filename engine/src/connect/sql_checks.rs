//! What is refused before anything is planned: calls with too few or too many arguments,
//! aggregates in WHERE, in GROUP BY or in each other, and literals that are none.

use datafusion::execution::context::SessionState;
use datafusion::logical_expr::TypeSignature;
use datafusion::logical_expr_common::signature::Arity;
use datafusion::sql::sqlparser::ast::{
    DataType, Expr, FunctionArguments, GroupByExpr, Select, SelectItem, Statement, TypedString,
};

use super::sql_functions::{is_aggregate as is_defined_aggregate, is_defined};
use super::sql_visit::{SqlVisitor, walk_expression, walk_statement};
use crate::datetime::{Zone, parse_date, parse_timestamp};
use crate::error::{Error, ErrorKind, Result};

/// Refuses what no data could make right.
pub(super) fn check_calls(session: &SessionState, statement: &mut Statement) -> Result<Selects> {
    let mut check = Check {
        session,
        error: None,
        selects: Selects::default(),
    };
    walk_statement(statement, &mut check);
    match check.error {
        Some(error) => Err(error),
        None => Ok(check.selects),
    }
}

/// What an error of the planner may be about.
#[derive(Debug, Default)]
pub(super) struct Selects {
    /// Some SELECT has aggregates and no GROUP BY.
    lacks_group_by: bool,
}

impl Selects {
    /// Without GROUP BY, what is missing is that.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.lacks_group_by && error.condition() == Some("MISSING_AGGREGATION") {
            return error
                .with_condition("MISSING_GROUP_BY")
                .with_hint("add GROUP BY with the columns that stand beside the aggregate");
        }
        error
    }
}

struct Check<'a> {
    session: &'a SessionState,
    error: Option<Error>,
    selects: Selects,
}

impl Check<'_> {
    /// The aggregates of an expression, those in queries inside of it left out.
    fn find(&self, expr: &mut Expr) -> Found {
        let mut find = Find {
            session: self.session,
            calls: 0,
            queries: 0,
            found: Found::default(),
        };
        walk_expression(expr, &mut find);
        find.found
    }

    fn refuse(&mut self, condition: &str, message: String, hint: &str) {
        let error = Error::analysis(message).with_condition(condition);
        self.error.get_or_insert(error.with_hint(hint));
    }
}

impl SqlVisitor for Check<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        if let Expr::TypedString(literal) = expr {
            if let Some(error) = invalid_literal(literal) {
                self.error.get_or_insert(error);
            }
            return;
        }
        let Expr::Function(call) = expr else {
            return;
        };
        let FunctionArguments::List(list) = &call.args else {
            return;
        };
        let name = call.name.to_string().replace('`', "").to_lowercase();
        let signature = match self.session.scalar_functions().get(&name) {
            Some(function) if !is_defined(&name) => function.signature(),
            _ => return,
        };
        let given = list.args.len();
        let accepted = argument_counts(&signature.type_signature);
        if let Some(accepted) = accepted.filter(|accepted| !accepted.contains(&given)) {
            let accepted: Vec<String> = accepted.iter().map(usize::to_string).collect();
            let accepted = accepted.join(" or ");
            self.refuse(
                "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                format!("{name} got {given} arguments"),
                &format!("the number of arguments of {name} is {accepted}"),
            );
        }
    }

    fn select(&mut self, select: &mut Select) {
        let mut has_aggregate = false;
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                let found = self.find(expr);
                has_aggregate |= found.first.is_some();
                if let Some(nested) = found.nested {
                    self.refuse(
                        "NESTED_AGGREGATE_FUNCTION",
                        format!("the aggregate {nested} stands inside of another one"),
                        "compute the inner aggregate in a subquery",
                    );
                }
            }
        }
        if let Some(aggregate) = select
            .selection
            .as_mut()
            .and_then(|expr| self.find(expr).first)
        {
            self.refuse(
                "INVALID_WHERE_CONDITION",
                format!("WHERE cannot use the aggregate {aggregate}"),
                "use HAVING for conditions on aggregates",
            );
        }
        let GroupByExpr::Expressions(groups, _) = &mut select.group_by else {
            return;
        };
        self.selects.lacks_group_by |= has_aggregate && groups.is_empty();
        let mut groups = std::mem::take(groups);
        for group in &mut groups {
            if let Some(aggregate) = self.find(group).first {
                self.refuse(
                    "GROUP_BY_AGGREGATE",
                    format!("GROUP BY cannot use the aggregate {aggregate}"),
                    "group by columns, and put the aggregate into SELECT",
                );
            }
        }
        if let GroupByExpr::Expressions(own, _) = &mut select.group_by {
            *own = groups;
        }
    }
}

/// `DATE '2024-13-01'` is no day of any calendar.
fn invalid_literal(literal: &TypedString) -> Option<Error> {
    let text = literal.value.clone().into_string()?;
    let is_valid = match literal.data_type {
        DataType::Date => parse_date(&text).is_some(),
        DataType::Timestamp(..) => parse_timestamp(&text, Zone::UTC).is_some(),
        _ => true,
    };
    let message = format!("'{text}' is not a valid {}", literal.data_type);
    let error = Error::new(ErrorKind::Parse, message).with_condition("INVALID_TYPED_LITERAL");
    (!is_valid).then(|| {
        error.with_hint("write it like DATE '2024-01-31' or TIMESTAMP '2024-01-31 12:00:00'")
    })
}

/// How many arguments a function takes, if that can be told.
fn argument_counts(signature: &TypeSignature) -> Option<Vec<usize>> {
    if let TypeSignature::OneOf(variants) = signature {
        let counts: Option<Vec<Vec<usize>>> = variants.iter().map(argument_counts).collect();
        let mut counts = counts?.concat();
        counts.sort_unstable();
        counts.dedup();
        return Some(counts);
    }
    match signature.arity() {
        Arity::Fixed(count) => Some(vec![count]),
        Arity::Variable => None,
    }
}

#[derive(Debug, Default)]
struct Found {
    first: Option<String>,
    nested: Option<String>,
}

struct Find<'a> {
    session: &'a SessionState,
    /// How many aggregates surround the expression.
    calls: usize,
    queries: usize,
    found: Found,
}

impl Find<'_> {
    fn is_aggregate(&self, expr: &Expr) -> bool {
        let Expr::Function(call) = expr else {
            return false;
        };
        let FunctionArguments::List(_) = &call.args else {
            return false;
        };
        let name = call.name.to_string().replace('`', "").to_lowercase();
        let is_known = self.session.aggregate_functions().contains_key(&name);
        call.over.is_none() && (is_known || is_defined_aggregate(&name))
    }
}

fn is_query(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. }
    )
}

impl SqlVisitor for Find<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        self.queries += usize::from(is_query(expr));
        if self.queries > 0 || !self.is_aggregate(expr) {
            return;
        }
        if self.calls > 0 {
            self.found.nested.get_or_insert_with(|| expr.to_string());
        }
        self.found.first.get_or_insert_with(|| expr.to_string());
        self.calls += 1;
    }

    fn expression_done(&mut self, expr: &mut Expr) {
        if self.queries == 0 && self.is_aggregate(expr) {
            self.calls -= 1;
        }
        self.queries -= usize::from(is_query(expr));
    }
}
