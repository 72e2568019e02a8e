//! What cells say to the kernel and hear from it, against a kernel that is none.

mod fake_kernel;
mod functions;
mod processors;
mod session;
