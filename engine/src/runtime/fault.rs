//! Places where a test can end a query as a crash would.

use std::sync::Arc;

use crate::error::Result;

/// A step of a batch that has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// The batch's offsets are in the offset log.
    OffsetsLogged,
    /// The sink has taken the batch.
    SinkDone,
    /// The state's next version is written.
    StateCommitted,
}

/// Called at every [`FaultPoint`] with the batch's number; an error ends the query there.
pub type FaultHook = Arc<dyn Fn(FaultPoint, i64) -> Result<()> + Send + Sync>;
