//! What a query says of itself from its start to its end, each step held up until it was looked at.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt as _;
use tokio::sync::Semaphore;

use super::*;
use crate::connect::proto::relation::RelType;
use crate::connect::proto::{Relation, Sql};
use crate::plan::StreamingRelation;
use crate::sinks::{Part, Sink};
use crate::sources::{
    MemoryStream, Offset, ReadLimit, Source, SourceBatch, SourceContext, SourceDefinition,
};

/// Lets through as many as it was told to.
type Gate = Arc<Semaphore>;

async fn pass(gate: &Gate) {
    if let Ok(permit) = gate.acquire().await {
        permit.forget();
    }
}

/// A memory stream that answers only when it may.
#[derive(Debug, Clone)]
struct Slow(MemoryStream, Gate);

#[derive(Debug)]
struct SlowSource(Box<dyn Source>, Gate);

impl SourceDefinition for Slow {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.0.schema())
    }

    fn description(&self) -> String {
        "Slow".into()
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let source = self.0.create(context)?;
        Ok(Box::new(SlowSource(source, Arc::clone(&self.1))))
    }
}

#[async_trait]
impl Source for SlowSource {
    fn description(&self) -> String {
        "Slow".into()
    }

    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    async fn latest_offset(
        &mut self,
        start: Option<&Offset>,
        limit: ReadLimit,
    ) -> Result<Option<Offset>> {
        pass(&self.1).await;
        self.0.latest_offset(start, limit).await
    }

    async fn get_batch(
        &mut self,
        start: Option<&Offset>,
        end: &Offset,
    ) -> Result<Box<dyn SourceBatch>> {
        self.0.get_batch(start, end).await
    }

    async fn commit(&mut self, end: &Offset) -> Result<()> {
        self.0.commit(end).await
    }

    async fn prepare_for_trigger_available_now(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A sink that opens and takes batches only when it may.
#[derive(Debug, Clone)]
struct SlowSink(Gate);

#[async_trait]
impl Sink for SlowSink {
    fn description(&self) -> String {
        "SlowSink".into()
    }

    async fn open(&self, _: Uuid, _: Uuid) -> Result<()> {
        pass(&self.0).await;
        Ok(())
    }

    async fn add_batch(
        &self,
        _: i64,
        _: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let batches: Vec<RecordBatch> = rows
            .try_collect()
            .await
            .map_err(crate::error::from_datafusion)?;
        pass(&self.0).await;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        Ok(Some(rows as i64))
    }

    fn takes_parts(&self) -> bool {
        true
    }

    async fn add_part(
        &self,
        part: Part,
        mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        self.add_batch(part.batch_id, mode, rows).await
    }
}

/// A query that stands still at each step.
struct Held {
    query: StreamingQuery,
    source: Gate,
    sink: Gate,
}

impl Held {
    async fn start(trigger: Option<ProtoTrigger>) -> Self {
        let session = Session::new().unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let stream = MemoryStream::new("numbers", Arc::clone(&schema));
        let column = Arc::new(Int64Array::from(vec![1]));
        let rows = RecordBatch::try_new(schema, vec![column]).unwrap();
        stream.add_data(rows).unwrap();
        let (source, sink): (Gate, Gate) =
            (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let relation = StreamingRelation::new(Arc::new(Slow(stream, Arc::clone(&source))));
        session
            .register("numbers", Arc::new(relation), false)
            .unwrap();
        let sql = Sql {
            query: "SELECT n FROM numbers".into(),
            ..Default::default()
        };
        let start = WriteStreamOperationStart {
            input: Some(Relation {
                common: None,
                rel_type: Some(RelType::Sql(sql)),
            }),
            format: "noop".into(),
            trigger,
            ..Default::default()
        };
        let started = Start {
            session: &session,
            start: &start,
            name: None,
        };
        let given = SlowSink(Arc::clone(&sink));
        let query = started.run_into(|_| Ok(given.into())).await.unwrap();
        Self {
            query,
            source,
            sink,
        }
    }

    /// Waits until the query says so: message, whether there is data, whether a trigger is active.
    async fn says(&self, message: &str, data: bool, active: bool) {
        let mut changes = self.query.watch();
        loop {
            let status = self.query.status();
            let flags = (status.is_data_available, status.is_trigger_active);
            if status.message == message && flags == (data, active) {
                return;
            }
            changes.changed().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_tells_every_step_in_sparks_words() {
    let held = Held::start(None).await;
    held.says("Initializing sources", false, false).await;
    held.sink.add_permits(1);
    held.says("Getting offsets from Slow", false, true).await;
    held.source.add_permits(1);
    held.says("Processing new data", true, true).await;
    held.sink.add_permits(1);
    held.says("Getting offsets from Slow", false, true).await;
    held.source.add_permits(1);
    held.says("Getting offsets from Slow", false, true).await;
    held.query.stop().await.unwrap();
    held.says("Stopped", false, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_rows_leave_as_they_come_tells_less() {
    let second = || "1 second".to_string();
    let held = Held::start(Some(ProtoTrigger::RealTimeBatchDuration(second()))).await;
    held.says("Initializing sources", false, false).await;
    held.sink.add_permits(1);
    held.says("Getting offsets from Slow", false, true).await;
    held.source.add_permits(1);
    held.says("Processing new data", true, true).await;
    held.sink.add_permits(1);
    held.query.stop().await.unwrap();
    held.says("Stopped", false, false).await;

    let held = Held::start(Some(ProtoTrigger::ContinuousCheckpointInterval(second()))).await;
    held.sink.add_permits(2);
    held.says("Getting offsets from Slow", false, true).await;
    held.source.add_permits(1_000_000);
    held.says("Committing epoch 0", true, true).await;
    held.query.stop().await.unwrap();
}
