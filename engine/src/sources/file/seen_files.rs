//! Files a source has already taken, as far back as it matters.

use std::borrow::Cow;
use std::collections::HashMap;

use twox_hash::XxHash3_128;

use crate::storage::from_file_url;

/// Remembers files until they are older than the newest one by more than the maximal age. An
/// older file counts as seen.
#[derive(Debug)]
pub(super) struct SeenFiles {
    max_age_ms: i64,
    file_name_only: bool,
    /// By a hash that tells a million files apart and needs no room for their names.
    timestamps: HashMap<u128, i64>,
    latest: i64,
    purged_before: i64,
}

impl SeenFiles {
    /// Nothing seen yet. `max_age_ms` is relative to the newest file; `file_name_only` takes files
    /// of one name in different folders for the same file.
    pub(super) fn new(max_age_ms: i64, file_name_only: bool) -> Self {
        Self {
            max_age_ms,
            file_name_only,
            timestamps: HashMap::new(),
            latest: 0,
            purged_before: 0,
        }
    }

    /// Remembers a file by its URL and modification time.
    pub(super) fn add(&mut self, url: &str, timestamp_ms: i64) {
        self.timestamps.insert(self.key(url), timestamp_ms);
        self.latest = self.latest.max(timestamp_ms);
    }

    /// Whether the file is young enough and was not seen.
    pub(super) fn is_new(&self, url: &str, timestamp_ms: i64) -> bool {
        // The age limit is that of the last purge, so that no file is too old before the files
        // beside it were taken.
        timestamp_ms >= self.purged_before && !self.is_known(url)
    }

    /// Whether the file was seen, and is not forgotten yet.
    pub(super) fn is_known(&self, url: &str) -> bool {
        self.timestamps.contains_key(&self.key(url))
    }

    /// When a file that was seen had been modified; `None` if it was not seen or is forgotten.
    pub(super) fn seen_as_of(&self, url: &str) -> Option<i64> {
        self.timestamps.get(&self.key(url)).copied()
    }

    /// Files modified before this time are too old; 0 before the first file.
    pub(super) fn purged_before(&self) -> i64 {
        self.purged_before
    }

    /// How much older than the newest file a file may be.
    pub(super) fn max_age_ms(&self) -> i64 {
        self.max_age_ms
    }

    /// Forgets files that are too old by now.
    pub(super) fn purge(&mut self) {
        self.purged_before = self.latest.saturating_sub(self.max_age_ms);
        let limit = self.purged_before;
        self.timestamps.retain(|_, timestamp| *timestamp >= limit);
    }

    fn key(&self, url: &str) -> u128 {
        // Logs of other versions may escape a path in another way.
        let path = match url.contains('%').then(|| from_file_url(url)) {
            Some(Ok(path)) => Cow::Owned(format!("file://{}", path.display())),
            _ => Cow::Borrowed(url),
        };
        let name = match path.rsplit_once('/') {
            Some((_, name)) if self.file_name_only => name,
            _ => &path,
        };
        XxHash3_128::oneshot(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_new_once_and_while_it_is_young() {
        let mut seen = SeenFiles::new(10, false);
        assert!(seen.is_new("file:///a/1", 5));
        seen.add("file:///a/1", 5);
        assert!(
            !seen.is_new("file:///a/1", 7),
            "a file that was overwritten is not read again"
        );
        seen.add("file:///a/2", 20);
        seen.add("file:///a/%C3%BC", 20);
        assert!(seen.is_known("file:///a/ü"));
        assert!(seen.is_new("file:///a/3", 9), "not purged yet");
        seen.purge();
        assert!(!seen.is_new("file:///a/3", 9) && seen.is_new("file:///a/3", 10));
        assert!(!seen.is_new("file:///a/1", 5), "forgotten, and too old");
    }

    #[test]
    fn the_name_alone_may_decide() {
        let mut seen = SeenFiles::new(10, true);
        seen.add("file:///a/1", 5);
        assert!(!seen.is_new("file:///b/1", 5) && seen.is_new("file:///b/2", 5));
    }
}
