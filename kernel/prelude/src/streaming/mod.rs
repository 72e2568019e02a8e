//! Structured Streaming: readers, writers, and the queries that run.

mod foreach;
mod foreach_batch;
mod groups;
mod listener;
mod manager;
mod processor;
mod progress;
mod query;
mod reader;
mod trigger;
mod writer;

pub use foreach::ForeachWriter;
pub use foreach_batch::BatchResult;
pub use groups::{GroupRows, GroupState, GroupStateTimeout, StateDuration};
pub use listener::{
    QUERY_IDLE_EVENT, QUERY_PROGRESS_EVENT, QUERY_STARTED_EVENT, QUERY_TERMINATED_EVENT,
    QueryIdleEvent, QueryProgressEvent, QueryStartedEvent, QueryTerminatedEvent,
    StreamingQueryListener, StreamingQueryListenerEvent,
};
pub use manager::StreamingQueryManager;
pub use processor::{
    ExpiredTimerInfo, ListState, MapState, ProcessorTime, StatefulProcessor,
    StatefulProcessorHandle, StatefulProcessorWithInitialState, TimeMode, TimerValues, TtlConfig,
    ValueState,
};
pub use progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
    StreamingQueryStatus,
};
pub use query::{StreamingQuery, StreamingQueryException, Timeout};
pub use reader::DataStreamReader;
pub use trigger::{OutputMode, Trigger};
pub use writer::DataStreamWriter;
