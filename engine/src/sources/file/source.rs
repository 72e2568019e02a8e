//! A directory as a stream: a file is a row group that appears once. Offset N stands for the files
//! in entry N of the source's log, so a batch can be read again after a restart, and a file that is
//! in the log is never taken a second time.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use parking_lot::RwLock;
use serde_json::json;

use crate::checkpointing::{CheckpointFileManager, FileSourceEntry, FileSourceLog};
use crate::error::{Error, Result, hint};
use crate::formats::compression::Compression;
use crate::formats::line_format::FileSchema;
use crate::options::Options;
use crate::sources::file::cleaner::SourceCleaner;
use crate::sources::file::file_batch::FileBatch;
use crate::sources::file::inspector::FilesInspector;
use crate::sources::file::listing::{ListedFile, Listing, ListingOptions};
use crate::sources::file::metadata_column::with_metadata_column;
use crate::sources::file::options::{FileStreamOptions, RateLimit, stream_reader};
use crate::sources::file::partitions::PartitionColumns;
use crate::sources::file::reader::{FileReader, ReadFormat};
use crate::sources::file::seen_files::SeenFiles;
use crate::sources::{
    NotContinuous, Offset, ReadLimit, Source, SourceBatch, SourceContext, SourceDefinition,
    SourceInspector, StreamRequest,
};
use crate::storage::Location;

/// The setting that lets a stream find out its columns.
const SCHEMA_INFERENCE: &str = "spark.sql.streaming.schemaInference";

/// What a stream of files reads, before any query reads it.
#[derive(Debug, Clone)]
pub struct FileStreamDefinition {
    listing: Listing,
    reader: FileReader,
    schema: SchemaRef,
    partitions: PartitionColumns,
    /// Whether `_metadata` is a column of the stream.
    has_metadata: bool,
    options: Options,
    /// As it was asked for, to look at everything anew when a query starts.
    request: StreamRequest,
}

impl FileStreamDefinition {
    /// Files as they are asked for; `path` is among the options. The schema may be missing if the
    /// format has only one, or if the session lets it be found out.
    pub fn new(request: StreamRequest) -> Result<Self> {
        let format = request.format;
        let (options, reader) = stream_reader(format, &request.options, &request.defaults)?;
        let listing = ListingOptions::new(&options)?;
        let listing = Listing::new(listing, &request.stores, &request.options)?;
        let is_known = match &reader.format {
            ReadFormat::Lines(lines) => matches!(lines.schema(), FileSchema::Known(_)),
            ReadFormat::Parquet { .. } => false,
        };
        let inferred = request.defaults.get(SCHEMA_INFERENCE);
        if request.schema.is_none() && !is_known && inferred.is_none_or(|value| value != "true") {
            return Err(needs_schema(format));
        }
        let listings = std::slice::from_ref(&listing);
        let (schema, partitions) = reader.columns(listings, request.schema.clone())?;
        Ok(Self {
            listing,
            reader,
            schema,
            partitions,
            has_metadata: false,
            options,
            request,
        })
    }
}

impl SourceDefinition for FileStreamDefinition {
    fn schema(&self) -> SchemaRef {
        let with_metadata = self
            .has_metadata
            .then(|| with_metadata_column(&self.schema));
        with_metadata
            .flatten()
            .unwrap_or_else(|| Arc::clone(&self.schema))
    }

    fn with_metadata(&self) -> Option<Arc<dyn SourceDefinition>> {
        with_metadata_column(&self.schema)?;
        Some(Arc::new(Self {
            has_metadata: true,
            ..self.clone()
        }))
    }

    fn description(&self) -> String {
        format!("FileStreamSource[{}]", self.listing.root().description())
    }

    /// A stream of files is one of Spark's older kind.
    fn not_continuous(&self) -> Option<NotContinuous> {
        Some(NotContinuous::Operation("StreamingRelation"))
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let definition = Self {
            has_metadata: self.has_metadata,
            ..Self::new(StreamRequest {
                schema: Some(self.schema.clone()),
                ..self.request.clone()
            })?
        };
        let mut source = FileStreamSource::new(definition, context.metadata_path, context.durable)?;
        source.log = source.log.retaining(context.batches_to_retain);
        Ok(Box::new(source))
    }
}

