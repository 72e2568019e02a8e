//! SQL statements: queries, views, settings, and what says what there is.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Column;
use datafusion::common::metadata::FieldMetadata;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::session::{Rows, Session, SqlOutput};
use crate::analyzer::{OPERATORS, generators, is_hidden, scan};
use crate::error::{Error, Result, from_datafusion};
use crate::functions::described_functions;
use crate::plan::described_time_window;
use crate::sources::open_table;
use crate::sql::{COMMENT, Statement, parse_statement};
use crate::tree::{Query, Relation};
use crate::type_names::simple_string;

impl Session {
    /// Runs one SQL statement as a batch. Refuses to select from a stream, naming it.
    pub fn sql<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<SqlOutput>> {
        async move {
            let statement = parse_statement(text)?;
            let output = self.statement(statement).await;
            output.map_err(|error| error.shown_in(text))
        }
        .boxed()
    }

    async fn statement(&self, statement: Statement) -> Result<SqlOutput> {
        match statement {
            Statement::Query(query) => {
                let plan = self.plan_tree(&Relation::Query(query)).await?;
                self.run(plan).await.map(SqlOutput::Rows)
            }
            Statement::CreateView {
                name,
                replace,
                columns,
                query,
            } => {
                let query = Relation::Query(query);
                let relation = match columns.is_empty() {
                    true => query,
                    false => Relation::Alias {
                        input: Box::new(query),
                        name: name.clone(),
                        columns: columns.iter().map(|(name, _)| name.clone()).collect(),
                    },
                };
                let plan = self.plan_tree(&relation).await?;
                let plan = with_comments(plan, &columns)?;
                self.create_view(&name, plan, replace)?;
                Ok(SqlOutput::Done(format!("created view {name}")))
            }
            Statement::CreateFileView {
                name,
                replace,
                schema,
                format,
                options,
            } => {
                let state = self.inner.context.state();
                let table = open_table(&state, &format, schema, &[], &options).await?;
                self.create_view(&name, scan(&format, table)?, replace)?;
                Ok(SqlOutput::Done(format!("created view {name}")))
            }
            Statement::DropView { name, if_exists } => {
                if self.remove(&name)?.is_none() && !if_exists {
                    return Err(self.unknown_view(&name));
                }
                Ok(SqlOutput::Done(format!("dropped view {name}")))
            }
            Statement::Set { key, value } => self.set(key, value).map(SqlOutput::Rows),
            Statement::Reset { key } => {
                if let Some(key) = &key
                    && self.conf(key).is_none()
                {
                    super::conf::check(key, "")?;
                }
                self.reset_conf(key.as_deref());
                Ok(SqlOutput::Done(match key {
                    Some(key) => format!("reset {key}"),
                    None => "reset all settings".to_string(),
                }))
            }
            Statement::ShowViews { pattern } => self
                .show_views("viewName", pattern.as_deref())
                .map(SqlOutput::Rows),
            Statement::ShowTables { pattern } => self
                .show_views("tableName", pattern.as_deref())
                .map(SqlOutput::Rows),
            Statement::ShowFunctions { pattern } => {
                let state = self.inner.context.state();
                let mut names = all_functions(&state);
                names.retain(|name| matches(name, pattern.as_deref()));
                text_rows([("function", texts(&names))]).map(SqlOutput::Rows)
            }
            Statement::ShowColumns { table } => {
                let view = self.view(&table).ok_or_else(|| self.unknown_view(&table))?;
                let fields = view.schema.fields().iter();
                let names: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
                text_rows([("col_name", texts(&names))]).map(SqlOutput::Rows)
            }
            Statement::Describe { table, .. } => {
                let view = self.view(&table).ok_or_else(|| self.unknown_view(&table))?;
                columns_of(&view.schema).map(SqlOutput::Rows)
            }
            Statement::DescribeQuery(query) => {
                let plan = self.plan_tree(&Relation::Query(query)).await?;
                columns_of(plan.schema().inner()).map(SqlOutput::Rows)
            }
            Statement::DescribeFunction { name, extended } => {
                let lines = self.function_lines(&name, extended)?;
                text_rows([("function_desc", texts(&lines))]).map(SqlOutput::Rows)
            }
            Statement::Explain { query, .. } => {
                let text = self.explain_query(query).await?;
                text_rows([("plan", texts(&[text]))]).map(SqlOutput::Rows)
            }
        }
    }

    async fn explain_query(&self, query: Box<Query>) -> Result<String> {
        let plan = self.plan_tree(&Relation::Query(query)).await?;
        self.explain_plan(plan).await
    }

