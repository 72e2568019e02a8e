//! Statements: what a text asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::identifier::constant_text;
use super::parameters::Parameters;
use super::parser::Parser;
use super::tokens::TokenKind;
use crate::error::{Error, ErrorKind, Result, check_unique_columns};
use crate::tree::{Expression, Query};

/// One SQL statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// Anything that gives rows.
    Query(Box<Query>),
    /// `CREATE [OR REPLACE] TEMPORARY VIEW name [(columns)] AS query`.
    CreateView {
        /// The view's name.
        name: String,
        /// Whether a view of that name may exist.
        replace: bool,
        /// New names for its columns, and comments; none keeps them.
        columns: Vec<(String, Option<String>)>,
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
    /// `SET key = value`, `SET key` to see its value, `SET` to see all.
    Set {
        /// The setting.
        key: Option<String>,
        /// What it is to be.
        value: Option<String>,
    },
    /// `RESET key`, or all settings.
    Reset {
        /// The setting.
        key: Option<String>,
    },
    /// `SHOW VIEWS`.
    ShowViews {
        /// Which names.
        pattern: Option<String>,
    },
    /// `SHOW TABLES`.
    ShowTables {
        /// Which names.
        pattern: Option<String>,
    },
    /// `SHOW FUNCTIONS`.
    ShowFunctions {
        /// Which names.
        pattern: Option<String>,
    },
    /// `SHOW COLUMNS IN table`.
    ShowColumns {
        /// The table's name.
        table: String,
    },
    /// `DESCRIBE [TABLE] [EXTENDED] name`.
    Describe {
        /// The table's name.
        table: String,
        /// `EXTENDED`.
        extended: bool,
    },
    /// `DESCRIBE [QUERY] query`.
    DescribeQuery(Box<Query>),
    /// `DESCRIBE FUNCTION [EXTENDED] name`.
    DescribeFunction {
        /// The function's name.
        name: String,
        /// `EXTENDED`.
        extended: bool,
    },
    /// `EXPLAIN [EXTENDED | CODEGEN | COST | FORMATTED] query`.
    Explain {
        /// The query.
        query: Box<Query>,
        /// `simple`, or the word given in lower case.
        mode: String,
    },
}

/// First words of statements that Spark has and this version has not.
const VERBS: &[&str] = &[
    "ADD", "ALTER", "ANALYZE", "BEGIN", "CACHE", "CALL", "CLEAR", "COMMENT", "COMMIT", "CREATE",
    "DECLARE", "DELETE", "DESC", "DESCRIBE", "DROP", "EXECUTE", "EXPLAIN", "EXPORT", "GRANT",
    "IMPORT", "INSERT", "LIST", "LOAD", "LOCK", "MERGE", "MSCK", "REFRESH", "REPAIR", "REPLACE",
    "REVOKE", "ROLLBACK", "SHOW", "START", "TRUNCATE", "UNCACHE", "UNLOCK", "UPDATE", "USE",
];

/// Parses one statement; semicolons behind it are fine.
///
/// # Errors
/// If the text is no statement, several, or one that this version has not.
pub(crate) fn parse_statement(text: &str) -> Result<Statement> {
    parse_with(text, None)
}

