//! Spark SQL text to a statement, and a query to a logical plan.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{
    CreateView, Expr as SqlExpr, ObjectType, Query, Statement as SqlStatement,
};
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::literals::settle_literals;
use super::sql_checks::check_calls;
use super::sql_names::resolve_names;
use super::sql_tokens::{has_trailing_comma, parser};
use super::types::parse_ddl;
use crate::error::{Error, ErrorKind, Result, from_datafusion, syntax_error};
use crate::plan::resolve;

/// One SQL statement.
#[derive(Debug)]
pub enum Statement {
    /// Anything that gives rows.
    Query(Box<Query>),
    /// `CREATE [OR REPLACE] TEMPORARY VIEW name AS query`.
    CreateView {
        /// The view's name.
        name: String,
        /// Whether a view of that name may exist.
        replace: bool,
        /// What it shows.
        query: Box<Query>,
    },
    /// `CREATE [OR REPLACE] TEMPORARY VIEW name [(columns)] USING format OPTIONS (…)`.
    CreateFileView {
        /// The view's name.
        name: String,
        /// Whether a view of that name may exist.
        replace: bool,
        /// Columns, if they were given.
        schema: Option<SchemaRef>,
        /// `json`, `parquet`, `csv`.
        format: String,
        /// Options, `path` among them.
        options: BTreeMap<String, String>,
    },
    /// `DROP VIEW [IF EXISTS] name`.
    DropView {
        /// The view's name.
        name: String,
        /// Whether it is fine if there is none.
        if_exists: bool,
    },
    /// `SET key = value`, or `SET key` to see its value.
    Set {
        /// The setting.
        key: String,
        /// What it is to be.
        value: Option<String>,
    },
    /// `SHOW VIEWS` or `SHOW TABLES`.
    ShowViews,
    /// `DESCRIBE [TABLE] name`.
    Describe(String),
}

/// Parses one statement; a trailing semicolon is fine.
pub fn parse_statement(text: &str) -> Result<Statement> {
    if let Some(set) = parse_set(text) {
        return Ok(set);
    }
    if let Some(view) = parse_file_view(text)? {
        return Ok(view);
    }
    let parsed = parser(text).and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| parse_error(&error, text))?;
    if statements.len() > 1 {
        return Err(Error::new(
            ErrorKind::Parse,
            format!(
                "one statement was expected, {} were given",
                statements.len()
            ),
        )
        .with_condition("PARSE_SYNTAX_ERROR")
        .with_hint("put each statement into a cell of its own"));
    }
    match statements.pop() {
        None => Err(
            Error::new(ErrorKind::Parse, "there is no SQL statement here")
                .with_condition("PARSE_EMPTY_STATEMENT"),
        ),
        Some(SqlStatement::Query(query)) => Ok(Statement::Query(query)),
        Some(SqlStatement::CreateView(CreateView {
            name,
            or_replace,
            query,
            ..
        })) => Ok(Statement::CreateView {
            name: name.to_string().replace('`', ""),
            replace: or_replace,
            query,
        }),
        Some(SqlStatement::Drop {
            object_type: ObjectType::View | ObjectType::Table,
            if_exists,
            names,
            ..
        }) if names.len() == 1 => Ok(Statement::DropView {
            name: names[0].to_string().replace('`', ""),
            if_exists,
        }),
        Some(SqlStatement::ShowTables { .. } | SqlStatement::ShowViews { .. }) => {
            Ok(Statement::ShowViews)
        }
        Some(SqlStatement::ExplainTable { table_name, .. }) => {
            Ok(Statement::Describe(table_name.to_string().replace('`', "")))
        }
        Some(other) => {
            let text = other.to_string();
            let verb = text
                .split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ");
            Err(Error::analysis(format!("the statement {verb} is not supported"))
                .with_hint("supported are SELECT, CREATE TEMPORARY VIEW, DROP VIEW, SHOW VIEWS, DESCRIBE and SET"))
        }
    }
}

/// Parses one expression, with the name it gives itself (`a + b AS c`).
pub(super) fn parse_expression(text: &str) -> Result<(SqlExpr, Option<String>)> {
    let parsed = parser(text).and_then(|mut parser| {
        let expr = parser.parse_expr()?;
        let name = match parser.parse_keyword(Keyword::AS) {
            true => Some(parser.parse_identifier()?.value),
            false => None,
        };
        parser.expect_token(&Token::EOF)?;
        Ok((expr, name))
    });
    parsed.map_err(|error| parse_error(&error, text))
}

