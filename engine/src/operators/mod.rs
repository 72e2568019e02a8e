//! What DataFusion does not have: operators that remember. One operator, one file.
//!
//! All of them are nodes of one physical plan that is made once per query and executed once per
//! batch; what changes from batch to batch reaches them through the [`BatchContext`].

mod aggregate_states;
mod batch_context;
mod dedup;
mod errors;
mod event_time_column;
mod event_time_watermark;
pub(crate) mod exec;
mod flat_map_groups_with_state;
mod global_limit;
mod key_groups;
mod late_rows;
mod operator_state;
mod session_window;
mod sharding;
mod source;
mod state_schema;
mod stateful_aggregate;
mod stateful_operator;
mod store_layout;
mod stream_join;
mod transform_with_state;

pub(crate) use batch_context::{Batch, BatchContext, InputPart};
pub(crate) use dedup::{DedupKind, dedup};
pub(crate) use event_time_column::{EventTimeColumn, Watermarks};
pub(crate) use event_time_watermark::{EventTimeStats, EventTimeWatermarkExec, WatermarkObserver};
pub(crate) use flat_map_groups_with_state::{GroupsCall, flat_map_groups_with_state};
pub(crate) use global_limit::streaming_global_limit;
pub(crate) use session_window::{SessionKeys, session_window};
pub(crate) use source::StreamingSourceExec;
pub(crate) use stateful_aggregate::stateful_aggregate;
pub(crate) use stateful_operator::{StatefulExec, StatefulOperator};
pub(crate) use stream_join::{Bound, JoinSide, StateWatermark, StreamJoin, stream_join};
pub(crate) use transform_with_state::{InitialState, ProcessorCall, transform_with_state};
