//! Names as Spark resolves them, done on the syntax tree before DataFusion plans it:
//! case-insensitive columns and tables, `window.start` where the query groups by `window(…)`, and
//! Spark's names for unnamed columns (`count(1)`, `sum(amount)`).
//!
//! Inside of a query a name has one spelling, that of the table; what comes out has the spelling of
//! the query, and may have one name twice. [`OutputNames`] does that last step on the plan. A struct's
//! fields are found when the struct's type is known, by the planner of operators.

use std::collections::{HashMap, HashSet};

use arrow::datatypes::{DataType, Fields};
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionState;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Ident, ObjectName, ObjectNamePart, OrderByKind, Query, Select, SelectItem, SetExpr, Statement,
    TableAlias, TableAliasColumnDef, TableFactor, UnaryOperator, Value,
};

use super::output_names::{OutputNames, distinct_name};
use super::sql_columns::{column_name, is_column};
use super::sql_functions::{expand, parse};
use super::sql_tokens::TYPED_LITERAL;
use super::sql_units::extracted;
use super::sql_visit::{SqlVisitor, walk_expression, walk_statement};
use crate::error::{Error, Result, from_datafusion};

/// The table function of whole numbers.
const RANGE: &str = "range";

/// Rewrites the names in `statement` against the tables it reads; gives the names of its columns.
pub(super) async fn resolve_names(
    session: &SessionState,
    statement: &mut Statement,
) -> Result<OutputNames> {
    let mut window_times = WindowTimes::default();
    walk_statement(statement, &mut window_times);
    if let Some(call) = window_times.beside_its_window {
        return Err(window_time_beside_window(&call));
    }
    let outputs = OutputNames::of(statement);
    let mut names = Names::default();
    walk_statement(statement, &mut LowerTables(&mut names.relations));
    let references = DataFusionStatement::Statement(Box::new(statement.clone()));
    let tables = session
        .resolve_table_references(&references)
        .map_err(from_datafusion)?;
    let mut schemas = Vec::new();
    for table in tables {
        if let Some(provider) = find_table(session, &table).await? {
            schemas.push(provider.schema());
        }
    }
    for schema in &schemas {
        names.add_columns(schema.fields());
    }
    walk_statement(statement, &mut Aliases(&mut names));
    for schema in &schemas {
        names.add_nested(schema.fields());
    }
    walk_statement(statement, &mut Resolver { names: &names });
    Ok(outputs)
}

/// Rewrites the names in an expression over the columns of `schema`.
pub(super) fn resolve_expression(schema: &DFSchema, expr: &mut Expr) {
    let mut names = Names::default();
    let qualifiers = schema.iter().filter_map(|(qualifier, _)| qualifier);
    let relations = qualifiers.map(|qualifier| qualifier.table().to_lowercase());
    names.relations.extend(relations);
    let fields = schema.inner().fields();
    names.add_columns(fields);
    names.add_nested(fields);
    walk_expression(expr, &mut Resolver { names: &names });
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
            *self.found = Some(column_name(expr));
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

/// The names of a statement.
#[derive(Debug, Default)]
struct Names {
    /// Columns: lower-case name → the spelling to use.
    columns: HashMap<String, String>,
    /// Tables and what they are called in the statement, in lower case.
    relations: HashSet<String>,
}

impl Names {
    fn add(&mut self, name: &str) {
        self.columns
            .entry(name.to_lowercase())
            .or_insert_with(|| name.to_string());
    }

    fn add_columns(&mut self, fields: &Fields) {
        for field in fields {
            self.add(field.name());
        }
    }

    /// The names inside of columns, which a star makes columns; they yield to those of columns.
    fn add_nested(&mut self, fields: &Fields) {
        for field in fields {
            let mut data_type = field.data_type();
            while let DataType::List(item) = data_type {
                data_type = item.data_type();
            }
            if let DataType::Struct(fields) = data_type {
                self.add_columns(fields);
                self.add_nested(fields);
            }
        }
    }

    fn fix(&self, ident: &mut Ident) {
        if let Some(name) = self.columns.get(&ident.value.to_lowercase()) {
            ident.value.clone_from(name);
            ident.quote_style = Some('`');
        }
    }
}

/// Tables are registered in lower case; collects their names. The column of Spark's `range` is `id`.
struct LowerTables<'a>(&'a mut HashSet<String>);

