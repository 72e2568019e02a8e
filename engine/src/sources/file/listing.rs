//! Which files there are below a path.

use std::io;

use crate::checkpointing::{
    CheckpointFileManager, FileSinkLog, SINK_METADATA_DIR, has_sink_metadata,
};
use crate::datetime::{TimeFormats, Zone};
use crate::error::{Error, Result, hint};
use crate::formats::partition_folder::column_and_value;
use crate::options::{OptionMap, OptionSpec, Options};
use crate::storage::{Child, Location, Metadata, NamePattern, PartPattern, PathPattern, Stores};

/// The options that decide which files are read, for checks and documentation.
pub const LISTING_OPTIONS: [OptionSpec; 4] = [
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
        doc: "true: also files in folders of the directory, whose names are then no columns; false by default",
    },
    OptionSpec {
        name: "basePath",
        doc: "with a pattern, or of tables: the directory below which the names of folders, e.g. day=1, are columns",
    },
];

/// The options of tables that decide which files are read, for checks and documentation.
pub(super) const TABLE_OPTIONS: [OptionSpec; 2] = [
    OptionSpec {
        name: MODIFIED_AFTER,
        doc: "of tables: read only files that were modified after this time, e.g. 2024-05-01T07:00:00",
    },
    OptionSpec {
        name: MODIFIED_BEFORE,
        doc: "of tables: read only files that were modified before this time",
    },
];

const MODIFIED_AFTER: &str = "modifiedAfter";
const MODIFIED_BEFORE: &str = "modifiedBefore";

/// Which files are read.
#[derive(Debug, Clone)]
pub(super) struct ListingOptions {
    /// As the user gave it.
    pub path: String,
    /// Pattern of file names.
    pub path_glob_filter: Option<NamePattern>,
    /// Also files in folders.
    pub recursive: bool,
    /// Where the folders begin whose names are columns.
    pub base_path: Option<String>,
    /// Those of one folder begin there, whatever is said.
    pub begins_at_folder: bool,
    /// Files that were modified between these times, in milliseconds since 1970.
    pub modified: (i64, i64),
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    /// URL of its absolute path.
    pub url: String,
    /// When it was last modified, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Bytes.
    pub size: u64,
}

/// Column and value of each folder on the way to a file.
pub(super) type Folders = Vec<(String, Option<String>)>;

impl ListingOptions {
    /// Those of a stream, from checked options.
    pub(super) fn new(options: &Options) -> Result<Self> {
        let path = options.get("path").ok_or_else(|| {
            Error::illegal_argument("a source of files needs a path")
                .with_hint([hint::say("add "), hint::source_path()])
        })?;
        Ok(Self {
            begins_at_folder: true,
            ..Self::with_path(path, options)?
        })
    }

    /// Those of a table, whose path comes from elsewhere.
    pub(super) fn with_path(path: &str, options: &Options) -> Result<Self> {
        let filter = options.get("pathGlobFilter").map(NamePattern::new);
        let filter = filter.transpose().map_err(|why| {
            let expected = "a pattern of file names, e.g. *.json";
            options.invalid("pathGlobFilter", expected).context(why)
        })?;
        Ok(Self {
            path: path.to_string(),
            path_glob_filter: filter,
            recursive: options.boolean("recursiveFileLookup", false)?,
            base_path: options.get("basePath").map(str::to_string),
            begins_at_folder: false,
            modified: (
                time(options, MODIFIED_AFTER)?.unwrap_or(i64::MIN),
                time(options, MODIFIED_BEFORE)?.unwrap_or(i64::MAX),
            ),
        })
    }
}

/// A time in milliseconds since 1970, if it was given.
fn time(options: &Options, name: &str) -> Result<Option<i64>> {
    let Some(text) = options.get(name) else {
        return Ok(None);
    };
    let invalid = || options.invalid(name, "a time, e.g. 2024-05-01T07:00:00");
    let zone = options.get("timeZone").map_or(Ok(Zone::UTC), str::parse);
    let times = TimeFormats {
        zone: zone.map_err(|()| invalid())?,
        ..TimeFormats::default()
    };
    let micros = times.parse_timestamp(text).ok_or_else(invalid)?;
    Ok(Some(micros.div_euclid(1000)))
}

