//! Relations: each kind to the file that plans it.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::FutureExt as _;

use super::Analyzer;
use super::expression::Clause;
use super::planned::{Metadata, Planned, node};
use super::query::{Context, wrong_number_of_names};
use super::scope::Scope;
use super::select::UNSORTED;
use super::values::WRONG_NUMBER_IN_VALUES;
use crate::depth::deeper;
use crate::error::{Error, Result, SEARCH_PATH, from_datafusion};
use crate::tree::{Call, Place, Relation};

impl Analyzer<'_> {
    /// The plan of a relation.
    pub(super) fn relation(&self, relation: &Relation, context: &Context<'_>) -> Result<Planned> {
        let mut context = context.clone();
        context.depth += usize::from(!matches!(relation, Relation::Numbered { .. }));
        deeper(context.depth, || self.relation_here(relation, &context))
    }

    fn relation_here(&self, relation: &Relation, context: &Context<'_>) -> Result<Planned> {
        match relation {
            Relation::Table { name, place } => match self.sources.get(relation) {
                Some(files) => self.scanned(&name.join("."), files, Metadata::ByName),
                None => self.table(name, *place, context),
            },
            Relation::TableFunction(call) => self.table_function(call, context),
            Relation::Values(rows) => self.values(rows, context),
            Relation::Query(query) => self.query(query, context),
            Relation::Lateral(input) => self.relation(input, context),
            Relation::Select(select) => self.select(select, UNSORTED, context),
            Relation::SetOperation(set) => self.set_operation(set, context),
            Relation::Join(join) => self.join(join, context),
            Relation::Alias {
                input,
                name,
                columns,
            } => {
                let is_values = matches!(input.as_ref(), Relation::Values(_));
                let is_table = is_table(input);
                let input = self.relation(input, context)?;
                let own = input.shown().count();
                if !columns.is_empty() && columns.len() != own {
                    let error = wrong_number_of_names(name, columns.len(), own);
                    return Err(match is_values {
                        true => error.with_condition(WRONG_NUMBER_IN_VALUES),
                        false => error,
                    });
                }
                let aliased = input.aliased(name, columns)?;
                Ok(match is_table {
                    true => aliased,
                    false => aliased.without_metadata_name(),
                })
            }
            Relation::LateralView(view) => self.lateral_view(view, context),
            Relation::Pivot(pivot) => self.pivot(pivot, context),
            Relation::Unpivot(unpivot) => self.unpivot(unpivot, context),
            Relation::Numbered { plan_id, input } => {
                let mut planned = self.relation(input, context)?;
                for column in &mut planned.columns {
                    column.plan_ids.push(*plan_id);
                }
                Ok(planned)
            }
            Relation::Source {
                is_streaming,
                format,
                ..
            } => {
                let table = self.sources.get(relation);
                let table = table.ok_or_else(|| Error::internal("a source was not opened"))?;
                let name = if *is_streaming { "stream" } else { format };
                self.scanned(name, table, Metadata::ByName)
            }
            Relation::Range { start, end, step } => self.range(*start, *end, *step),
            Relation::Local { schema, batches } => {
                let table = MemTable::try_new(Arc::clone(schema), vec![batches.clone()]);
                let table = Arc::new(table.map_err(from_datafusion)?);
                Ok(Planned::of(scan("local", table)?))
            }
            frame => self.frame(frame, context),
        }
    }

    fn table(
        &self,
        name: &[String],
        place: Option<Place>,
        context: &Context<'_>,
    ) -> Result<Planned> {
        if let [own] = name
            && let Some(planned) = context.named(own)
        {
            return Ok(planned.clone());
        }
        let missing = || {
            let quoted: Vec<_> = name.iter().map(|part| format!("`{part}`")).collect();
            let name = name.join(".");
            let error = Error::analysis(format!("table or view '{name}' does not exist"));
            error
                .with_condition("TABLE_OR_VIEW_NOT_FOUND")
                .with_parameter("relationName", quoted.join("."))
                .with_parameter("searchPath", SEARCH_PATH)
                .with_place(place)
        };
        let (own, catalog) = name.split_last().ok_or_else(missing)?;
        let own = own.to_lowercase();
        let reference = TableReference::bare(own.clone());
        let schema = self
            .session
            .schema_for_ref(reference)
            .map_err(from_datafusion)?;
        // Views are in memory, so they are there at once.
        let found = schema.table(&own).now_or_never();
        let found = found.transpose().map_err(from_datafusion)?.flatten();
        let table = match found {
            Some(table) if catalog.is_empty() || is_own_catalog(catalog) => table,
            _ => return Err(missing()),
        };
        self.scanned(&own, table, Metadata::ByFunctions)
    }

    /// The rows of a table; those of files with `_metadata` if it is asked for.
    fn scanned(
        &self,
        name: &str,
        table: Arc<dyn TableProvider>,
        metadata: Metadata,
    ) -> Result<Planned> {
        match self.metadata.of(&table) {
            Some(table) => Ok(Planned::with_metadata(scan(name, table)?, metadata)),
            None => Ok(Planned::of(scan(name, table)?)),
        }
    }

    /// `range(end)`, `range(start, end[, step])`, or a generator.
    fn table_function(&self, call: &Call, context: &Context<'_>) -> Result<Planned> {
        let nothing = one_row()?;
        if call.name != "range" {
            return self.generated_table(&nothing, call, context);
        }
        let scope = Scope::of(&nothing, context.outer);
        let expressions = self.expressions(&scope, Clause::Select, context);
        let numbers = call.arguments.iter().map(|argument| {
            let number = expressions.plan(argument)?;
            let number = expressions.cast_to(number, &DataType::Int64)?;
            let value = self.constant(&number)?;
            match value {
                Some(datafusion::scalar::ScalarValue::Int64(Some(value))) => Ok(value),
                _ => Err(
                    Error::analysis("the arguments of range must be whole numbers")
                        .with_condition("UNEXPECTED_INPUT_TYPE"),
                ),
            }
        });
        let numbers: Vec<i64> = numbers.collect::<Result<_>>()?;
        match numbers.as_slice() {
            [end] => self.range(0, *end, 1),
            [start, end] => self.range(*start, *end, 1),
            // The fourth is the number of partitions, which only a cluster has.
            [start, end, step] | [start, end, step, _] => self.range(*start, *end, *step),
            other => Err(
                Error::analysis(format!("range got {} arguments", other.len()))
                    .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                    .with_hint("write range(end), range(start, end) or range(start, end, step)"),
            ),
        }
    }

    /// Whole numbers, in a column `id`.
    fn range(&self, start: i64, end: i64, step: i64) -> Result<Planned> {
        if step == 0 {
            return Err(Error::illegal_argument("the step of a range must not be 0"));
        }
        let function = self.session.table_functions().get("range").cloned();
        let function = function.ok_or_else(|| Error::internal("there is no range"))?;
        let numbers = [start, end, step].map(datafusion::logical_expr::lit);
        let table = function.create_table_provider_with_args(
            datafusion::catalog::TableFunctionArgs::new(&numbers, self.session),
        );
        let plan = scan("range", table.map_err(from_datafusion)?)?;
        let column = plan.schema().columns().into_iter().next();
        let column = column.ok_or_else(|| Error::internal("range has no column"))?;
        let named = Expr::Column(column).alias("id");
        let named = LogicalPlanBuilder::from(plan).project([named]);
        Planned::of(node(named)?).aliased("range", &[])
    }
}

/// A relation of one row without columns.
pub(super) fn one_row() -> Result<Planned> {
    Ok(Planned {
        plan: node(Ok(LogicalPlanBuilder::empty(true)))?,
        columns: Vec::new(),
    })
}

/// Whether a relation is a table or files under a name, or under none.
fn is_table(relation: &Relation) -> bool {
    match relation {
        Relation::Table { .. } | Relation::Source { .. } => true,
        Relation::Alias { input, .. } | Relation::Numbered { input, .. } => is_table(input),
        _ => false,
    }
}

/// Whether a name's first parts are those that every view has.
fn is_own_catalog(parts: &[String]) -> bool {
    match parts {
        [schema] => schema.eq_ignore_ascii_case("default"),
        [catalog, schema] => {
            catalog.eq_ignore_ascii_case("spark_catalog") && schema.eq_ignore_ascii_case("default")
        }
        _ => false,
    }
}

/// A scan of a table under a name.
pub(crate) fn scan(name: &str, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let reference = TableReference::bare(name);
    node(LogicalPlanBuilder::scan(
        reference,
        provider_as_source(table),
        None,
    ))
}
