//! One query at a time: a lock on the checkpoint that other processes see as well. The system takes it
//! away with the process, however that ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::error::{Error, Result, hint};

/// Hidden, so that it is no part of the checkpoint to anyone who lists it.
const FILE: &str = ".tidebook.lock";

/// Held as long as a query runs.
#[derive(Debug)]
pub struct CheckpointLock {
    /// None where there are no locks: some file systems and all stores have none.
    _locked: Option<File>,
}

impl CheckpointLock {
    /// Locks the checkpoint, whose directory exists. An error if another query holds it.
    pub fn acquire(checkpoint: &CheckpointFileManager) -> Result<Self> {
        let file = checkpoint.root().join(FILE);
        let Some(path) = file.local() else {
            return Ok(Self { _locked: None });
        };
        let failed = |error| {
            Error::io(
                format!("lock the checkpoint with '{}'", path.display()),
                error,
            )
        };
        let mut options = File::options();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(checkpoint, &mut file)),
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the checkpoint cannot be locked");
                return Ok(Self { _locked: None });
            }
        }
        // Who holds it, for the message that another gets; nothing depends on it.
        let process = std::process::id().to_string();
        let told = file.set_len(0).and_then(|()| file.rewind());
        let _ = told.and_then(|()| file.write_all(process.as_bytes()));
        Ok(Self {
            _locked: Some(file),
        })
    }
}

fn in_use(checkpoint: &CheckpointFileManager, file: &mut File) -> Error {
    let mut process = String::new();
    let read = file.read_to_string(&mut process);
    let by = match read.is_ok() && !process.is_empty() {
        true => format!("by a query of process {process}"),
        false => "by another query".to_string(),
    };
    Error::illegal_argument(format!(
        "the checkpoint '{}' is in use {by}",
        checkpoint.root().display()
    ))
    .with_condition("CONCURRENT_QUERY")
    .with_hint([
        hint::say("stop that query first, or give this one a "),
        hint::checkpoint(),
        hint::say(" of its own"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = CheckpointFileManager::new(dir.path(), false);
        let first = CheckpointLock::acquire(&checkpoint).unwrap();
        let error = CheckpointLock::acquire(&checkpoint).unwrap_err();
        assert_eq!(error.condition(), Some("CONCURRENT_QUERY"));
        let process = format!("process {}", std::process::id());
        assert!(error.message().contains(&process), "{error}");
        assert!(checkpoint.list().unwrap().is_empty());
        drop(first);
        CheckpointLock::acquire(&checkpoint).unwrap();
    }
}
