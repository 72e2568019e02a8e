//! Files with exactly-once output: a batch is some new files and then one entry in the log of the
//! directory, `_spark_metadata/N`. **The entry makes the files part of the output**, so what a
//! killed run left behind is never read, and a batch that has its entry is not written again.

mod batch;
mod files_writer;
mod lanes;
mod layout;
mod registry;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use parking_lot::Mutex;

use lanes::write_rows;
use layout::Layout;
pub(super) use registry::{CSV, JSON, PARQUET, TEXT};

use crate::checkpointing::{CheckpointFileManager, FileSinkEntry, FileSinkLog, SINK_METADATA_DIR};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::sinks::{Sink, drain};
use crate::storage::Location;

/// Writes every batch to new files of a directory.
#[derive(Debug)]
pub(super) struct FileSink {
    directory: Location,
    layout: Arc<Layout>,
    log: FileSinkLog,
    /// The last batch in the log.
    latest: Mutex<Option<i64>>,
    /// How old files may be that stay in the log, in milliseconds, and who says how late it is.
    retention: Option<(i64, Arc<dyn Clock>)>,
}

impl FileSink {
    /// A sink that writes to `directory`, which is created.
    fn new(
        directory: Location,
        layout: Layout,
        retention: Option<(i64, Arc<dyn Clock>)>,
    ) -> Result<Self> {
        // Readers go by the log from the start: a file of a batch that has no entry is not there.
        let log = directory.join(SINK_METADATA_DIR);
        log.create_dir_all(layout.durable)
            .map_err(|error| cannot_write(&directory, error))?;
        let log = FileSinkLog::open(CheckpointFileManager::new(log, layout.durable))?;
        Ok(Self {
            latest: Mutex::new(log.latest_id()?),
            directory,
            layout: Arc::new(layout),
            log,
            retention,
        })
    }

    /// Whether a file stays in the log when that is rewritten.
    fn is_retained(&self, entry: &FileSinkEntry) -> bool {
        self.retention.as_ref().is_none_or(|(retention, clock)| {
            clock.now_ms().saturating_sub(entry.modification_time) <= *retention
        })
    }
}

#[async_trait]
impl Sink for FileSink {
    fn description(&self) -> String {
        format!("FileSink[{}]", self.directory.description())
    }

    fn latest_batch_id(&self) -> Option<i64> {
        *self.latest.lock()
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        if self.latest.lock().is_some_and(|latest| batch_id <= latest) {
            drain(rows).await?;
            return Ok(None);
        }
        let files = write_rows(&self.directory, &self.layout, rows, false).await?;
        let entry = |file: &files_writer::WrittenFile| {
            let metadata = file.metadata;
            let url = file.location.url()?;
            Ok(FileSinkEntry::added(
                url,
                metadata.size,
                metadata.modified_ms,
            ))
        };
        let entries = files.iter().map(entry).collect::<Result<Vec<_>>>()?;
        let added = self
            .log
            .add_retaining(batch_id, &entries, &|entry| self.is_retained(entry));
        // If it is not known whether the entry is there, the files must be.
        files.into_iter().for_each(files_writer::WrittenFile::keep);
        added?;
        *self.latest.lock() = Some(batch_id);
        Ok(None)
    }
}

