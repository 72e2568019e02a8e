//! `offsets/N`: what batch N reads, written before it runs.
//!
//! ```text
//! v1
//! {"batchWatermarkMs":0,"batchTimestampMs":1795323662323,"conf":{"spark.sql.session.timeZone":"UTC",…}}
//! {"logOffset":3}
//! -
//! ```
//! Line 1: the version. Line 2: the watermark the batch works with and the time it shows as
//! `current_timestamp()`, both in milliseconds since 1970, and the settings that must stay as they
//! were when the query first started, with two entries of our own that tell a query from another:
//! `tidebook.query.sources` and `tidebook.query.statefulOperators`. Then one line per source, in the
//! order in which the plan names them: where the batch ends, as the source's own JSON, or `-` if it
//! had nothing yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::checkpointing::metadata_log::{MetadataLog, write_failure};
use crate::error::Result;

/// The entry of the settings that lists the stateful operators of a query. Only this engine writes it.
pub(crate) const STATEFUL_OPERATORS: &str = "tidebook.query.statefulOperators";

const NO_OFFSET: &str = "-";

/// One entry: the end of a batch in every source.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetSeq {
    /// End offset per source; `None` while a source had nothing to offer.
    pub offsets: Vec<Option<Value>>,
    /// What else a re-run of the batch must know.
    pub metadata: OffsetSeqMetadata,
}

/// Second line of an entry. Fields that are not known are ignored, missing ones are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OffsetSeqMetadata {
    /// Watermark of the batch, in milliseconds.
    pub batch_watermark_ms: i64,
    /// Time of the batch, in milliseconds since 1970.
    pub batch_timestamp_ms: i64,
    /// Settings that a restart must not change.
    pub conf: BTreeMap<String, String>,
}

/// The offset log of one query.
#[derive(Debug)]
pub struct OffsetSeqLog(MetadataLog);

impl OffsetSeqLog {
    /// The log of the checkpoint in the directory of `checkpoint`.
    pub fn new(checkpoint: &CheckpointFileManager) -> Self {
        Self(MetadataLog::new(checkpoint.subdirectory("offsets"), 1))
    }

    /// Writes down what batch `batch_id` reads. Fails if that was done before.
    pub fn add(&self, batch_id: i64, entry: &OffsetSeq) -> Result<()> {
        let mut text = to_json(&entry.metadata);
        for offset in &entry.offsets {
            text.push('\n');
            match offset {
                Some(offset) => text.push_str(&to_json(offset)),
                None => text.push_str(NO_OFFSET),
            }
        }
        let added = self.0.add(batch_id, &text);
        added.map_err(|error| write_failure(error, "OFFSET_LOG"))
    }

    /// What batch `batch_id` reads, if it was planned.
    pub fn get(&self, batch_id: i64) -> Result<Option<OffsetSeq>> {
        let entry = self.0.get(batch_id)?;
        entry
            .map(|entry| self.parse(batch_id, &entry.text))
            .transpose()
    }

    /// The last batch that was planned.
    pub fn latest(&self) -> Result<Option<(i64, OffsetSeq)>> {
        match self.0.latest()? {
            Some((batch_id, entry)) => Ok(Some((batch_id, self.parse(batch_id, &entry.text)?))),
            None => Ok(None),
        }
    }

    /// Deletes the entries of all batches before `below`.
    pub fn purge(&self, below: i64) -> Result<()> {
        self.0.purge(below)
    }

    fn parse(&self, batch_id: i64, text: &str) -> Result<OffsetSeq> {
        let malformed = |line: &str, error: serde_json::Error| {
            let why = format!("line '{line}': {error}");
            self.0.malformed(&batch_id.to_string(), why)
        };
        let mut lines = text.lines();
        // Spark leaves the line empty where it has nothing to say.
        let metadata = match lines.next().map(str::trim).unwrap_or_default() {
            "" => OffsetSeqMetadata::default(),
            line => serde_json::from_str(line).map_err(|error| malformed(line, error))?,
        };
        let offsets = lines
            .map(str::trim)
            .map(|line| match line {
                NO_OFFSET => Ok(None),
                line => serde_json::from_str(line)
                    .map(Some)
                    .map_err(|error| malformed(line, error)),
            })
            .collect::<Result<Vec<_>>>()?;
        if offsets.is_empty() {
            let why = "it ends before the offsets of the sources";
            return Err(self.0.malformed(&batch_id.to_string(), why));
        }
        Ok(OffsetSeq { offsets, metadata })
    }
}

/// Maps with string keys and JSON values always have a JSON text.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_what_spark_writes() {
        let dir = tempfile::tempdir().unwrap();
        let log = OffsetSeqLog::new(&CheckpointFileManager::new(dir.path(), false));
        let entry = OffsetSeq {
            offsets: vec![Some(json!({"logOffset": 3})), None, Some(json!(7))],
            metadata: OffsetSeqMetadata {
                batch_watermark_ms: 1704110700000,
                batch_timestamp_ms: 1795323668989,
                conf: [("spark.sql.shuffle.partitions".into(), "2".into())].into(),
            },
        };
        log.add(4, &entry).unwrap();
        let text = fs::read_to_string(dir.path().join("offsets/4")).unwrap();
        assert_eq!(
            text,
            "v1\n{\"batchWatermarkMs\":1704110700000,\"batchTimestampMs\":1795323668989,\
             \"conf\":{\"spark.sql.shuffle.partitions\":\"2\"}}\n{\"logOffset\":3}\n-\n7"
        );
        assert_eq!(log.latest().unwrap(), Some((4, entry)));
    }

    #[test]
    fn more_fields_are_fine_and_broken_lines_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let log = OffsetSeqLog::new(&CheckpointFileManager::new(dir.path(), false));
        fs::create_dir(dir.path().join("offsets")).unwrap();
        let text = "v1\n{\"batchWatermarkMs\":5,\"new\":[1]}\n{\"topic\":{\"0\":23}}\n";
        fs::write(dir.path().join("offsets/0"), text).unwrap();
        let entry = log.get(0).unwrap().unwrap();
        assert_eq!(entry.metadata.batch_watermark_ms, 5);
        assert_eq!(entry.offsets, [Some(json!({"topic": {"0": 23}}))]);

        fs::write(dir.path().join("offsets/1"), "v1\n{}").unwrap();
        let error = log.get(1).unwrap_err();
        assert_eq!(error.condition(), Some("MALFORMED_LOG_FILE"));
        assert!(
            error.message().contains("it ends before the offsets"),
            "{error}"
        );
        fs::write(dir.path().join("offsets/1"), "v1\n{}\n{oops").unwrap();
        let error = log.latest().unwrap_err().to_string();
        assert!(
            error.contains("offsets/1' is malformed: line '{oops'"),
            "{error}"
        );
    }
}
