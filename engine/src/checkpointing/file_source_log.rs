//! `sources/I/N`: the files that offset N of a file source stands for.
//!
//! ```text
//! v1
//! {"path":"file:///data/in/f0.json","timestamp":1700000000000,"batchId":0}
//! ```
//! Line 1: the version. Then one line per file: its path as a URL, when it was last modified in
//! milliseconds since 1970, and the offset it belongs to.

use serde::{Deserialize, Serialize};

use crate::checkpointing::compactible_log::CompactibleLog;

/// One file that was read or is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSourceEntry {
    /// URL of the file.
    pub path: String,
    /// When it was last modified, in milliseconds since 1970.
    pub timestamp: i64,
    /// The offset it belongs to.
    pub batch_id: i64,
}

/// The log of one file source.
pub type FileSourceLog = CompactibleLog<FileSourceEntry>;
