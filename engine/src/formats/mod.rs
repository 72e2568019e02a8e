//! Bytes to columns and back: what a file, or the value of a message, holds. Sources, sinks and
//! functions stand above it.

mod charset;
pub(crate) mod compression;
pub(crate) mod csv;
mod decimal;
mod hadoop_blocks;
pub(crate) mod json;
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

pub(crate) use csv::CSV_OPTIONS;
pub(crate) use nullable::nullable;
pub(crate) use record_end::{RECORD_FILE_OPTIONS, TEXT_OPTIONS};
pub(crate) use time_forms::TimeForms;
pub use typed_rows::RowFormat;
pub(crate) use typed_rows::typed_rows;
pub(crate) use writer::{
    CSV_SINK_OPTIONS, CSV_VALUE_OPTIONS, JSON_SINK_OPTIONS, PARQUET_SINK_OPTIONS, TEXT_SINK_OPTIONS,
};
pub(crate) use writer::{FileFormat, FileWriter};
