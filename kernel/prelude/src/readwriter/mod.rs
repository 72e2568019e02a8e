//! Reads and writes batches.

mod reader;
mod source;
mod writer;

pub use reader::DataFrameReader;
pub(crate) use source::{Source, reader};
pub use writer::{DataFrameWriter, SaveMode};