/// The same, with values for the parameters of the text.
pub(super) fn parse_with(text: &str, parameters: Option<Parameters>) -> Result<Statement> {
    if let Some(set) = parse_set(text) {
        return Ok(set);
    }
    let mut parser = Parser::new(text)?;
    parser.values_of_parameters = parameters;
    while parser.eat(";") {}
    if parser.is_end() {
        return Err(
            Error::new(ErrorKind::Parse, "there is no SQL statement here")
                .with_condition("PARSE_EMPTY_STATEMENT"),
        );
    }
    let statement = parser.statement()?;
    parser.expect_last()?;
    Ok(statement)
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Statement> {
        if self.starts_query() {
            return Ok(Statement::Query(Box::new(self.query()?)));
        }
        let start = self.at;
        let known = if self.eat("CREATE") {
            self.create()?
        } else if self.eat("DROP") {
            self.drop_view()?
        } else if self.eat("SHOW") {
            self.show()?
        } else if self.eat_any(&["DESCRIBE", "DESC"]).is_some() {
            self.describe()?
        } else if self.eat_all(&["EXECUTE", "IMMEDIATE"]) {
            return self.execute_immediate();
        } else if self.eat("EXPLAIN") {
            let mode = self.eat_any(&["EXTENDED", "CODEGEN", "COST", "FORMATTED"]);
            let mode = mode.unwrap_or("simple").to_lowercase();
            match self.starts_query() {
                true => Some(Statement::Explain {
                    query: Box::new(self.query()?),
                    mode,
                }),
                false => None,
            }
        } else {
            None
        };
        match known {
            Some(statement) => Ok(statement),
            None => {
                self.at = start;
                Err(self.unsupported())
            }
        }
    }

    fn unsupported(&self) -> Error {
        if !self.is_any(VERBS) {
            return self.expected("an SQL statement");
        }
        let second = match &self.peek_at(1).kind {
            TokenKind::Word {
                text,
                quoted: false,
            } => format!(" {}", text.to_uppercase()),
            _ => String::new(),
        };
        let verb = format!("{}{second}", self.peek().kind.to_string().to_uppercase());
        Error::analysis(format!("the statement {verb} is not supported")).with_hint(
            "supported are SELECT, CREATE TEMPORARY VIEW, DROP VIEW, SHOW VIEWS, SHOW TABLES, \
             SHOW FUNCTIONS, SHOW COLUMNS, DESCRIBE, EXPLAIN, SET and RESET",
        )
    }

    /// The rest of `EXECUTE IMMEDIATE 'text' USING 1, 'a' AS b`: what the text asks for.
    fn execute_immediate(&mut self) -> Result<Statement> {
        let text = self.expression()?;
        let text = constant_text(&text).ok_or_else(|| self.expected("a constant text"))?;
        let mut parameters = Parameters::default();
        if self.eat("USING") {
            for value in self.list(Self::named_expression)? {
                match value {
                    Expression::Alias { expression, names } => {
                        parameters.named.insert(names.join("."), *expression);
                    }
                    value => parameters.positional.push(value),
                }
            }
        }
        self.nested(|_| parse_with(&text, Some(parameters)))
    }

    /// Refuses a second statement.
    pub(super) fn expect_last(&mut self) -> Result<()> {
        let mut count = 1;
        while self.eat(";") {}
        if self.is_end() || !self.is_behind(";") {
            return self.expect_end();
        }
        while !self.is_end() {
            count += 1;
            while !self.is_end() && !self.is(";") {
                self.advance();
            }
            while self.eat(";") {}
        }
        let message = format!("one statement was expected, {count} were given");
        Err(Error::new(ErrorKind::Parse, message)
            .with_condition("PARSE_SYNTAX_ERROR")
            .with_hint("put each statement into a cell of its own"))
    }

    /// `a.b`, or a name in quotes.
    fn dotted(&mut self) -> Result<String> {
        Ok(self.qualified()?.join("."))
    }

    /// The rest of CREATE, if it is a view's.
    fn create(&mut self) -> Result<Option<Statement>> {
        let replace = self.eat_all(&["OR", "REPLACE"]);
        let _ = self.eat_any(&["TEMPORARY", "TEMP"]);
        if !self.eat("VIEW") || self.are(&["IF", "NOT", "EXISTS"]) {
            return Ok(None);
        }
        let name = self.dotted()?;
        let mut columns: Vec<(String, Option<String>)> = Vec::new();
        let mut schema = None;
        if self.is("(") {
            let at = self.at;
            match self.in_parens(Self::view_column) {
                Ok(names) if !self.is("USING") => columns = names,
                _ => {
                    self.at = at;
                    self.advance();
                    let fields = self.columns()?;
                    self.expect(")")?;
                    check_unique_columns(fields.iter().map(|field| field.name().as_str()))?;
                    schema = Some(Arc::new(Schema::new(fields)));
                }
            }
        }
        if self.eat("COMMENT") {
            self.string()?;
        }
        if schema.is_none() && self.eat("AS") {
            let query = Box::new(self.query()?);
            return Ok(Some(Statement::CreateView {
                name,
                replace,
                columns,
                query,
            }));
        }
        if !columns.is_empty() {
            return Err(self.expected("AS"));
        }
        if !self.eat("USING") {
            return Err(self.expected(if schema.is_some() { "USING" } else { "AS" }));
        }
        let format = self.dotted()?;
        let options = match self.eat("OPTIONS") {
            true => self.in_parens(Self::option)?.into_iter().collect(),
            false => BTreeMap::new(),
        };
        Ok(Some(Statement::CreateFileView {
            name,
            replace,
            schema,
            format,
            options,
        }))
    }

    /// A column of a view: its name, and its comment.
    fn view_column(&mut self) -> Result<(String, Option<String>)> {
        let name = self.identifier()?;
        let comment = match self.eat("COMMENT") {
            true => Some(self.string()?),
            false => None,
        };
        match self.is(",") || self.is(")") {
            true => Ok((name, comment)),
            false => Err(self.expected(") or ,")),
        }
    }

    /// `key value`, `key = value`, `'a.key' 'value'`.
    fn option(&mut self) -> Result<(String, String)> {
        let key = match self.peek().kind.clone() {
            TokenKind::Text(text) => {
                self.advance();
                text
            }
            TokenKind::Word { .. } => self.dotted()?,
            _ => return Err(self.expected("an option's name")),
        };
        self.eat("=");
        let negative = self.eat("-");
        let value = match self.peek().kind.clone() {
            TokenKind::Text(text) | TokenKind::Word { text, .. } => text,
            TokenKind::Number { digits, suffix } => format!("{digits}{suffix}"),
            _ => return Err(self.expected(&format!("the value of option '{key}'"))),
        };
        self.advance();
        Ok((key, format!("{}{value}", if negative { "-" } else { "" })))
    }

    /// The rest of DROP, if it is a view's.
    fn drop_view(&mut self) -> Result<Option<Statement>> {
        if self.eat_any(&["VIEW", "TABLE"]).is_none() {
            return Ok(None);
        }
        let if_exists = self.eat_all(&["IF", "EXISTS"]);
        let name = self.dotted()?;
        Ok(Some(Statement::DropView { name, if_exists }))
    }

    fn show(&mut self) -> Result<Option<Statement>> {
        if self.eat("COLUMNS") {
            if self.eat_any(&["FROM", "IN"]).is_none() {
                return Err(self.expected("FROM or IN"));
            }
            let table = self.dotted()?;
            self.database()?;
            return Ok(Some(Statement::ShowColumns { table }));
        }
        let _ = self.is_at(1, "FUNCTIONS") && self.eat_any(&["USER", "SYSTEM", "ALL"]).is_some();
        let Some(what) = self.eat_any(&["VIEWS", "TABLES", "FUNCTIONS"]) else {
            return Ok(None);
        };
        self.database()?;
        let is_like = self.eat("LIKE");
        let pattern = match is_like || self.is_text() || (what == "FUNCTIONS" && self.is_word()) {
            true if self.is_text() => Some(self.string()?),
            true => Some(self.dotted()?),
            false => None,
        };
        Ok(Some(match what {
            "VIEWS" => Statement::ShowViews { pattern },
            "TABLES" => Statement::ShowTables { pattern },
            _ => Statement::ShowFunctions { pattern },
        }))
    }

    /// `FROM name` or `IN name`: there is one database only.
    fn database(&mut self) -> Result<()> {
        match self.eat_any(&["FROM", "IN"]) {
            Some(_) => self.qualified().map(|_| ()),
            None => Ok(()),
        }
    }

    fn describe(&mut self) -> Result<Option<Statement>> {
        if self.eat("FUNCTION") {
            let extended = self.eat("EXTENDED");
            let name = match self.peek().kind.clone() {
                TokenKind::Text(text) | TokenKind::Symbol(text) => {
                    self.advance();
                    text
                }
                _ => self.dotted()?,
            };
            return Ok(Some(Statement::DescribeFunction { name, extended }));
        }
        let is_query = self.eat("QUERY");
        if is_query || (self.starts_query() && !self.is("TABLE")) {
            return Ok(Some(Statement::DescribeQuery(Box::new(self.query()?))));
        }
        let others = ["DATABASE", "SCHEMA", "CATALOG", "NAMESPACE", "PROCEDURE"];
        if self.is_any(&others) && matches!(self.peek_at(1).kind, TokenKind::Word { .. }) {
            return Ok(None);
        }
        self.eat("TABLE");
        let is_last = matches!(self.peek_at(1).kind, TokenKind::End);
        let extended = !is_last && self.eat_any(&["EXTENDED", "FORMATTED"]).is_some();
        let table = self.dotted()?;
        Ok(Some(Statement::Describe { table, extended }))
    }
}

