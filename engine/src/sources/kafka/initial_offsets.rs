//! Where a query began: `sources/N/0`, written once, before the first batch. A batch without a start
//! begins there, also after a restart.

use super::offsets_json::{offsets, to_json};
use crate::checkpointing::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::kafka::PartitionOffsets;

const FILE: &str = "0";
const VERSION: &str = "v1\n";

/// The file, as Spark writes it: with a zero byte in front, as old versions wanted it.
#[derive(Debug)]
pub(super) struct InitialOffsets {
    files: CheckpointFileManager,
}

impl InitialOffsets {
    pub(super) fn new(files: CheckpointFileManager) -> Self {
        Self { files }
    }

    pub(super) fn read(&self) -> Result<Option<PartitionOffsets>> {
        let Some(text) = self.files.read(FILE)? else {
            return Ok(None);
        };
        let text = text.strip_prefix('\0').unwrap_or(&text);
        let json = text.strip_prefix(VERSION).unwrap_or(text);
        let parsed = serde_json::from_str(json).ok();
        match parsed.and_then(|json| offsets(&json)) {
            Some(offsets) => Ok(Some(offsets)),
            None => {
                let path = self.files.root().join(FILE);
                let message = format!("'{}' does not hold Kafka offsets", path.display());
                Err(Error::new(ErrorKind::Io, message).with_hint([
                    hint::say(
                        "the checkpoint belongs to a query with other sources: choose another ",
                    ),
                    hint::checkpoint(),
                ]))
            }
        }
    }

    pub(super) fn write(&self, offsets: &PartitionOffsets) -> Result<()> {
        let content = format!("\0{VERSION}{}", to_json(offsets));
        self.files.create(FILE, content.as_bytes())
    }
}
