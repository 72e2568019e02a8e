//! Where files are: on the local disk, or in a store behind a URL (`s3://bucket/data`). **Everybody
//! who reads or writes files of users asks a [`Location`], which hides the difference.**

mod bucket;
mod durable;
mod file_url;
mod input;
mod lease;
mod local;
mod output;
mod pattern;
mod stores;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bucket::BucketPath;
pub(crate) use durable::{create_folders, sync_file, sync_folder};
pub(crate) use file_url::{from_file_url, full_path, to_file_url};
pub(crate) use input::InputFile;
pub(crate) use lease::{Claimed, Lease};
pub(crate) use output::OutputFile;
pub(crate) use pattern::{NamePattern, PartPattern, PathPattern};
pub(crate) use stores::{Stores, is_setting};

use crate::error::{Error, Result};
use crate::options::OptionMap;

/// A file or a folder, which need not exist.
#[derive(Debug, Clone)]
pub enum Location {
    /// An absolute path of the local disk.
    Local(PathBuf),
    /// A key in a store.
    Bucket(BucketPath),
}

/// What is known of a file or a folder without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Bytes.
    pub size: u64,
    /// When it was last modified, in milliseconds since 1970.
    pub modified_ms: i64,
    /// Another file under the same name has another one.
    pub identity: u64,
}

/// An entry of a folder.
#[derive(Debug)]
pub struct Child {
    /// Its name in the folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// If listing the folder has told.
    pub metadata: Option<Metadata>,
}

impl Location {
    /// What a user gave: a path, `file:/path`, or the URL of a store. `options` may hold what opens
    /// the store.
    pub fn parse(given: &str, stores: &Stores, options: &OptionMap) -> Result<Self> {
        match scheme(given) {
            None | Some("file") => full_path(given).map(Self::Local),
            Some(_) => stores.locate(given, options).map(Self::Bucket),
        }
    }

    /// A file of the same disk or store, by its URL in a log.
    pub fn at(&self, url: &str) -> Result<Self> {
        match self {
            Self::Local(_) => from_file_url(url).map(Self::Local),
            Self::Bucket(path) => path.at(url).map(Self::Bucket),
        }
    }

    /// The file or folder `name` inside of this folder.
    pub fn join(&self, name: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(name)),
            Self::Bucket(path) => Self::Bucket(path.join(name)),
        }
    }

    /// The folder it is in.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Local(path) => path.parent().map(|path| Self::Local(path.to_path_buf())),
            Self::Bucket(path) => path.parent().map(Self::Bucket),
        }
    }

    /// The last part of its path.
    pub fn name(&self) -> String {
        match self {
            Self::Local(path) => {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
            Self::Bucket(path) => path.name().to_string(),
        }
    }

    /// The parts of its path, from the root.
    pub fn segments(&self) -> Vec<String> {
        match self {
            Self::Local(path) => local::segments(path),
            Self::Bucket(path) => path.segments(),
        }
    }

    /// The same disk or store from its root.
    pub fn root(&self) -> Self {
        match self {
            Self::Local(_) => Self::Local(PathBuf::from("/")),
            Self::Bucket(path) => Self::Bucket(path.root()),
        }
    }

    /// As it stands in logs: `file:///data/a%20b.json`.
    pub fn url(&self) -> Result<String> {
        match self {
            Self::Local(path) => to_file_url(path),
            Self::Bucket(path) => Ok(path.url()),
        }
    }

    /// As it stands in descriptions: `file:/data/in`.
    pub fn description(&self) -> String {
        match self {
            Self::Local(path) => format!("file:{}", path.display()),
            Self::Bucket(path) => path.url(),
        }
    }

    /// Its path on the local disk, if it is there.
    pub fn local(&self) -> Option<&PathBuf> {
        match self {
            Self::Local(path) => Some(path),
            Self::Bucket(_) => None,
        }
    }

    /// Whether both are on the local disk, or in the same store.
    pub fn shares_store(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(_), Self::Local(_)) => true,
            (Self::Bucket(left), Self::Bucket(right)) => left.shares_store(right),
            _ => false,
        }
    }

    /// What is known of it; an error of the kind `NotFound` if it does not exist.
    pub fn metadata(&self) -> io::Result<Metadata> {
        match self {
            Self::Local(path) => local::metadata(path),
            Self::Bucket(path) => path.metadata(),
        }
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.metadata().is_ok()
    }

    /// What is in the folder, in no order.
    pub fn children(&self) -> io::Result<Vec<Child>> {
        match self {
            Self::Local(path) => local::children(path),
            Self::Bucket(path) => path.children(),
        }
    }

    /// Opens the file for reading.
    pub fn open(&self) -> io::Result<InputFile> {
        InputFile::open(self)
    }

    /// Creates the file, and the folders it is in. It must not exist.
    pub fn create(&self) -> io::Result<OutputFile> {
        OutputFile::create(self)
    }

    /// Writes a file of a store, in one piece; with `is_new`, it must not exist.
    pub fn put(&self, content: Vec<u8>, is_new: bool) -> io::Result<()> {
        match self {
            Self::Local(path) => std::fs::write(path, content),
            Self::Bucket(path) => path.put(content, is_new),
        }
    }

    /// As messages show it.
    pub fn display(&self) -> impl fmt::Display + '_ {
        self
    }

    /// Creates the folder, where folders exist. With `durable`, it survives a power cut.
    pub fn create_dir_all(&self, durable: bool) -> io::Result<()> {
        match self {
            Self::Local(path) => {
                let changed = create_folders(path)?;
                let mut forced = changed.iter().filter(|_| durable);
                forced.try_for_each(|folder| sync_folder(folder))
            }
            Self::Bucket(_) => Ok(()),
        }
    }

    /// Deletes the file.
    pub fn delete(&self) -> io::Result<()> {
        match self {
            Self::Local(path) => std::fs::remove_file(path),
            Self::Bucket(path) => path.delete(),
        }
    }

    /// Deletes the folder and all that is in it.
    pub fn delete_dir(&self) -> io::Result<()> {
        match self {
            Self::Local(path) => std::fs::remove_dir_all(path),
            Self::Bucket(path) => path.delete_dir(),
        }
    }

    /// Gives the file another place of the same disk or store, and makes the folders it needs.
    pub fn rename(&self, to: &Self) -> io::Result<()> {
        match (self, to) {
            (Self::Local(from), Self::Local(to)) => local::rename(from, to),
            (Self::Bucket(from), Self::Bucket(to)) => from.rename(to),
            _ => Err(io::Error::other("it is on another disk or store")),
        }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Local(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Local(path.to_path_buf())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Bucket(path) => f.write_str(&path.url()),
        }
    }
}

/// `s3` of `s3://bucket/data`, `file` of `file:/data`; none of a path.
fn scheme(given: &str) -> Option<&str> {
    let (scheme, rest) = given.split_once(':')?;
    let is_scheme = !scheme.is_empty()
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    (is_scheme && (rest.starts_with("//") || scheme == "file")).then_some(scheme)
}

/// A store that was asked for cannot be had.
fn no_store(url: &str, why: impl fmt::Display) -> Error {
    Error::illegal_argument(format!("cannot open the store of '{url}': {why}"))
}

/// Shared by all who hold a path of one store.
type SharedBucket = Arc<bucket::Bucket>;
