//! The local disk.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};
use std::time::UNIX_EPOCH;

use super::{Child, Metadata};

pub(super) fn metadata(path: &Path) -> io::Result<Metadata> {
    fs::metadata(path).map(|metadata| of(&metadata))
}

/// What is known of an open file.
pub(super) fn of(metadata: &fs::Metadata) -> Metadata {
    let modified = metadata.modified().ok();
    let since_epoch = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Metadata {
        is_dir: metadata.is_dir(),
        size: metadata.len(),
        modified_ms: since_epoch.map_or(0, |time| time.as_millis() as i64),
        identity: metadata.ino(),
    }
}

pub(super) fn children(path: &Path) -> io::Result<Vec<Child>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let is_dir = match kind.is_symlink() {
            false => kind.is_dir(),
            // A link to nowhere is a file that is gone.
            true => fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir()),
        };
        let name = entry.file_name().into_string().map_err(|name| {
            let name = name.to_string_lossy();
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the name '{name}' is not UTF-8"),
            )
        })?;
        children.push(Child {
            name,
            is_dir,
            metadata: None,
        });
    }
    Ok(children)
}

pub(super) fn segments(path: &Path) -> Vec<String> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    parts.collect()
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::rename(from, to)
        }
        renamed => renamed,
    }
}