    fn set(&self, key: Option<String>, value: Option<String>) -> Result<Rows> {
        let Some(key) = key else {
            let set = self.inner.conf.read();
            let mut pairs: Vec<(String, String)> = set
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            pairs.sort();
            let (keys, values): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
            return text_rows([("key", texts(&keys)), ("value", texts(&values))]);
        };
        if let Some(value) = value {
            self.set_conf(&key, &value)?;
        }
        let value = self.conf(&key).unwrap_or_else(|| "<undefined>".to_string());
        text_rows([("key", texts(&[key])), ("value", texts(&[value]))])
    }

    fn show_views(&self, column: &'static str, pattern: Option<&str>) -> Result<Rows> {
        let mut views = self.views();
        views.retain(|view| matches(&view.name, pattern));
        let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
        let namespaces = vec![""; names.len()];
        let temporary: ArrayRef = Arc::new(BooleanArray::from(vec![true; names.len()]));
        text_rows([
            ("namespace", texts(&namespaces)),
            (column, texts(&names)),
            ("isTemporary", temporary),
        ])
    }

    fn function_lines(&self, name: &str, extended: bool) -> Result<Vec<String>> {
        let key = name.to_lowercase();
        let state = self.inner.context.state();
        if !all_functions(&state).contains(&key) {
            return Err(Error::analysis(format!("function '{name}' does not exist"))
                .with_condition("ROUTINE_NOT_FOUND"));
        }
        let mut lines = vec![format!("Function: {key}")];
        let described = described_functions(&key).or_else(|| described_time_window(&key));
        if let Some((doc, example)) = described {
            lines.push(format!("Usage: {doc}"));
            if extended && !example.is_empty() {
                lines.push(format!(
                    "Extended Usage:\n    Examples:\n      > {example};"
                ));
            }
        }
        Ok(lines)
    }
}

/// The names of all functions, in order.
pub(super) fn all_functions(state: &datafusion::execution::context::SessionState) -> Vec<String> {
    let scalars = state.scalar_functions().keys();
    let all = scalars
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .chain(state.higher_order_functions().keys());
    let mut names: Vec<String> = all.filter(|name| !is_hidden(name)).cloned().collect();
    names.extend(generators().map(str::to_string));
    names.extend(OPERATORS.iter().map(ToString::to_string));
    names.sort();
    names.dedup();
    names
}

fn matches(name: &str, pattern: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| fits(name, pattern))
}

/// Whether a name fits a pattern of SHOW: `*` for anything, `|` between patterns.
pub fn fits(name: &str, pattern: &str) -> bool {
    pattern.split('|').any(|pattern| {
        let escaped = regex::escape(pattern.trim()).replace("\\*", ".*");
        regex::Regex::new(&format!("(?i)^{escaped}$")).is_ok_and(|regex| regex.is_match(name))
    })
}

/// The plan with comments at its columns, in their order.
fn with_comments(plan: LogicalPlan, columns: &[(String, Option<String>)]) -> Result<LogicalPlan> {
    if columns.iter().all(|(_, comment)| comment.is_none()) {
        return Ok(plan);
    }
    let fields = plan.schema().iter().zip(columns);
    let outputs = fields.map(|((qualifier, field), (_, comment))| {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let Some(comment) = comment else {
            return column;
        };
        let comment = HashMap::from([(COMMENT.to_string(), comment.clone())]);
        let comment = Some(FieldMetadata::from(comment));
        column.alias_qualified_with_metadata(qualifier.cloned(), field.name(), comment)
    });
    let outputs: Vec<Expr> = outputs.collect();
    let commented = LogicalPlanBuilder::from(plan).project(outputs);
    commented
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)
}

/// Name, type and comment of each column.
fn columns_of(schema: &SchemaRef) -> Result<Rows> {
    let fields = schema.fields().iter();
    let names: Vec<&str> = fields.clone().map(|field| field.name().as_str()).collect();
    let types = fields.clone().map(|field| simple_string(field.data_type()));
    let types: Vec<String> = types.collect();
    let comments = fields.map(|field| field.metadata().get(COMMENT));
    let comments: ArrayRef = Arc::new(comments.collect::<StringArray>());
    text_rows([
        ("col_name", texts(&names)),
        ("data_type", texts(&types)),
        ("comment", comments),
    ])
}

fn texts<T: AsRef<str>>(values: &[T]) -> ArrayRef {
    let values = values.iter().map(|value| Some(value.as_ref()));
    Arc::new(values.collect::<StringArray>())
}

fn text_rows<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<Rows> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| {
            let is_text = column.data_type() == &DataType::Utf8;
            Field::new(*name, column.data_type().clone(), is_text)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Rows {
        schema,
        batches: vec![batch],
    })
}
