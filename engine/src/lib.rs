//! Structured Streaming in one process: Apache Spark's streaming API and semantics on DataFusion.
//!
//! A query comes in as SQL or as a `spark.connect` plan, is analysed once into a plan of DataFusion's
//! and then executed batch after batch. The engine knows nothing of Jupyter, writes to no terminal,
//! installs no signal handler and has no globals.
//!
//! ```text
//!  SQL text ─► sql ─────────────┐
//!                               ├─► tree ─► analyzer (scopes, names, types) ─► LogicalPlan
//!  spark.connect ─► connect ────┘              └─ functions (one table)
//!        │  plan      windows → columns, refusals, stateful nodes → one physical plan
//!        ▼
//!  runtime  tick → offsets/N → sources.get_batch → watermarks of the operators
//!           → plan ⟶ operators ⟷ state/<operator>/<partition>/<store> → sinks.add_batch
//!           → commits/N → progress → listeners
//! ```
//!
//! # Where things are
//! - [`Session`] and [`StreamingQuery`] (`api/`): what users hold; start reading at `api/start.rs`.
//! - `tree/`: what a query says, before its names mean anything; `sql/` and [`connect`] make it of
//!   texts and of messages.
//! - `analyzer/`: from the tree to DataFusion's logical plans; one kind of relation or expression, one
//!   file. `functions/`: Spark's functions, by theme.
//! - `plan/`: time windows, what a stream may not do, the nodes that only streams have, each operator's
//!   watermark, `IncrementalExecution`.
//! - `operators/`: what remembers from batch to batch; one operator, one file.
//! - `state/`: versioned, columnar state and its files; tables with one row per key or with many.
//! - `runtime/`: the micro-batch loop, the query's watermark, triggers, progress.
//! - `formats/`: bytes to columns and back; JSON, CSV, text, Parquet. `storage/`: where files are,
//!   on the disk or in a store behind a URL. `kafka/`: clients of Kafka.
//! - [`checkpointing`], [`sources`], [`sinks`]: logs as Spark writes them, and one trait each for
//!   what rows come from and go to, with a table of formats whose rows hold their constructors.
//! - [`UserDefinedFunction`], [`GroupsFunction`], [`StatefulProcessor`], [`ForeachBatch`],
//!   [`ForeachWriter`]: what users
//!   write and queries call; a [`Cancellation`] tells it when nobody waits for its answer any more.
//! - [`error`], [`options`], [`clock`], `datetime` and `interval` (texts to times, as Spark reads
//!   them), `text` (values and rows as [`show()`](show) prints them), `type_names`, [`nearest()`],
//!   [`why`] (facts of batches that gave nothing) and the vocabulary beside them: everybody may use these.
//!
//! Dependencies point one way: vocabulary ← {storage ← formats, kafka} ← {checkpointing ← state ← sources, sinks} ← operators ← plan ←
//! functions ← analyzer ← api; tree ← sql ← {functions, connect}; plan ← runtime ← api.
//!
//! # Invariants
//! - **Nothing shows in a sink before its offsets are in the log.** Only [`Trigger::Continuous`] and
//!   [`Trigger::RealTime`] let rows leave as they come, at least once.
//! - **`get_batch(start, end)` is repeatable; a sink gets the batch id and is idempotent.**
//! - **Batch N reads state version N and commits version N+1.**
//! - **Time comes only from a [`clock::Clock`].**
//! - **What cannot run is refused at the start; a panic ends its query and nothing else.**
//! - **A query stops, and a batch query can be left, although user code in it waits for ever.**
//!
//! # A first query
//! ```
//! use tidebook_engine::{Session, SqlOutput};
//!
//! # #[tokio::main]
//! # async fn main() -> tidebook_engine::Result<()> {
//! let session = Session::new()?;
//! let SqlOutput::Rows(rows) = session.sql("SELECT 7 / 2 AS half").await? else {
//!     unreachable!("a query gives rows")
//! };
//! assert_eq!(rows.num_rows(), 1);
//! # Ok(())
//! # }
//! ```

mod analyzer;
mod api;
mod cancellation;
pub mod checkpointing;
pub mod clock;
pub mod connect;
mod datetime;
mod depth;
pub mod error;
mod formats;
mod functions;
mod interval;
mod json;
mod kafka;
mod nearest;
mod operators;
pub mod options;
mod output_mode;
mod plan;
mod runtime;
pub mod sinks;
pub mod sources;
mod sql;
mod state;
mod storage;
mod streaming_query_listener;
mod streaming_query_progress;
mod text;
mod tree;
mod trigger;
mod type_names;
mod user_functions;
pub mod why;

pub use api::*;
pub use cancellation::Cancellation;
pub use error::{Act, Error, ErrorKind, Hint, Result, Streams, Wording};
pub use formats::RowFormat;
pub use interval::{parse_any_duration, parse_duration};
pub use json::json_rows;
pub use nearest::nearest;
pub use output_mode::OutputMode;
pub use runtime::{FaultHook, FaultPoint};
pub use sinks::{ForeachBatch, ForeachWriter, MakeForeachWriter, Part};
pub use sources::MemoryStream;
pub use sql::{parse_ddl, parse_schema_of_columns, parse_type};
pub use streaming_query_listener::{StreamingQueryEvent, StreamingQueryListener};
pub use streaming_query_progress::{
    SinkProgress, SourceProgress, StateOperatorProgress, StreamingQueryProgress,
    StreamingQueryStatus,
};
pub use text::{Align, ShowForm, format_value, grid, is_null, show, timestamp_micros};
pub use trigger::Trigger;
pub use type_names::{simple_string, sql_type};
pub use user_functions::{
    BatchTimes, Group, GroupResult, GroupStateTimeout, GroupsFunction, ProcessorGroup,
    ProcessorResult, ScalarFunction, StateChange, StateEntry, StateVariable, StateVariableKind,
    StatefulProcessor, StatefulProcessorDefinition, TimeMode, UserDefinedFunction, WrittenEntry,
};
