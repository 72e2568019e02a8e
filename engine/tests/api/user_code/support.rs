//! A session with a stream that is fed by hand, and queries whose rows are collected.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Command, Read, Relation, Sql, WithWatermark, WriteStreamOperationStart, read,
};
use tidebook_engine::{
    CommandOutput, Error, MemoryStream, Rows, Session, SqlOutput, StreamingQuery,
};

/// Nothing in these tests takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

pub(crate) fn sql(query: &str) -> Relation {
    relation(RelType::Sql(Sql {
        query: query.into(),
        ..Default::default()
    }))
}

pub(crate) fn table(name: &str) -> Relation {
    relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::NamedTable(read::NamedTable {
            unparsed_identifier: name.into(),
            ..Default::default()
        })),
    }))
}

pub(crate) fn with_watermark(input: Relation, column: &str, delay: &str) -> Relation {
    relation(RelType::WithWatermark(Box::new(WithWatermark {
        input: Some(Box::new(input)),
        event_time: column.into(),
        delay_threshold: delay.into(),
    })))
}

/// The rows of a batch query, one text per row.
pub(crate) async fn select(session: &Session, query: &str) -> Vec<String> {
    lines(&try_select(session, query).await.unwrap())
}

pub(crate) async fn try_select(session: &Session, query: &str) -> Result<Rows, Error> {
    match session.sql(query).await? {
        SqlOutput::Rows(rows) => Ok(rows),
        SqlOutput::Done(done) => panic!("{done}"),
    }
}

pub(crate) fn lines(rows: &Rows) -> Vec<String> {
    rows.batches.iter().flat_map(batch_lines).collect()
}

pub(crate) fn batch_lines(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let values = columns.iter().map(|column| column.value(row).to_string());
            values.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// A stream `name` of (ts TIMESTAMP, user STRING, n BIGINT); `ts` counts in seconds.
pub(crate) struct Feed(MemoryStream);

impl Feed {
    pub(crate) fn new(session: &Session, name: &str) -> Self {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("ts", time, true),
            Field::new("user", DataType::Utf8, true),
            Field::new("n", DataType::Int64, true),
        ]));
        Self(session.memory_stream(name, schema).unwrap())
    }

    pub(crate) fn add(&self, rows: &[(i64, &str, i64)]) {
        let times = rows.iter().map(|row| row.0 * 1_000_000);
        let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(times),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        ];
        let schema = Arc::clone(self.0.schema());
        let rows = RecordBatch::try_new(schema, columns).unwrap();
        self.0.add_data(rows).unwrap();
    }
}

/// The rows of a query, in the order they were emitted.
#[derive(Clone, Default)]
pub(crate) struct Collected(Arc<Mutex<Vec<String>>>);

impl Collected {
    /// What came since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// How a query is started.
pub(crate) struct Start<'a> {
    pub input: Relation,
    pub mode: &'a str,
    pub name: &'a str,
    pub checkpoint: Option<&'a str>,
}

impl<'a> Start<'a> {
    pub(crate) fn new(name: &'a str, input: Relation, mode: &'a str) -> Self {
        Self {
            input,
            mode,
            name,
            checkpoint: None,
        }
    }

    pub(crate) async fn run(self, session: &Session) -> Result<(StreamingQuery, Collected), Error> {
        let collected = Collected::default();
        let taking = collected.clone();
        let take = move |_: i64, _: SchemaRef, batches: Vec<RecordBatch>| {
            let rows = batches.iter().flat_map(batch_lines);
            taking.0.lock().unwrap().extend(rows);
            Ok(())
        };
        session.register_foreach_batch(self.name, Arc::new(take));
        let mut options = vec![("callback".to_string(), self.name.to_string())];
        options.extend(
            self.checkpoint
                .map(|checkpoint| ("checkpointLocation".to_string(), checkpoint.to_string())),
        );
        let query = start(
            session,
            WriteStreamOperationStart {
                input: Some(self.input),
                format: "foreachBatch".into(),
                options: options.into_iter().collect(),
                output_mode: self.mode.into(),
                query_name: self.name.into(),
                ..Default::default()
            },
        );
        Ok((query.await?, collected))
    }
}

pub(crate) async fn start(
    session: &Session,
    start: WriteStreamOperationStart,
) -> Result<StreamingQuery, Error> {
    let command = CommandType::WriteStreamOperationStart(start);
    match execute(session, command).await? {
        CommandOutput::Query(query) => Ok(query),
        other => panic!("not a query: {other:?}"),
    }
}

pub(crate) async fn execute(
    session: &Session,
    command: CommandType,
) -> Result<CommandOutput, Error> {
    let command = Command {
        command_type: Some(command),
    };
    session.execute(&command).await
}

/// Fails the test instead of letting it hang.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it hangs")
}
