//! The files of one batch, cut into pieces so that all cores have work.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use futures::stream;

use super::lines::{Lines, cannot_open, cannot_read};
use super::listing::Listing;
use super::metadata_column::{metadata_value, with_metadata_column};
use super::partitions::PartitionColumns;
use super::reader::{FileReader, PassedOver, ReadFormat};
use super::rows::{Output, Rows};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::compression::Compression;
use crate::formats::line_format::LineFormat;
use crate::sources::SourceBatch;
use crate::storage::{InputFile, Location, Metadata};

/// Less than this is not worth a second partition.
const MIN_PARTITION_BYTES: u64 = 256 * 1024;
const MIN_PIECE_BYTES: u64 = 128 * 1024;
const MAX_PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// About how much text a compressed byte stands for.
const COMPRESSION_FACTOR: u64 = 8;
/// So many batches of a store's files are read ahead.
const BATCHES_AHEAD: usize = 2;

/// Files that are read as one batch.
#[derive(Debug)]
pub(super) struct FileBatch {
    files: Vec<Arc<BatchFile>>,
    schema: SchemaRef,
    /// The columns of the schema that are in the files; those of folders are behind them.
    in_files: SchemaRef,
    /// Whether `_metadata` is the last column.
    has_metadata: bool,
    format: ReadFormat,
    passed_over: PassedOver,
    num_corrupt_records: Arc<AtomicU64>,
}

/// One file.
#[derive(Debug)]
pub(super) struct BatchFile {
    pub location: Location,
    pub compression: Compression,
    /// Whether reading may begin in its middle.
    splittable: bool,
    /// What it was when the batch was made.
    metadata: Metadata,
    /// It must not be another file while it is read.
    unchanged: bool,
    /// A value for each column of its folders.
    pub partition: Arc<Vec<ArrayRef>>,
}

impl BatchFile {
    /// How much work it is, in bytes of text.
    fn weight(&self) -> u64 {
        match self.compression {
            Compression::None => self.metadata.size,
            _ => self.metadata.size * COMPRESSION_FACTOR,
        }
    }

    /// Opens the file, which must be the one that it was.
    pub(super) fn open(&self) -> Result<InputFile> {
        let input = self
            .location
            .open()
            .map_err(|error| cannot_open(&self.location, error))?;
        self.check_unchanged(input.metadata())?;
        Ok(input)
    }

    /// Whether the file is still the one that it was when it was opened.
    pub(super) fn check(&self, input: &InputFile) -> Result<()> {
        let now = input
            .metadata_now()
            .map_err(|error| cannot_read(&self.location, error))?;
        self.check_unchanged(now)
    }

    fn check_unchanged(&self, now: Metadata) -> Result<()> {
        if now == self.metadata || !self.unchanged {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Io,
            format!("file '{}' was changed while it was read", self.location),
        )
        .with_hint("start the query again: it reads the file anew. Files must be whole when they appear: write them elsewhere on the disk, or under a name that begins with a dot, and rename them then"))
    }
}

/// Part of a file.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Position of the file in the batch.
    index: usize,
    pub file: Arc<BatchFile>,
    pub range: Range<u64>,
    weight: u64,
    has_metadata: bool,
}

impl Piece {
    /// A value for each column that is not in the file.
    pub(super) fn values(&self) -> Result<Arc<Vec<ArrayRef>>> {
        let file = &self.file;
        if !self.has_metadata {
            return Ok(Arc::clone(&file.partition));
        }
        let metadata = metadata_value(&file.location, file.metadata, &self.range)?;
        let values = file.partition.iter().cloned().chain([metadata]);
        Ok(Arc::new(values.collect()))
    }
}

