//! The files of a batch query. **They appear all at once, when the query has succeeded**: until
//! then they are written to a hidden folder beside them, so a query may overwrite what it reads.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use uuid::Uuid;

use super::cannot_write;
use crate::checkpointing::{full_path, has_sink_metadata};
use crate::error::{Error, Result};
use crate::formats::FileFormat;
use crate::sinks::{BatchSink, SaveMode, failed};

/// Where a batch query is written, and as what.
#[derive(Debug)]
pub struct BatchFiles {
    directory: PathBuf,
    format: FileFormat,
}

impl BatchFiles {
    /// Files of rows of `schema` in the directory `path`.
    pub fn new(path: &str, format: FileFormat, schema: &SchemaRef) -> Result<Self> {
        format.check(schema)?;
        Ok(Self {
            directory: full_path(path)?,
            format,
        })
    }
}

#[async_trait]
impl BatchSink for BatchFiles {
    fn wants_rows(&self, mode: SaveMode) -> Result<bool> {
        let path = self.directory.display();
        match mode {
            SaveMode::ErrorIfExists if self.directory.exists() => {
                Err(Error::analysis(format!("the path '{path}' exists already"))
                    .with_condition("PATH_ALREADY_EXISTS")
                    .with_hint("choose another path, or mode append, overwrite or ignore"))
            }
            SaveMode::Append if has_sink_metadata(&self.directory) => Err(Error::analysis(format!(
                "the files in '{path}' belong to a streaming query, so others added to them would not be read"
            ))
            .with_hint("choose another path, or mode overwrite")),
            SaveMode::Ignore => Ok(!self.directory.exists()),
            _ => Ok(true),
        }
    }

    async fn write(&self, mode: SaveMode, rows: SendableRecordBatchStream) -> Result<()> {
        let unfinished = Unfinished::create(&self.directory)?;
        let name = format!(
            "part-00000-{}-c000.{}",
            Uuid::new_v4(),
            self.format.extension()
        );
        let path = unfinished.folder.join(&name);
        self.write_file(&path, rows).await?;
        if mode == SaveMode::Overwrite {
            self.remove_all_but(&unfinished.folder)?;
        }
        let place = self.directory.join(&name);
        fs::rename(&path, &place).map_err(|error| cannot_write(&place, error))?;
        let success = self.directory.join("_SUCCESS");
        File::create(&success).map_err(|error| cannot_write(&success, error))?;
        Ok(())
    }
}

impl BatchFiles {
    /// Without rows there is a file too: it says which columns there are.
    async fn write_file(&self, path: &Path, mut rows: SendableRecordBatchStream) -> Result<()> {
        let file = File::create_new(path).map_err(|error| cannot_write(path, error))?;
        let mut writer = self.format.writer(file, &rows.schema())?;
        while let Some(batch) = rows.try_next().await.map_err(failed)? {
            writer.write(&batch)?;
        }
        writer.finish().map(drop)
    }

    fn remove_all_but(&self, kept: &Path) -> Result<()> {
        let remove = || -> std::io::Result<()> {
            for entry in fs::read_dir(&self.directory)? {
                let entry = entry?;
                let path = entry.path();
                match entry.file_type()?.is_dir() {
                    true if path == kept => {}
                    true => fs::remove_dir_all(&path)?,
                    false => fs::remove_file(&path)?,
                }
            }
            Ok(())
        };
        remove().map_err(|error| cannot_write(&self.directory, error))
    }
}

/// The hidden folder, which goes again, with the directory if that was made for it and nothing
/// came into it.
struct Unfinished {
    folder: PathBuf,
    made: Option<PathBuf>,
}

impl Unfinished {
    fn create(directory: &Path) -> Result<Self> {
        let made = (!directory.exists()).then(|| directory.to_path_buf());
        let folder = directory.join(format!("_temporary-{}", Uuid::new_v4()));
        fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, error))?;
        Ok(Self { folder, made })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed is hidden from every reader.
        let _ = fs::remove_dir_all(&self.folder);
        if let Some(directory) = &self.made {
            let _ = fs::remove_dir(directory);
        }
    }
}
