//! Files of a checkpoint: written to a temporary name, then renamed, so that a reader sees a file
//! whole or not at all, whenever the writer was killed. A store of objects does that by itself.

use std::fs::File;
use std::io::{self, ErrorKind as IoErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result, hint};
use crate::storage::{Location, create_folders, sync_file, sync_folder};

type TemporaryFile = tempfile::NamedTempFile<File>;

/// Writes a file's content; called again if the directory had to be made first.
type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Gives a temporary file its name.
type Persist = fn(TemporaryFile, PathBuf) -> Result<File, tempfile::PersistError<File>>;

/// Reads and writes the files of one directory.
#[derive(Debug, Clone)]
pub struct CheckpointFileManager {
    root: Location,
    durable: bool,
}

impl CheckpointFileManager {
    /// Files below `root`, which need not exist yet. With `durable`, a file survives a power cut
    /// once it is written (4-12 ms each); without, it survives the death of the process.
    pub fn new(root: impl Into<Location>, durable: bool) -> Self {
        Self {
            root: root.into(),
            durable,
        }
    }

    /// The directory.
    pub fn root(&self) -> &Location {
        &self.root
    }

    /// The directory `name` inside this one, written in the same way.
    pub fn subdirectory(&self, name: &str) -> Self {
        Self::new(self.root.join(name), self.durable)
    }

    /// Creates the file `name` with this content. Fails if the file exists: then another run of
    /// the query writes to the same directory.
    pub fn create(&self, name: &str, content: &[u8]) -> Result<()> {
        let persist = |file: TemporaryFile, path: PathBuf| file.persist_noclobber(path);
        self.write(name, &|file| file.write_all(content), persist, true)
            .map_err(|error| match error.kind() {
                IoErrorKind::AlreadyExists => self.concurrent_run(name),
                _ => self.cannot_write(error),
            })
    }

    /// Creates the file `name` with what `content` writes, in place of one that is there: a batch
    /// that is run again writes what it wrote before.
    pub fn replace(&self, name: &str, content: Content<'_>) -> Result<()> {
        let persist = |file: TemporaryFile, path: PathBuf| file.persist(path);
        self.write(name, content, persist, false)
            .map_err(|error| self.cannot_write(error))
    }

    /// The content of the file `name`, if there is one.
    pub fn read(&self, name: &str) -> Result<Option<String>> {
        let file = self.root.join(name);
        let mut text = String::new();
        let read = file
            .open()
            .and_then(|input| input.read_from(0))
            .and_then(|mut reader| reader.read_to_string(&mut text));
        match read {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.cannot_read(&format!("read '{file}'"), error)),
        }
    }

    /// Names of the files here, in no order, without hidden ones: temporary files and the `.crc`
    /// files Hadoop puts beside its own. None if there is no such directory.
    pub fn list(&self) -> Result<Vec<String>> {
        let children = match self.root.children() {
            Ok(children) => children,
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(self.cannot_read(&format!("list '{}'", self.root), error));
            }
        };
        let names = children.into_iter().map(|child| child.name);
        Ok(names.filter(|name| !name.starts_with('.')).collect())
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
        let file = self.root.join(name);
        match file.delete() {
            Err(error) if error.kind() != IoErrorKind::NotFound => {
                Err(self.cannot_read(&format!("delete '{file}'"), error))
            }
            _ => Ok(()),
        }
    }

    fn write(
        &self,
        name: &str,
        content: Content<'_>,
        persist: Persist,
        is_new: bool,
    ) -> io::Result<()> {
        let Some(root) = self.root.local() else {
            let mut bytes = Vec::new();
            content(&mut bytes)?;
            return self.root.join(name).put(bytes, is_new);
        };
        match self.try_write(root, name, content, persist) {
            Err(error) if error.kind() == IoErrorKind::NotFound => {
                let changed = create_folders(root)?;
                let mut forced = changed.iter().filter(|_| self.durable);
                forced.try_for_each(|folder| sync_folder(folder))?;
                self.try_write(root, name, content, persist)
            }
            result => result,
        }
    }

    fn try_write(
        &self,
        root: &Path,
        name: &str,
        content: Content<'_>,
        persist: Persist,
    ) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .make_in(root, |path| File::create_new(path))?;
        content(file.as_file_mut())?;
        if self.durable {
            sync_file(file.as_file(), file.path())?;
        }
        persist(file, root.join(name)).map_err(|error| error.error)?;
        if self.durable {
            // The name is an entry of the directory, which has to reach the disk as well.
            sync_folder(root)?;
        }
        Ok(())
    }

    fn cannot_write(&self, error: io::Error) -> Error {
        Error::io(format!("cannot write to '{}'", self.root), error).or_hint([
            hint::say("choose a directory you may write to: "),
            hint::set_checkpoint(),
        ])
    }

    /// What is there is not text, not a directory, or not for this user.
    fn cannot_read(&self, what: &str, error: io::Error) -> Error {
        let error = match error.kind() {
            IoErrorKind::InvalidData => Error::io(what, error).with_condition("MALFORMED_LOG_FILE"),
            _ => Error::io(what, error),
        };
        error.with_hint([
            hint::say("put back what was there, or start anew with another "),
            hint::checkpoint(),
            hint::say(" and another output"),
        ])
    }

    fn concurrent_run(&self, name: &str) -> Error {
        let file = self.root.join(name);
        Error::new(
            ErrorKind::StreamingQuery,
            format!("'{file}' was written by another run of this query"),
        )
        .with_condition("CONCURRENT_STREAM_LOG_UPDATE")
        .with_hint([
            hint::say("stop the other query, or give this one a "),
            hint::checkpoint(),
            hint::say(" of its own"),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
