//! The files of one batch, cut into pieces so that all cores have work.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::checkpointing::from_file_url;
use crate::error::{Error, Result};
use crate::formats::line_format::{LineDecoder, LineFormat};
use crate::sources::SourceBatch;
use crate::sources::file::lines::{Compression, Lines, cannot_open, line_number};

const BATCH_ROWS: usize = 8192;
/// Less than this is not worth a second partition.
const MIN_PARTITION_BYTES: u64 = 256 * 1024;
const MIN_PIECE_BYTES: u64 = 128 * 1024;
const MAX_PIECE_BYTES: u64 = 8 * 1024 * 1024;
/// About how much text a compressed byte stands for.
const COMPRESSION_FACTOR: u64 = 8;

/// Files that are read as one batch.
#[derive(Debug)]
pub struct FileBatch {
    files: Vec<Arc<BatchFile>>,
    schema: SchemaRef,
    format: LineFormat,
    num_corrupt_records: Arc<AtomicU64>,
}

#[derive(Debug)]
struct BatchFile {
    path: PathBuf,
    compression: Compression,
    size: u64,
}

impl BatchFile {
    /// How much work it is, in bytes of text.
    fn weight(&self) -> u64 {
        match self.compression {
            Compression::None => self.size,
            _ => self.size * COMPRESSION_FACTOR,
        }
    }
}

/// Part of a file.
#[derive(Debug, Clone)]
struct Piece {
    /// Position of the file in the batch.
    index: usize,
    file: Arc<BatchFile>,
    range: Range<u64>,
    weight: u64,
}

