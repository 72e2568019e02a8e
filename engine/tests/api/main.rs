//! The engine through its public surface, in one program: what it needs is compiled and linked once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod bad_input;
mod column_names;
mod files;
mod frames;
mod names;
mod nesting;
mod sources;
mod state;
mod step_by_step;
mod trigger_refusals;
mod triggers;
mod user_code;
mod why;
mod windowed_counts;
