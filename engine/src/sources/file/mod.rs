//! Files: JSON, CSV and text as streams, and the same and Parquet as tables.

mod file_batch;
mod lines;
mod listing;
mod options;
mod registry;
mod seen_files;
mod source;
mod table;

pub use listing::LISTING_OPTIONS;
pub use options::{FileStreamOptions, RateLimit, STREAM_OPTIONS};
pub(super) use registry::{CSV, JSON, PARQUET, TEXT};
pub use source::{FileStreamDefinition, FileStreamSource};
