//! How deep queries may be nested, and the stack that walking through them takes.

use crate::error::{Error, Result};

/// How deep relations and expressions may stand in each other.
pub(crate) const MAX_DEPTH: usize = 2_000;
/// What is left of the stack before more of it is taken, and how much that is.
const RED_ZONE: usize = 256 * 1024;
const MORE_STACK: usize = 4 * 1024 * 1024;

/// Runs `plan` one level deeper, on more stack if there is little left; refuses what is too deep.
pub(crate) fn deeper<T>(depth: usize, plan: impl FnOnce() -> Result<T>) -> Result<T> {
    if depth > MAX_DEPTH {
        return Err(Error::analysis(format!(
            "the query is nested more than {MAX_DEPTH} levels deep"
        ))
        .with_condition("EXCEED_LIMIT_LENGTH")
        .with_hint("make a view of a part of it"));
    }
    stacker::maybe_grow(RED_ZONE, MORE_STACK, plan)
}