impl FileBatch {
    /// Files, each with the listing it is of, by their URLs. They must all exist, unless missing
    /// files are passed over. `schema` has the columns of the folders at its end.
    pub(super) fn new<'a>(
        files: impl IntoIterator<Item = (&'a Listing, &'a str)>,
        schema: SchemaRef,
        partitions: &PartitionColumns,
        reader: &FileReader,
    ) -> Result<Self> {
        let splittable = match &reader.format {
            ReadFormat::Lines(format) => format.file.is_splittable(),
            ReadFormat::Parquet { .. } => true,
        };
        let mut found = Vec::new();
        for (listing, url) in files {
            let location = listing.root().at(url)?;
            let metadata = match location.metadata() {
                Ok(metadata) => metadata,
                Err(error)
                    if reader.passed_over.missing
                        && error.kind() == std::io::ErrorKind::NotFound =>
                {
                    continue;
                }
                Err(error) => return Err(cannot_open(&location, error)),
            };
            // An empty file has no rows, also where it should begin with the mark of a compression.
            if metadata.size == 0 {
                continue;
            }
            let compression = match &reader.format {
                ReadFormat::Lines(_) => Compression::of(&location.name())?,
                ReadFormat::Parquet { .. } => Compression::None,
            };
            let values = match partitions.is_empty() {
                true => None,
                false => partitions.values(listing, &location)?,
            };
            found.push((location, compression, metadata, values));
        }
        // As in Spark, a file beside the folders is no part of their table.
        if found.iter().any(|(.., values)| values.is_some()) {
            found.retain(|(.., values)| values.is_some());
        }
        let none = Arc::new(partitions.nulls());
        let files = found
            .into_iter()
            .map(|(location, compression, metadata, values)| {
                Arc::new(BatchFile {
                    splittable: splittable && compression == Compression::None,
                    location,
                    compression,
                    metadata,
                    unchanged: reader.unchanged,
                    partition: values.map_or_else(|| Arc::clone(&none), Arc::new),
                })
            });
        Ok(Self {
            files: files.collect(),
            in_files: Arc::new(partitions.without(&schema)),
            schema,
            has_metadata: false,
            format: reader.format.clone(),
            passed_over: reader.passed_over,
            num_corrupt_records: Arc::default(),
        })
    }

    /// The same with the column `_metadata` at its end, unless it has a column of that name.
    pub(super) fn with_metadata(self) -> Self {
        match with_metadata_column(&self.schema) {
            Some(schema) => Self {
                schema,
                has_metadata: true,
                ..self
            },
            None => self,
        }
    }

    /// All records of all files, one after the other, for who wants no more than that; with the
    /// first record of a file comes `true`. Ends early if `take` says `false`.
    pub(super) fn for_each_record(
        &self,
        format: &LineFormat,
        mut take: impl FnMut(&[u8], bool) -> bool,
    ) -> Result<()> {
        for file in &self.files {
            let input = file.open()?;
            let failed = |error| cannot_read(&file.location, error);
            let all = 0..u64::MAX;
            let lines = Lines::open(&input, file.compression, &format.file, all);
            let mut lines = lines.map_err(failed)?;
            let mut is_first = true;
            loop {
                match lines.next() {
                    Ok(Some(line)) if take(line, std::mem::take(&mut is_first)) => {}
                    Ok(Some(_)) => return Ok(()),
                    Ok(None) => break,
                    Err(_) if self.passed_over.corrupt => break,
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(())
    }

    /// As in Spark, what was wrong with records cannot be asked for alone: it depends on the other
    /// columns that are asked for.
    fn check_projection(&self, projection: &[usize]) -> Result<()> {
        let ReadFormat::Lines(format) = &self.format else {
            return Ok(());
        };
        let (Some(corrupt), [only]) = (format.corrupt_record_column(), projection) else {
            return Ok(());
        };
        if self.schema.field(*only).name() != corrupt {
            return Ok(());
        }
        Err(Error::analysis(format!(
            "column '{corrupt}' cannot be the only one that a query reads"
        ))
        .with_condition("UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN")
        .with_hint("select the columns that records are to be checked for as well"))
    }

    /// The pieces of one partition. Every partition gets about as many bytes; the division depends
    /// on nothing but the files, so that a batch may be opened more than once.
    fn pieces(&self, partition: usize, partitions: usize) -> Vec<Piece> {
        let total: u64 = self.files.iter().map(|file| file.weight()).sum();
        let piece_bytes = match partitions {
            1 => u64::MAX,
            _ => (total / (4 * partitions as u64)).clamp(MIN_PIECE_BYTES, MAX_PIECE_BYTES),
        };
        let mut pieces: Vec<Piece> = self
            .files
            .iter()
            .enumerate()
            .flat_map(|(index, file)| cut(index, file, piece_bytes, self.has_metadata))
            .collect();
        // The largest first, each to whoever has least.
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.weight));
        let mut loads = vec![0; partitions];
        let mut own = Vec::new();
        for piece in pieces {
            let loads = loads.iter_mut().enumerate();
            if let Some((least, load)) = loads.min_by_key(|(_, load)| **load) {
                *load += piece.weight.max(1);
                if least == partition {
                    own.push(piece);
                }
            }
        }
        own.sort_by_key(|piece| (piece.index, piece.range.start));
        own
    }
}

