//! The files of a batch query. **They appear all at once, when the query has succeeded**: until
//! then they are written to a hidden folder beside them, so a query may overwrite what it reads.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use uuid::Uuid;

use super::cannot_write;
use super::lanes::write_rows;
use super::layout::Layout;
use crate::checkpointing::has_sink_metadata;
use crate::error::{Error, Result};
use crate::sinks::{BatchSink, SaveMode};
use crate::storage::Location;

/// Where a batch query is written, and as what.
#[derive(Debug)]
pub(super) struct BatchFiles {
    directory: Location,
    layout: Arc<Layout>,
    /// Only the folders that get rows are overwritten.
    dynamic: bool,
}

impl BatchFiles {
    /// Files in `directory`.
    pub(super) fn new(directory: Location, layout: Layout, dynamic: bool) -> Self {
        Self {
            directory,
            dynamic: dynamic && !layout.folders.is_empty(),
            layout: Arc::new(layout),
        }
    }
}

#[async_trait]
impl BatchSink for BatchFiles {
    fn wants_rows(&self, mode: SaveMode) -> Result<bool> {
        let path = &self.directory;
        match mode {
            SaveMode::ErrorIfExists if path.exists() => {
                Err(Error::analysis(format!("the path '{path}' exists already"))
                    .with_condition("PATH_ALREADY_EXISTS")
                    .with_hint("choose another path, or mode append, overwrite or ignore"))
            }
            SaveMode::Append if has_sink_metadata(path) => Err(Error::analysis(format!(
                "the files in '{path}' belong to a streaming query, so others added to them would not be read"
            ))
            .with_hint("choose another path, or mode overwrite")),
            SaveMode::Ignore => Ok(!path.exists()),
            _ => Ok(true),
        }
    }

    async fn write(&self, mode: SaveMode, rows: SendableRecordBatchStream) -> Result<()> {
        let unfinished = Unfinished::create(&self.directory)?;
        // Without rows there is a file too, unless it would have to be in a folder.
        let or_empty = self.layout.folders.is_empty();
        let files = write_rows(&unfinished.folder, &self.layout, rows, or_empty).await?;
        if mode == SaveMode::Overwrite && self.dynamic {
            let folders: BTreeSet<&str> = files.iter().map(|file| file.folder.as_str()).collect();
            for folder in folders {
                let folder = self.directory.join(folder);
                gone(folder.delete_dir()).map_err(|error| cannot_write(&folder, error))?;
            }
        } else if mode == SaveMode::Overwrite {
            self.remove_all_but(&unfinished.folder)?;
        }
        for file in files {
            let folder = match file.folder.as_str() {
                "" => self.directory.clone(),
                folder => self.directory.join(folder),
            };
            let place = folder.join(&file.location.name());
            let moved = file.location.rename(&place);
            moved.map_err(|error| cannot_write(&place, error))?;
            file.keep();
        }
        let success = self.directory.join("_SUCCESS");
        success
            .put(Vec::new(), false)
            .map_err(|error| cannot_write(&success, error))
    }
}

impl BatchFiles {
    fn remove_all_but(&self, kept: &Location) -> Result<()> {
        let remove = || -> io::Result<()> {
            for child in self.directory.children()? {
                let location = self.directory.join(&child.name);
                match child.is_dir {
                    true if child.name == kept.name() => {}
                    true => location.delete_dir()?,
                    false => location.delete()?,
                }
            }
            Ok(())
        };
        remove().map_err(|error| cannot_write(&self.directory, error))
    }
}

/// What is not there needs not be deleted.
fn gone(deleted: io::Result<()>) -> io::Result<()> {
    match deleted {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        deleted => deleted,
    }
}

/// The hidden folder, which goes again, with the directory if that was made for it and nothing
/// came into it.
struct Unfinished {
    folder: Location,
    made: Option<Location>,
}

impl Unfinished {
    fn create(directory: &Location) -> Result<Self> {
        let made = (!directory.exists()).then(|| directory.clone());
        let folder = directory.join(&format!("_temporary-{}", Uuid::new_v4()));
        folder
            .create_dir_all(false)
            .map_err(|error| cannot_write(&folder, error))?;
        Ok(Self { folder, made })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed is hidden from every reader.
        let _ = self.folder.delete_dir();
        if let Some(directory) = self.made.as_ref().and_then(Location::local) {
            let _ = std::fs::remove_dir(directory);
        }
    }
}