/// Lists files, time after time.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    root: Location,
    /// What the path stands for if it is no path of one folder or file.
    patterns: Vec<PathPattern>,
    /// So many parts of a file's path stand before folders that are columns.
    base_depth: Option<usize>,
    options: ListingOptions,
}

impl Listing {
    /// Prepares to list `options.path`, which must exist unless it is a pattern. What opens its
    /// store is among the options `given`.
    pub(super) fn new(options: ListingOptions, stores: &Stores, given: &OptionMap) -> Result<Self> {
        let root = Location::parse(&options.path, stores, given)?;
        let is_pattern = PathPattern::is_pattern(&options.path) && !root.exists();
        if !is_pattern && !root.exists() {
            return Err(path_not_found(&options.path, &root));
        }
        let base = options.base_path.as_deref();
        let base = base
            .map(|base| Location::parse(base, stores, given))
            .transpose()?;
        let patterns = match is_pattern {
            true => PathPattern::all(&root.segments().join("/")).map_err(|why| {
                Error::illegal_argument(format!("'{}' is not a pattern: {why}", options.path))
            })?,
            false => Vec::new(),
        };
        let base_depth = match base {
            Some(base) if is_pattern || !options.begins_at_folder => {
                Some(base_depth(&base, &root)?)
            }
            _ if is_pattern => None,
            _ => Some(root.segments().len()),
        };
        Ok(Self {
            root,
            patterns,
            base_depth,
            options,
        })
    }

    /// The path in full.
    pub(super) fn root(&self) -> &Location {
        &self.root
    }

    /// What the path stands for if it is no path of one folder or file.
    pub(super) fn patterns(&self) -> &[PathPattern] {
        &self.patterns
    }

    /// The files there are now, in order of their paths. What a file sink has written to the
    /// directory is read from its log instead: other files in there do not count.
    pub(super) fn files(&self) -> Result<Vec<ListedFile>> {
        self.files_but(&|_| false)
    }

