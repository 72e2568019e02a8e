//! Which files there are below a path.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use glob::Pattern;

use crate::checkpointing::{
    CheckpointFileManager, FileSinkLog, SINK_METADATA_DIR, full_path, has_sink_metadata,
    to_file_url,
};
use crate::error::{Error, Result};
use crate::options::{OptionSpec, Options};

/// The options that decide which files are read, for checks and documentation.
pub const LISTING_OPTIONS: [OptionSpec; 3] = [
    OptionSpec {
        name: "path",
        doc: "a directory, a file, or a pattern such as /data/*/part-*.json",
    },
    OptionSpec {
        name: "pathGlobFilter",
        doc: "read only files whose name has this pattern, e.g. *.json",
    },
    OptionSpec {
        name: "recursiveFileLookup",
        doc: "true: also files in folders of the directory; false by default",
    },
];

/// Which files are read.
#[derive(Debug, Clone)]
pub struct ListingOptions {
    /// As the user gave it.
    pub path: String,
    /// Pattern of file names.
    pub path_glob_filter: Option<Pattern>,
    /// Also files in folders.
    pub recursive: bool,
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// URL of its absolute path.
    pub url: String,
    /// When it was last modified, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Bytes.
    pub size: u64,
}

impl ListingOptions {
    /// Reads them from checked options.
    pub fn new(options: &Options) -> Result<Self> {
        let path = options.get("path").ok_or_else(|| {
            Error::illegal_argument("a source of files needs a path").with_hint("add --path DIR")
        })?;
        Self::with_path(path, options)
    }

    /// The same with a path that comes from elsewhere.
    pub fn with_path(path: &str, options: &Options) -> Result<Self> {
        let invalid = |_| options.invalid("pathGlobFilter", "a pattern of file names, e.g. *.json");
        Ok(Self {
            path: path.to_string(),
            path_glob_filter: options
                .get("pathGlobFilter")
                .map(Pattern::new)
                .transpose()
                .map_err(invalid)?,
            recursive: options.boolean("recursiveFileLookup", false)?,
        })
    }
}

/// Lists files, time after time.
#[derive(Debug)]
pub struct Listing {
    root: PathBuf,
    is_glob: bool,
    options: ListingOptions,
}

impl Listing {
    /// Prepares to list `options.path`, which must exist unless it is a pattern.
    pub fn new(options: ListingOptions) -> Result<Self> {
        if let Some((scheme, rest)) = options.path.split_once("://")
            && scheme != "file"
        {
            return Err(Error::illegal_argument(format!(
                "'{scheme}://{rest}' is not a local path: '{scheme}' is not supported in this version"
            ))
            .with_hint("copy the files to a local directory"));
        }
        let root = full_path(&options.path)?;
        let is_glob = options.path.contains(['*', '?', '[', '{']) && !root.exists();
        if !is_glob && !root.exists() {
            return Err(path_not_found(&options.path, &root));
        }
        Ok(Self {
            root,
            is_glob,
            options,
        })
    }

    /// The path in full, for descriptions.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files there are now, in order of their paths. What a file sink has written to the
    /// directory is read from its log instead: other files in there do not count.
    pub fn files(&self) -> Result<Vec<ListedFile>> {
        let mut files = Vec::new();
        if self.is_glob {
            for path in self.matches()? {
                self.add_path(&path, &mut files)?;
            }
        } else if has_sink_metadata(&self.root) {
            files = self.files_of_sink()?;
        } else {
            self.add_path(&self.root, &mut files)?;
        }
        files.sort_by(|left, right| left.url.cmp(&right.url));
        Ok(files)
    }

    fn matches(&self) -> Result<Vec<PathBuf>> {
        let mut matches = Vec::new();
        for pattern in expand_braces(&self.root.to_string_lossy()) {
            let paths = glob::glob(&pattern).map_err(|error| {
                Error::illegal_argument(format!(
                    "'{}' is not a pattern: {error}",
                    self.options.path
                ))
            })?;
            // A folder that cannot be read matches nothing.
            matches.extend(paths.flatten().filter(|path| !is_hidden(path)));
        }
        matches.sort();
        matches.dedup();
        Ok(matches)
    }

    fn files_of_sink(&self) -> Result<Vec<ListedFile>> {
        let files = CheckpointFileManager::new(self.root.join(SINK_METADATA_DIR), false);
        let entries = FileSinkLog::open(files)?.all()?;
        let added = entries.into_iter().filter(|entry| entry.action == "add");
        let listed = added.map(|entry| ListedFile {
            url: entry.path,
            timestamp_ms: entry.modification_time,
            size: entry.size,
        });
        Ok(listed
            .filter(|file| self.name_matches(Path::new(&file.url)))
            .collect())
    }

    fn add_path(&self, path: &Path, files: &mut Vec<ListedFile>) -> Result<()> {
        let failed = |error| Error::io(format!("list '{}'", path.display()), error);
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) => return self.add_file(path, &metadata, files),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        }
        for entry in fs::read_dir(path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_hidden(&path) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => self.add_file(&path, &metadata, files)?,
                Ok(_) if self.options.recursive => self.add_path(&path, files)?,
                Ok(_) if is_partition(&path) => return Err(partitioned(&path)),
                Ok(_) => {}
                // It was there a moment ago; or it is a link to nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    fn add_file(
        &self,
        path: &Path,
        metadata: &Metadata,
        files: &mut Vec<ListedFile>,
    ) -> Result<()> {
        if self.name_matches(path) {
            files.push(ListedFile {
                url: to_file_url(path)?,
                timestamp_ms: modified_ms(metadata),
                size: metadata.len(),
            });
        }
        Ok(())
    }

    fn name_matches(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let filter = self.options.path_glob_filter.as_ref();
        filter.is_none_or(|filter| filter.matches(&name))
    }
}

