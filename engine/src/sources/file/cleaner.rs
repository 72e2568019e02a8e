//! What becomes of files that were read and will not be read again (`cleanSource`).

use super::listing::Listing;
use super::options::CleanSource;
use crate::checkpointing::FileSourceEntry;
use crate::error::{Error, Result, hint};
use crate::options::OptionMap;
use crate::storage::{Location, Stores};

/// Takes files away.
#[derive(Debug)]
pub(super) enum SourceCleaner {
    Off,
    Delete,
    /// Files go to this folder, with the folders they were in.
    Archive(Location),
}

impl SourceCleaner {
    /// Refuses a folder for the files that are archived in which they would be read again.
    pub(super) fn new(
        mode: &CleanSource,
        listing: &Listing,
        stores: &Stores,
        given: &OptionMap,
    ) -> Result<Self> {
        let directory = match mode {
            CleanSource::Off => return Ok(Self::Off),
            CleanSource::Delete => return Ok(Self::Delete),
            CleanSource::Archive(directory) => directory,
        };
        let archive = Location::parse(directory, stores, given)?;
        if !archive.shares_store(listing.root()) {
            return Err(Error::illegal_argument(format!(
                "the archive '{archive}' is not where the files of '{}' are",
                listing.root()
            ))
            .with_hint("choose a directory of the same disk or store"));
        }
        let (parts, root) = (archive.segments(), listing.root().segments());
        let overlaps = match listing.patterns() {
            [] => root.iter().zip(&parts).all(|(left, right)| left == right),
            patterns => patterns.iter().any(|pattern| pattern.begins_like(&parts)),
        };
        match overlaps {
            false => Ok(Self::Archive(archive)),
            true => Err(Error::illegal_argument(format!(
                "files that are archived in '{archive}' could be read again from '{}'",
                listing.root()
            ))
            .with_hint([
                hint::say("choose a "),
                hint::option_name("sourceArchiveDir"),
                hint::say(" that is neither in nor above the source's directory"),
            ])),
        }
    }

    /// Whether there is anything to do.
    pub(super) fn is_needed(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Takes the files of a batch away. As in Spark, a file that cannot be taken away stays and is
    /// no reason to stop; it is not read again.
    pub(super) fn clean(&self, listing: &Listing, entries: &[FileSourceEntry]) {
        for entry in entries {
            if let Err(error) = self.clean_file(listing, &entry.path) {
                tracing::warn!(%error, file = entry.path, "a file that was read stays");
            }
        }
    }

    fn clean_file(&self, listing: &Listing, url: &str) -> Result<()> {
        let file = listing.root().at(url)?;
        let cleaned = match self {
            Self::Off => Ok(()),
            Self::Delete => file.delete(),
            Self::Archive(archive) => file.rename(&archive.join(&file.segments().join("/"))),
        };
        match cleaned {
            // It was taken away before a restart.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            cleaned => cleaned.map_err(|error| Error::io(format!("take '{file}' away"), error)),
        }
    }
}
