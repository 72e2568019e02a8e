//! What a query writes down so that it can be resumed: ids, offsets, commits.
//!
//! ```text
//! CHECKPOINT/metadata      id of the query                     [`StreamMetadata`]
//! CHECKPOINT/offsets/N     what batch N reads, before it runs  [`OffsetSeqLog`]
//! CHECKPOINT/commits/N     batch N is in the sink              [`CommitLog`]
//! CHECKPOINT/sources/I/N   the files behind offset N           [`FileSourceLog`]
//! CHECKPOINT/state/I/_metadata/metadata  the stores of an operator  [`OperatorStateMetadata`]
//! CHECKPOINT/.tidebook.lock  held while a query runs           [`CheckpointLock`]
//! OUTPUT/_spark_metadata/N the files batch N has written       [`FileSinkLog`]
//! ```
//!
//! The files are Spark's, line for line, so either engine reads the other's. Every file appears
//! whole or not at all, and **no file is ever replaced**: a name that is already taken means that
//! a second query writes to the same checkpoint.

mod commit_log;
mod compactible_log;
mod file_manager;
mod file_sink_log;
mod file_source_log;
mod holder;
mod lock;
mod metadata_log;
mod offset_seq_log;
mod operator_state_metadata;
mod stream_metadata;

pub use commit_log::{CommitLog, CommitMetadata};
pub use compactible_log::CompactibleLog;
pub use file_manager::CheckpointFileManager;
pub use file_sink_log::{FileSinkEntry, FileSinkLog, SINK_METADATA_DIR, has_sink_metadata};
pub use file_source_log::{FileSourceEntry, FileSourceLog};
pub use lock::CheckpointLock;
pub use metadata_log::{LogEntry, MetadataLog};
pub(crate) use offset_seq_log::STATEFUL_OPERATORS;
pub use offset_seq_log::{OffsetSeq, OffsetSeqLog, OffsetSeqMetadata};
pub use operator_state_metadata::{
    DEFAULT_STORE, OperatorInfo, OperatorStateMetadata, STATE_DIR, StateStoreInfo,
};
pub use stream_metadata::StreamMetadata;
