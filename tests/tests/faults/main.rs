//! What a query survives: killed at every step, a full disk, files torn and damaged, folders that
//! cannot be written, a second query, a server that goes away, a clock that goes back. **After each,
//! the output is that of a run that nothing disturbed, or the query has failed with an error that
//! names the thing and says what to do; nothing is lost and nothing is doubled.**
//!
//! `tests/faults` prints the table: fault, times injected, result.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod clock;
mod damage;
mod disk_full;
mod kills;
mod permission;
mod replaced;
mod second_query;
mod server;
mod world;

/// A row of the table.
fn row(fault: &str, injected: usize, result: &str) {
    println!("| {fault} | {injected} | {result} |");
}
