//! Files with exactly-once output: a batch is one new file and then one entry in the log of the
//! directory, `_spark_metadata/N`. **The entry makes the file part of the output**, so what a
//! killed run left behind is never read, and a batch that has its entry is not written again.

mod batch;
mod registry;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use parking_lot::Mutex;
use uuid::Uuid;

use batch::BatchFiles;
pub(super) use registry::{CSV, JSON, PARQUET};

use crate::checkpointing::{
    CheckpointFileManager, FileSinkEntry, FileSinkLog, SINK_METADATA_DIR, full_path, to_file_url,
};
use crate::error::{Error, Result};
use crate::formats::FileFormat;
use crate::output_mode::OutputMode;
use crate::sinks::{Sink, drain, failed};

/// Writes every batch to one new file of a directory.
#[derive(Debug)]
pub struct FileSink {
    directory: PathBuf,
    format: FileFormat,
    durable: bool,
    log: FileSinkLog,
    /// The last batch in the log.
    latest: Mutex<Option<i64>>,
}

impl FileSink {
    /// A sink that writes rows of `schema` to the directory `path`, which is created. With
    /// `durable`, a batch survives a power cut once it is written.
    pub fn new(path: &str, format: FileFormat, schema: &SchemaRef, durable: bool) -> Result<Self> {
        format.check(schema)?;
        let directory = full_path(path)?;
        // Readers go by the log from the start: a file of a batch that has no entry is not there.
        let log = directory.join(SINK_METADATA_DIR);
        fs::create_dir_all(&log).map_err(|error| cannot_write(&directory, error))?;
        let files = CheckpointFileManager::new(log, durable);
        let log = FileSinkLog::open(files)?;
        Ok(Self {
            latest: Mutex::new(log.latest_id()?),
            directory,
            format,
            durable,
            log,
        })
    }

    /// Writes the rows to a new file; none if there are no rows.
    async fn write(&self, mut rows: SendableRecordBatchStream) -> Result<Option<FileSinkEntry>> {
        let schema = rows.schema();
        let mut writer = None;
        let mut unfinished = Unfinished(None);
        while let Some(batch) = rows.try_next().await.map_err(failed)? {
            if batch.num_rows() == 0 {
                continue;
            }
            if writer.is_none() {
                let extension = self.format.extension();
                let name = format!("part-00000-{}-c000.{extension}", Uuid::new_v4());
                let path = self.directory.join(name);
                let file = File::create_new(&path).map_err(|error| cannot_write(&path, error))?;
                unfinished.0 = Some(path);
                writer = Some(self.format.writer(file, &schema)?);
            }
            if let Some(writer) = &mut writer {
                writer.write(&batch)?;
            }
        }
        let (Some(writer), Some(path)) = (writer, unfinished.0.clone()) else {
            return Ok(None);
        };
        let failed = |error| cannot_write(&path, error);
        let file = writer.finish()?;
        if self.durable {
            file.sync_all().map_err(failed)?;
        }
        let metadata = file.metadata().map_err(failed)?;
        let modified = metadata.modified().map_err(failed)?;
        let modified_ms = chrono::DateTime::<chrono::Utc>::from(modified).timestamp_millis();
        unfinished.0 = None;
        Ok(Some(FileSinkEntry::added(
            to_file_url(&path)?,
            metadata.len(),
            modified_ms,
        )))
    }
}

#[async_trait]
impl Sink for FileSink {
    fn description(&self) -> String {
        format!("FileSink[file:{}]", self.directory.display())
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
        let entry = self.write(rows).await?;
        self.log.add(batch_id, entry.as_slice())?;
        *self.latest.lock() = Some(batch_id);
        Ok(None)
    }
}

/// A file that is removed again unless it was written to its end.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // If that fails, the file is an orphan, which no reader looks at.
            let _ = fs::remove_file(path);
        }
    }
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot write to '{}'", path.display()), error)
        .or_hint("choose a directory you may write to")
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "what was written is read with DataFusion alone"
    )]

    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use datafusion::prelude::{SessionContext, col};
    use futures::stream;

    use super::*;
    use crate::formats::CSV_SINK_OPTIONS;
    use crate::options::{OptionMap, Options};
    use crate::sinks::testing::{numbers, rows_of, schema, values};
    use crate::sources::open_table;

    fn sink(path: &Path, format: &str) -> FileSink {
        let options = Options::new("test", &OptionMap::new(), &CSV_SINK_OPTIONS, &[]).unwrap();
        let format = FileFormat::new(format, &options).unwrap();
        FileSink::new(path.to_str().unwrap(), format, &schema(), false).unwrap()
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
        let schema = Arc::new(Schema::new(vec![Field::new("tags", nested, true)]));
        let options = Options::new("test", &OptionMap::new(), &CSV_SINK_OPTIONS, &[]).unwrap();
        let csv = FileFormat::new("csv", &options).unwrap();
        let path = dir.path().to_str().unwrap();
        let error = FileSink::new(path, csv, &schema, false).unwrap_err();
        assert!(error.message().contains("column 'tags'"), "{error}");
        fs::write(dir.path().join("file"), "").unwrap();
        let path = dir.path().join("file/out");
        let json = FileFormat::new("json", &options).unwrap();
        let error = FileSink::new(path.to_str().unwrap(), json, &schema, false).unwrap_err();
        assert!(error.message().contains("file/out'"), "{error}");
    }
}