fn cannot_write(location: &Location, error: std::io::Error) -> Error {
    Error::io(format!("cannot write to '{location}'"), error)
        .or_hint("choose a directory you may write to")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use datafusion::prelude::{SessionContext, col};
    use futures::stream;

    use super::*;
    use crate::formats::FileFormat;
    use crate::options::{OptionMap, Options};
    use crate::sinks::testing::{numbers, rows_of, schema, values};
    use crate::sources::open_table;

    fn try_sink(
        path: &Path,
        format: &str,
        schema: &SchemaRef,
        partition_by: &[&str],
    ) -> Result<FileSink> {
        let none = OptionMap::new();
        let options = Options::new("test", &none, &[], &[]).unwrap();
        let format = FileFormat::new(format, &options, &none).unwrap();
        let partition_by: Vec<String> = partition_by.iter().map(|name| name.to_string()).collect();
        let layout = Layout::new(format, schema, &partition_by, &options, false)?;
        FileSink::new(Location::from(path), layout, None)
    }

    fn sink(path: &Path, format: &str) -> FileSink {
        try_sink(path, format, &schema(), &[]).unwrap()
    }

    async fn add(sink: &FileSink, batch_id: i64, values: &[i64]) {
        let added = sink
            .add_batch(batch_id, OutputMode::Append, rows_of(values))
            .await;
        assert_eq!(added.unwrap(), None);
    }

    /// What a reader of the directory sees.
    async fn read(path: &Path, format: &str) -> Vec<i64> {
        let context = SessionContext::new();
        let paths = [path.display().to_string()];
        let (state, options) = (context.state(), OptionMap::new());
        let schema = Some(schema());
        let table = open_table(&state, format, schema, &paths, &options).await;
        let rows = context.read_table(table.unwrap()).unwrap();
        let rows = rows.sort(vec![col("value").sort(true, true)]).unwrap();
        values(&rows.collect().await.unwrap())
    }

    #[tokio::test]
    async fn every_batch_counts_once_in_every_format() {
        for format in ["parquet", "json", "csv"] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("out");
            add(&sink(&path, format), 0, &[1, 2]).await;
            // A restart that runs the last batch again.
            let again = sink(&path, format);
            add(&again, 0, &[1, 2]).await;
            add(&again, 1, &[]).await;
            add(&again, 2, &[3]).await;
            let orphan = path.join(format!("part-00000-x-c000.{format}"));
            fs::write(orphan, "{\"value\":99}\n").unwrap();
            assert_eq!(read(&path, format).await, [1, 2, 3], "{format}");
            let log = |id| fs::read_to_string(path.join(SINK_METADATA_DIR).join(id)).unwrap();
            assert_eq!(log("1"), "v1");
            assert!(
                log("2").starts_with("v1\n{\"path\":\"file:///"),
                "{}",
                log("2")
            );
            assert!(
                log("2")
                    .contains("\"blockReplication\":1,\"blockSize\":33554432,\"action\":\"add\"}")
            );
        }
    }

    #[tokio::test]
    async fn a_batch_that_fails_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let sink = sink(dir.path(), "json");
        let broken = Err(Error::internal("broken").into());
        let rows = stream::iter([Ok(numbers(&[1])), broken]);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema(), rows));
        let error = sink
            .add_batch(0, OutputMode::Append, rows)
            .await
            .unwrap_err();
        assert_eq!(error.message(), "broken");
        let left = fs::read_dir(dir.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [SINK_METADATA_DIR]);
        add(&sink, 0, &[1]).await;
        assert_eq!(read(dir.path(), "json").await, [1]);
    }

    #[tokio::test]
    async fn a_file_of_the_first_batch_is_not_read_before_its_entry() {
        let dir = tempfile::tempdir().unwrap();
        let sink = sink(dir.path(), "json");
        fs::write(dir.path().join("part-00000-x-c000.json"), "{\"value\":9}\n").unwrap();
        assert!(read(dir.path(), "json").await.is_empty());
        add(&sink, 0, &[1]).await;
        assert_eq!(read(dir.path(), "json").await, [1]);
    }

    #[test]
    fn what_cannot_be_written_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let nested = DataType::new_list(DataType::Int32, true);
        let tags = Arc::new(Schema::new(vec![Field::new("tags", nested, true)]));
        let error = try_sink(dir.path(), "csv", &tags, &[]).unwrap_err();
        assert!(error.message().contains("column 'tags'"), "{error}");
        fs::write(dir.path().join("file"), "").unwrap();
        let path = dir.path().join("file/out");
        let error = try_sink(&path, "json", &schema(), &[]).unwrap_err();
        assert!(error.message().contains("file/out'"), "{error}");
        let condition = |columns: &[&str]| {
            let error = try_sink(dir.path(), "json", &schema(), columns).unwrap_err();
            error.condition().unwrap_or_default().to_string()
        };
        assert_eq!(condition(&["zz"]), "_LEGACY_ERROR_TEMP_1196");
        assert_eq!(condition(&["VALUE"]), "ALL_PARTITION_COLUMNS_NOT_ALLOWED");
    }

    fn keyed(keys: &[Option<&str>]) -> RecordBatch {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..keys.len() as i64));
        let keys: ArrayRef = Arc::new(StringArray::from(keys.to_vec()));
        RecordBatch::try_from_iter_with_nullable([("k", keys, true), ("v", values, true)]).unwrap()
    }

    fn stream_of(batches: Vec<RecordBatch>) -> SendableRecordBatchStream {
        let schema = batches[0].schema();
        let rows = stream::iter(batches.into_iter().map(Ok));
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// The names of all files, with their folders.
    fn names(folder: &Path) -> Vec<String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            match entry.file_type().unwrap().is_dir() {
                true if name == SINK_METADATA_DIR => {}
                true => names.extend(
                    self::names(&entry.path())
                        .iter()
                        .map(|file| format!("{name}/{file}")),
                ),
                false => names.push(name),
            }
        }
        names.sort();
        names
    }

    #[tokio::test]
    async fn values_of_columns_are_folders() {
        let dir = tempfile::tempdir().unwrap();
        let batch = keyed(&[Some("a/b=0 %"), None, Some("x"), None]);
        let sink = try_sink(dir.path(), "json", &batch.schema(), &["K"]).unwrap();
        sink.add_batch(0, OutputMode::Append, stream_of(vec![batch]))
            .await
            .unwrap();
        let names = names(dir.path());
        let folders: Vec<&str> = names
            .iter()
            .map(|name| name.split_once('/').unwrap().0)
            .collect();
        assert_eq!(
            folders,
            ["k=__HIVE_DEFAULT_PARTITION__", "k=a%2Fb%3D0 %25", "k=x"]
        );
        assert!(
            names[0].contains("/part-00000-") && names[0].ends_with(".c000.json"),
            "{names:?}"
        );
        let text = fs::read_to_string(dir.path().join(&names[0])).unwrap();
        assert_eq!(text, "{\"v\":1}\n{\"v\":3}\n");
        let log = fs::read_to_string(dir.path().join("_spark_metadata/0")).unwrap();
        assert!(log.contains("/k=a%252Fb%253D0%20%2525/part-"), "{log}");
    }

    #[tokio::test]
    async fn more_folders_than_open_files() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<String> = (0..250).map(|key| key.to_string()).collect();
        let batch = keyed(
            &keys
                .iter()
                .map(|key| Some(key.as_str()))
                .collect::<Vec<_>>(),
        );
        let sink = try_sink(dir.path(), "json", &batch.schema(), &["k"]).unwrap();
        let rows = stream_of(vec![batch.clone(), batch]);
        sink.add_batch(0, OutputMode::Append, rows).await.unwrap();
        let lines: usize = names(dir.path())
            .iter()
            .map(|name| {
                fs::read_to_string(dir.path().join(name))
                    .unwrap()
                    .lines()
                    .count()
            })
            .sum();
        assert_eq!(lines, 500);
    }

    #[tokio::test]
    async fn many_rows_are_written_by_all_cores() {
        let dir = tempfile::tempdir().unwrap();
        let sink = sink(dir.path(), "parquet");
        let batch = numbers(&(0..8192).collect::<Vec<_>>());
        let rows = stream_of(vec![batch; 20]);
        sink.add_batch(0, OutputMode::Append, rows).await.unwrap();
        assert_eq!(read(dir.path(), "parquet").await.len(), 20 * 8192);
    }
}
