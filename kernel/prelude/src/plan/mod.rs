//! Plans of `spark.connect`, built as protobuf bytes: what a cell's data frames stand for.

pub(crate) mod command;
pub(crate) mod expression;
pub(crate) mod literal;
pub(crate) mod relation;
mod sql_text;

pub use relation::JoinType;
