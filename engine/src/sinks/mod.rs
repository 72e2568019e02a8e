//! Where rows go: one [`Sink`] trait, one table of formats.
//!
//! **A sink gets the batch id and is idempotent**: a batch it has already taken is skipped.

mod foreach_batch;
mod memory;
mod noop;
#[cfg(test)]
mod testing;

use std::fmt::Debug;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;

pub use foreach_batch::{ForeachBatch, ForeachBatchSink};
pub use memory::{MemorySink, MemoryTable};
pub use noop::NoopSink;

use crate::error::{Error, ErrorKind, Result};
use crate::output_mode::OutputMode;

/// A taker of batches.
#[async_trait]
pub trait Sink: Send + Sync + Debug {
    /// e.g. `FileSink[file:/data/out]`, `MemorySink`.
    fn description(&self) -> String;

    /// Takes one batch. Returns how many rows were written, or `None` where Spark reports -1.
    /// `rows` must be drained also when the batch is skipped: reading it updates the state.
    async fn add_batch(
        &self,
        batch_id: i64,
        output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>>;
}

/// Reads the rows of a batch that was already taken, for what reading them does to the state.
async fn skip(mut rows: SendableRecordBatchStream) -> Result<Option<i64>> {
    while rows.try_next().await.map_err(failed)?.is_some() {}
    Ok(Some(0))
}

/// A batch could not be computed: gives back the engine's own error where that was the cause.
fn failed(error: DataFusionError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(own) = current.downcast_ref::<Error>() {
            return own.clone();
        }
        cause = current.source();
    }
    Error::new(ErrorKind::StreamingQuery, error.strip_backtrace()).with_source(error)
}

/// Where the console sink's text goes.
pub type ConsoleWriter = std::sync::Arc<dyn Fn(String) + Send + Sync>;

/// What a sink is made from.
pub struct SinkTarget<'a> {
    /// The format's name.
    pub format: &'a str,
    /// Options, `path` among them.
    pub options: std::collections::BTreeMap<String, String>,
    /// The columns that are written.
    pub schema: arrow::datatypes::SchemaRef,
    /// Whether every batch is forced to disk.
    pub durable: bool,
    /// Where the console sink's text goes.
    pub console: ConsoleWriter,
    /// The functions `foreachBatch` knows.
    pub foreach_batch: &'a std::collections::HashMap<String, ForeachBatch>,
}

pub fn check_output_mode(_format: &str, _mode: OutputMode) -> Result<()> { Ok(()) }
pub fn check_options(_format: &str, _options: &std::collections::BTreeMap<String, String>) -> Result<()> { Ok(()) }
pub fn needs_checkpoint(_format: &str) -> bool { false }
pub fn create(target: SinkTarget<'_>) -> Result<std::sync::Arc<dyn Sink>> {
    Ok(match target.format {
        "foreachBatch" => {
            let name = target.options.get("callback").cloned().unwrap_or_default();
            let f = target.foreach_batch.get(&name).ok_or_else(|| Error::illegal_argument(format!("no foreachBatch function '{name}'")))?;
            std::sync::Arc::new(ForeachBatchSink::new(f.clone()))
        }
        _ => std::sync::Arc::new(NoopSink),
    })
}
