//! A log of files, one entry a batch, that is rewritten into one file every tenth batch.
//!
//! ```text
//! 0 … 8          `v1`, then one line of JSON per file of that batch
//! 9.compact      `v1`, then the lines of batches 0 to 9
//! 10 … 18, 19.compact, …
//! ```
//! What is older than so many batches, a hundred if nobody says, and contained in a later `.compact`
//! file is deleted.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkpointing::file_manager::CheckpointFileManager;
use crate::checkpointing::metadata_log::MetadataLog;
use crate::error::Result;

const DEFAULT_INTERVAL: i64 = 10;
const BATCHES_TO_RETAIN: i64 = 100;
const SUFFIX: &str = ".compact";

/// A log whose entries are lists of `T`.
#[derive(Debug)]
pub struct CompactibleLog<T> {
    log: MetadataLog,
    /// Every `interval`th batch is compacted.
    interval: i64,
    batches_to_retain: i64,
    entries: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> CompactibleLog<T> {
    /// The log in the directory of `files`. Goes on with the interval it was written with.
    pub fn open(files: CheckpointFileManager) -> Result<Self> {
        let compacted: Vec<i64> = ids(&files)?
            .into_iter()
            .filter_map(|(id, compacted)| compacted.then_some(id))
            .collect();
        let interval = match compacted[..] {
            [] => DEFAULT_INTERVAL,
            [id] => interval_of_single(id),
            [.., previous, last] => last - previous,
        };
        Ok(Self {
            log: MetadataLog::new(files, 1),
            interval,
            batches_to_retain: BATCHES_TO_RETAIN,
            entries: PhantomData,
        })
    }

    /// The same, keeping the files of so many batches.
    pub fn retaining(mut self, batches: i64) -> Self {
        self.batches_to_retain = batches;
        self
    }

    /// The last batch that was written.
    pub fn latest_id(&self) -> Result<Option<i64>> {
        Ok(ids(self.log.files())?.last().map(|(id, _)| *id))
    }

    /// Writes the entries of batch `id`. Fails if that was done before.
    pub fn add(&self, id: i64, entries: &[T]) -> Result<()> {
        self.add_retaining(id, entries, &|_| true)
    }

    /// The same; when that rewrites the log, only those entries stay that `is_retained` wants.
    pub fn add_retaining(
        &self,
        id: i64,
        entries: &[T],
        is_retained: &dyn Fn(&T) -> bool,
    ) -> Result<()> {
        if !self.is_compaction(id) {
            return self.log.add(id, &lines(entries.iter()));
        }
        let earlier = self.read_up_to(id - 1)?;
        let all = earlier.iter().chain(entries);
        let text = lines(all.filter(|entry| is_retained(entry)));
        self.log.add_file(&format!("{id}{SUFFIX}"), &text)?;
        self.delete_expired(id)
    }

    /// Entries in the file of batch `id`, which may be those of earlier batches as well if it is a
    /// compacted one; none if there is no such file.
    pub fn get(&self, id: i64) -> Result<Option<Vec<T>>> {
        let name = match self.is_compaction(id) {
            true => format!("{id}{SUFFIX}"),
            false => id.to_string(),
        };
        let Some(entry) = self.log.get_file(&name)? else {
            return Ok(None);
        };
        let entries = entry.text.lines().filter(|line| !line.trim().is_empty());
        entries
            .map(|line| {
                serde_json::from_str(line)
                    .map_err(|error| self.log.malformed(&name, format!("line '{line}': {error}")))
            })
            .collect::<Result<_>>()
            .map(Some)
    }

    /// The entries of all batches, oldest first.
    pub fn all(&self) -> Result<Vec<T>> {
        match self.latest_id()? {
            Some(latest) => self.read_up_to(latest),
            None => Ok(Vec::new()),
        }
    }

    /// The first compacted batch that contains batch `id`.
    pub fn compaction_after(&self, id: i64) -> i64 {
        (id + self.interval) / self.interval * self.interval - 1
    }

    fn is_compaction(&self, id: i64) -> bool {
        (id + 1) % self.interval == 0
    }

    fn read_up_to(&self, id: i64) -> Result<Vec<T>> {
        let last_compaction = (id + 1) / self.interval * self.interval - 1;
        let mut entries = Vec::new();
        for id in last_compaction.max(0)..=id {
            let missing = || self.log.malformed(&id.to_string(), "it does not exist");
            entries.extend(self.get(id)?.ok_or_else(missing)?);
        }
        Ok(entries)
    }

    fn delete_expired(&self, current: i64) -> Result<()> {
        let retained = current + 1 - self.batches_to_retain;
        let first_kept = retained / self.interval * self.interval - 1;
        if first_kept <= 0 {
            return Ok(());
        }
        for (id, compacted) in ids(self.log.files())? {
            if id < first_kept {
                let suffix = if compacted { SUFFIX } else { "" };
                self.log.files().delete(&format!("{id}{suffix}"))?;
            }
        }
        Ok(())
    }
}

/// Ids in ascending order, each with whether it is a compacted one.
fn ids(files: &CheckpointFileManager) -> Result<Vec<(i64, bool)>> {
    let names = files.list()?;
    let mut ids: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let number = name.strip_suffix(SUFFIX);
            let id = number.unwrap_or(name).parse().ok()?;
            Some((id, number.is_some()))
        })
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// With one compacted batch `id` the interval divides `id + 1`; the smallest such number that is
/// not below the default is Spark's choice.
fn interval_of_single(id: i64) -> i64 {
    let batches = id + 1;
    (DEFAULT_INTERVAL..=batches / 2)
        .find(|interval| batches % interval == 0)
        .unwrap_or(batches)
}