/// `SET key = value`. As in Spark, a value is text up to the end and needs no quotes, so this is no
/// matter of SQL's tokens.
fn parse_set(text: &str) -> Option<Statement> {
    let text = without_comments(text)
        .trim()
        .trim_end_matches(';')
        .trim_end();
    let (verb, setting) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let setting = setting.trim();
    if verb.eq_ignore_ascii_case("reset") {
        let key = Some(setting.replace('`', "")).filter(|key| !key.is_empty());
        return Some(Statement::Reset { key });
    }
    if !verb.eq_ignore_ascii_case("set") {
        return None;
    }
    let words: Vec<&str> = setting.split_whitespace().collect();
    if let [time, zone, value @ ..] = words.as_slice()
        && time.eq_ignore_ascii_case("time")
        && zone.eq_ignore_ascii_case("zone")
    {
        let value = value.join(" ").trim_matches(['\'', '"']).to_string();
        let key = Some("spark.sql.session.timeZone".to_string());
        return Some(Statement::Set {
            key,
            value: Some(value),
        });
    }
    let (key, value) = match setting.split_once('=') {
        Some((key, value)) => (key, Some(value.trim().to_string())),
        None => (setting, None),
    };
    let key = Some(key.trim().replace('`', "")).filter(|key| !key.is_empty() && key != "-v");
    Some(Statement::Set { key, value })
}

/// `text` without the comments in front of it.
fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
            (Some(line), _) => line.split_once('\n').map(|(_, behind)| behind),
            (_, Some(block)) => block.split_once("*/").map(|(_, behind)| behind),
            _ => return rest,
        };
        rest = behind.unwrap_or_default().trim_start();
    }
}
