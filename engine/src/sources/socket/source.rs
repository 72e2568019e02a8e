//! One run's connection to the server. **Offsets count the lines of this run**: those that stand in
//! the log of an earlier run are of lines that nobody has any more, and give no rows.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, RecordBatch, RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::future::BoxFuture;
use futures::{FutureExt as _, stream};
use tokio::net::TcpStream;

use super::SocketStream;
use super::lines::{Line, Lines};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result, hint};
use crate::sources::tasks::Tasks;
use crate::sources::{
    Offset, ReadLimit, Said, Source, SourceBatch, SourceContext, SourceDefinition, SourceInspector,
};
use crate::why::InputWhy;

/// Before the first line.
const NONE: i64 = -1;

/// So many lines become rows at once.
const ROWS_AT_ONCE: usize = 8192;

#[derive(Debug)]
pub(super) struct SocketSource {
    stream: SocketStream,
    clock: Arc<dyn Clock>,
    connected: Option<Lines>,
    /// The last offset that this run has offered.
    offered: Option<i64>,
    /// With `Trigger.AvailableNow`, the last line there was at the start of the query.
    available_now: Option<i64>,
}

impl SocketSource {
    pub(super) fn new(stream: SocketStream, context: SourceContext) -> Self {
        Self {
            stream,
            clock: context.clock,
            connected: None,
            offered: None,
            available_now: None,
        }
    }

    async fn lines(&mut self) -> Result<&Lines> {
        let connected = match self.connected.take() {
            Some(lines) => lines,
            None => self.connect().await?,
        };
        Ok(self.connected.insert(connected))
    }

    async fn connect(&self) -> Result<Lines> {
        let SocketStream { host, port, .. } = &self.stream;
        let connection = TcpStream::connect((host.as_str(), *port)).await;
        let connection = connection.map_err(|error| {
            let server = format!("{host}:{port}");
            Error::io(format!("cannot connect to {server}"), error)
                .with_hint(format!("start the server first, e.g. nc -lk {port}"))
        })?;
        let whence = self.stream.description();
        Ok(Lines::read(connection, whence, Arc::clone(&self.clock)))
    }
}

fn number(offset: &Offset) -> Result<i64> {
    offset.as_i64().ok_or_else(|| {
        let message = format!("'{offset}' is not an offset of a socket");
        Error::new(ErrorKind::IllegalArgument, message).with_hint([
            hint::say("the checkpoint belongs to a query with other sources: choose another "),
            hint::checkpoint(),
        ])
    })
}

#[async_trait]
impl Source for SocketSource {
    fn description(&self) -> String {
        self.stream.description()
    }

    fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        _: ReadLimit,
    ) -> Result<Option<Offset>> {
        let start = start.map_or(Ok(NONE), number)?;
        let available_now = self.available_now;
        let offered = self.offered;
        let lines = self.lines().await?;
        let last = lines.last()?;
        let end = match offered {
            // A batch from the last line of an earlier run to before the first of this one.
            None if start != NONE => NONE,
            // The first batch is empty, whenever the lines come.
            None => available_now.unwrap_or(NONE),
            Some(_) => {
                // What a batch has read that is committed is not asked for again.
                lines.forget(start);
                available_now.unwrap_or(last)
            }
        };
        self.offered = Some(end);
        Ok(Some(Offset::from(end)))
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        let start = start.map_or(Ok(NONE), number)?;
        let end = number(end)?;
        let own = self.offered.is_some_and(|offered| end <= offered);
        let lines = match &self.connected {
            Some(lines) if own => lines.get(start, end),
            _ => Vec::new(),
        };
        Ok(Box::new(LineBatch {
            schema: self.schema(),
            lines: lines.into(),
            tasks: self.stream.tasks,
        }))
    }

    async fn commit(&mut self, _: &Offset) -> Result<()> {
        Ok(())
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        let last = self.lines().await?.last()?;
        self.available_now = Some(last);
        Ok(())
    }

    fn new_data(&self) -> Option<BoxFuture<'static, ()>> {
        let lines = self.connected.as_ref()?;
        Some(lines.after(self.offered?).boxed())
    }

    fn report_latest_offset(&self) -> Option<Offset> {
        self.offered.map(Offset::from)
    }

    fn inspector(&self) -> Option<Arc<dyn SourceInspector>> {
        let SocketStream { host, port, .. } = &self.stream;
        Some(Arc::new(Said(InputWhy::Socket {
            server: format!("{host}:{port}"),
        })))
    }
}

#[derive(Debug)]
struct LineBatch {
    schema: SchemaRef,
    lines: Arc<[Line]>,
    tasks: Option<u64>,
}

impl SourceBatch for LineBatch {
    fn partitions(&self, max_partitions: usize) -> usize {
        Tasks::partitions(self.lines.len() as u64, max_partitions)
    }

    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema.project(projection).map_err(|error| {
            Error::internal(format!("read columns {projection:?}: {error}")).with_source(error)
        })?;
        let schema = Arc::new(schema);
        let own = Arc::clone(&schema);
        let lines = Arc::clone(&self.lines);
        let columns = projection.to_vec();
        let mut indices = Tasks::new(lines.len() as u64, self.tasks, partition, partitions);
        let batches = std::iter::from_fn(move || {
            let some = indices.by_ref().take(ROWS_AT_ONCE);
            let some: Vec<&Line> = some.filter_map(|index| lines.get(index as usize)).collect();
            let rows = rows(&some, &columns, Arc::clone(&own));
            (!some.is_empty()).then_some(rows)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            schema,
            stream::iter(batches),
        )))
    }
}

fn rows(
    lines: &[&Line],
    projection: &[usize],
    schema: SchemaRef,
) -> datafusion::error::Result<RecordBatch> {
    let column = |index: &usize| -> ArrayRef {
        match index {
            0 => Arc::new(StringArray::from_iter_values(
                lines.iter().map(|line| &*line.text),
            )),
            _ => {
                let times = lines.iter().map(|line| line.time_ms * 1000);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
        }
    };
    let columns = projection.iter().map(column).collect();
    let count = RecordBatchOptions::new().with_row_count(Some(lines.len()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &count)?)
}
