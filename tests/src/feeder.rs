//! Files for sources: written under a hidden name, shown when a step runs. Their times grow, so
//! that they are read in the order of the script.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// The same beginning as in `tests/spark/play.py`.
const FIRST_FILE_TIME: Duration = Duration::from_secs(1_700_000_000);

/// The input folders of one script.
#[derive(Debug)]
pub struct Feeder {
    directory: PathBuf,
    sources: BTreeMap<String, (PathBuf, String)>,
    hidden: Vec<(PathBuf, PathBuf)>,
    files: u64,
}

impl Feeder {
    /// Feeds folders below `directory`.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            sources: BTreeMap::new(),
            hidden: Vec::new(),
            files: 0,
        }
    }

    /// Makes the folder of a source, or takes `path` as it is; gives the path to read.
    pub fn add_source(&mut self, name: &str, schema: &str, path: Option<&str>) -> Result<PathBuf> {
        let folder = match path {
            Some(path) => PathBuf::from(path),
            None => {
                let folder = self.directory.join(format!("in-{name}"));
                fs::create_dir_all(&folder)?;
                folder
            }
        };
        self.sources
            .insert(name.to_owned(), (folder.clone(), schema.to_owned()));
        Ok(folder)
    }

    /// The schema that a source was made with.
    pub fn schema(&self, name: &str) -> Result<&str> {
        Ok(&self
            .sources
            .get(name)
            .with_context(|| format!("no source '{name}'"))?
            .1)
    }

    /// Writes the next file of a source, not yet seen by it.
    pub fn add_file(&mut self, name: &str, text: &str) -> Result<()> {
        let (folder, _) = self
            .sources
            .get(name)
            .with_context(|| format!("no source '{name}'"))?;
        self.files += 1;
        let hidden = folder.join(format!(".f{:04}.json", self.files));
        fs::write(&hidden, text)?;
        let modified = SystemTime::UNIX_EPOCH + FIRST_FILE_TIME + Duration::from_secs(self.files);
        File::options()
            .write(true)
            .open(&hidden)?
            .set_modified(modified)?;
        let shown = folder.join(format!("f{:04}.json", self.files));
        self.hidden.push((hidden, shown));
        Ok(())
    }

    /// How many files are written and not yet shown.
    pub fn pending(&self) -> usize {
        self.hidden.len()
    }

    /// Shows all files.
    pub fn show(&mut self) -> Result<()> {
        for (hidden, shown) in self.hidden.drain(..) {
            fs::rename(hidden, shown)?;
        }
        Ok(())
    }
}
