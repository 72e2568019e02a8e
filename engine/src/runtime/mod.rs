//! The micro-batch loop and what stands around it.
//!
//! ```text
//! tick → latest_offset per source → OffsetSeqLog.add(N)                              planned
//!      → get_batch(start, end) → IncrementalExecution → Sink.add_batch(N) → state N+1
//!      → WatermarkTracker.update → CommitLog.add(N) → progress → listeners           done
//! ```
//! Restart: offsets N and commits N → batch N+1. Offsets N without commits N → batch N again, with
//! the same offsets, watermark and timestamp.
//!
//! Continuous and real-time triggers run the middle of that over and over within one batch:
//! ```text
//! [ new data → get_batch → IncrementalExecution → Sink.add_part(N, 0, 1, …) → WatermarkTracker ]…
//! interval over → OffsetSeqLog.add(N) → state N+1 → CommitLog.add(N) → progress → listeners
//! ```

mod cancellable_task;
mod fault;
mod micro_batch_execution;
mod progress_reporter;
mod stream_execution;
mod trigger_executor;
mod watermark_tracker;
mod why_reporter;

pub(crate) use cancellable_task::run_cancellable;
pub use fault::{FaultHook, FaultPoint};
pub(crate) use micro_batch_execution::{MicroBatchExecution, QuerySetup, RunEnd};
pub(crate) use micro_batch_execution::{SOURCES, STATEFUL_OPERATORS, WATERMARK_POLICY};
pub(crate) use stream_execution::{StreamExecution, StreamIdentity};
pub(crate) use trigger_executor::next_trigger;
