//! The leaf of a streaming plan: the rows one source gives in the current batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, EmptyRecordBatchStream, ExecutionPlan, PlanProperties,
};
use futures::StreamExt;

use super::batch_context::BatchContext;
use super::exec::{plain_execution_plan, unordered};

/// Reads source number `source` of the current batch, only the columns in `projection`.
#[derive(Debug)]
pub(crate) struct StreamingSourceExec {
    context: Arc<BatchContext>,
    source: usize,
    description: String,
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl StreamingSourceExec {
    /// `schema` is the source's own schema, `projection` holds indices into it.
    pub(crate) fn try_new(
        context: Arc<BatchContext>,
        source: usize,
        description: String,
        schema: &SchemaRef,
        projection: Vec<usize>,
        partitions: usize,
    ) -> Result<Self> {
        let schema = Arc::new(schema.project(&projection)?);
        Ok(Self {
            context,
            source,
            description,
            projection,
            properties: unordered(schema, partitions, EmissionType::Incremental),
        })
    }
}

impl StreamingSourceExec {
    /// Which source of the query it reads.
    pub(crate) fn source(&self) -> usize {
        self.source
    }
}

impl DisplayAs for StreamingSourceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamingSourceExec: {}", self.description)
    }
}

impl ExecutionPlan for StreamingSourceExec {
    fn name(&self) -> &str {
        "StreamingSourceExec"
    }

    plain_execution_plan!(leaf);

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let input = match self.context.input(self.source) {
            Some(input) if partition < input.partitions => input,
            _ => return Ok(Box::pin(EmptyRecordBatchStream::new(schema))),
        };
        let rows = input
            .rows
            .open(partition, input.partitions, &self.projection)?;
        let counted = rows.inspect(move |batch| {
            if let Ok(batch) = batch {
                let rows = batch.num_rows() as i64;
                input.num_rows.fetch_add(rows, Ordering::Relaxed);
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, counted)))
    }
}
