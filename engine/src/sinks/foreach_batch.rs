//! `foreachBatch`: every batch is handed to a function.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use super::{Sink, collect};
use crate::error::Result;
use crate::output_mode::OutputMode;

/// Receives the batch's number, its columns and its rows. After a crash the last batch may come
/// again with the same number. An error fails the query.
pub type ForeachBatch = Arc<dyn Fn(i64, SchemaRef, Vec<RecordBatch>) -> Result<()> + Send + Sync>;

/// Hands every batch to a function.
pub struct ForeachBatchSink {
    function: ForeachBatch,
}

impl ForeachBatchSink {
    /// A sink that calls `function`.
    pub fn new(function: ForeachBatch) -> Self {
        Self { function }
    }
}

impl fmt::Debug for ForeachBatchSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeachBatchSink")
    }
}

#[async_trait]
impl Sink for ForeachBatchSink {
    fn description(&self) -> String {
        "ForeachBatchSink".to_string()
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let schema = rows.schema();
        let (batches, _) = collect(rows).await?;
        (self.function)(batch_id, schema, batches)?;
        Ok(None)
    }
}
