//! All acceptance tests, in one program: what they need of the engine is compiled and linked once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod batch_equals_stream;
mod broker;
mod conditions;
mod facts;
mod format;
mod kafka;
mod kill;
mod layering;
mod prelude_plans;
mod sql_bytes;
mod streaming;