/// When a file was last modified, in milliseconds since 1970.
pub fn modified_ms(metadata: &Metadata) -> i64 {
    let modified = metadata.modified().ok();
    let since_epoch = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since_epoch.map_or(0, |time| time.as_millis() as i64)
}

/// Spark's condition for a path that is not there.
pub fn path_not_found(given: &str, path: &Path) -> Error {
    let parent = path.ancestors().skip(1).find(|parent| parent.exists());
    let hint = match parent {
        Some(parent) => format!(
            "'{}' exists; relative paths start at the directory of the notebook",
            parent.display()
        ),
        None => "check the path".to_string(),
    };
    Error::analysis(format!("path '{given}' does not exist"))
        .with_condition("PATH_NOT_FOUND")
        .with_hint(hint)
}

/// Files of other programs' making: `_SUCCESS`, `.x.crc`, and what is still being copied.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let underscore = name.starts_with('_') && !name.contains('=');
    underscore || name.starts_with('.') || name.ends_with("._COPYING_")
}

fn is_partition(path: &Path) -> bool {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .contains('=')
}

fn partitioned(path: &Path) -> Error {
    Error::analysis(format!(
        "'{}' is a folder of a partitioned table, which this version does not read",
        path.display()
    ))
    .with_hint("--option recursiveFileLookup=true reads the files, without the columns in the names of the folders")
}

/// `a{b,c}` → `ab`, `ac`: Spark knows braces, the library for patterns does not.
fn expand_braces(pattern: &str) -> Vec<String> {
    let open = pattern.find('{');
    let close = open.and_then(|open| pattern[open..].find('}').map(|close| open + close));
    match (open, close) {
        (Some(open), Some(close)) => pattern[open + 1..close]
            .split(',')
            .map(|word| format!("{}{word}{}", &pattern[..open], &pattern[close + 1..]))
            .flat_map(|pattern| expand_braces(&pattern))
            .collect(),
        _ => vec![pattern.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpointing::FileSinkEntry;
    use crate::options::OptionMap;

    fn listing(path: &Path, given: &[(&str, &str)]) -> Result<Listing> {
        let given: OptionMap = given
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let options = Options::new("test", &given, &LISTING_OPTIONS, &[])?;
        Listing::new(ListingOptions::with_path(path.to_str().unwrap(), &options)?)
    }

    fn names(listing: &Listing) -> Vec<String> {
        let files = listing.files().unwrap();
        let name = |file: &ListedFile| file.url.rsplit('/').next().unwrap().to_string();
        files.iter().map(name).collect()
    }

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    #[test]
    fn directories_files_and_patterns() {
        let dir = folder(&["b.json", "a.json", "c.csv", "_x", ".y", "sub/d.json"]);
        let root = dir.path();
        assert_eq!(
            names(&listing(root, &[]).unwrap()),
            ["a.json", "b.json", "c.csv"]
        );
        let filter = [
            ("pathGlobFilter", "*.json"),
            ("recursiveFileLookup", "true"),
        ];
        assert_eq!(
            names(&listing(root, &filter).unwrap()),
            ["a.json", "b.json", "d.json"]
        );
        assert_eq!(
            names(&listing(&root.join("b.json"), &[]).unwrap()),
            ["b.json"]
        );
        let pattern = listing(&root.join("{a,b,z}.*"), &[]).unwrap();
        assert_eq!(names(&pattern), ["a.json", "b.json"]);
        let file = &listing(&root.join("b.json"), &[]).unwrap().files().unwrap()[0];
        assert_eq!(file.size, 6);
        assert!(file.timestamp_ms > 1_600_000_000_000);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = folder(&["day=1/a.json"]);
        let error = listing(dir.path(), &[]).unwrap().files().unwrap_err();
        assert!(
            error
                .message()
                .contains("day=1' is a folder of a partitioned table")
        );
        let error = listing(&dir.path().join("none/there"), &[]).unwrap_err();
        assert_eq!(error.condition(), Some("PATH_NOT_FOUND"));
        assert!(
            error.hint().unwrap().contains(dir.path().to_str().unwrap()),
            "{error}"
        );
        assert!(listing(Path::new("s3://bucket/x"), &[]).is_err());
    }

    #[test]
    fn the_log_of_a_sink_decides() {
        let dir = folder(&["written.json", "orphan.json"]);
        let files = CheckpointFileManager::new(dir.path().join(SINK_METADATA_DIR), false);
        let url = to_file_url(&dir.path().join("written.json")).unwrap();
        let log = FileSinkLog::open(files).unwrap();
        log.add(0, &[FileSinkEntry::added(url, 12, 5)]).unwrap();
        assert_eq!(names(&listing(dir.path(), &[]).unwrap()), ["written.json"]);
    }
}
