//! Names as Spark resolves them, done on the syntax tree before DataFusion plans it:
//! case-insensitive columns and tables that keep their own spelling, `window.start` where the query
//! groups by `window(…)`, and Spark's names for unnamed columns (`count(1)`, `sum(amount)`).

use std::collections::HashMap;

use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, ExprWithAlias, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart, Select, SelectItem,
    Statement, TableFactor, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::sql_visit::{SqlVisitor, walk_expression, walk_statement};
use crate::error::{Error, Result, from_datafusion, syntax_error};

/// Rewrites the names in `statement` against the tables it reads.
pub(super) async fn resolve_names(session: &SessionState, statement: &mut Statement) -> Result<()> {
    let mut window_times = WindowTimes::default();
    walk_statement(statement, &mut window_times);
    if let Some(call) = window_times.beside_its_window {
        return Err(window_time_beside_window(&call));
    }
    walk_statement(statement, &mut LowerTables);
    let mut names = Names::default();
    let references = DataFusionStatement::Statement(Box::new(statement.clone()));
    let tables = session
        .resolve_table_references(&references)
        .map_err(from_datafusion)?;
    for table in tables {
        if let Some(provider) = find_table(session, &table).await? {
            for field in provider.schema().fields() {
                names.add(field.name());
            }
        }
    }
    walk_statement(statement, &mut Aliases(&mut names));
    walk_statement(statement, &mut Resolver { names: &names });
    Ok(())
}

/// An expression of a frame with `columns`, its names resolved.
pub(super) fn resolve_expression<'a>(
    text: &str,
    columns: impl Iterator<Item = &'a str>,
) -> Result<ExprWithAlias> {
    let mut parsed = parse_expression(text)?;
    let mut names = Names::default();
    columns.for_each(|column| names.add(column));
    if let Some(alias) = &mut parsed.alias {
        alias.quote_style = Some('`');
    }
    walk_expression(&mut parsed.expr, &mut Resolver { names: &names });
    Ok(parsed)
}

/// The name of the column that an expression makes; empty if it cannot be parsed.
pub(super) fn expression_name(text: &str) -> String {
    match parse_expression(text) {
        Ok(ExprWithAlias {
            alias: Some(alias), ..
        }) => alias.value,
        Ok(parsed) => spark_name(&parsed.expr, true),
        Err(_) => String::new(),
    }
}

fn parse_expression(text: &str) -> Result<ExprWithAlias> {
    let failed = |error: ParserError| syntax_error(&error.to_string(), text);
    let mut parser = Parser::new(&SparkSqlDialect {})
        .try_with_sql(text)
        .map_err(failed)?;
    let parsed = parser.parse_expr_with_alias().map_err(failed)?;
    parser.expect_token(&Token::EOF).map_err(failed)?;
    Ok(parsed)
}

async fn find_table(
    session: &SessionState,
    table: &datafusion::common::TableReference,
) -> Result<Option<std::sync::Arc<dyn datafusion::catalog::TableProvider>>> {
    let Ok(schema) = session.schema_for_ref(table.clone()) else {
        return Ok(None);
    };
    let found: std::result::Result<_, DataFusionError> = schema.table(table.table()).await;
    found.map_err(from_datafusion)
}

/// Finds `window_time(window)` in a query that itself groups by `window(…)`: Spark has no such
/// column yet at that level.
#[derive(Default)]
struct WindowTimes {
    beside_its_window: Option<String>,
}

impl SqlVisitor for WindowTimes {
    fn select(&mut self, select: &mut Select) {
        if group_window(select).is_none() {
            return;
        }
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                let mut calls = WindowTimeCalls {
                    found: &mut self.beside_its_window,
                    inside: 0,
                };
                walk_expression(expr, &mut calls);
            }
        }
    }
}

struct WindowTimeCalls<'a> {
    found: &'a mut Option<String>,
    /// How many calls of `window` surround the expression; there it is the window of the input.
    inside: usize,
}

impl SqlVisitor for WindowTimeCalls<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        self.inside += usize::from(is_window_call(expr));
        if self.inside > 0 {
            return;
        }
        let Expr::Function(call) = expr else {
            return;
        };
        let FunctionArguments::List(arguments) = &call.args else {
            return;
        };
        let is_window = |argument: &FunctionArg| {
            matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
                if window_part(expr) == Some(None))
        };
        if call.name.to_string().eq_ignore_ascii_case("window_time")
            && arguments.args.iter().any(is_window)
        {
            *self.found = Some(function_name(call));
        }
    }

    fn expression_done(&mut self, expr: &mut Expr) {
        self.inside -= usize::from(is_window_call(expr));
    }
}

