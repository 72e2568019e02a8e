//! Rows added by hand: for tests, and for lessons that feed a query step by step.
//!
//! Rows stay as long as the stream exists, so that several queries, and a query that is started
//! again without a checkpoint, each read all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::error::{Error, Result, hint};
use crate::formats::nullable;
use crate::options::Options;
use crate::sources::format::{Columns, SourceFormat, StreamRequest};
use crate::sources::{
    Offset, ReadLimit, Source, SourceBatch, SourceContext, SourceDefinition, SourceInspector,
};
use crate::why::InputWhy;

/// Rows per piece of work, where there is more than one partition.
const SLICE_ROWS: usize = 8192;
/// Fewer rows than this are not worth a second partition.
const MIN_PARTITION_ROWS: usize = 4 * SLICE_ROWS;

/// The row of the table of sources.
pub(super) const MEMORY: SourceFormat = SourceFormat {
    name: "memory",
    doc: "rows that are added by hand",
    options: &[],
    needs_path: false,
    columns: Columns::Given,
    stream: Some(define),
    table: None,
};

/// An empty stream, which whoever knows its name can feed.
fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    Options::new("source 'memory'", &request.options, &[], &[])?;
    let Some(schema) = &request.schema else {
        return Err(Error::illegal_argument("a memory source needs a schema")
            .with_condition("UNABLE_TO_INFER_SCHEMA")
            .with_hint("name its columns as in CREATE TABLE: user_id STRING, ts TIMESTAMP"));
    };
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let name = names.collect::<Vec<_>>().join(",");
    Ok(Arc::new(MemoryStream::new(&name, nullable(schema))))
}

/// A stream that hands out what [`MemoryStream::add_data`] was given. Clones are the same stream.
#[derive(Debug, Clone)]
pub struct MemoryStream {
    name: Arc<str>,
    schema: SchemaRef,
    added: Arc<Mutex<Vec<RecordBatch>>>,
    /// How many additions there are, for whoever waits for more.
    count: Arc<watch::Sender<usize>>,
}

impl MemoryStream {
    /// An empty stream.
    pub fn new(name: &str, schema: SchemaRef) -> Self {
        Self {
            name: name.into(),
            schema,
            added: Arc::default(),
            count: Arc::new(watch::Sender::new(0)),
        }
    }

    /// The name it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns of its rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds rows and returns their offset: 0 for the first addition, then 1, …. Columns are taken
    /// by position and must have the stream's types.
    pub fn add_data(&self, rows: RecordBatch) -> Result<i64> {
        let rows = RecordBatch::try_new(self.schema.clone(), rows.columns().to_vec()).map_err(
            |error| {
                Error::illegal_argument(format!("rows do not fit stream '{}': {error}", self.name))
                    .with_source(error)
            },
        )?;
        let mut added = self.added.lock();
        added.push(rows);
        self.count.send_replace(added.len());
        Ok(added.len() as i64 - 1)
    }

    /// Whether both are the same stream.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.added, &other.added)
    }

    /// How many rows were added so far.
    pub fn num_rows(&self) -> usize {
        self.added.lock().iter().map(RecordBatch::num_rows).sum()
    }

    /// The offset of the last addition.
    pub fn latest(&self) -> Option<i64> {
        match self.added.lock().len() {
            0 => None,
            len => Some(len as i64 - 1),
        }
    }

    /// A reader of the stream from its beginning, for one run of one query.
    pub fn source(&self) -> MemoryStreamSource {
        MemoryStreamSource {
            stream: self.clone(),
            offered: 0,
            available_now: None,
            taken: Arc::default(),
        }
    }
}

impl SourceDefinition for MemoryStream {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn description(&self) -> String {
        format!("MemoryStream[{}]", self.name)
    }

    fn create(&self, _: SourceContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(self.source()))
    }
}

/// One query's view of a [`MemoryStream`]; its offsets are bare integers, as in Spark.
#[derive(Debug)]
pub struct MemoryStreamSource {
    stream: MemoryStream,
    /// How many additions there were when the source was asked last.
    offered: usize,
    /// With `Trigger.AvailableNow`, the last offset there was at the start of the query.
    available_now: Option<Option<i64>>,
    /// So many additions were given to batches.
    taken: Arc<AtomicUsize>,
}

