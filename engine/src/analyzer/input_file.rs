//! The file that a row is of: `_metadata`, which files have where a query asks for it, and the functions
//! that are fields of it.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::expression::Expressions;
use super::planned::same_name;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::plan::StreamingRelation;
use crate::sources::SourceDefinition;
use crate::sources::file::{METADATA_COLUMN, with_metadata};
use crate::tree::{Call, Name};

/// What to do where the column is not there.
pub(super) const NO_METADATA: &str = "only files that a query reads itself have _metadata, not those of a \
     view: FROM json.`/data/in`, or spark.read; input_file_name() is the file of a view's row too";

/// Functions without arguments, and the field of `_metadata` that each of them is.
const FUNCTIONS: &[(&str, &str)] = &[
    ("input_file_block_length", "file_block_length"),
    ("input_file_block_start", "file_block_start"),
    ("input_file_name", "file_path"),
];

/// The function that makes a URL of a `file_path`.
const FILE_URL: &str = "file_url";

/// Whether files have the column `_metadata` in a plan. They have it only if it is asked for, so that
/// everything else is planned as if it did not exist.
#[derive(Debug, Default)]
pub(super) struct FileMetadata {
    pub is_there: bool,
    asked_for: Cell<bool>,
    /// Streams, and what they are with the column: one stream stays one wherever it is read.
    streams: RefCell<Vec<[Arc<dyn SourceDefinition>; 2]>>,
}

impl FileMetadata {
    /// Whether the query asked for it, and it is not there.
    pub(super) fn is_asked_for(&self) -> bool {
        self.asked_for.get() && !self.is_there
    }

    /// Notes that a name was not found.
    pub(super) fn look_for(&self, name: &Name) {
        if is_of_metadata(name) {
            self.asked_for.set(true);
        }
    }

    /// A table of files with the column.
    pub(super) fn of(&self, table: &Arc<dyn TableProvider>) -> Option<Arc<dyn TableProvider>> {
        if !self.is_there {
            return None;
        }
        if let Some(stream) = table.downcast_ref::<StreamingRelation>() {
            return Some(Arc::new(StreamingRelation::new(
                self.stream(stream.spec())?,
            )));
        }
        match table.get_logical_plan() {
            Some(view) => {
                let view = self.view(&view)?;
                Some(Arc::new(ViewTable::new(view, None)))
            }
            None => with_metadata(table),
        }
    }

    fn stream(&self, own: &Arc<dyn SourceDefinition>) -> Option<Arc<dyn SourceDefinition>> {
        let mut streams = self.streams.borrow_mut();
        if let Some([_, with]) = streams.iter().find(|[known, _]| Arc::ptr_eq(known, own)) {
            return Some(Arc::clone(with));
        }
        let with = own.with_metadata()?;
        streams.push([Arc::clone(own), Arc::clone(&with)]);
        Some(with)
    }

    /// The plan of a view with the column behind its own, if each of its rows is of one row of a file.
    fn view(&self, plan: &LogicalPlan) -> Option<LogicalPlan> {
        let plan = match plan {
            LogicalPlan::TableScan(scan) => {
                let is_whole =
                    scan.projection.is_none() && scan.filters.is_empty() && scan.fetch.is_none();
                let table = source_as_provider(&scan.source).ok().filter(|_| is_whole)?;
                let table = provider_as_source(self.of(&table)?);
                LogicalPlanBuilder::scan(scan.table_name.clone(), table, None)
            }
            LogicalPlan::Projection(projection) => {
                let input = self.view(&projection.input)?;
                let metadata = input.schema().columns().pop()?;
                let own = projection.expr.iter().cloned();
                let all: Vec<Expr> = own.chain([Expr::Column(metadata)]).collect();
                LogicalPlanBuilder::from(input).project(all)
            }
            LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Extension(_) => {
                let [input]: [&LogicalPlan; 1] = plan.inputs().try_into().ok()?;
                let input = self.view(input)?;
                let above = plan.with_new_exprs(plan.expressions(), vec![input]);
                above.map(LogicalPlanBuilder::from)
            }
            _ => return None,
        };
        let plan = plan.and_then(LogicalPlanBuilder::build).ok()?;
        let last = plan.schema().columns().pop()?;
        (last.name == METADATA_COLUMN).then_some(plan)
    }
}

/// Whether a name is that of the column, or of something in it.
pub(super) fn is_of_metadata(name: &Name) -> bool {
    let mut parts = name.parts.iter();
    parts.any(|part| same_name(part, METADATA_COLUMN))
}

impl Expressions<'_> {
    /// A call of a function that is a field of `_metadata`, where rows come from files.
    pub(super) fn input_file(&self, call: &Call) -> Result<Option<Typed>> {
        let mut functions = FUNCTIONS.iter();
        let Some((name, field)) = functions.find(|(name, _)| *name == call.name) else {
            return Ok(None);
        };
        self.analyzer.metadata.asked_for.set(true);
        let columns = self.scope.columns.iter();
        let mut files = columns.filter(|column| column.is_metadata());
        let (Some(file), others) = (files.next(), files.count()) else {
            return Ok(None);
        };
        if others > 0 {
            return Err(Error::analysis(format!(
                "{name}() cannot tell which of {} files beside each other is meant",
                others + 1
            ))
            .with_condition("MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION")
            .with_hint(format!(
                "write the column of the table that is meant: t.{METADATA_COLUMN}.{field}"
            ))
            .with_place(call.place));
        }
        let metadata = Typed {
            expr: Expr::Column(file.column.clone()),
            field: Arc::clone(&file.field),
        };
        let value = self.field(metadata, field)?;
        match *name {
            "input_file_name" => self.registered(FILE_URL, vec![value], call.place),
            _ => Ok(value),
        }
        .map(Some)
    }
}