impl SqlVisitor for LowerTables<'_> {
    fn table(&mut self, table: &mut TableFactor) {
        if let TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        } = table
        {
            self.0.insert(alias.name.value.to_lowercase());
        }
        if let TableFactor::Table {
            name,
            args: Some(_),
            alias,
            ..
        } = table
            && name.to_string().eq_ignore_ascii_case(RANGE)
        {
            let alias = alias.get_or_insert_with(|| TableAlias {
                explicit: true,
                name: Ident::new(RANGE),
                columns: Vec::new(),
                at: None,
            });
            if alias.columns.is_empty() {
                alias.columns.push(TableAliasColumnDef::from_name("id"));
            }
        }
    }

    fn relation(&mut self, relation: &mut ObjectName) {
        for part in &mut relation.0 {
            if let ObjectNamePart::Identifier(ident) = part {
                ident.value = ident.value.to_lowercase();
                self.0.insert(ident.value.clone());
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
            Expr::CompoundIdentifier(parts) => self.column_part(parts) + 1 < parts.len(),
            _ => false,
        }
    }

    /// Which part of a name is the column; before it stands a table, behind it fields.
    fn column_part(&self, parts: &[Ident]) -> usize {
        let is_relation = |part: &Ident| {
            let name = part.value.to_lowercase();
            self.names.relations.contains(&name)
        };
        let is_column = |part: &Ident| {
            let name = part.value.to_lowercase();
            self.names.columns.contains_key(&name)
        };
        let last = parts.len() - 1;
        if last == 0 || is_column(&parts[0]) && !is_relation(&parts[0]) {
            return 0;
        }
        let mut inner = 1..last;
        inner.find(|at| !is_relation(&parts[*at])).unwrap_or(last)
    }
}

impl Resolver<'_> {
    /// Gives select items their names; within a query no two of them may be the same.
    fn name_items(&self, items: Vec<SelectItem>) -> Vec<SelectItem> {
        let is_star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(_));
        let has_star = items.iter().any(is_star);
        let mut taken: HashSet<String> = HashSet::new();
        let mut named = Vec::with_capacity(items.len());
        for item in items {
            let (expr, name, is_given) = match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = column_name(&expr);
                    (expr, name, false)
                }
                SelectItem::ExprWithAlias { expr, alias } => (expr, alias.value, true),
                other => {
                    named.push(other);
                    continue;
                }
            };
            let keeps_name =
                is_column(&expr) && window_part(&expr).is_none() && !self.is_field(&expr);
            if has_star && keeps_name {
                // The star has this column already.
                taken.insert(name.to_lowercase());
            }
            let distinct = distinct_name(&name, &mut taken);
            named.push(if keeps_name && !is_given && distinct == name {
                SelectItem::UnnamedExpr(expr)
            } else {
                let alias = Ident::with_quote('`', distinct);
                SelectItem::ExprWithAlias { expr, alias }
            });
        }
        named
    }
}