#[async_trait]
impl Source for MemoryStreamSource {
    fn description(&self) -> String {
        self.stream.description()
    }

    fn schema(&self) -> SchemaRef {
        self.stream.schema.clone()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        _: ReadLimit,
    ) -> Result<Option<Offset>> {
        let end = self.available_now.unwrap_or_else(|| self.stream.latest());
        self.offered = end.map_or(0, |end| end as usize + 1);
        let read = start.map(|start| self.index(start)).transpose()?;
        match (read, end) {
            (Some(read), end) if end.is_none_or(|end| end < read as i64) => Err(self.lost(0, read)),
            (_, end) => Ok(end.map(Offset::from)),
        }
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let first = start.map_or(Ok(0), |start| self.index(start).map(|index| index + 1))?;
        let last = self.index(end)?;
        self.taken.fetch_max(last + 1, Ordering::Relaxed);
        let added = self.stream.added.lock();
        let rows = added.get(first..=last).map(<[RecordBatch]>::to_vec);
        drop(added);
        Ok(Box::new(MemoryBatch {
            schema: self.schema(),
            rows: rows.ok_or_else(|| self.lost(first, last))?,
        }))
    }

    async fn commit(&mut self, _: &Offset) -> Result<()> {
        Ok(())
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        self.available_now = Some(self.stream.latest());
        Ok(())
    }

    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        Some(Arc::new(MemoryInspector {
            stream: self.stream.clone(),
            taken: Arc::clone(&self.taken),
        }))
    }

    fn new_data(&self) -> Option<BoxFuture<'static, ()>> {
        let (mut count, offered) = (self.stream.count.subscribe(), self.offered);
        let more = async move {
            let more = count.wait_for(|count| *count > offered).await.is_ok();
            if !more {
                // The stream is gone: nothing will come any more.
                std::future::pending::<()>().await;
            }
        };
        Some(more.boxed())
    }
}

#[derive(Debug)]
struct MemoryInspector {
    stream: MemoryStream,
    taken: Arc<AtomicUsize>,
}

impl SourceInspector for MemoryInspector {
    fn inspect(&self) -> Result<InputWhy> {
        let taken = self.taken.load(Ordering::Relaxed);
        let added = self.stream.added.lock();
        let rows = |batches: &[RecordBatch]| {
            let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
            rows as i64
        };
        Ok(InputWhy::Memory {
            num_rows: rows(&added),
            num_rows_waiting: rows(added.get(taken..).unwrap_or_default()),
        })
    }
}

impl MemoryStreamSource {
    /// The checkpoint goes further than the stream.
    fn lost(&self, first: usize, last: usize) -> Error {
        Error::illegal_argument(format!(
            "{} has {} additions, but the checkpoint knows of additions {first} to {last}",
            self.description(),
            self.stream.added.lock().len()
        ))
        .with_hint([
            hint::say("rows of a memory stream end with the session: start anew without "),
            hint::checkpoint(),
            hint::say(", or feed the same rows first"),
        ])
    }

    fn index(&self, offset: &Offset) -> Result<usize> {
        let index = offset.as_u64().ok_or_else(|| {
            Error::illegal_argument(format!(
                "'{offset}' is not an offset of {}",
                self.description()
            ))
        })?;
        Ok(index as usize)
    }
}

#[derive(Debug)]
struct MemoryBatch {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
}

impl SourceBatch for MemoryBatch {
    fn partitions(&self, max_partitions: usize) -> usize {
        let rows: usize = self.rows.iter().map(RecordBatch::num_rows).sum();
        (rows / MIN_PARTITION_ROWS).clamp(1, max_partitions.max(1))
    }

    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream> {
        let project = |rows: &RecordBatch| rows.project(projection).map_err(Into::into);
        let slices: Vec<_> = if partitions == 1 {
            self.rows.iter().map(project).collect()
        } else {
            let all = self.rows.iter().flat_map(slices);
            let own = all.skip(partition).step_by(partitions);
            own.map(|slice| project(&slice)).collect()
        };
        let schema = self.schema.project(projection).map_err(|error| {
            Error::internal(format!("read columns {projection:?}: {error}")).with_source(error)
        })?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            Arc::new(schema),
            stream::iter(slices),
        )))
    }
}

