//! Bytes to columns and back: what a file, or the value of a message, holds. Sources, sinks and
//! functions stand above it.

pub(crate) mod csv;
mod decimal;
pub mod json;
pub(crate) mod line_format;
mod nullable;
mod record_options;
mod records;
mod text;
mod typed_rows;
mod writer;

pub use csv::CSV_OPTIONS;
pub(crate) use nullable::nullable;
pub use typed_rows::{RowFormat, typed_rows};
pub use writer::{CSV_SINK_OPTIONS, FileFormat};
