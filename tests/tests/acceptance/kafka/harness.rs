//! A session beside a Kafka cluster.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use acceptance::frame::of;
use acceptance::kafka::Kafka;
use serde_json::Value;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, WriteStreamOperationStart, read,
};
use tidebook_engine::{
    CommandOutput, Error, FaultHook, Session, SqlOutput, StreamingQuery, StreamingQueryProgress,
    json_rows,
};

/// A session, a cluster, and a folder.
pub(super) struct Engine {
    pub session: Session,
    pub kafka: Kafka,
    pub folder: tempfile::TempDir,
    collected: Arc<Mutex<Vec<Value>>>,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    pub id: i64,
    pub rows: i64,
    pub start: Value,
    pub end: Value,
}

/// How to start a query.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub trigger: Option<&'a str>,
    pub sink: &'a str,
    pub mode: &'a str,
    pub checkpoint: Option<&'a str>,
    pub options: &'a [(&'a str, &'a str)],
}

impl Default for Start<'_> {
    fn default() -> Self {
        Self {
            trigger: Some("available-now"),
            sink: "foreachBatch",
            mode: "append",
            checkpoint: None,
            options: &[],
        }
    }
}

pub(super) const EARLIEST: (&str, &str) = ("startingOffsets", "earliest");

impl Engine {
    pub(super) fn new(address: &str) -> Self {
        Self::with_fault(address, None)
    }

    /// Whose queries end where `fault` says so.
    pub(super) fn with_fault(address: &str, fault: Option<FaultHook>) -> Self {
        let builder = Session::builder().partitions(2);
        let builder = match fault {
            Some(fault) => builder.fault_hook(fault),
            None => builder,
        };
        let session = builder.build().unwrap();
        let collected = Arc::new(Mutex::new(Vec::new()));
        let taking = Arc::clone(&collected);
        session.register_foreach_batch(
            "collect",
            Arc::new(move |_, _, batches: Vec<arrow::array::RecordBatch>| {
                for batch in &batches {
                    taking.lock().unwrap().extend(json_rows(batch)?);
                }
                Ok(())
            }),
        );
        Self {
            session,
            kafka: Kafka::new(address).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            collected,
        }
    }

    /// A stream, or a table, of Kafka with these options.
    pub(super) fn source(&self, is_streaming: bool, options: &[(&str, &str)]) -> Relation {
        let mut all = map(options);
        let servers = all.entry("kafka.bootstrap.servers".to_owned());
        servers.or_insert_with(|| self.kafka.address().to_owned());
        source(is_streaming, None, all)
    }

    /// A stream under a name, for SQL.
    pub(super) async fn define(&self, name: &str, options: &[(&str, &str)]) -> Result<(), Error> {
        let stream = self.source(true, options);
        self.view(name, stream).await
    }

    pub(super) async fn view(&self, name: &str, relation: Relation) -> Result<(), Error> {
        let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(relation),
            name: name.to_owned(),
            is_global: false,
            replace: true,
        });
        self.session.execute(&command(view)).await.map(drop)
    }

    pub(super) async fn start(
        &self,
        input: Relation,
        start: Start<'_>,
    ) -> Result<StreamingQuery, Error> {
        let mut options = map(start.options);
        if let Some(checkpoint) = start.checkpoint {
            let path = self.path(checkpoint);
            options.insert("checkpointLocation".into(), path);
        }
        match start.sink {
            "foreachBatch" => drop(options.insert("callback".into(), "collect".into())),
            "kafka" => {
                let servers = options.entry("kafka.bootstrap.servers".into());
                servers.or_insert_with(|| self.kafka.address().to_owned());
            }
            _ => {}
        }
        let trigger = match start.trigger {
            Some("once") => Some(Trigger::Once(true)),
            Some(_) => Some(Trigger::AvailableNow(true)),
            None => None,
        };
        let command = command(CommandType::WriteStreamOperationStart(
            WriteStreamOperationStart {
                input: Some(input),
                format: start.sink.to_owned(),
                options,
                output_mode: start.mode.to_owned(),
                trigger,
                sink_destination: None::<SinkDestination>,
                ..WriteStreamOperationStart::default()
            },
        ));
        match self.session.execute(&command).await? {
            CommandOutput::Query(query) => Ok(query),
            other => panic!("a query was started, not {other:?}"),
        }
    }

    /// Runs a query to its end; what its batches did.
    pub(super) async fn run(&self, input: Relation, start: Start<'_>) -> Result<Vec<Batch>, Error> {
        let query = self.start(input, start).await?;
        query.await_termination(None).await?;
        Ok(batches(&query))
    }

    /// Reads all there is of a stream with these options.
    pub(super) async fn drain(
        &self,
        options: &[(&str, &str)],
        checkpoint: Option<&str>,
    ) -> Result<Vec<Batch>, Error> {
        let start = Start {
            checkpoint,
            ..Start::default()
        };
        self.run(self.source(true, options), start).await
    }

    /// The rows that were read since the last call.
    pub(super) fn collected(&self) -> Vec<Value> {
        std::mem::take(&mut *self.collected.lock().unwrap())
    }

    /// The rows of a batch query.
    pub(super) async fn sql(&self, text: &str) -> Result<Vec<Value>, Error> {
        match self.session.sql(text).await? {
            SqlOutput::Rows(rows) => {
                let rows = rows.batches.iter().map(json_rows);
                Ok(rows.collect::<Result<Vec<_>, _>>()?.concat())
            }
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A file of a checkpoint.
    pub(super) fn file(&self, name: &str) -> Vec<u8> {
        let path = Path::new(&self.path(name)).to_owned();
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

pub(super) fn source(
    is_streaming: bool,
    schema: Option<&str>,
    options: HashMap<String, String>,
) -> Relation {
    of(RelType::Read(Read {
        is_streaming,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("kafka".to_owned()),
            schema: schema.map(str::to_owned),
            options,
            ..read::DataSource::default()
        })),
    }))
}

pub(super) fn sql(query: &str) -> Relation {
    of(RelType::Sql(Sql {
        query: query.to_owned(),
        ..Sql::default()
    }))
}

pub(super) fn map(options: &[(&str, &str)]) -> HashMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    options.iter().map(owned).collect()
}

fn command(kind: CommandType) -> Command {
    Command {
        command_type: Some(kind),
    }
}

/// What the batches of a query did; what it says while it is idle is left out.
pub(super) fn batches(query: &StreamingQuery) -> Vec<Batch> {
    let progress = query.recent_progress();
    let ran = |progress: &&StreamingQueryProgress| progress.duration_ms.contains_key("addBatch");
    let ran = progress.iter().filter(ran);
    ran.map(|progress| {
        let source = &progress.sources[0];
        Batch {
            id: progress.batch_id,
            rows: progress.num_input_rows,
            start: source.start_offset.clone(),
            end: source.end_offset.clone(),
        }
    })
    .collect()
}

/// Waits until a query's batches have read so many rows.
pub(super) async fn until_rows(query: &StreamingQuery, rows: i64) {
    until(query, |query| {
        batches(query).iter().map(|batch| batch.rows).sum::<i64>() >= rows
    })
    .await;
}

/// Waits until it is so; fails if the query ends before.
pub(super) async fn until(query: &StreamingQuery, is_so: impl Fn(&StreamingQuery) -> bool) {
    let mut changes = query.watch();
    while !is_so(query) {
        if let Some(error) = query.exception() {
            panic!("{error}");
        }
        changes.changed().await.unwrap();
    }
}
