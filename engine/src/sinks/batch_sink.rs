//! What the rows of a batch query are written to.

use std::fmt::Debug;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use crate::error::Result;

/// What happens when there is something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveMode {
    /// The rows are added.
    Append,
    /// The rows take the place of everything there is.
    Overwrite,
    /// That is an error.
    ErrorIfExists,
    /// Nothing is written.
    Ignore,
}

/// Takes the rows of one batch query.
#[async_trait]
pub trait BatchSink: Send + Sync + Debug {
    /// Whether there is anything to write; an error if the mode forbids it.
    fn wants_rows(&self, mode: SaveMode) -> Result<bool>;

    /// Writes the rows.
    async fn write(&self, mode: SaveMode, rows: SendableRecordBatchStream) -> Result<()>;
}