fn window_time_beside_window(call: &str) -> Error {
    Error::analysis(format!(
        "{call} cannot stand in the query that groups by the window"
    ))
    .with_condition("MISSING_AGGREGATION")
    .with_hint(format!(
        "group in a subquery: SELECT *, {call} FROM (SELECT … GROUP BY window(…))"
    ))
}

/// Lower-case name → the spelling to use.
#[derive(Debug, Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn add(&mut self, name: &str) {
        self.0
            .entry(name.to_lowercase())
            .or_insert_with(|| name.to_string());
    }

    fn fix(&self, ident: &mut Ident) {
        if let Some(name) = self.0.get(&ident.value.to_lowercase()) {
            ident.value.clone_from(name);
            ident.quote_style = Some('`');
        }
    }
}

/// Tables are registered in lower case.
struct LowerTables;

impl SqlVisitor for LowerTables {
    fn relation(&mut self, relation: &mut ObjectName) {
        for part in &mut relation.0 {
            if let ObjectNamePart::Identifier(ident) = part {
                ident.value = ident.value.to_lowercase();
            }
        }
    }
}

/// Collects the names a query gives to columns and keeps their spelling.
struct Aliases<'a>(&'a mut Names);

impl SqlVisitor for Aliases<'_> {
    fn select(&mut self, select: &mut Select) {
        for item in &mut select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                alias.quote_style = Some('`');
                self.0.add(&alias.value);
                self.0.fix(alias);
            }
        }
    }

    fn table(&mut self, table: &mut TableFactor) {
        if let TableFactor::Derived {
            alias: Some(alias), ..
        }
        | TableFactor::Table {
            alias: Some(alias), ..
        } = table
        {
            for column in &mut alias.columns {
                self.0.add(&column.name.value);
                self.0.fix(&mut column.name);
            }
        }
    }
}

struct Resolver<'a> {
    names: &'a Names,
}

impl Resolver<'_> {
    /// Whether `a.b` is field b of a column a, rather than column b of a table a.
    fn is_field(&self, expr: &Expr) -> bool {
        match expr {
            Expr::CompoundIdentifier(parts) => {
                let first = parts.first().map(|part| part.value.to_lowercase());
                first.is_some_and(|first| self.names.0.contains_key(&first))
            }
            _ => false,
        }
    }
}

impl SqlVisitor for Resolver<'_> {
    fn select(&mut self, select: &mut Select) {
        let window = group_window(select).cloned();
        let items = std::mem::take(&mut select.projection);
        select.projection = items
            .into_iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(expr)
                    if !is_column(&expr)
                        || window_part(&expr).is_some()
                        || self.is_field(&expr) =>
                {
                    let alias = Ident::with_quote('`', spark_name(&expr, true));
                    SelectItem::ExprWithAlias { expr, alias }
                }
                other => other,
            })
            .map(|item| match (item, &window) {
                (SelectItem::ExprWithAlias { mut expr, alias }, Some(window)) => {
                    walk_expression(&mut expr, &mut WindowParts { window, inside: 0 });
                    SelectItem::ExprWithAlias { expr, alias }
                }
                (other, _) => other,
            })
            .collect();
        if let Some(window) = &window {
            for expr in select.having.iter_mut().chain(&mut select.qualify) {
                walk_expression(expr, &mut WindowParts { window, inside: 0 });
            }
        }
    }

    fn expression(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Identifier(ident) => self.names.fix(ident),
            Expr::CompoundIdentifier(parts) => {
                let qualified = parts.len() > 1;
                for part in parts.iter_mut().skip(usize::from(qualified)) {
                    self.names.fix(part);
                }
            }
            _ => {}
        }
        if let Some(replaced) = spark_operator(expr).or_else(|| field_access(expr)) {
            *expr = replaced;
        }
    }
}

/// Replaces `window`, `window.start` and `window.end` by the window the query groups by.
struct WindowParts<'a> {
    window: &'a Expr,
    /// How many calls of `window` surround the expression; their arguments stay as they are.
    inside: usize,
}

impl SqlVisitor for WindowParts<'_> {
    fn expression(&mut self, expr: &mut Expr) {
        self.inside += usize::from(is_window_call(expr));
    }

    fn expression_done(&mut self, expr: &mut Expr) {
        if is_window_call(expr) {
            self.inside -= 1;
        }
        if self.inside > 0 {
            return;
        }
        match window_part(expr) {
            Some(None) => *expr = self.window.clone(),
            Some(Some(part)) => {
                if let Some(field) = parse_expr(&format!("get_field({}, '{part}')", self.window)) {
                    *expr = field;
                }
            }
            None => {}
        }
    }
}

/// The call of `window` among the grouping expressions.
fn group_window(select: &Select) -> Option<&Expr> {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else {
        return None;
    };
    groups.iter().find(|group| is_window_call(group))
}