impl SqlVisitor for Resolver<'_> {
    fn query(&mut self, query: &mut Query) {
        let SetExpr::Select(select) = query.body.as_ref() else {
            return;
        };
        let window = group_window(select);
        if let (Some(window), Some(order_by)) = (window, &mut query.order_by)
            && let OrderByKind::Expressions(keys) = &mut order_by.kind
        {
            for key in keys {
                walk_expression(&mut key.expr, &mut WindowParts { window, inside: 0 });
            }
        }
    }

    fn select(&mut self, select: &mut Select) {
        let window = group_window(select).cloned();
        let items = std::mem::take(&mut select.projection);
        select.projection = self.name_items(items);
        let Some(window) = &window else {
            return;
        };
        for item in &mut select.projection {
            if let SelectItem::ExprWithAlias { expr, .. } = item {
                walk_expression(expr, &mut WindowParts { window, inside: 0 });
            }
        }
        for expr in select.having.iter_mut().chain(&mut select.qualify) {
            walk_expression(expr, &mut WindowParts { window, inside: 0 });
        }
    }

    fn expression(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Identifier(ident) => self.names.fix(ident),
            Expr::CompoundIdentifier(parts) => {
                let column = self.column_part(parts);
                self.names.fix(&mut parts[column]);
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                for access in access_chain {
                    if let AccessExpr::Dot(Expr::Identifier(field)) = access {
                        let field = Value::SingleQuotedString(std::mem::take(&mut field.value));
                        *access = AccessExpr::Dot(Expr::value(field));
                    }
                }
            }
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr: operand,
            } => {
                if let Some(negated) = negated(operand) {
                    *expr = negated;
                }
            }
            _ => {}
        }
    }

    fn expression_done(&mut self, expr: &mut Expr) {
        let replaced = typed_literal(expr)
            .or_else(|| named_struct(expr))
            .or_else(|| regular_expression(expr))
            .or_else(|| extracted(expr))
            .or_else(|| expand(expr));
        if let Some(replaced) = replaced {
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
                if let Some(field) = parse(&format!("get_field({}, '{part}')", self.window)) {
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

/// A call with plain arguments.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Option<Expr> {
    let Expr::Function(mut function) = parse(&format!("{name}()"))? else {
        return None;
    };
    if let FunctionArguments::List(list) = &mut function.args {
        let arguments = arguments.into_iter().map(FunctionArgExpr::Expr);
        list.args = arguments.map(FunctionArg::Unnamed).collect();
    }
    Some(Expr::Function(function))
}

fn text(text: impl Into<String>) -> Expr {
    Expr::value(Value::SingleQuotedString(text.into()))
}

/// `-x` checks for overflow; the sign of a number with a type is part of the number.
fn negated(operand: &Expr) -> Option<Expr> {
    match operand {
        Expr::Value(_) | Expr::Interval(_) => None,
        Expr::Function(function) => match literal_parts(function) {
            Some((number, data_type)) => call(
                TYPED_LITERAL,
                vec![text(format!("-{number}")), text(data_type)],
            ),
            None => call("negative", vec![operand.clone()]),
        },
        other => call("negative", vec![other.clone()]),
    }
}

fn literal_parts(function: &Function) -> Option<(String, String)> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    if function.name.to_string() != TYPED_LITERAL {
        return None;
    }
    let argument = |index: usize| match list.args.get(index) {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => {
            value.value.clone().into_string()
        }
        _ => None,
    };
    Some((argument(0)?, argument(1)?))
}

fn typed_literal(expr: &Expr) -> Option<Expr> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let (number, data_type) = literal_parts(function)?;
    parse(&format!("CAST('{number}' AS {data_type})"))
}

/// `struct(a, b + 1)` has the fields `a` and `col2`.
fn named_struct(expr: &Expr) -> Option<Expr> {
    let Expr::Struct { values, fields } = expr else {
        return None;
    };
    if !fields.is_empty() {
        return None;
    }
    let named = values.iter().enumerate().flat_map(|(index, value)| {
        let (name, value) = match value {
            Expr::Named { expr, name } => (name.value.clone(), expr.as_ref()),
            column if is_column(column) => (column_name(column), column),
            other => (format!("col{}", index + 1), other),
        };
        [text(name), value.clone()]
    });
    call("named_struct", named.collect())
}

fn regular_expression(expr: &Expr) -> Option<Expr> {
    let Expr::RLike {
        negated,
        expr,
        pattern,
        ..
    } = expr
    else {
        return None;
    };
    let test = call(
        "regexp_like",
        vec![expr.as_ref().clone(), pattern.as_ref().clone()],
    )?;
    Some(if *negated {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(test),
        }
    } else {
        test
    })
}
