//! `foreachBatch`: every batch is handed to a function.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use super::{CreatedSink, Part, Sink, SinkFormat, SinkRequest, Target, collect};
use crate::error::{Error, Result, hint};
use crate::options::OptionSpec;
use crate::output_mode::OutputMode;

/// The row of the table of sinks.
pub(super) const FOREACH_BATCH: SinkFormat = SinkFormat {
    name: "foreachBatch",
    doc: "hands every batch to a function",
    output_modes: &OutputMode::ALL,
    options: &[&[FUNCTION]],
    absent_options: &[],
    target: Target::None,
    temporary_checkpoint: true,
    forgets: false,
    needs_function: true,
    stream: create,
    batch: None,
};

const FUNCTION: OptionSpec = OptionSpec {
    name: "callback",
    doc: "the name of the function, as the session knows it",
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    request.format.checked_options(request.options)?;
    let function = request.function.ok_or_else(|| {
        Error::illegal_argument("the sink 'foreachBatch' needs a function")
            .with_hint([hint::give_function("foreachBatch")])
    })?;
    Ok(ForeachBatchSink::new(function).into())
}

/// Takes every batch of a query. A closure that does not wait is one too.
#[async_trait]
pub trait ForeachBatch: Send + Sync {
    /// Receives the batch's number, its columns and its rows. After a crash the last batch may come
    /// again with the same number. An error fails the query. When the query is stopped meanwhile,
    /// the future is dropped.
    async fn call(&self, batch_id: i64, schema: SchemaRef, batches: Vec<RecordBatch>)
    -> Result<()>;

    /// Receives a part of a batch whose rows are handed over as they come, as the sink `foreach` does.
    async fn call_part(
        &self,
        part: Part,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        self.call(part.batch_id, schema, batches).await
    }
}

#[async_trait]
impl<F> ForeachBatch for F
where
    F: Fn(i64, SchemaRef, Vec<RecordBatch>) -> Result<()> + Send + Sync,
{
    async fn call(
        &self,
        batch_id: i64,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        self(batch_id, schema, batches)
    }
}

/// Hands every batch to a function.
pub struct ForeachBatchSink {
    function: Arc<dyn ForeachBatch>,
    description: &'static str,
    /// Whether the function is one of rows: it may get a batch in parts, and the sink tells how many
    /// rows there were.
    by_row: bool,
}

impl ForeachBatchSink {
    /// A sink that calls `function`.
    pub fn new(function: Arc<dyn ForeachBatch>) -> Self {
        Self {
            function,
            description: "ForeachBatchSink",
            by_row: false,
        }
    }

    /// The same under another description, of a function that takes every row by itself.
    pub(super) fn by_row(function: Arc<dyn ForeachBatch>, description: &'static str) -> Self {
        Self {
            function,
            description,
            by_row: true,
        }
    }
}

impl fmt::Debug for ForeachBatchSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description)
    }
}

#[async_trait]
impl Sink for ForeachBatchSink {
    fn description(&self) -> String {
        self.description.to_string()
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let schema = rows.schema();
        let (batches, count) = collect(rows).await?;
        self.function.call(batch_id, schema, batches).await?;
        Ok(self.by_row.then_some(count))
    }

    fn takes_parts(&self) -> bool {
        self.by_row
    }

    async fn add_part(
        &self,
        part: Part,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let schema = rows.schema();
        let (batches, count) = collect(rows).await?;
        if count > 0 {
            self.function.call_part(part, schema, batches).await?;
        }
        Ok(self.by_row.then_some(count))
    }
}
