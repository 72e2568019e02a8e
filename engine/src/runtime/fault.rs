//! Places where a test can end a query as a crash would.

use std::sync::Arc;

use crate::error::Result;

/// A step of a batch that has just been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultPoint {
    /// The sources have said where the batch ends, and may have noted it for themselves.
    SourcesAsked,
    /// The batch's offsets are in the offset log.
    OffsetsLogged,
    /// The sink has taken the batch.
    SinkDone,
    /// The state's next version is written.
    StateCommitted,
    /// The batch is in the commit log.
    CommitLogged,
    /// The sink knows that it is.
    SinkCommitted,
}

impl FaultPoint {
    /// All of them, in the order in which a batch comes by.
    pub const ALL: [Self; 6] = [
        Self::SourcesAsked,
        Self::OffsetsLogged,
        Self::SinkDone,
        Self::StateCommitted,
        Self::CommitLogged,
        Self::SinkCommitted,
    ];
}

/// Called at every [`FaultPoint`] with the batch's number; an error ends the query there.
pub type FaultHook = Arc<dyn Fn(FaultPoint, i64) -> Result<()> + Send + Sync>;
