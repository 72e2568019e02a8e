//! Files: JSON, CSV, text and Parquet, as streams and as tables.

mod cleaner;
mod file_batch;
mod inspector;
mod lines;
mod listing;
mod metadata_column;
mod options;
mod partitions;
mod reader;
mod registry;
mod rows;
mod schema;
mod seen_files;
mod source;
mod table;

pub use listing::LISTING_OPTIONS;
pub(crate) use metadata_column::METADATA_COLUMN;
pub use options::{CleanSource, FileStreamOptions, RateLimit, STREAM_OPTIONS};
pub use reader::{PARQUET_OPTIONS, PASSED_OVER_OPTIONS};
pub(super) use registry::{CSV, JSON, PARQUET, TEXT};
pub use source::{FileStreamDefinition, FileStreamSource};
pub(crate) use table::with_metadata;
