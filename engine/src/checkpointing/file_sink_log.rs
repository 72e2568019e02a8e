//! `_spark_metadata/N`: the files that batch N added to a directory. Who reads the directory reads
//! these files and no others, so a file without its line here was never written.
//!
//! ```text
//! v1
//! {"path":"file:///out/part-00000-….json","size":42,"isDir":false,"modificationTime":1795323950783,"blockReplication":1,"blockSize":33554432,"action":"add"}
//! ```
//! Line 1: the version. Then one line per file: its path as a URL, its size in bytes, when it was
//! written in milliseconds since 1970, two numbers that matter to Hadoop only, and what happened.

use serde::{Deserialize, Serialize};

use crate::checkpointing::compactible_log::CompactibleLog;
use crate::storage::Location;

/// Name of the log's directory inside the directory it describes.
pub const SINK_METADATA_DIR: &str = "_spark_metadata";

const BLOCK_SIZE: u64 = 32 * 1024 * 1024;

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSinkEntry {
    /// URL of the file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Always false.
    pub is_dir: bool,
    /// When it was written, in milliseconds since 1970.
    pub modification_time: i64,
    /// Of interest to Hadoop.
    pub block_replication: i32,
    /// Of interest to Hadoop.
    pub block_size: u64,
    /// `add`.
    pub action: String,
}

impl FileSinkEntry {
    /// The entry of a file that was added.
    pub fn added(path: String, size: u64, modification_time: i64) -> Self {
        Self {
            path,
            size,
            is_dir: false,
            modification_time,
            block_replication: 1,
            block_size: BLOCK_SIZE,
            action: "add".to_string(),
        }
    }
}

/// The log of one file sink.
pub type FileSinkLog = CompactibleLog<FileSinkEntry>;

/// Whether a file sink has written to `directory`.
pub fn has_sink_metadata(directory: &Location) -> bool {
    let metadata = directory.join(SINK_METADATA_DIR).metadata();
    metadata.is_ok_and(|metadata| metadata.is_dir)
}
