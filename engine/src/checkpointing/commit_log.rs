//! `commits/N`: batch N is in the sink and its state is written.
//!
//! ```text
//! v1
//! {"nextBatchWatermarkMs":1704110280000}
//! ```
//! Line 1: the version. Line 2: the watermark of the next batch, in milliseconds. Version 2 adds
//! ids of Spark's state files, which are of no use to another engine and are passed over.

use serde::{Deserialize, Serialize};

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::checkpointing::metadata_log::{LogEntry, MetadataLog, write_failure};
use crate::error::Result;

/// Second line of an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitMetadata {
    /// Watermark of the next batch, in milliseconds.
    pub next_batch_watermark_ms: i64,
}

/// The commit log of one query.
#[derive(Debug)]
pub struct CommitLog(MetadataLog);

impl CommitLog {
    /// The log of the checkpoint in the directory of `checkpoint`.
    pub fn new(checkpoint: &CheckpointFileManager) -> Self {
        Self(MetadataLog::new(checkpoint.subdirectory("commits"), 2))
    }

    /// Marks batch `batch_id` as done. Fails if it is already.
    pub fn add(&self, batch_id: i64, metadata: CommitMetadata) -> Result<()> {
        let watermark_ms = metadata.next_batch_watermark_ms;
        let text = format!("{{\"nextBatchWatermarkMs\":{watermark_ms}}}");
        let added = self.0.add(batch_id, &text);
        added.map_err(|error| write_failure(error, "COMMIT_LOG"))
    }

    /// What was written for batch `batch_id`, if it is done.
    pub fn get(&self, batch_id: i64) -> Result<Option<CommitMetadata>> {
        let entry = self.0.get(batch_id)?;
        entry.map(|entry| self.parse(batch_id, &entry)).transpose()
    }

    /// The last batch that is done.
    pub fn latest(&self) -> Result<Option<(i64, CommitMetadata)>> {
        match self.0.latest()? {
            Some((batch_id, entry)) => Ok(Some((batch_id, self.parse(batch_id, &entry)?))),
            None => Ok(None),
        }
    }

    /// The number of the last batch that is done, whatever was written for it.
    pub fn latest_id(&self) -> Result<Option<i64>> {
        Ok(self.ids()?.last().copied())
    }

    /// The numbers of all batches that are done and have an entry, in ascending order.
    pub fn ids(&self) -> Result<Vec<i64>> {
        self.0.ids()
    }

    /// Deletes the entries of all batches before `below`.
    pub fn purge(&self, below: i64) -> Result<()> {
        self.0.purge(below)
    }

    fn parse(&self, batch_id: i64, entry: &LogEntry) -> Result<CommitMetadata> {
        serde_json::from_str(&entry.text)
            .map_err(|error| self.0.malformed(&batch_id.to_string(), error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn both_versions_are_read_and_the_first_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let log = CommitLog::new(&CheckpointFileManager::new(dir.path(), false));
        let metadata = CommitMetadata {
            next_batch_watermark_ms: 1704110280000,
        };
        log.add(0, metadata).unwrap();
        let text = fs::read_to_string(dir.path().join("commits/0")).unwrap();
        assert_eq!(text, "v1\n{\"nextBatchWatermarkMs\":1704110280000}");

        let of_spark = "v2\n{\"nextBatchWatermarkMs\":9,\"stateUniqueIds\":{\"0\":[[\"a\"]]}}";
        fs::write(dir.path().join("commits/1"), of_spark).unwrap();
        let (batch_id, latest) = log.latest().unwrap().unwrap();
        assert_eq!((batch_id, latest.next_batch_watermark_ms), (1, 9));
        assert_eq!(log.get(0).unwrap(), Some(metadata));
        assert_eq!(log.get(2).unwrap(), None);
    }
}
