//! Parquet into Arrow columns and back, as Spark reads and writes it: columns by their names in any
//! case, a column that a file does not have is NULL, and one of another type is an error.

mod adapt;
mod reader;
mod writer;

pub(crate) use reader::{ParquetRows, parquet_schema};
pub(crate) use writer::PARQUET_SINK_OPTIONS;
pub(crate) use writer::{ParquetFileWriter, ParquetForm};
