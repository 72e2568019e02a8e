//! Structured Streaming in one process.

mod api;
pub mod checkpointing;
pub mod clock;
pub mod connect;
pub mod error;
mod operators;
pub mod options;
mod output_mode;
mod plan;
mod runtime;
pub mod sinks;
pub mod sources;
mod state;
mod streaming_query_listener;
mod streaming_query_progress;
mod trigger;

pub use api::*;
pub use error::{Error, ErrorKind, Result};
pub use output_mode::OutputMode;
pub use runtime::{FaultHook, FaultPoint};
pub use sinks::ForeachBatch;
pub use sources::MemoryStream;
pub use streaming_query_listener::{StreamingQueryEvent, StreamingQueryListener};
pub use streaming_query_progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
    StreamingQueryStatus,
};
pub use trigger::Trigger;