fn needs_schema(format: &str) -> Error {
    Error::analysis(format!("a stream of format '{format}' needs a schema"))
        .with_condition("_LEGACY_ERROR_TEMP_2048")
        .with_hint([
            hint::source_schema(),
            hint::say("; or let them be found out: "),
            hint::conf("spark.sql.streaming.schemaInference", "true"),
        ])
}

/// Reads files as they appear.
#[derive(Debug)]
pub struct FileStreamSource {
    definition: FileStreamDefinition,
    options: FileStreamOptions,
    log: FileSourceLog,
    /// The last entry of the log; -1 before the first.
    current: i64,
    /// Shared with whoever asks why nothing comes.
    seen: Arc<RwLock<SeenFiles>>,
    /// Rest of the last listing.
    unread: Vec<ListedFile>,
    /// With `Trigger.AvailableNow`, the files there were at the start of the query.
    available_now: Option<Vec<ListedFile>>,
    /// Whether the directory was not there when files were listed.
    is_gone: bool,
    /// Entries of the log that are not committed yet.
    uncommitted: BTreeMap<i64, Vec<FileSourceEntry>>,
    /// Takes away what was read.
    cleaner: SourceCleaner,
    /// The last entry whose files this run has taken away.
    cleaned: i64,
}

impl FileStreamSource {
    /// A source for one run of a query. Its log is in `metadata_path` (`CHECKPOINT/sources/0`) and
    /// is written durably if `durable`.
    pub fn new(
        definition: FileStreamDefinition,
        metadata_path: impl Into<Location>,
        durable: bool,
    ) -> Result<Self> {
        let options = FileStreamOptions::new(&definition.options)?;
        let cleaner = SourceCleaner::new(
            &options.clean_source,
            &definition.listing,
            &definition.request.stores,
            &definition.request.options,
        )?;
        let log = FileSourceLog::open(CheckpointFileManager::new(metadata_path, durable))?;
        let mut seen = SeenFiles::new(options.max_file_age_ms, options.file_name_only);
        for entry in log.all()? {
            seen.add(&entry.path, entry.timestamp);
        }
        seen.purge();
        Ok(Self {
            definition,
            options,
            current: log.latest_id()?.unwrap_or(-1),
            log,
            seen: Arc::new(RwLock::new(seen)),
            unread: Vec::new(),
            available_now: None,
            is_gone: false,
            uncommitted: BTreeMap::new(),
            cleaner,
            cleaned: -1,
        })
    }

    /// All files there are now and were not seen, in the order in which they are to be read.
    fn list(&self) -> Result<Vec<ListedFile>> {
        let listing = &self.definition.listing;
        let seen = self.seen.read();
        let mut files = listing.files_but(&|url| seen.is_known(url))?;
        drop(seen);
        // Stable: files of one time stay in order of their paths.
        match self.options.latest_first {
            true => files.sort_by_key(|file| std::cmp::Reverse(file.timestamp_ms)),
            false => files.sort_by_key(|file| file.timestamp_ms),
        }
        Ok(files)
    }

    fn new_files(&mut self) -> Result<Vec<ListedFile>> {
        if !self.unread.is_empty() {
            return Ok(std::mem::take(&mut self.unread));
        }
        let mut files = match &self.available_now {
            Some(files) => files.clone(),
            None => self.list()?,
        };
        let seen = self.seen.read();
        files.retain(|file| seen.is_new(&file.url, file.timestamp_ms));
        drop(seen);
        Ok(files)
    }