    /// The same without files whose URLs are known: of those nothing else is asked.
    pub(super) fn files_but(&self, is_known: &dyn Fn(&str) -> bool) -> Result<Vec<ListedFile>> {
        let mut files = Vec::new();
        let mut add = |found: Found<'_>| {
            let Found::File(location, metadata) = found else {
                return Ok(());
            };
            let url = location.url()?;
            if is_known(&url) {
                return Ok(());
            }
            let failed = |error| Error::io(format!("list '{location}'"), error);
            let metadata = match metadata.map_or_else(|| location.metadata(), Ok) {
                Ok(metadata) => metadata,
                // It was there a moment ago; or it is a link to nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(failed(error)),
            };
            let (after, before) = self.options.modified;
            if after < metadata.modified_ms && metadata.modified_ms < before {
                files.push(ListedFile {
                    url,
                    timestamp_ms: metadata.modified_ms,
                    size: metadata.size,
                });
            }
            Ok(())
        };
        if self.patterns.is_empty() && has_sink_metadata(&self.root) {
            files = self.files_of_sink()?;
            files.retain(|file| !is_known(&file.url));
        } else {
            self.visit(&mut add)?;
        }
        files.sort_unstable_by(|left, right| left.url.cmp(&right.url));
        files.dedup_by(|left, right| left.url == right.url);
        Ok(files)
    }

    /// The columns of the folders of each file there is. Asks for nothing but names.
    pub(super) fn folders_of_files(&self) -> Result<Vec<Folders>> {
        let mut folders = Vec::new();
        if self.options.recursive {
            return Ok(folders);
        }
        if self.patterns.is_empty() && has_sink_metadata(&self.root) {
            for file in self.files_of_sink()? {
                folders.push(self.folders(&self.root.at(&file.url)?));
            }
            return Ok(folders);
        }
        let mut last = None;
        self.visit(&mut |found| {
            let Found::File(location, _) = found else {
                return Ok(());
            };
            // The files of one folder come one after the other.
            let found = Some(self.folders(location));
            if found != last {
                folders.extend(found.clone());
                last = found;
            }
            Ok(())
        })?;
        Ok(folders)
    }

    /// Column and value of each folder on the way to a file: the last folders in a row that are
    /// named so.
    pub(super) fn folders(&self, file: &Location) -> Folders {
        if self.options.recursive {
            return Folders::new();
        }
        let segments = file.segments();
        let depth = self.base_depth.unwrap_or_else(|| {
            let parts = self
                .patterns
                .first()
                .map_or(0, |pattern| pattern.parts().len());
            // A pattern names either the folders of the files, or the files.
            parts.min(segments.len().saturating_sub(1))
        });
        let end = segments.len().saturating_sub(1);
        let mut columns = Folders::new();
        for segment in segments.get(depth..end).unwrap_or_default().iter().rev() {
            match column_and_value(segment) {
                Some(column) => columns.insert(0, column),
                None if columns.is_empty() => {}
                None => break,
            }
        }
        columns
    }

    /// What it lists.
    pub(super) fn options(&self) -> &ListingOptions {
        &self.options
    }

    /// Meets everything below the path, in no order.
    pub(super) fn visit(&self, add: &mut Add<'_>) -> Result<()> {
        if self.patterns.is_empty() {
            let metadata = match self.root.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                metadata => metadata.map_err(|error| self.cannot_list(&self.root, error))?,
            };
            return match metadata.is_dir {
                true => self.visit_folder(&self.root, false, add),
                false => self.visit_file(&self.root, Some(metadata), add),
            };
        }
        for pattern in &self.patterns {
            self.visit_matches(&self.root.root(), pattern.parts(), add)?;
        }
        Ok(())
    }

    /// What is below `folder` and has the rest of a pattern.
    fn visit_matches(
        &self,
        folder: &Location,
        parts: &[PartPattern],
        add: &mut Add<'_>,
    ) -> Result<()> {
        let Some((part, rest)) = parts.split_first() else {
            return Ok(());
        };
        let children = match part {
            PartPattern::Name(name) if !rest.is_empty() => {
                return self.visit_matches(&folder.join(name), rest, add);
            }
            PartPattern::Name(name) => {
                let found = folder.join(name);
                let Ok(metadata) = found.metadata() else {
                    return Ok(());
                };
                vec![Child {
                    name: name.clone(),
                    is_dir: metadata.is_dir,
                    metadata: Some(metadata),
                }]
            }
            PartPattern::Pattern(pattern) => {
                // A folder that is not there, or cannot be read, matches nothing.
                let children = folder.children().unwrap_or_default();
                let mut matching = Vec::with_capacity(children.len());
                for child in children {
                    match pattern.matches(&child.name) {
                        true if is_hidden(&child.name) => add(Found::Hidden(&child.name))?,
                        true => matching.push(child),
                        false if child.is_dir || !rest.is_empty() => {}
                        false => add(Found::OtherName(&child.name))?,
                    }
                }
                matching
            }
        };
        for child in children {
            let found = folder.join(&child.name);
            match (rest.is_empty(), child.is_dir) {
                (true, true) => {
                    let in_partition = !self.folders(&found.join("_")).is_empty();
                    self.visit_folder(&found, in_partition, add)?;
                }
                (true, false) => self.visit_file(&found, child.metadata, add)?,
                (false, true) => self.visit_matches(&found, rest, add)?,
                (false, false) => {}
            }
        }
        Ok(())
    }

    /// The files of a folder, and of its folders if those are columns, or are in one that is.
    fn visit_folder(&self, folder: &Location, in_partition: bool, add: &mut Add<'_>) -> Result<()> {
        let children = match folder.children() {
            Ok(children) => children,
            // It was there a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.cannot_list(folder, error)),
        };
        for child in children {
            if is_hidden(&child.name) {
                add(Found::Hidden(&child.name))?;
                continue;
            }
            let found = folder.join(&child.name);
            let is_partition = child.is_dir && column_and_value(&child.name).is_some();
            if !child.is_dir {
                self.visit_file(&found, child.metadata, add)?;
            } else if self.options.recursive || in_partition || is_partition {
                self.visit_folder(&found, in_partition || is_partition, add)?;
            } else {
                add(Found::Folder(&child.name))?;
            }
        }
        Ok(())
    }

    fn visit_file(
        &self,
        file: &Location,
        metadata: Option<Metadata>,
        add: &mut Add<'_>,
    ) -> Result<()> {
        match self.name_matches(&file.name()) {
            true => add(Found::File(file, metadata)),
            false => add(Found::OtherName(&file.name())),
        }
    }

    fn files_of_sink(&self) -> Result<Vec<ListedFile>> {
        let log = self.root.join(SINK_METADATA_DIR);
        let entries = FileSinkLog::open(CheckpointFileManager::new(log, false))?.all()?;
        let added = entries.into_iter().filter(|entry| entry.action == "add");
        let mut files = Vec::new();
        for entry in added {
            let location = self.root.at(&entry.path)?;
            if self.name_matches(&location.name()) {
                files.push(ListedFile {
                    url: entry.path,
                    timestamp_ms: entry.modification_time,
                    size: entry.size,
                });
            }
        }
        Ok(files)
    }

    fn name_matches(&self, name: &str) -> bool {
        let filter = self.options.path_glob_filter.as_ref();
        filter.is_none_or(|filter| filter.matches(name))
    }

    fn cannot_list(&self, folder: &Location, error: io::Error) -> Error {
        Error::io(format!("list '{folder}'"), error)
    }
}

