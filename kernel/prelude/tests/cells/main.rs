//! What cells say to the kernel and hear from it, against a kernel that is none.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod fake_kernel;
mod functions;
mod processors;
mod session;
