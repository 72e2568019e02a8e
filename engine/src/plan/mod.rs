//! From a logical plan with streams in it to a physical plan that is executed once per batch.
//!
//! ```text
//! logical plan ─► resolve (window(…) becomes columns) ─► unsupported_operations (refuse)
//!    ─► DataFusion's optimizer ─► stateful nodes ─► physical plan ─► IncrementalExecution
//! ```

mod as_typed;
mod bound_sources;
mod current_time;
mod event_time;
mod flat_map_groups_with_state;
mod incremental_execution;
mod join_condition;
mod join_constraints;
mod join_nulls;
mod join_sides;
mod nodes;
mod outer_joins;
mod plain_times;
mod recursion;
mod resolve;
mod row_id;
mod rows_of_nodes;
mod scalar_function;
mod semi_joins;
mod set_operation;
mod streaming_relation;
mod time_window;
mod union;
mod unsupported_continuous;
mod unsupported_groups;
mod unsupported_joins;
mod unsupported_operations;
mod watermark_propagator;

pub(crate) use current_time::{TimeSource, current_time_functions, resolve_current_time};
pub(crate) use flat_map_groups_with_state::{
    FlatMapGroupsWithState, check_binary, check_unique, flat_map_groups_with_state,
    with_key_columns,
};
pub(crate) use incremental_execution::{IncrementalExecution, StreamingPlan, explained};
pub(crate) use nodes::{
    KeyedRows, TransformWithState, deduplicate, sample, transform_with_state, with_watermark,
};
pub(crate) use recursion::RecursiveTable;
pub(crate) use resolve::resolve_node;
pub(crate) use row_id::row_id_functions;
pub(crate) use scalar_function::{is_user_function, scalar_udf, scalar_udf_of_any};
pub(crate) use streaming_relation::{StreamingRelation, is_streaming, streaming_relations};
pub(crate) use time_window::{described_time_window, time_window_functions};
pub(crate) use unsupported_continuous::check_continuous;
pub(crate) use unsupported_operations::check_supported;