fn cut(index: usize, file: &Arc<BatchFile>, piece_bytes: u64, has_metadata: bool) -> Vec<Piece> {
    let piece = |range: Range<u64>, weight| Piece {
        index,
        file: file.clone(),
        range,
        weight,
        has_metadata,
    };
    let size = file.metadata.size;
    if !file.splittable || size <= piece_bytes {
        return vec![piece(0..u64::MAX, file.weight())];
    }
    let starts = (0..size).step_by(piece_bytes as usize);
    let ranges = starts.map(|start| start..(start + piece_bytes).min(size));
    ranges
        .map(|range| {
            let weight = range.end - range.start;
            piece(range, weight)
        })
        .collect()
}

impl SourceBatch for FileBatch {
    fn partitions(&self, max_partitions: usize) -> usize {
        let total: u64 = self.files.iter().map(|file| file.weight()).sum();
        if total < MIN_PARTITION_BYTES {
            return 1;
        }
        let parts = |file: &Arc<BatchFile>| match file.splittable {
            true => (file.metadata.size / MIN_PIECE_BYTES).max(1) as usize,
            false => 1,
        };
        let pieces: usize = self.files.iter().map(parts).sum();
        pieces.clamp(1, max_partitions.max(1))
    }

    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream> {
        self.check_projection(projection)?;
        let output = Output::new(&self.schema, self.in_files.fields().len(), projection)?;
        let schema = Arc::clone(output.schema());
        let rows = Rows::new(
            self.pieces(partition, partitions),
            &self.format,
            &self.in_files,
            output,
            self.passed_over,
            Arc::clone(&self.num_corrupt_records),
        )?;
        let is_local = self
            .files
            .iter()
            .all(|file| file.location.local().is_some());
        if is_local {
            let rows = stream::iter(rows.map(|batch| batch.map_err(Into::into)));
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)));
        }
        // Whoever waits for a store waits on a thread of his own.
        let mut receiver = RecordBatchReceiverStreamBuilder::new(schema, BATCHES_AHEAD);
        let sender = receiver.tx();
        receiver.spawn_blocking(move || {
            for batch in rows {
                if sender.blocking_send(batch.map_err(Into::into)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(receiver.build())
    }

    fn metrics(&self) -> BTreeMap<String, String> {
        match self.num_corrupt_records.load(Ordering::Relaxed) {
            0 => BTreeMap::new(),
            count => [("numCorruptRecords".to_string(), count.to_string())].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::TryStreamExt;

    use super::*;
    use crate::formats::json::ParseMode;
    use crate::options::OptionMap;
    use crate::sources::file::listing::ListingOptions;
    use crate::storage::{Stores, to_file_url};

    fn write(path: &Path, ids: Range<i64>) {
        let mut file = fs::File::create(path).unwrap();
        for id in ids {
            writeln!(
                file,
                r#"{{"id":{id},"text":"some more bytes, so that it counts"}}"#
            )
            .unwrap();
        }
    }

    fn files(
        format: &str,
        paths: &[PathBuf],
        options: &[(&str, &str)],
        columns: &[&str],
    ) -> FileBatch {
        let fields = columns.iter().map(|name| {
            let data_type = if *name == "text" {
                DataType::Utf8
            } else {
                DataType::Int64
            };
            Field::new(*name, data_type, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let given: OptionMap = options
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let none = OptionMap::new();
        let (options, reader) = FileReader::of_table(format, &given, &none).unwrap();
        let root = paths[0].parent().unwrap().to_str().unwrap();
        let listing = ListingOptions::with_path(root, &options).unwrap();
        let listing = Listing::new(listing, &Stores::default(), &given).unwrap();
        let urls: Vec<_> = paths
            .iter()
            .map(|path| to_file_url(path).unwrap())
            .collect();
        let urls = urls.iter().map(|url| (&listing, url.as_str()));
        FileBatch::new(urls, schema, &PartitionColumns::default(), &reader).unwrap()
    }

    fn batch(paths: &[PathBuf], mode: ParseMode) -> FileBatch {
        let mode = match mode {
            ParseMode::Permissive => "PERMISSIVE",
            ParseMode::DropMalformed => "DROPMALFORMED",
            ParseMode::FailFast => "FAILFAST",
        };
        files("json", paths, &[("mode", mode)], &["id", "other"])
    }

    async fn ids(batch: &FileBatch, partition: usize, partitions: usize) -> Vec<i64> {
        let rows = batch.open(partition, partitions, &[0]).unwrap();
        let rows: Vec<_> = rows.try_collect().await.unwrap();
        let ids = rows
            .iter()
            .map(|rows| rows.column(0).as_primitive::<Int64Type>());
        ids.flat_map(|ids| ids.values().to_vec()).collect()
    }

    #[tokio::test]
    async fn partitions_share_large_and_small_files() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| dir.path().join(name));
        write(&paths[0], 0..50_000);
        write(&paths[1], 50_000..50_001);
        write(&paths[2], 50_001..60_000);
        let batch = batch(&paths, ParseMode::FailFast);
        assert_eq!(batch.partitions(2), 2);
        assert_eq!(ids(&batch, 0, 1).await, (0..60_000).collect::<Vec<_>>());
        let parts = [
            ids(&batch, 0, 3).await,
            ids(&batch, 1, 3).await,
            ids(&batch, 2, 3).await,
        ];
        assert!(
            parts.iter().all(|part| part.len() > 15_000),
            "all have work"
        );
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..60_000).collect::<Vec<_>>());
        assert!(batch.metrics().is_empty());
    }

    #[tokio::test]
    async fn the_header_of_a_file_is_read_once_in_all_partitions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut text = "id,text\n".to_string();
        for id in 0..50_000 {
            text.push_str(&format!("{id},some more bytes\n"));
        }
        fs::write(&path, text).unwrap();
        let batch = files("csv", &[path], &[("header", "true")], &["id", "text"]);
        let parts = [ids(&batch, 0, 2).await, ids(&batch, 1, 2).await];
        assert!(parts.iter().all(|part| part.len() > 10_000));
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..50_000).collect::<Vec<_>>());
        assert!(batch.metrics().is_empty());
    }

    #[tokio::test]
    async fn corrupt_records_are_counted_or_located() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "{\"id\":1}\n\noops\n{\"id\":2}\n").unwrap();
        let counting = batch(std::slice::from_ref(&path), ParseMode::DropMalformed);
        assert_eq!(counting.partitions(2), 1);
        assert_eq!(ids(&counting, 0, 1).await, [1, 2]);
        assert_eq!(counting.metrics()["numCorruptRecords"], "1");

        let failing = batch(std::slice::from_ref(&path), ParseMode::FailFast);
        let rows = failing.open(0, 1, &[0]).unwrap();
        let error = rows.try_collect::<Vec<_>>().await.unwrap_err().to_string();
        assert!(
            error.contains("/a', line 3: malformed record 'oops'"),
            "{error}"
        );

        fs::remove_file(&path).unwrap();
        let error = failing
            .open(0, 1, &[0])
            .unwrap()
            .try_collect::<Vec<_>>()
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("was listed, but is gone now"),
            "{error}"
        );
    }
}
