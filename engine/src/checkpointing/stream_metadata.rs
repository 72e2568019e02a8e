//! `metadata`: the id of the query a checkpoint belongs to, one line, without a version.
//!
//! ```text
//! {"id":"dbb60687-e6c9-4c29-be50-d718043bbd09"}
//! ```

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result, hint};

const FILE: &str = "metadata";

/// The id that stays the same over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamMetadata {
    /// The query's id.
    pub id: Uuid,
}

impl StreamMetadata {
    /// What stands in the checkpoint, if it is one.
    pub fn read(checkpoint: &CheckpointFileManager) -> Result<Option<Self>> {
        let Some(text) = checkpoint.read(FILE)? else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            let path = checkpoint.root().join(FILE);
            Error::new(
                ErrorKind::Io,
                format!(
                    "'{}' is not the metadata of a query: {error}",
                    path.display()
                ),
            )
            .with_hint([hint::say("use another "), hint::checkpoint()])
        })
    }

    /// Reads the checkpoint's id, or makes the directory a checkpoint of a query with `new_id`.
    pub fn read_or_create(checkpoint: &CheckpointFileManager, new_id: Uuid) -> Result<Self> {
        if let Some(metadata) = Self::read(checkpoint)? {
            return Ok(metadata);
        }
        for log in ["offsets", "commits"] {
            if !checkpoint.subdirectory(log).list_ids()?.is_empty() {
                let root = checkpoint.root().display();
                let message = format!(
                    "the checkpoint '{root}' is not complete: '{log}' has entries, but '{FILE}' is missing"
                );
                return Err(Error::new(ErrorKind::Io, message)
                    .with_condition("STREAMING_CHECKPOINT_MISSING_METADATA_FILE")
                    .with_hint([
                        hint::say("put the file back, or start anew with another "),
                        hint::checkpoint(),
                    ]));
            }
        }
        checkpoint.create(FILE, format!("{{\"id\":\"{new_id}\"}}").as_bytes())?;
        Ok(Self { id: new_id })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_first_id_stays() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = CheckpointFileManager::new(dir.path().join("new"), false);
        let id = Uuid::from_u128(7);
        assert_eq!(StreamMetadata::read(&checkpoint).unwrap(), None);
        StreamMetadata::read_or_create(&checkpoint, id).unwrap();
        let again = StreamMetadata::read_or_create(&checkpoint, Uuid::from_u128(8)).unwrap();
        assert_eq!(again.id, id);
        let text = fs::read_to_string(dir.path().join("new/metadata")).unwrap();
        assert_eq!(text, "{\"id\":\"00000000-0000-0000-0000-000000000007\"}");

        fs::remove_file(dir.path().join("new/metadata")).unwrap();
        fs::create_dir(dir.path().join("new/commits")).unwrap();
        fs::write(dir.path().join("new/commits/0"), "v1\n{}").unwrap();
        let error = StreamMetadata::read_or_create(&checkpoint, id).unwrap_err();
        assert!(error.message().contains("'commits' has entries"), "{error}");

        fs::write(dir.path().join("metadata"), "{}").unwrap();
        let error = StreamMetadata::read(&CheckpointFileManager::new(dir.path(), false));
        assert!(error.unwrap_err().message().contains("is not the metadata"));
    }
}
