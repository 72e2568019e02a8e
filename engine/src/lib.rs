//! Structured Streaming in one process.
#![allow(unused)]

pub mod checkpointing;
pub mod connect;
pub mod error;
pub mod sources;
mod operators;
mod plan;
mod runtime;
mod state;
pub mod sinks;
mod api;
pub mod clock;
pub mod options;
mod output_mode;
mod streaming_query_listener;
mod streaming_query_progress;
mod trigger;

pub use api::*;
pub use runtime::{FaultHook, FaultPoint};
pub use sinks::ForeachBatch;
pub use sources::MemoryStream;
pub use error::{Error, ErrorKind, Result};
pub use output_mode::OutputMode;
pub use streaming_query_listener::{StreamingQueryEvent, StreamingQueryListener};
pub use streaming_query_progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
    StreamingQueryStatus,
};
pub use trigger::Trigger;
