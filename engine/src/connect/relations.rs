//! `spark.connect.Relation` to DataFusion's `LogicalPlan`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::expressions::{ExpressionPlanner, missing};
use super::groups::plan_groups;
use super::output_names::{OutputNames, distinct_name};
use super::proto::read::{DataSource, ReadType};
use super::proto::relation::RelType;
use super::proto::{self, Relation};
use super::sql::{Statement, parse_statement, plan_query};
use super::types::parse_ddl;
use crate::error::from_datafusion;
use crate::error::{Error, Result};
use crate::interval::parse_interval;
use crate::plan::{StreamingRelation, deduplicate, is_streaming, resolve, sample, with_watermark};
use crate::sources::{SourceSpec, batch_table};

/// Plans relations against the tables and functions of one session.
pub struct RelationPlanner<'a> {
    pub(super) session: &'a SessionState,
}

impl<'a> RelationPlanner<'a> {
    /// A planner for `session`.
    pub fn new(session: &'a SessionState) -> Self {
        Self { session }
    }

    /// The logical plan of a relation; time windows are resolved.
    pub fn plan<'b>(&'b self, relation: &'b Relation) -> BoxFuture<'b, Result<LogicalPlan>> {
        async move {
            let Some(kind) = &relation.rel_type else {
                return Err(missing("a relation"));
            };
            match kind {
                RelType::Read(read) => self.read(read).await,
                RelType::Sql(sql) => match parse_statement(&sql.query)? {
                    Statement::Query(query) => plan_query(self.session, *query).await,
                    _ => Err(
                        Error::analysis("a query was expected, not another statement")
                            .with_hint("start with SELECT or WITH"),
                    ),
                },
                RelType::Range(range) => self.range(range).await,
                RelType::SubqueryAlias(alias) => {
                    let input = self.input(alias.input.as_deref()).await?;
                    build(LogicalPlanBuilder::from(input).alias(alias.alias.as_str()))
                }
                RelType::WithWatermark(watermark) => {
                    let input = self.input(watermark.input.as_deref()).await?;
                    let delay_us = parse_interval(&watermark.delay_threshold)?.micros()?;
                    if delay_us < 0 {
                        return Err(Error::illegal_argument(format!(
                            "the watermark's delay '{}' is negative",
                            watermark.delay_threshold
                        )));
                    }
                    with_watermark(input, &watermark.event_time, delay_us / 1000)
                }
                RelType::Deduplicate(dedup) => {
                    let input = self.input(dedup.input.as_deref()).await?;
                    deduplicate(input, &dedup.column_names, dedup.within_watermark())
                }
                RelType::GroupMap(map) => {
                    let input = self.input(map.input.as_deref()).await?;
                    let keys = self.expressions(&input);
                    let keys = keys.plan_list(&map.grouping_expressions)?;
                    plan_groups(self.session, map, input, keys)
                }
                other => self.relational(other).await,
            }
        }
        .boxed()
    }

    pub(super) async fn input(&self, input: Option<&Relation>) -> Result<LogicalPlan> {
        match input {
            Some(input) => self.plan(input).await,
            None => Err(missing("an input relation")),
        }
    }

    /// Whole numbers, in a column `id`.
    async fn range(&self, range: &proto::Range) -> Result<LogicalPlan> {
        if range.step == 0 {
            return Err(Error::illegal_argument("the step of a range must not be 0"));
        }
        let (start, end, step) = (range.start(), range.end, range.step);
        let text = format!("SELECT id FROM range({start}, {end}, {step})");
        match parse_statement(&text)? {
            Statement::Query(query) => plan_query(self.session, *query).await,
            _ => Err(Error::internal("a range is a query")),
        }
    }

    async fn read(&self, read: &proto::Read) -> Result<LogicalPlan> {
        match &read.read_type {
            Some(ReadType::NamedTable(table)) => {
                let name = table.unparsed_identifier.replace('`', "").to_lowercase();
                let reference = TableReference::bare(name.clone());
                let schema = self
                    .session
                    .schema_for_ref(reference)
                    .map_err(from_datafusion)?;
                match schema.table(&name).await.map_err(from_datafusion)? {
                    Some(provider) => scan(&name, provider),
                    None => Err(
                        Error::analysis(format!("table or view '{name}' does not exist"))
                            .with_condition("TABLE_OR_VIEW_NOT_FOUND"),
                    ),
                }
            }
            Some(ReadType::DataSource(source)) if read.is_streaming => stream(source),
            Some(ReadType::DataSource(source)) => self.table(source).await,
            None => Err(missing("what to read")),
        }
    }

    async fn table(&self, source: &DataSource) -> Result<LogicalPlan> {
        let (format, schema, options) = described(source)?;
        let table = batch_table(self.session, &format, schema, &source.paths, &options).await?;
        scan(&format, table)
    }

