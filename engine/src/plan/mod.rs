//! From a logical plan with streams in it to a physical plan that is executed once per batch.
//!
//! ```text
//! logical plan ─► time_window (window(…) becomes columns) ─► unsupported_operations (refuse)
//!    ─► DataFusion's optimizer ─► stateful nodes ─► physical plan ─► IncrementalExecution
//! ```

mod arithmetic;
mod current_time;
mod event_time;
mod flat_map_groups_with_state;
mod incremental_execution;
mod scalar_function;
mod streaming_node;
mod streaming_relation;
mod time_window;
mod unsupported_groups;
mod unsupported_operations;

pub use arithmetic::arithmetic_functions;
pub use current_time::{TimeSource, current_time_functions, resolve_current_time};
pub use flat_map_groups_with_state::{FlatMapGroupsWithState, flat_map_groups_with_state};
pub use incremental_execution::{IncrementalExecution, StreamingPlan, explained};
pub use scalar_function::scalar_udf;
pub use streaming_node::{deduplicate, with_watermark};
pub use streaming_relation::{StreamingRelation, is_streaming, streaming_relations};
pub use time_window::{parse_duration_us, resolve_time_windows, time_window_functions};
pub use unsupported_operations::check_supported;
