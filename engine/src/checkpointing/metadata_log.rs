//! A directory of numbered text files whose first line is a version: `v1`.

use parking_lot::Mutex;

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result, hint};

/// One file of a [`MetadataLog`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The number in the first line.
    pub version: u32,
    /// Everything after the first line.
    pub text: String,
}

/// A log with one entry per batch.
#[derive(Debug)]
pub struct MetadataLog {
    files: CheckpointFileManager,
    max_version: u32,
    /// Every id below this one is known to be deleted; spares a listing per purge.
    purged_below: Mutex<Option<i64>>,
}

impl MetadataLog {
    /// The log in the directory of `files`; entries have a version from 1 to `max_version`.
    pub fn new(files: CheckpointFileManager, max_version: u32) -> Self {
        Self {
            files,
            max_version,
            purged_below: Mutex::new(None),
        }
    }

    /// The files of the log.
    pub fn files(&self) -> &CheckpointFileManager {
        &self.files
    }

    /// The entry `id`, if it exists.
    pub fn get(&self, id: i64) -> Result<Option<LogEntry>> {
        self.get_file(&id.to_string())
    }

    /// The entry in the file `name`, for logs that also have names that are not numbers.
    pub fn get_file(&self, name: &str) -> Result<Option<LogEntry>> {
        let text = self.files.read(name)?;
        text.map(|text| self.parse(name, &text)).transpose()
    }

    /// Ids present, in ascending order.
    pub fn ids(&self) -> Result<Vec<i64>> {
        self.files.list_ids()
    }

    /// The entry with the highest id.
    pub fn latest(&self) -> Result<Option<(i64, LogEntry)>> {
        match self.ids()?.last() {
            Some(&id) => Ok(self.get(id)?.map(|entry| (id, entry))),
            None => Ok(None),
        }
    }

    /// Writes entry `id`, version 1. Fails if it exists.
    pub fn add(&self, id: i64, text: &str) -> Result<()> {
        self.add_file(&id.to_string(), text)
    }

    /// Writes an entry to the file `name`, version 1. Fails if it exists.
    pub fn add_file(&self, name: &str, text: &str) -> Result<()> {
        let content = match text {
            "" => "v1".to_string(),
            text => format!("v1\n{text}"),
        };
        self.files.create(name, content.as_bytes())
    }

    /// Deletes all entries whose id is less than `below`.
    pub fn purge(&self, below: i64) -> Result<()> {
        let mut purged_below = self.purged_below.lock();
        match *purged_below {
            Some(start) => {
                for id in start..below {
                    self.files.delete(&id.to_string())?;
                }
            }
            None => {
                for id in self.ids()?.into_iter().take_while(|id| *id < below) {
                    self.files.delete(&id.to_string())?;
                }
            }
        }
        *purged_below = Some(purged_below.map_or(below, |start| start.max(below)));
        Ok(())
    }

    /// An entry of this log is not what it should be.
    pub fn malformed(&self, name: &str, why: impl std::fmt::Display) -> Error {
        let path = self.files.root().join(name);
        Error::new(
            ErrorKind::Io,
            format!("log file '{}' is malformed: {why}", path.display()),
        )
        .with_condition("MALFORMED_LOG_FILE")
        .with_hint([
            hint::say("use another "),
            hint::checkpoint(),
            hint::say(", or remove this file if it is the newest of its folder"),
        ])
    }

    fn parse(&self, name: &str, text: &str) -> Result<LogEntry> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let version = first
            .trim_end()
            .strip_prefix('v')
            .and_then(|number| number.parse::<u32>().ok())
            .filter(|version| *version > 0)
            .ok_or_else(|| {
                self.malformed(name, format!("its first line is '{first}', not a version"))
            })?;
        if version > self.max_version {
            let path = self.files.root().join(name);
            return Err(Error::new(
                ErrorKind::Io,
                format!(
                    "log file '{}' has version v{version}, but v{} is the newest that can be read",
                    path.display(),
                    self.max_version
                ),
            )
            .with_hint([
                hint::say("it was written by a newer engine: resume the query there, or start anew with another "),
                hint::checkpoint(),
            ]));
        }
        Ok(LogEntry {
            version,
            text: rest.to_string(),
        })
    }
}

/// An entry of a query's log could not be written; which log, in Spark's words.
pub(super) fn write_failure(error: Error, log: &str) -> Error {
    match error.condition() {
        Some(_) => error,
        None => error.with_condition(format!("STREAMING_CHECKPOINT_LOG_WRITE_FAILURE.{log}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn log(dir: &tempfile::TempDir) -> MetadataLog {
        MetadataLog::new(CheckpointFileManager::new(dir.path(), false), 1)
    }

    #[test]
    fn entries_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(&dir);
        assert_eq!(log.latest().unwrap(), None);
        for id in 8..12 {
            log.add(id, &format!("entry {id}\nsecond line")).unwrap();
        }
        let (id, entry) = log.latest().unwrap().unwrap();
        assert_eq!((id, entry.version), (11, 1));
        assert_eq!(entry.text, "entry 11\nsecond line");
        assert_eq!(log.get(12).unwrap(), None);
        assert!(log.add(11, "again").is_err());
    }

    #[test]
    fn purge_keeps_the_newer_entries() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(&dir);
        for id in 0..6 {
            log.add(id, "").unwrap();
        }
        log.purge(2).unwrap();
        assert_eq!(log.ids().unwrap(), [2, 3, 4, 5]);
        log.purge(1).unwrap();
        log.purge(5).unwrap();
        assert_eq!(log.ids().unwrap(), [5]);
    }

    #[test]
    fn unknown_versions_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("0"), "v7\n{}").unwrap();
        fs::write(dir.path().join("1"), "{}").unwrap();
        let log = log(&dir);
        let error = log.get(0).unwrap_err().to_string();
        assert!(error.contains("/0' has version v7"), "{error}");
        let error = log.get(1).unwrap_err().to_string();
        assert!(error.contains("/1' is malformed"), "{error}");
    }
}
