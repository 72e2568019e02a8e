//! The engine through its public surface, in one program: what it needs is compiled and linked once.

mod bad_input;
mod user_code;
mod windowed_counts;