fn lines<'a, T: Serialize + 'a>(entries: impl Iterator<Item = &'a T>) -> String {
    let lines: Vec<String> = entries
        // A struct of strings and numbers always has a JSON text.
        .map(|entry| serde_json::to_string(entry).unwrap_or_default())
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn log(dir: &tempfile::TempDir) -> CompactibleLog<i64> {
        CompactibleLog::open(CheckpointFileManager::new(dir.path(), false)).unwrap()
    }

    #[test]
    fn every_tenth_batch_holds_all_before_it() {
        let dir = tempfile::tempdir().unwrap();
        for id in 0..25 {
            // Opened anew each time: a restart changes nothing.
            log(&dir).add(id, &[id]).unwrap();
        }
        let log = log(&dir);
        assert_eq!(log.latest_id().unwrap(), Some(24));
        assert_eq!(log.all().unwrap(), (0..25).collect::<Vec<_>>());
        assert_eq!(log.get(19).unwrap(), Some((0..20).collect()));
        assert_eq!(log.get(20).unwrap(), Some(vec![20]));
        assert_eq!((log.compaction_after(3), log.compaction_after(19)), (9, 19));
        assert!(dir.path().join("9.compact").exists() && !dir.path().join("9").exists());
        assert!(log.add(24, &[]).is_err());
    }

    #[test]
    fn old_files_go_and_their_entries_stay() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(&dir);
        for id in 0..120 {
            log.add(id, &[id]).unwrap();
        }
        assert_eq!(log.all().unwrap().len(), 120);
        let first = ids(log.log.files()).unwrap()[0];
        assert_eq!(first, (19, true));
    }

    #[test]
    fn fewer_batches_are_kept_where_that_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        for id in 0..55 {
            log(&dir).retaining(12).add(id, &[id]).unwrap();
        }
        let log = log(&dir);
        assert_eq!(log.all().unwrap(), (0..55).collect::<Vec<_>>());
        // Batch 38 and all after it can still be read one by one, or from the file before them.
        assert_eq!(ids(log.log.files()).unwrap()[0], (29, true));
    }

    #[test]
    fn what_is_not_retained_goes_when_the_log_is_rewritten() {
        let dir = tempfile::tempdir().unwrap();
        for id in 0..12 {
            log(&dir)
                .add_retaining(id, &[id], &|entry| *entry >= 8)
                .unwrap();
        }
        assert_eq!(log(&dir).all().unwrap(), [8, 9, 10, 11]);
    }

    #[test]
    fn another_interval_is_kept_and_an_empty_batch_is_only_a_version() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("2.compact"), "v1\n0\n1\n2").unwrap();
        log(&dir).add(3, &[]).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("3")).unwrap(), "v1");
        log(&dir).add(4, &[4]).unwrap();
        log(&dir).add(5, &[5]).unwrap();
        assert_eq!(log(&dir).get(5).unwrap().unwrap(), [0, 1, 2, 4, 5]);
    }
}