impl FileBatch {
    /// The files behind `urls`, which must all exist, with the columns of `schema`.
    pub fn new<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        schema: SchemaRef,
        format: LineFormat,
    ) -> Result<Self> {
        let mut files = Vec::new();
        for url in urls {
            let path = from_file_url(url)?;
            let metadata = fs::metadata(&path).map_err(|error| cannot_open(&path, error))?;
            // An empty file has no rows, also where it should begin with the mark of a compression.
            if metadata.len() > 0 {
                files.push(Arc::new(BatchFile {
                    compression: Compression::of(&path)?,
                    size: metadata.len(),
                    path,
                }));
            }
        }
        Ok(Self {
            files,
            schema,
            format,
            num_corrupt_records: Arc::default(),
        })
    }

    /// All lines of all files, one after the other, for who wants no more than that; with the
    /// first line of a file comes `true`. Ends early if `take` says `false`.
    pub(super) fn for_each_line(&self, mut take: impl FnMut(&[u8], bool) -> bool) -> Result<()> {
        for file in &self.files {
            let failed = |error| Error::io(format!("read '{}'", file.path.display()), error);
            let mut lines = Lines::open(&file.path, file.compression, 0..u64::MAX)?;
            let mut is_first = true;
            while let Some(line) = lines.next().map_err(failed)? {
                if !take(line, std::mem::take(&mut is_first)) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// As in Spark, what was wrong with records cannot be asked for alone: it depends on the other
    /// columns that are asked for.
    fn check_projection(&self, projection: &[usize]) -> Result<()> {
        let (Some(corrupt), [only]) = (self.format.corrupt_record_column(), projection) else {
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
            .flat_map(|(index, file)| cut(index, file, piece_bytes))
            .collect();
        // The largest first, each to whoever has least.
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.weight));
        let mut loads = vec![0; partitions];
        let mut own = Vec::new();
        for piece in pieces {
            let least = (0..partitions)
                .min_by_key(|index| loads[*index])
                .unwrap_or(0);
            loads[least] += piece.weight.max(1);
            if least == partition {
                own.push(piece);
            }
        }
        own.sort_by_key(|piece| (piece.index, piece.range.start));
        own
    }
}

fn cut(index: usize, file: &Arc<BatchFile>, piece_bytes: u64) -> Vec<Piece> {
    let piece = |range: Range<u64>, weight| Piece {
        index,
        file: file.clone(),
        range,
        weight,
    };
    if file.compression != Compression::None || file.size <= piece_bytes {
        return vec![piece(0..u64::MAX, file.weight())];
    }
    let starts = (0..file.size).step_by(piece_bytes as usize);
    let ranges = starts.map(|start| start..(start + piece_bytes).min(file.size));
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
        let parts = |file: &Arc<BatchFile>| match file.compression {
            Compression::None => (file.size / MIN_PIECE_BYTES).max(1) as usize,
            _ => 1,
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
        let decoder = self.format.decoder(&self.schema, projection, BATCH_ROWS)?;
        let schema = decoder.schema().clone();
        let rows = Rows {
            pieces: self.pieces(partition, partitions).into_iter(),
            current: None,
            decoder,
            reported: 0,
            num_corrupt_records: self.num_corrupt_records.clone(),
        };
        let rows = stream::iter(rows.map(|batch| batch.map_err(Into::into)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> BTreeMap<String, String> {
        match self.num_corrupt_records.load(Ordering::Relaxed) {
            0 => BTreeMap::new(),
            count => [("numCorruptRecords".to_string(), count.to_string())].into(),
        }
    }
}

/// The rows of one partition.
struct Rows {
    pieces: std::vec::IntoIter<Piece>,
    current: Option<(Piece, Lines)>,
    decoder: Box<dyn LineDecoder>,
    /// How many corrupt records are in the shared count.
    reported: u64,
    num_corrupt_records: Arc<AtomicU64>,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.fill().and_then(|()| self.decoder.flush());
        let corrupt = self.decoder.num_corrupt_records();
        let new = corrupt - std::mem::replace(&mut self.reported, corrupt);
        self.num_corrupt_records.fetch_add(new, Ordering::Relaxed);
        batch.transpose()
    }
}

impl Rows {
    /// Reads lines until a batch is full, or there are no more.
    fn fill(&mut self) -> Result<()> {
        while self.decoder.num_rows() < BATCH_ROWS {
            let Some((piece, lines)) = &mut self.current else {
                let Some(piece) = self.pieces.next() else {
                    return Ok(());
                };
                let file = &piece.file;
                let lines = Lines::open(&file.path, file.compression, piece.range.clone())?;
                self.decoder.start_part(piece.range.start == 0);
                self.current = Some((piece, lines));
                continue;
            };
            let offset = lines.offset();
            let line = lines.next().map_err(|error| {
                Error::io(format!("read '{}'", piece.file.path.display()), error)
            })?;
            match line {
                None => self.current = None,
                Some(line) => self
                    .decoder
                    .decode_line(line)
                    .map_err(|error| located(error, &piece.file, offset))?,
            }
        }
        Ok(())
    }
}

/// Says where the line stands that an error is about.
fn located(error: Error, file: &BatchFile, offset: u64) -> Error {
    let path = file.path.display();
    match line_number(&file.path, file.compression, offset) {
        Ok(line) => error.context(format!("file '{path}', line {line}")),
        Err(_) => error.context(format!("file '{path}'")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::TryStreamExt;

    use super::*;
    use crate::checkpointing::to_file_url;
    use crate::formats::CSV_OPTIONS;
    use crate::formats::json::{JsonOptions, ParseMode};
    use crate::options::Options;

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

    fn batch(paths: &[PathBuf], mode: ParseMode) -> FileBatch {
        let fields = ["id", "other"].map(|name| Field::new(name, DataType::Int64, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let options = JsonOptions {
            mode,
            ..JsonOptions::default()
        };
        let urls: Vec<_> = paths
            .iter()
            .map(|path| to_file_url(path).unwrap())
            .collect();
        let urls = urls.iter().map(String::as_str);
        FileBatch::new(urls, schema, LineFormat::Json(options)).unwrap()
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
        let given = [("header".to_string(), "true".to_string())].into();
        let options = Options::new("test", &given, &CSV_OPTIONS, &[]).unwrap();
        let fields = [("id", DataType::Int64), ("text", DataType::Utf8)];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let url = to_file_url(&path).unwrap();
        let format = LineFormat::new("csv", &options).unwrap();
        let batch = FileBatch::new([url.as_str()], schema, format).unwrap();
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
