//! What there is below the path of a stream of files, sorted by what becomes of it: who asks why nothing
//! comes learns which files are left out and for which reason.

use std::sync::Arc;

use parking_lot::RwLock;

use super::listing::{Found, Listing};
use super::seen_files::SeenFiles;
use crate::checkpointing::has_sink_metadata;
use crate::clock::format_iso8601;
use crate::error::Result;
use crate::sources::SourceInspector;
use crate::storage::{Location, Metadata};
use crate::why::{FilesWhy, InputWhy};

#[derive(Debug)]
pub(super) struct FilesInspector {
    pub(super) listing: Listing,
    /// The option, as it was given.
    pub(super) path_glob_filter: Option<String>,
    pub(super) seen: Arc<RwLock<SeenFiles>>,
}

impl SourceInspector for FilesInspector {
    fn inspect(&self) -> Result<InputWhy> {
        let (listing, seen) = (&self.listing, self.seen.read());
        let options = listing.options();
        let is_pattern = !listing.patterns().is_empty();
        let mut files = FilesWhy {
            path: options.path.clone(),
            exists: is_pattern || listing.root().exists(),
            is_pattern,
            path_glob_filter: self.path_glob_filter.clone(),
            max_file_age_ms: seen.max_age_ms(),
            too_old_before: (seen.purged_before() > 0)
                .then(|| format_iso8601(seen.purged_before())),
            is_output_of_a_query: !is_pattern && has_sink_metadata(listing.root()),
            ..FilesWhy::default()
        };
        if files.is_output_of_a_query {
            for file in listing.files()? {
                let location = listing.root().at(&file.url)?;
                sort(&mut files, &seen, &location, file.timestamp_ms)?;
            }
            return Ok(InputWhy::Files(files));
        }
        listing.visit(&mut |found| {
            match found {
                Found::Hidden(name) => files.hidden.add(name),
                Found::OtherName(name) => files.other_names.add(name),
                Found::Folder(name) => files.folders.add(name),
                Found::File(location, metadata) => {
                    if let Some(modified_ms) = modified_ms(location, metadata) {
                        sort(&mut files, &seen, location, modified_ms)?;
                    }
                }
            }
            Ok(())
        })?;
        Ok(InputWhy::Files(files))
    }
}

/// When a file was modified; `None` if it has gone since it was listed.
fn modified_ms(file: &Location, metadata: Option<Metadata>) -> Option<i64> {
    let metadata = metadata.map_or_else(|| file.metadata(), Ok);
    metadata.ok().map(|metadata| metadata.modified_ms)
}

fn sort(files: &mut FilesWhy, seen: &SeenFiles, file: &Location, modified_ms: i64) -> Result<()> {
    let (url, name) = (file.url()?, file.name());
    match seen.seen_as_of(&url) {
        Some(read_ms) => {
            if modified_ms > read_ms {
                files.rewritten.add(&*name);
            }
            files.read.add(&*name);
        }
        None if seen.is_new(&url, modified_ms) => files.waiting.add(&*name),
        None => files.too_old.add(&*name),
    }
    Ok(())
}