    /// Keeps the rest of a listing for the next batches, if there is enough for another one, and
    /// unless newer files are to be preferred.
    fn keep_unread(&mut self, unread: Vec<ListedFile>) {
        let rest = match self.options.rate_limit {
            RateLimit::None => 0.0,
            RateLimit::Files(limit) => unread.len() as f64 / limit as f64,
            RateLimit::Bytes(limit) => total_bytes(&unread) as f64 / limit as f64,
        };
        if !self.options.latest_first && rest >= self.options.discard_cached_input_ratio {
            self.unread = unread;
            self.unread.truncate(self.options.max_cached_files);
        }
    }

    /// Refuses a file that cannot be read: once it is in the log, every run will want to read it.
    fn check(&self, file: &ListedFile) -> Result<()> {
        if let ReadFormat::Lines(_) = self.definition.reader.format {
            let location = self.definition.listing.root().at(&file.url)?;
            Compression::of(&location.name())?;
        }
        Ok(())
    }

    fn add_entry(&mut self, files: &[ListedFile]) -> Result<()> {
        let batch_id = self.current + 1;
        let entry = |file: &ListedFile| FileSourceEntry {
            path: file.url.clone(),
            timestamp: file.timestamp_ms,
            batch_id,
        };
        let entries: Vec<_> = files.iter().map(entry).collect();
        self.log.add(batch_id, &entries)?;
        let mut seen = self.seen.write();
        for file in files {
            seen.add(&file.url, file.timestamp_ms);
        }
        seen.purge();
        drop(seen);
        self.uncommitted.insert(batch_id, entries);
        self.current = batch_id;
        Ok(())
    }

    fn entry(&mut self, id: i64) -> Result<&[FileSourceEntry]> {
        let entries = match self.uncommitted.remove(&id) {
            Some(entries) => entries,
            None => self.logged(id)?,
        };
        Ok(self.uncommitted.entry(id).or_insert(entries))
    }

    fn logged(&self, id: i64) -> Result<Vec<FileSourceEntry>> {
        let entries = match self.log.get(id)? {
            Some(entries) => Some(entries),
            None => self.log.get(self.log.compaction_after(id))?,
        };
        let mut entries = entries.ok_or_else(|| self.incomplete_log(id))?;
        entries.retain(|entry| entry.batch_id == id);
        Ok(entries)
    }

    /// The checkpoint knows of batch `id` of this source, and the source's own log does not.
    fn incomplete_log(&self, id: i64) -> Error {
        Error::illegal_argument(format!(
            "the checkpoint is not complete: the log of {} has no entry {id}",
            self.description()
        ))
        .with_hint("put the files in 'sources' of the checkpoint back, or start anew with another checkpoint and another output")
    }

    fn log_offset(&self, offset: &Offset) -> Result<i64> {
        let id = offset.get("logOffset").unwrap_or(offset).as_i64();
        id.ok_or_else(|| {
            Error::illegal_argument(format!(
                "'{offset}' is not an offset of {}",
                self.description()
            ))
            .with_hint([
                hint::say("the checkpoint belongs to a query with other sources: choose another "),
                hint::checkpoint(),
            ])
        })
    }
}

#[async_trait]
impl Source for FileStreamSource {
    fn description(&self) -> String {
        self.definition.description()
    }

    fn schema(&self) -> SchemaRef {
        self.definition.schema()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        limit: ReadLimit,
    ) -> Result<Option<Offset>> {
        let read = start.map_or(Ok(-1), |start| self.log_offset(start))?;
        if read > self.current {
            return Err(self.incomplete_log(read));
        }
        let mut files = self.new_files()?;
        let listing = &self.definition.listing;
        self.is_gone =
            files.is_empty() && listing.patterns().is_empty() && !listing.root().exists();
        let count = match (limit, self.options.rate_limit) {
            (ReadLimit::AllAvailable, _) | (_, RateLimit::None) => files.len(),
            (_, RateLimit::Files(limit)) => files.len().min(limit as usize),
            (_, RateLimit::Bytes(limit)) => count_within(&files, limit),
        };
        let unread = files.split_off(count);
        self.keep_unread(unread);
        if !files.is_empty() {
            for file in &files {
                self.check(file)?;
            }
            self.add_entry(&files)?;
        }
        Ok((self.current >= 0).then(|| json!({"logOffset": self.current})))
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let start = start.map_or(Ok(-1), |start| self.log_offset(start))?;
        let end = self.log_offset(end)?;
        let mut urls = Vec::new();
        for id in start + 1..=end {
            urls.extend(self.entry(id)?.iter().map(|entry| entry.path.clone()));
        }
        let definition = &self.definition;
        let files = urls.iter().map(|url| (&definition.listing, url.as_str()));
        let schema = Arc::clone(&definition.schema);
        let batch = FileBatch::new(files, schema, &definition.partitions, &definition.reader)?;
        Ok(Box::new(match definition.has_metadata {
            true => batch.with_metadata(),
            false => batch,
        }))
    }