fn slices(rows: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    let starts = (0..rows.num_rows()).step_by(SLICE_ROWS);
    starts.map(|start| rows.slice(start, SLICE_ROWS.min(rows.num_rows() - start)))
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use futures::TryStreamExt;
    use serde_json::json;

    use super::*;
    use crate::sources::testing::now;

    fn stream_of(additions: &[&[i64]]) -> MemoryStream {
        let field = Field::new("value", DataType::Int64, true);
        let stream = MemoryStream::new("numbers", Arc::new(Schema::new(vec![field])));
        for values in additions {
            add(&stream, values);
        }
        stream
    }

    fn add(stream: &MemoryStream, values: &[i64]) -> i64 {
        let column = Arc::new(Int64Array::from(values.to_vec()));
        let rows = RecordBatch::try_new(stream.schema().clone(), vec![column]).unwrap();
        stream.add_data(rows).unwrap()
    }

    async fn read(batch: &dyn SourceBatch, partitions: usize) -> Vec<i64> {
        let mut values = Vec::new();
        for partition in 0..partitions {
            let rows = batch.open(partition, partitions, &[0]).unwrap();
            for rows in rows.try_collect::<Vec<_>>().await.unwrap() {
                values.extend_from_slice(rows.column(0).as_primitive::<Int64Type>().values());
            }
        }
        values
    }

    #[tokio::test]
    async fn a_batch_can_be_read_again() {
        let stream = stream_of(&[&[1], &[2, 3]]);
        let mut source = stream.source();
        assert_eq!(source.description(), "MemoryStream[numbers]");
        let end = now(source.latest_offset(None, ReadLimit::Options)).unwrap();
        assert_eq!(end, Some(json!(1)));
        add(&stream, &[4]);
        for _ in 0..2 {
            let batch = source.get_batch(None, &json!(1)).await.unwrap();
            assert_eq!(read(&*batch, 1).await, [1, 2, 3]);
            let batch = source.get_batch(Some(&json!(0)), &json!(2)).await.unwrap();
            assert_eq!(read(&*batch, 1).await, [2, 3, 4]);
        }
        let error = source.get_batch(None, &json!(3)).await.unwrap_err();
        assert!(error.message().contains("has 3 additions"), "{error}");
    }

    #[test]
    fn a_checkpoint_that_goes_further_is_refused_before_it_is_written_to() {
        let mut source = stream_of(&[&[1]]).source();
        let mut latest =
            |read: i64| now(source.latest_offset(Some(&json!(read)), ReadLimit::Options));
        assert_eq!(latest(0).unwrap(), Some(json!(0)));
        let error = latest(5).unwrap_err();
        assert!(error.message().contains("additions 0 to 5"), "{error}");
        let mut empty = stream_of(&[]).source();
        let latest = now(empty.latest_offset(Some(&json!(0)), ReadLimit::Options));
        assert!(latest.unwrap_err().message().contains("has 0 additions"));
    }

    #[tokio::test]
    async fn partitions_give_every_row_once() {
        let values: Vec<i64> = (0..100_000).collect();
        let stream = stream_of(&[&values[..10], &values[10..]]);
        let mut source = stream.source();
        let batch = source.get_batch(None, &json!(1)).await.unwrap();
        assert_eq!(batch.partitions(8), 3);
        let mut read = read(&*batch, 3).await;
        read.sort_unstable();
        assert_eq!(read, values);
        let no_columns = batch.open(0, 1, &[]).unwrap().try_collect::<Vec<_>>().await;
        let rows: usize = no_columns.unwrap().iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, values.len());
    }

    #[test]
    fn available_now_ends_at_what_was_there() {
        let stream = stream_of(&[]);
        let mut empty = stream.source();
        now(empty.prepare_for_trigger_available_now()).unwrap();
        add(&stream, &[1]);
        let mut source = stream.source();
        now(source.prepare_for_trigger_available_now()).unwrap();
        add(&stream, &[2]);
        let mut latest =
            |start: Option<&Offset>| now(source.latest_offset(start, ReadLimit::Options));
        assert_eq!(latest(None).unwrap(), Some(json!(0)));
        assert_eq!(
            now(empty.latest_offset(None, ReadLimit::Options)).unwrap(),
            None
        );
    }
}
