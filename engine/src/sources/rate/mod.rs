//! Rows that come by themselves, a number and a time each: for trying things out, for lessons and
//! for measuring.

mod micro_batch;
mod options;
mod per_second;
mod rows;

pub(super) use micro_batch::RATE_MICRO_BATCH;
pub(super) use per_second::RATE;