    async fn commit(&mut self, end: &Offset) -> Result<()> {
        let end = self.log_offset(end)?;
        if self.cleaner.is_needed() && self.cleaned < end {
            let entries = self.entry(end)?.to_vec();
            self.cleaner.clean(&self.definition.listing, &entries);
            self.cleaned = end;
        }
        self.uncommitted = self.uncommitted.split_off(&(end + 1));
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        let root = self.definition.listing.root();
        self.is_gone
            .then(|| format!("'{root}' is gone; files are read again when it is back"))
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        self.available_now = Some(self.list()?);
        Ok(())
    }

    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        Some(Arc::new(FilesInspector {
            listing: self.definition.listing.clone(),
            path_glob_filter: self
                .definition
                .options
                .get("pathGlobFilter")
                .map(str::to_string),
            seen: Arc::clone(&self.seen),
        }))
    }
}

fn total_bytes(files: &[ListedFile]) -> u64 {
    files.iter().map(|file| file.size).sum()
}

/// How many of the files make up no more than `limit` bytes; one at least.
fn count_within(files: &[ListedFile], limit: u64) -> usize {
    let mut bytes = 0;
    let fits = |file: &&ListedFile| {
        bytes += file.size;
        bytes <= limit
    };
    let count = files.iter().take_while(fits).count();
    count.max(1).min(files.len())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, UNIX_EPOCH};

    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::TryStreamExt;

    use super::*;
    use crate::options::OptionMap;
    use crate::sources::testing::now;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("in")).unwrap();
            Self(dir)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// A file with one record that was last modified so many seconds after some time.
        fn add(&self, name: &str, seconds: u64, id: i64) {
            let path = self.path("in").join(name);
            fs::write(&path, format!("{{\"id\":{id}}}\n")).unwrap();
            set_modified(&path, 1_700_000_000 + seconds);
        }

        fn source(&self, options: &[(&str, &str)]) -> FileStreamSource {
            let given = options
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()));
            let mut options: OptionMap = given.collect();
            options.insert("path".into(), self.path("in").display().to_string());
            let schema = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
            let schema = Some(Arc::new(schema) as SchemaRef);
            let definition = FileStreamDefinition::new(StreamRequest {
                format: "json",
                schema,
                options,
                defaults: OptionMap::new(),
                stores: Arc::default(),
            });
            let definition = definition.unwrap();
            FileStreamSource::new(definition, self.path("sources/0"), false).unwrap()
        }
    }

    fn set_modified(path: &Path, seconds: u64) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
            .unwrap();
    }

    fn latest(source: &mut FileStreamSource) -> i64 {
        let offset = now(source.latest_offset(None, ReadLimit::Options)).unwrap();
        offset.map_or(-1, |offset| offset["logOffset"].as_i64().unwrap())
    }

    async fn ids(source: &mut FileStreamSource, start: i64, end: i64) -> Vec<i64> {
        let start = (start >= 0).then(|| json!({"logOffset": start}));
        let end = json!({"logOffset": end});
        let batch = source.get_batch(start.as_ref(), &end).await.unwrap();
        let rows: Vec<_> = batch.open(0, 1, &[0]).unwrap().try_collect().await.unwrap();
        let columns = rows
            .iter()
            .map(|rows| rows.column(0).as_primitive::<Int64Type>());
        columns
            .flat_map(|column| column.values().to_vec())
            .collect()
    }

    #[tokio::test]
    async fn files_come_in_order_of_their_time_and_once() {
        let folder = Folder::new();
        let mut source = folder.source(&[]);
        assert_eq!(latest(&mut source), -1);
        folder.add("a", 2, 2);
        folder.add("c", 1, 1);
        folder.add("b", 2, 3);
        assert_eq!((latest(&mut source), latest(&mut source)), (0, 0));
        folder.add("d", 0, 4);
        folder.add("a", 9, 9);
        assert_eq!(latest(&mut source), 1);
        fs::remove_file(folder.path("in/a")).unwrap();
        let error = source.get_batch(None, &json!({"logOffset": 0})).await;
        let error = error.unwrap_err();
        assert!(error.message().contains("in/a' was listed"), "{error}");
        folder.add("a", 2, 2);
        assert_eq!(ids(&mut source, -1, 0).await, [1, 2, 3]);
        assert_eq!(ids(&mut source, 0, 1).await, [4]);
        let log = fs::read_to_string(folder.path("sources/0/1")).unwrap();
        let url = format!("file://{}", folder.path("in/d").display());
        assert_eq!(
            log,
            format!("v1\n{{\"path\":\"{url}\",\"timestamp\":1700000000000,\"batchId\":1}}")
        );
    }

    #[tokio::test]
    async fn a_restart_goes_on_from_the_log() {
        let folder = Folder::new();
        let mut source = folder.source(&[("maxFilesPerTrigger", "1")]);
        for id in 0..23 {
            folder.add(&format!("f{id:02}"), id, id as i64);
        }
        for id in 0..21 {
            assert_eq!(latest(&mut source), id);
            now(source.commit(&json!({"logOffset": id - 1}))).unwrap();
        }
        let mut again = folder.source(&[]);
        assert_eq!(ids(&mut again, 3, 5).await, [4, 5]);
        assert_eq!(ids(&mut again, 18, 20).await, [19, 20]);
        assert_eq!(latest(&mut again), 21);
        assert_eq!(ids(&mut again, 20, 21).await, [21, 22]);
        assert!(folder.path("sources/0/19.compact").exists());
    }

    #[tokio::test]
    async fn limits_by_files_bytes_and_trigger() {
        let folder = Folder::new();
        for id in 0..5 {
            folder.add(&format!("f{id}"), id, id as i64);
        }
        let mut source = folder.source(&[("maxBytesPerTrigger", "25")]);
        assert_eq!(latest(&mut source), 0);
        assert_eq!(ids(&mut source, -1, 0).await, [0, 1]);
        now(source.latest_offset(None, ReadLimit::AllAvailable)).unwrap();
        assert_eq!(ids(&mut source, 0, 1).await, [2, 3, 4]);
        drop(source);

        let folder = Folder::new();
        for id in 0..3 {
            folder.add(&format!("f{id}"), id, id as i64);
        }
        let mut source = folder.source(&[("maxFilesPerTrigger", "2"), ("latestFirst", "true")]);
        now(source.prepare_for_trigger_available_now()).unwrap();
        folder.add("f9", 9, 9);
        assert_eq!(
            (
                latest(&mut source),
                latest(&mut source),
                latest(&mut source)
            ),
            (0, 1, 1)
        );
        assert_eq!(ids(&mut source, -1, 0).await, [2, 1]);
        assert_eq!(ids(&mut source, 0, 1).await, [0]);
    }

    #[test]
    fn old_files_are_ignored() {
        let folder = Folder::new();
        let mut source = folder.source(&[("maxFileAge", "10s")]);
        folder.add("old", 5, 0);
        folder.add("new", 20, 1);
        assert_eq!(
            latest(&mut source),
            0,
            "what is found together is taken together"
        );
        folder.add("too old", 9, 2);
        assert_eq!(latest(&mut source), 0);
        folder.add("young enough", 10, 3);
        assert_eq!(latest(&mut source), 1);
    }
}