fn is_window_call(expr: &Expr) -> bool {
    match expr {
        Expr::Function(call) => {
            let name = call.name.to_string();
            name.eq_ignore_ascii_case("window") || name.eq_ignore_ascii_case("session_window")
        }
        _ => false,
    }
}

/// `Some(None)` for `window`, `Some(Some("start"))` for `window.start`.
fn window_part(expr: &Expr) -> Option<Option<&'static str>> {
    let is_window = |ident: &Ident| ident.value.eq_ignore_ascii_case("window");
    match expr {
        Expr::Identifier(ident) if is_window(ident) => Some(None),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [window, part] if is_window(window) => {
                let known = ["start", "end"].into_iter();
                let mut found = known.filter(|name| part.value.eq_ignore_ascii_case(name));
                found.next().map(Some)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn parse_expr(text: &str) -> Option<Expr> {
    let mut parser = Parser::new(&SparkSqlDialect {}).try_with_sql(text).ok()?;
    parser.parse_expr().ok()
}

/// Operators whose meaning in Spark is not DataFusion's: `/` never divides as whole numbers.
fn spark_operator(expr: &Expr) -> Option<Expr> {
    let Expr::BinaryOp { left, op, right } = expr else {
        return None;
    };
    let function = match op {
        BinaryOperator::Divide => "spark_divide",
        BinaryOperator::MyIntegerDivide => "spark_div",
        _ => return None,
    };
    parse_expr(&format!("{function}({left}, {right})"))
}

/// `window(ts, '5 minutes').start`: field access by a dot after an expression.
fn field_access(expr: &Expr) -> Option<Expr> {
    let Expr::CompoundFieldAccess { root, access_chain } = expr else {
        return None;
    };
    let [AccessExpr::Dot(Expr::Identifier(field))] = access_chain.as_slice() else {
        return None;
    };
    parse_expr(&format!("get_field({root}, '{}')", field.value))
}

/// Spark's name for an unnamed select item. `outermost` tells a cast of a bare column, which keeps
/// the column's name, from one inside a larger expression.
fn spark_name(expr: &Expr, outermost: bool) -> String {
    let name = |expr: &Expr| spark_name(expr, false);
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => parts
            .last()
            .map(|part| part.value.clone())
            .unwrap_or_default(),
        Expr::Nested(inner) => spark_name(inner, outermost),
        Expr::Function(function) => function_name(function),
        Expr::Cast {
            expr, data_type, ..
        } => match expr.as_ref() {
            column if outermost && is_column(column) => name(column),
            other => format!("CAST({} AS {data_type})", name(other)),
        },
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::NotEq => format!("(NOT ({} = {}))", name(left), name(right)),
            BinaryOperator::StringConcat => format!("concat({}, {})", name(left), name(right)),
            BinaryOperator::MyIntegerDivide => format!("({} div {})", name(left), name(right)),
            _ => format!("({} {op} {})", name(left), name(right)),
        },
        Expr::UnaryOp { op, expr } => match op {
            UnaryOperator::Minus => format!("(- {})", name(expr)),
            UnaryOperator::Not => format!("(NOT {})", name(expr)),
            _ => format!("({op} {})", name(expr)),
        },
        Expr::IsNull(inner) => format!("({} IS NULL)", name(inner)),
        Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", name(inner)),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            Value::Boolean(truth) => truth.to_string(),
            other => other.to_string(),
        },
        Expr::Case {
            operand,
            conditions,
            else_result,
            ..
        } => {
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
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let items: Vec<String> = list.iter().map(name).collect();
            let test = format!("({} IN ({}))", name(expr), items.join(", "));
            if *negated {
                format!("(NOT {test})")
            } else {
                test
            }
        }
        Expr::Extract { field, expr, .. } => format!("extract({field} FROM {})", name(expr)),
        other => other.to_string().replace('`', ""),
    }
}

fn function_name(function: &Function) -> String {
    let name = function.name.to_string().replace('`', "").to_lowercase();
    let FunctionArguments::List(arguments) = &function.args else {
        return format!("{name}()");
    };
    if name == "window" || name == "session_window" {
        return name;
    }
    let distinct = arguments
        .duplicate_treatment
        .is_some_and(|treatment| treatment.to_string().eq_ignore_ascii_case("distinct"));
    let distinct = if distinct { "DISTINCT " } else { "" };
    let arguments: Vec<String> = arguments
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => spark_name(expr, false),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "count" => "1".to_string(),
            other => other.to_string(),
        })
        .collect();
    let mut text = format!("{name}({distinct}{})", arguments.join(", "));
    if let Some(filter) = &function.filter {
        text.push_str(&format!(" FILTER (WHERE {})", spark_name(filter, false)));
    }
    text
}