/// What is met below the path.
pub(super) enum Found<'a> {
    /// A file that is read, and what is known of it already.
    File(&'a Location, Option<Metadata>),
    /// A name that says that it is none to be read.
    Hidden(&'a str),
    /// A file whose name does not have the pattern.
    OtherName(&'a str),
    /// A folder that is not looked into.
    Folder(&'a str),
}

/// Takes what is met.
type Add<'a> = dyn FnMut(Found<'_>) -> Result<()> + 'a;

fn base_depth(base: &Location, root: &Location) -> Result<usize> {
    let (parts, of_root) = (base.segments(), root.segments());
    if base.shares_store(root) && of_root.starts_with(&parts) {
        return Ok(parts.len());
    }
    Err(Error::illegal_argument(format!(
        "the base path '{base}' is not the beginning of the path '{root}'"
    ))
    .with_hint([
        hint::say("choose a "),
        hint::option_name("basePath"),
        hint::say(" above the folders whose names are columns"),
    ]))
}

/// Spark's condition for a path that is not there.
fn path_not_found(given: &str, location: &Location) -> Error {
    let mut above = location.parent();
    while let Some(parent) = &above
        && !parent.exists()
    {
        above = parent.parent();
    }
    let hint = match above {
        Some(parent) => {
            format!("'{parent}' exists; relative paths start at the directory of the notebook")
        }
        None => "check the path".to_string(),
    };
    Error::analysis(format!("path '{given}' does not exist"))
        .with_condition("PATH_NOT_FOUND")
        .with_hint(hint)
}

/// Files of other programs' making: `_SUCCESS`, `.x.crc`, and what is still being copied.
fn is_hidden(name: &str) -> bool {
    let underscore = name.starts_with('_') && !name.contains('=');
    underscore || name.starts_with('.') || name.ends_with("._COPYING_")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::checkpointing::FileSinkEntry;

    fn listing(path: &Path, given: &[(&str, &str)]) -> Result<Listing> {
        let given: OptionMap = given
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let known = LISTING_OPTIONS.iter().chain(&TABLE_OPTIONS);
        let options = Options::new("test", &given, known, &[])?;
        let options = ListingOptions::with_path(path.to_str().unwrap(), &options)?;
        Listing::new(options, &Stores::default(), &given)
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
        let all = |path: &Path, given: &[(&str, &str)]| names(&listing(path, given).unwrap());
        assert_eq!(all(root, &[]), ["a.json", "b.json", "c.csv"]);
        let filter = [
            ("pathGlobFilter", "*.json"),
            ("recursiveFileLookup", "true"),
        ];
        assert_eq!(all(root, &filter), ["a.json", "b.json", "d.json"]);
        assert_eq!(
            all(root, &[("pathGlobFilter", "{b,c}.*")]),
            ["b.json", "c.csv"]
        );
        assert_eq!(all(&root.join("b.json"), &[]), ["b.json"]);
        assert_eq!(all(&root.join("{a,b,z}.*"), &[]), ["a.json", "b.json"]);
        assert_eq!(all(&root.join("[^a]*.json"), &[]), ["b.json"]);
        assert_eq!(all(&root.join("{sub/d,a}.json"), &[]), ["a.json", "d.json"]);
        assert_eq!(all(&root.join("s*"), &[]), ["d.json"]);
        assert_eq!(all(&root.join("*/d.json"), &[]), ["d.json"]);
        let file = &listing(&root.join("b.json"), &[]).unwrap().files().unwrap()[0];
        assert_eq!(file.size, 6);
        assert!(file.timestamp_ms > 1_600_000_000_000);
        let old = [("modifiedBefore", "2001-01-01T00:00:00")];
        assert!(all(root, &old).is_empty());
        assert_eq!(all(root, &[("modifiedAfter", "2001-01-01")]).len(), 3);
        assert!(listing(root, &[("modifiedAfter", "now")]).is_err());
        let known = listing(root, &[]).unwrap();
        let rest = known.files_but(&|url| url.ends_with("b.json")).unwrap();
        assert_eq!(rest.len(), 2);
    }

    #[test]
    fn folders_may_be_columns() {
        let dir = folder(&[
            "day=1/h=a%2F/x.json",
            "day=2/h=b/sub/y.json",
            "plain/z.json",
        ]);
        let all = listing(dir.path(), &[]).unwrap();
        assert_eq!(names(&all), ["x.json", "y.json"]);
        let of = |day: &str, h: &str| {
            vec![
                ("day".to_string(), Some(day.to_string())),
                ("h".to_string(), Some(h.to_string())),
            ]
        };
        let mut found = all.folders_of_files().unwrap();
        found.sort();
        assert_eq!(found, [of("1", "a/"), of("2", "b")]);
        let pattern = dir.path().join("day=*/h=b");
        let plain = listing(&pattern, &[]).unwrap();
        // The folder below is named like no column, so what is in it is not read.
        assert!(plain.folders_of_files().unwrap().is_empty());
        let base = dir.path().to_str().unwrap();
        let based = listing(&pattern, &[("basePath", base)]).unwrap();
        assert_eq!(based.folders_of_files().unwrap(), [of("2", "b")]);
        assert!(listing(&pattern, &[("basePath", "/elsewhere")]).is_err());
        let inside = dir.path().join("day=1");
        let inside = listing(&inside, &[("basePath", base)]).unwrap();
        assert_eq!(inside.folders_of_files().unwrap(), [of("1", "a/")]);
        let flat = listing(dir.path(), &[("recursiveFileLookup", "true")]).unwrap();
        assert_eq!(names(&flat).len(), 3);
        assert!(flat.folders_of_files().unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = folder(&["a.json"]);
        let error = listing(&dir.path().join("none/there"), &[]).unwrap_err();
        assert_eq!(error.condition(), Some("PATH_NOT_FOUND"));
        assert!(
            error.hint().unwrap().contains(dir.path().to_str().unwrap()),
            "{error}"
        );
        let error = listing(Path::new("hdfs://host/x"), &[]).unwrap_err();
        assert!(error.message().contains("no scheme 'hdfs'"), "{error}");
        let error = listing(dir.path(), &[("pathGlobFilter", "[a")]).unwrap_err();
        assert!(
            error.message().contains("a pattern of file names"),
            "{error}"
        );
    }

    #[test]
    fn the_log_of_a_sink_decides() {
        let dir = folder(&["written.json", "orphan.json"]);
        let root = Location::Local(dir.path().to_path_buf());
        let files = CheckpointFileManager::new(root.join(SINK_METADATA_DIR), false);
        let url = root.join("written.json").url().unwrap();
        let log = FileSinkLog::open(files).unwrap();
        log.add(0, &[FileSinkEntry::added(url, 12, 5)]).unwrap();
        assert_eq!(names(&listing(dir.path(), &[]).unwrap()), ["written.json"]);
    }
}
