//! Spark SQL as text: statements, queries, expressions and types to the tree.
//!
//! sqlparser's tokenizer reads the text; the grammar above it is Spark's own, so that what one of
//! them accepts and the other does not makes no difference.
//!
//! ```text
//! text ─► tokens (dialect, escapes) ─► parser ─► statement ─► query ─► select ─► relation
//!   expression ─► predicate ─► operators ─► primary ─► calls, literal, interval, window, data_type
//! ```

mod calls;
mod data_type;
mod dialect;
mod escapes;
mod expression;
mod identifier;
mod interval;
mod json_schema;
mod literal;
mod operators;
mod parameters;
mod parser;
mod pipe;
mod predicate;
mod primary;
mod query;
mod relation;
mod select;
mod statement;
mod tokens;
mod types;
mod window;

#[cfg(test)]
mod tests;

pub(crate) use calls::WITHOUT_PARENTHESES;
pub(crate) use data_type::COMMENT;
pub(crate) use expression::{bare_call, call};
pub(crate) use identifier::parse_identifier;
pub(crate) use interval::whole_interval;
pub(crate) use json_schema::parse_schema;
pub use json_schema::parse_schema_of_columns;
pub(crate) use literal::{literal, shown, shown_as};
pub(crate) use parameters::Parameters;
pub(crate) use query::bare_query;
pub(crate) use statement::{Statement, parse_statement};
pub use types::{parse_ddl, parse_type};

use crate::error::{Error, Result};
use crate::tree::{Expression, Query};
use parser::Parser;

/// Parses a query; a semicolon behind it is fine.
///
/// # Errors
/// If the text is anything else.
#[cfg(test)]
pub(crate) fn parse_query(text: &str) -> Result<Query> {
    query_of(parse_statement(text)?)
}

/// Parses a query whose parameters have these values.
///
/// # Errors
/// If the text is anything else, or if a parameter has no value.
pub(crate) fn parse_query_with(text: &str, parameters: Parameters) -> Result<Query> {
    query_of(statement::parse_with(text, Some(parameters))?)
}

fn query_of(statement: Statement) -> Result<Query> {
    match statement {
        Statement::Query(query) => Ok(*query),
        _ => Err(
            Error::analysis("a query was expected, not another statement")
                .with_hint("start with SELECT or WITH"),
        ),
    }
}

/// Parses one expression, with the name it gives itself: `a + b AS c`, `*`, `t.*`.
///
/// # Errors
/// If the text is anything else.
pub(crate) fn parse_expression(text: &str) -> Result<Expression> {
    let mut parser = Parser::new(text)?;
    let expression = parser.named_expression()?;
    parser.expect_end()?;
    Ok(expression)
}
