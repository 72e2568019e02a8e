//! What a Rust cell of Tidebook sees: Spark's session, thin enough to compile with every cell.

pub mod wire;