    async fn relational(&self, kind: &RelType) -> Result<LogicalPlan> {
        match kind {
            RelType::Project(project) => {
                let input = match &project.input {
                    Some(input) => self.plan(input).await?,
                    None => build(Ok(LogicalPlanBuilder::empty(true)))?,
                };
                let columns = self.expressions(&input).plan_list(&project.expressions)?;
                select(input, columns)
            }
            RelType::Filter(filter) => {
                let input = self.input(filter.input.as_deref()).await?;
                let condition = filter
                    .condition
                    .as_ref()
                    .ok_or_else(|| missing("a filter's condition"))?;
                let condition = self.expressions(&input).plan(condition)?;
                resolved(LogicalPlanBuilder::from(input).filter(condition))
            }
            RelType::WithColumns(with) => self.with_columns(with).await,
            RelType::Drop(drop) => self.drop_columns(drop).await,
            RelType::ToDf(to_df) => self.to_df(to_df).await,
            RelType::WithColumnsRenamed(renamed) => self.with_columns_renamed(renamed).await,
            RelType::Aggregate(aggregate) => self.aggregate(aggregate).await,
            RelType::Limit(limit) => {
                let input = self.input(limit.input.as_deref()).await?;
                let rows = usize::try_from(limit.limit)
                    .map_err(|_| Error::illegal_argument("a limit cannot be negative"))?;
                build(LogicalPlanBuilder::from(input).limit(0, Some(rows)))
            }
            RelType::Sort(sort) => {
                let input = self.input(sort.input.as_deref()).await?;
                let keys = sort
                    .order
                    .iter()
                    .map(|order| self.expressions(&input).sort(order));
                let keys = keys.collect::<Result<Vec<_>>>()?;
                build(LogicalPlanBuilder::from(input).sort(keys))
            }
            RelType::Offset(offset) => {
                let input = self.input(offset.input.as_deref()).await?;
                let rows = usize::try_from(offset.offset)
                    .map_err(|_| Error::illegal_argument("an offset cannot be negative"))?;
                build(LogicalPlanBuilder::from(input).limit(rows, None))
            }
            RelType::Sample(sampled) => {
                let input = self.input(sampled.input.as_deref()).await?;
                if is_streaming(&input) {
                    return sample(input);
                }
                Err(
                    Error::analysis("sampling a table is not supported in this version")
                        .with_hint("filter with rand() < 0.1"),
                )
            }
            RelType::Join(join) => self.join(join).await,
            RelType::SetOp(set) => self.set_operation(set).await,
            other => {
                let text = format!("{other:?}");
                let name = text
                    .split(['(', ' ', '{'])
                    .next()
                    .unwrap_or_default()
                    .to_string();
                Err(Error::analysis(format!(
                    "the operation {name} is not supported in this version"
                )))
            }
        }
    }

    pub(super) fn expressions<'b>(&'b self, input: &'b LogicalPlan) -> ExpressionPlanner<'b> {
        ExpressionPlanner {
            session: self.session,
            schema: input.schema(),
        }
    }
}

/// A projection whose columns may have one name twice.
fn select(input: LogicalPlan, columns: Vec<Expr>) -> Result<LogicalPlan> {
    let names = columns.iter().map(|column| column.qualified_name().1);
    let names: Vec<String> = names.collect();
    let mut taken = HashSet::new();
    let distinct = columns.into_iter().zip(&names).map(|(column, name)| {
        let distinct = distinct_name(name, &mut taken);
        if &distinct == name {
            column
        } else {
            column.unalias().alias(distinct)
        }
    });
    let distinct: Vec<Expr> = distinct.collect();
    let plan = project(input, distinct)?;
    OutputNames::new(names).rename(plan)
}

/// A projection; functions over windows of rows are computed below it.
pub(super) fn project(input: LogicalPlan, columns: Vec<Expr>) -> Result<LogicalPlan> {
    let over = find_window_exprs(&columns);
    let input = match over.is_empty() {
        true => input,
        false => LogicalPlanBuilder::window_plan(input, over).map_err(from_datafusion)?,
    };
    resolved(LogicalPlanBuilder::from(input).project(columns))
}

/// A scan of a table under a name.
pub fn scan(name: &str, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let reference = TableReference::bare(name);
    build(LogicalPlanBuilder::scan(
        reference,
        provider_as_source(table),
        None,
    ))
}

fn stream(source: &DataSource) -> Result<LogicalPlan> {
    let (format, schema, options) = described(source)?;
    let spec = SourceSpec::try_new(&format, schema, &source.paths, options)?;
    scan("stream", Arc::new(StreamingRelation::new(Arc::new(spec))))
}

type Described = (
    String,
    Option<arrow::datatypes::SchemaRef>,
    BTreeMap<String, String>,
);

fn described(source: &DataSource) -> Result<Described> {
    let format = source
        .format
        .clone()
        .unwrap_or_else(|| "parquet".to_string());
    let schema = match source.schema.as_deref() {
        None | Some("") => None,
        Some(ddl) => Some(parse_ddl(ddl)?),
    };
    let options = source.options.clone().into_iter().collect();
    Ok((format, schema, options))
}

/// The plan, of the same nodes as given.
pub(super) fn build(builder: datafusion::error::Result<LogicalPlanBuilder>) -> Result<LogicalPlan> {
    builder
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)
}

/// The plan, what differs from Spark resolved.
pub(super) fn resolved(
    builder: datafusion::error::Result<LogicalPlanBuilder>,
) -> Result<LogicalPlan> {
    resolve(build(builder)?)
}
