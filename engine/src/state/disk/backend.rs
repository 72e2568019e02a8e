//! The file of a store on disk, which is never waited for: it is a cache of what the checkpoint holds,
//! and gone with the process.

use std::fs::File;
use std::io;

use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::error::{Error, Result, hint};
use crate::storage::Location;

/// A file without a name.
#[derive(Debug)]
pub(super) struct CacheFile(FileBackend);

impl CacheFile {
    /// A new, empty file on the disk of `directory`, or if that is in a store where temporary files are.
    pub(super) fn new(directory: &Location) -> Result<Self> {
        let temporary = std::env::temp_dir();
        let directory = directory.local().unwrap_or(&temporary);
        let failed = |error| {
            let what = format!("make a file for state in '{}'", directory.display());
            Error::io(what, error).with_hint([
                hint::say("choose a "),
                hint::checkpoint(),
                hint::say(" directory you may write to"),
            ])
        };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let file: File = tempfile::tempfile_in(directory).map_err(failed)?;
        let backend = FileBackend::new(file);
        backend
            .map(Self)
            .map_err(|error| super::disk_error("open", error))
    }
}

impl StorageBackend for CacheFile {
    fn len(&self) -> Result<u64, io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.0.write(offset, data)
    }
}
