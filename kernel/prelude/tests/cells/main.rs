//! What cells say to the kernel and hear from it, against a kernel that is none.

#![allow(clippy::indexing_slicing, reason = "tests fail by panicking")]

mod fake_kernel;
mod functions;
mod processors;
mod session;
