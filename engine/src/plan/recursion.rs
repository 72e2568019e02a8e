//! The step of a recursive query, which runs until it gives no more rows, and may run so many times only.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use parking_lot::Mutex;

use crate::error::Error;
use crate::operators::exec::plain_execution_plan;

/// How often a step may run, if the query does not tell.
const MAX_LEVELS: usize = 100;

/// The rows of the step before, as a table that the step reads.
#[derive(Debug)]
pub(crate) struct RecursiveTable {
    rows: CteWorkTable,
    name: String,
    max_level: usize,
}

impl RecursiveTable {
    /// The table that the recursive query `name` reads itself as.
    pub(crate) fn new(name: &str, schema: SchemaRef, max_level: Option<usize>) -> Self {
        Self {
            rows: CteWorkTable::new(name, schema),
            name: name.to_string(),
            max_level: max_level.unwrap_or(MAX_LEVELS),
        }
    }
}

#[async_trait]
impl TableProvider for RecursiveTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let input = self.rows.scan(state, projection, filters, limit).await?;
        Ok(Arc::new(StepExec {
            properties: Arc::clone(input.properties()),
            input,
            name: self.name.clone(),
            max_level: self.max_level,
            levels: Arc::default(),
        }))
    }
}

/// Counts how often it is executed.
#[derive(Debug)]
struct StepExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    name: String,
    max_level: usize,
    /// Whose execution it was last, and how often.
    levels: Arc<Mutex<(usize, usize)>>,
}

impl DisplayAs for StepExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecursiveStep: {}", self.name)
    }
}

impl StepExec {
    fn with_input(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self {
            input,
            properties: Arc::clone(&self.properties),
            name: self.name.clone(),
            max_level: self.max_level,
            levels: Arc::clone(&self.levels),
        }
    }

    /// How often it was executed before in this execution of the whole query.
    fn level(&self, context: &Arc<TaskContext>) -> usize {
        let own = Arc::as_ptr(context).addr();
        let mut levels = self.levels.lock();
        if levels.0 != own {
            *levels = (own, 0);
        }
        levels.1 += 1;
        levels.1 - 1
    }
}

impl ExecutionPlan for StepExec {
    fn name(&self) -> &str {
        "RecursiveStep"
    }

    plain_execution_plan!(unary);

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        if self.level(&context) >= self.max_level {
            let error = Error::analysis(format!(
                "the recursive query '{}' goes on after {} levels",
                self.name, self.max_level
            ));
            let error = error
                .with_condition("RECURSION_LEVEL_LIMIT_EXCEEDED")
                .with_hint(format!(
                    "add a condition that ends it, or allow more: WITH RECURSIVE {} MAX RECURSION LEVEL {} AS …",
                    self.name,
                    2 * self.max_level
                ));
            return Err(error.into());
        }
        self.input.execute(partition, context)
    }
}
