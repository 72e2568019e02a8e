//! What the kernel and the program of the Rust cells say to each other.
//!
//! The program connects to the kernel's unix socket and speaks in the prelude's frames
//! ([`tidebook::wire`]), whose headers are the types here:
//! - [`Role::Compiler`](tidebook::wire::Role::Compiler): the kernel sends [`Work`], the program
//!   answers each with [`Answer`]s, in the order in which they were asked.
//! - [`Role::Relay`](tidebook::wire::Role::Relay): the relay sends [`Told`], the kernel [`Order`]s.

mod told;
mod work;

pub use told::{Order, Told};
pub use work::{
    Answer, Completions, Diagnostic, Finished, Label, Outcome, Place, Toolchain, VERSION, Work,
};

/// The file name of the program of the Rust cells, which stands beside the kernel.
pub const PROGRAM: &str = "tidebook-rust";

/// Variables of the environment that say what a process of the program is for. User code has them
/// too, and what it starts should not.
pub const INHERITED_BY_USER_CODE: [&str; 3] = [
    "EVCXR_IS_RUNTIME",
    "EVCXR_RUSTC_WRAPPER",
    "TIDEBOOK_RUNTIME",
];
