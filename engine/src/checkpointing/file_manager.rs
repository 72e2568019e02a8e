//! Files of a checkpoint: written to a temporary name, then renamed, so that a reader sees a file
//! whole or not at all, whenever the writer was killed.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

type TemporaryFile = tempfile::NamedTempFile<File>;

/// Writes a file's content; called again if the directory had to be made first.
type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Gives a temporary file its name.
type Persist = fn(TemporaryFile, PathBuf) -> Result<File, tempfile::PersistError<File>>;

/// Reads and writes the files of one directory.
#[derive(Debug, Clone)]
pub struct CheckpointFileManager {
    root: PathBuf,
    durable: bool,
}

impl CheckpointFileManager {
    /// Files below `root`, which need not exist yet. With `durable`, a file survives a power cut
    /// once it is written (4-12 ms each); without, it survives the death of the process.
    pub fn new(root: impl Into<PathBuf>, durable: bool) -> Self {
        Self {
            root: root.into(),
            durable,
        }
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory `name` inside this one, written in the same way.
    pub fn subdirectory(&self, name: impl AsRef<Path>) -> Self {
        Self::new(self.root.join(name), self.durable)
    }

    /// Creates the file `name` with this content. Fails if the file exists: then another run of
    /// the query writes to the same directory.
    pub fn create(&self, name: &str, content: &[u8]) -> Result<()> {
        let persist = |file: TemporaryFile, path: PathBuf| file.persist_noclobber(path);
        self.write(name, &|file| file.write_all(content), persist)
            .map_err(|error| match error.kind() {
                IoErrorKind::AlreadyExists => self.concurrent_run(name),
                _ => self.cannot_write(error),
            })
    }

    /// Creates the file `name` with what `content` writes, in place of one that is there: a batch
    /// that is run again writes what it wrote before.
    pub fn replace(&self, name: &str, content: Content<'_>) -> Result<()> {
        let persist = |file: TemporaryFile, path: PathBuf| file.persist(path);
        self.write(name, content, persist)
            .map_err(|error| self.cannot_write(error))
    }

    /// The content of the file `name`, if there is one.
    pub fn read(&self, name: &str) -> Result<Option<String>> {
        let path = self.root.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.cannot_read(&format!("read '{}'", path.display()), error)),
        }
    }

    /// Names of the files here, in no order, without hidden ones: temporary files and the `.crc`
    /// files Hadoop puts beside its own. None if there is no such directory.
    pub fn list(&self) -> Result<Vec<String>> {
        let failed = |error| self.cannot_read(&format!("list '{}'", self.root.display()), error);
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            match name.into_string() {
                Ok(name) if !name.starts_with('.') => names.push(name),
                _ => {}
            }
        }
        Ok(names)
    }

    /// Names that are numbers, in ascending order.
    pub fn list_ids(&self) -> Result<Vec<i64>> {
        let mut ids: Vec<i64> = self
            .list()?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Removes the file `name`, if it exists.
    pub fn delete(&self, name: &str) -> Result<()> {
        let path = self.root.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != IoErrorKind::NotFound => {
                Err(Error::io(format!("delete '{}'", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, name: &str, content: Content<'_>, persist: Persist) -> io::Result<()> {
        match self.try_write(name, content, persist) {
            Err(error) if error.kind() == IoErrorKind::NotFound => {
                fs::create_dir_all(&self.root)?;
                self.try_write(name, content, persist)
            }
            result => result,
        }
    }

    fn try_write(&self, name: &str, content: Content<'_>, persist: Persist) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .make_in(&self.root, |path| File::create_new(path))?;
        content(file.as_file_mut())?;
        if self.durable {
            file.as_file().sync_all()?;
        }
        persist(file, self.root.join(name)).map_err(|error| error.error)?;
        if self.durable {
            // The name is an entry of the directory, which has to reach the disk as well.
            File::open(&self.root)?.sync_all()?;
        }
        Ok(())
    }

    fn cannot_write(&self, error: io::Error) -> Error {
        Error::io(format!("cannot write to '{}'", self.root.display()), error)
            .or_hint("choose a directory you may write to: --checkpoint DIR")
    }

    /// What is there is not text, not a directory, or not for this user.
    fn cannot_read(&self, what: &str, error: io::Error) -> Error {
        let error = match error.kind() {
            IoErrorKind::InvalidData => Error::io(what, error).with_condition("MALFORMED_LOG_FILE"),
            _ => Error::io(what, error),
        };
        error.with_hint(
            "put back what was there, or start anew with another --checkpoint and another output",
        )
    }

    fn concurrent_run(&self, name: &str) -> Error {
        let path = self.root.join(name);
        Error::new(
            ErrorKind::StreamingQuery,
            format!(
                "'{}' was written by another run of this query",
                path.display()
            ),
        )
        .with_condition("CONCURRENT_STREAM_LOG_UPDATE")
        .with_hint("stop the other query, or give this one a --checkpoint of its own")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_once() {
        let dir = tempfile::tempdir().unwrap();
        for durable in [false, true] {
            let files = CheckpointFileManager::new(dir.path().join(durable.to_string()), durable);
            assert_eq!(files.read("3").unwrap(), None);
            files.create("3", b"first").unwrap();
            let error = files.create("3", b"second").unwrap_err();
            assert_eq!(error.condition(), Some("CONCURRENT_STREAM_LOG_UPDATE"));
            assert_eq!(files.read("3").unwrap().as_deref(), Some("first"));
            assert_eq!(files.list().unwrap(), ["3"], "no temporary file is left");
            files.delete("3").unwrap();
            files.delete("3").unwrap();
            assert!(files.list().unwrap().is_empty());
        }
    }

    #[test]
    fn only_numbers_are_ids() {
        let dir = tempfile::tempdir().unwrap();
        let files = CheckpointFileManager::new(dir.path(), false);
        for name in ["10", "9", ".9.crc", "9.compact", "x"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(files.list_ids().unwrap(), [9, 10]);
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let files = CheckpointFileManager::new(dir.path().join("file/below"), false);
        let error = files.create("0", b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("file/below'"), "{error}");
    }
}