fn parse_error(error: &ParserError, text: &str) -> Error {
    let translated = syntax_error(&error.to_string(), text);
    if has_trailing_comma(text) {
        return translated
            .with_condition("TRAILING_COMMA_IN_SELECT")
            .with_hint("remove the comma before FROM");
    }
    translated
}

/// Plans a query: names as Spark resolves them, windows as columns.
pub async fn plan_query(session: &SessionState, query: Query) -> Result<LogicalPlan> {
    let mut statement = SqlStatement::Query(Box::new(query));
    let selects = check_calls(session, &mut statement)?;
    let outputs = resolve_names(session, &mut statement).await?;
    let statement = DataFusionStatement::Statement(Box::new(statement));
    let plan = session.statement_to_plan(statement).await;
    let plan = plan.map_err(|error| selects.explain(from_datafusion(error)))?;
    outputs.rename(resolve(settle_literals(plan)?)?)
}

/// `SET key = value`. As in Spark, a value is text up to the end and needs no quotes, so this is no
/// matter of SQL's tokens.
fn parse_set(text: &str) -> Option<Statement> {
    let text = text.trim().trim_end_matches(';');
    let (verb, setting) = text.split_once(char::is_whitespace)?;
    if !verb.eq_ignore_ascii_case("set") {
        return None;
    }
    let (key, value) = match setting.split_once('=') {
        Some((key, value)) => (key, Some(value.trim().to_string())),
        None => (setting, None),
    };
    let key = key.trim().replace('`', "");
    Some(Statement::Set { key, value })
}

/// `CREATE … VIEW … USING format OPTIONS (…)`, which the SQL parser does not know.
fn parse_file_view(text: &str) -> Result<Option<Statement>> {
    let failed = |error: ParserError| syntax_error(&error.to_string(), text);
    let Ok(mut parser) = Parser::new(&SparkSqlDialect {}).try_with_sql(text) else {
        return Ok(None);
    };
    if !parser.parse_keyword(Keyword::CREATE) {
        return Ok(None);
    }
    let replace = parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    let _ = parser.parse_one_of_keywords(&[Keyword::TEMPORARY, Keyword::TEMP]);
    if !parser.parse_keyword(Keyword::VIEW) {
        return Ok(None);
    }
    let name = parser.parse_object_name(false).map_err(failed)?;
    let name = name.to_string().replace('`', "");
    let mut schema = None;
    if parser.peek_token().token == Token::LParen {
        match column_text(&mut parser) {
            Some(columns) if parser.peek_keyword(Keyword::USING) => {
                schema = Some(parse_ddl(&columns)?);
            }
            _ => return Ok(None),
        }
    }
    if !parser.parse_keyword(Keyword::USING) {
        return Ok(None);
    }
    let format = parser.parse_identifier().map_err(failed)?.value;
    let mut options = BTreeMap::new();
    if parser.parse_keyword(Keyword::OPTIONS) {
        parser.expect_token(&Token::LParen).map_err(failed)?;
        loop {
            let key = match parser.next_token().token {
                Token::Word(word) => word.value,
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
                other => {
                    let message = format!("expected an option's name, found {other}");
                    return Err(syntax_error(&message, text));
                }
            };
            let _ = parser.consume_token(&Token::Eq);
            let value = match parser.next_token().token {
                Token::Word(word) => word.value,
                Token::Number(number, _) => number,
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
                other => {
                    let message = format!("expected the value of option '{key}', found {other}");
                    return Err(syntax_error(&message, text));
                }
            };
            options.insert(key, value);
            if !parser.consume_token(&Token::Comma) {
                break;
            }
        }
        parser.expect_token(&Token::RParen).map_err(failed)?;
    }
    let _ = parser.consume_token(&Token::SemiColon);
    parser.expect_token(&Token::EOF).map_err(failed)?;
    Ok(Some(Statement::CreateFileView {
        name,
        replace,
        schema,
        format,
        options,
    }))
}

/// The text between a parenthesis and its partner.
fn column_text(parser: &mut Parser<'_>) -> Option<String> {
    let mut depth = 0;
    let mut text = String::new();
    loop {
        let token = parser.next_token().token;
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::EOF => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(text);
        }
        if !(depth == 1 && token == Token::LParen) {
            text.push_str(&token.to_string());
            text.push(' ');
        }
    }
}
