//! One query at a time: a lock on the checkpoint that other processes see as well. On the disk the system
//! takes it away with the process, however that ends; in a store it lapses.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::holder::Holder;
use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::storage::{Claimed, Lease};

/// Hidden, so that it is no part of the checkpoint to anyone who lists it.
const FILE: &str = ".tidebook.lock";

/// Held as long as a query runs.
#[derive(Debug)]
pub struct CheckpointLock {
    checkpoint: CheckpointFileManager,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// On the disk. Held, never read.
    File { _locked: File },
    /// In a store.
    Lease(Lease),
    /// Where there are no locks: some file systems and stores have none.
    Nothing,
}

impl CheckpointLock {
    /// Locks the checkpoint, whose directory exists. An error if another query holds it.
    pub fn acquire(checkpoint: &CheckpointFileManager) -> Result<Self> {
        let file = checkpoint.root().join(FILE);
        let failed = |error| Error::io(format!("lock the checkpoint with '{file}'"), error);
        let us = Holder::this_process();
        let claim = Lease::claim(&file, &us.to_line(), |other| {
            Holder::from_line(other).is_some_and(|other| other.is_gone())
        });
        let held = match (claim, file.local()) {
            (Some(claimed), _) => match claimed.map_err(failed)? {
                Claimed::Held(lease) => Held::Lease(lease),
                Claimed::InUse { holder, lapses_in } => {
                    return Err(in_use(checkpoint, &holder, Some(lapses_in)));
                }
                Claimed::Unsupported(error) => cannot_lock(&error),
            },
            (None, Some(path)) => lock(checkpoint, path, &us)?,
            (None, None) => Held::Nothing,
        };
        Ok(Self {
            checkpoint: checkpoint.clone(),
            held,
        })
    }

    /// An error if it may not be held any more: another query may have gone on from here.
    pub fn check(&self) -> Result<()> {
        match &self.held {
            Held::Lease(lease) if !lease.is_held() => {
                let message = format!(
                    "the checkpoint '{}' may be another query's by now: the claim on it could not be renewed in time",
                    self.checkpoint.root().display()
                );
                Err(Error::new(ErrorKind::StreamingQuery, message)
                    .with_condition("CONCURRENT_QUERY")
                    .with_hint("see that the store can be reached, and start the query again: it goes on from its last batch"))
            }
            _ => Ok(()),
        }
    }
}

/// The lock on a file of the disk.
fn lock(checkpoint: &CheckpointFileManager, path: &Path, us: &Holder) -> Result<Held> {
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
        Err(TryLockError::WouldBlock) => {
            let mut other = String::new();
            let read = file.read_to_string(&mut other);
            let other = read.map(|_| other).unwrap_or_default();
            return Err(in_use(checkpoint, &other, None));
        }
        Err(TryLockError::Error(error)) => return Ok(cannot_lock(&error)),
    }
    // Who holds it, for the message that another gets; nothing depends on it.
    let told = file.set_len(0).and_then(|()| file.rewind());
    let _ = told.and_then(|()| file.write_all(us.to_line().as_bytes()));
    Ok(Held::File { _locked: file })
}

fn cannot_lock(error: &std::io::Error) -> Held {
    tracing::warn!(%error, "the checkpoint cannot be locked");
    Held::Nothing
}

fn in_use(checkpoint: &CheckpointFileManager, holder: &str, lapses_in: Option<Duration>) -> Error {
    let by = match Holder::from_line(holder) {
        Some(holder) => format!("by a query of process {}", holder.process),
        None => "by another query".to_string(),
    };
    let error = Error::illegal_argument(format!(
        "the checkpoint '{}' is in use {by}",
        checkpoint.root().display()
    ))
    .with_condition("CONCURRENT_QUERY");
    let mut hint = vec![
        hint::say("stop that query first, or give this one a "),
        hint::checkpoint(),
        hint::say(" of its own"),
    ];
    if let Some(lapses_in) = lapses_in {
        let seconds = lapses_in.as_secs() + 1;
        hint.push(hint::say(format!(
            "; if it was killed on another machine, try again in {seconds} s"
        )));
    }
    error.with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OptionMap;
    use crate::storage::{Location, Stores};

    #[test]
    fn the_second_is_refused_until_the_first_ends() {
        let dir = tempfile::tempdir().unwrap();
        let stores = Stores::default();
        let bucket = Location::parse("memory:///checkpoint", &stores, &OptionMap::default());
        for root in [Location::from(dir.path()), bucket.unwrap()] {
            let checkpoint = CheckpointFileManager::new(root, false);
            let first = CheckpointLock::acquire(&checkpoint).unwrap();
            first.check().unwrap();
            let error = CheckpointLock::acquire(&checkpoint).unwrap_err();
            assert_eq!(error.condition(), Some("CONCURRENT_QUERY"));
            let process = format!("process {}", std::process::id());
            assert!(error.message().contains(&process), "{error}");
            assert!(checkpoint.list().unwrap().is_empty());
            drop(first);
            CheckpointLock::acquire(&checkpoint).unwrap();
        }
    }
}
