//! Bytes to columns and back: what a file, or the value of a message, holds. Sources, sinks and
//! functions stand above it.

mod charset;
pub(crate) mod compression;
pub(crate) mod csv;
mod decimal;
mod hadoop_blocks;
pub mod json;
pub(crate) mod line_format;
mod nullable;
pub(crate) mod parquet;
pub(crate) mod partition_folder;
pub(crate) mod record_end;
mod record_options;
mod records;
mod text;
mod time_forms;
mod typed_rows;
mod writer;

pub use csv::CSV_OPTIONS;
pub(crate) use nullable::nullable;
pub use record_end::{RECORD_FILE_OPTIONS, TEXT_OPTIONS};
pub(crate) use time_forms::TimeForms;
pub use typed_rows::{RowFormat, typed_rows};
pub use writer::{
    CSV_SINK_OPTIONS, CSV_VALUE_OPTIONS, JSON_SINK_OPTIONS, PARQUET_SINK_OPTIONS, TEXT_SINK_OPTIONS,
};
pub(crate) use writer::{FileFormat, FileWriter};
