//! Triggers whose rows leave as they come: continuous and real-time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    CreateDataFrameViewCommand, Read, Relation, WriteStreamOperationStart, read,
};
use tidebook_engine::{
    Error, FaultPoint, ForeachWriter, Session, StreamingQuery, StreamingQueryProgress,
};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::user_code::support::{
    Feed, batch_lines, execute, relation, soon, sql, start, table, with_watermark,
};

pub(super) const SECOND: &str = "1 second";

pub(super) fn continuous(interval: &str) -> Option<Trigger> {
    Some(Trigger::ContinuousCheckpointInterval(interval.into()))
}

pub(super) fn real_time(duration: &str) -> Option<Trigger> {
    Some(Trigger::RealTimeBatchDuration(duration.into()))
}

/// Rows of a query with the number of their batch, in the order in which they were shown.
type Shown = Arc<Mutex<Vec<(i64, String)>>>;

/// A stream that is fed by hand, a clock that is moved by hand, and one checkpoint.
pub(super) struct Lesson {
    pub(super) session: Session,
    feed: Feed,
    pub(super) checkpoint: tempfile::TempDir,
    shown: Shown,
    fault: Arc<Mutex<Option<FaultPoint>>>,
}

impl Lesson {
    pub(super) async fn new() -> Self {
        let fault: Arc<Mutex<Option<FaultPoint>>> = Arc::default();
        let armed = Arc::clone(&fault);
        let session = Session::builder()
            .fault_hook(Arc::new(move |point, _| {
                match *armed.lock().unwrap() == Some(point) {
                    true => Err(Error::runtime("crash")),
                    false => Ok(()),
                }
            }))
            .build()
            .unwrap();
        let feed = Feed::new(&session, "events");
        let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(with_watermark(table("events"), "ts", "5 seconds")),
            name: "marked".into(),
            is_global: false,
            replace: true,
        });
        execute(&session, view).await.unwrap();
        let shown = Shown::default();
        let taking = Arc::clone(&shown);
        let take = move |batch: i64, _: SchemaRef, batches: Vec<RecordBatch>| {
            let rows = batches.iter().flat_map(batch_lines);
            let mut shown = taking.lock().unwrap();
            shown.extend(rows.map(|row| (batch, row)));
            Ok(())
        };
        session.register_foreach_batch("take", Arc::new(take));
        Self {
            session,
            feed,
            checkpoint: tempfile::tempdir().unwrap(),
            shown,
            fault,
        }
    }

    pub(super) async fn start(
        &self,
        query: &str,
        mode: &str,
        trigger: Option<Trigger>,
    ) -> Result<StreamingQuery, Error> {
        let options = [
            ("callback", "take"),
            ("clock", "manual"),
            (
                "checkpointLocation",
                self.checkpoint.path().to_str().unwrap(),
            ),
        ];
        let options = options.map(|(key, value)| (key.to_string(), value.to_string()));
        let command = WriteStreamOperationStart {
            input: Some(sql(query)),
            format: "foreach".into(),
            options: options.into(),
            output_mode: mode.into(),
            query_name: "lesson".into(),
            trigger,
            ..Default::default()
        };
        start(&self.session, command).await
    }

    /// Feeds rows and waits until the query has read them: what it has shown meanwhile.
    async fn rows(&self, query: &StreamingQuery, rows: &[(i64, &str, i64)]) -> Vec<(i64, String)> {
        self.feed.add(rows);
        // A query that fails is one of the things to see.
        let _ = soon(query.process_all_available()).await;
        self.take()
    }

    fn take(&self) -> Vec<(i64, String)> {
        std::mem::take(&mut *self.shown.lock().unwrap())
    }

    /// Lets a second pass, which ends the batch.
    async fn a_second_later(&self) {
        let now = self.session.manual_clock_ms();
        soon(self.session.set_manual_clock(now + 1000))
            .await
            .unwrap();
    }

    /// How many batches are in the offset log and in the commit log.
    fn logged(&self) -> (usize, usize) {
        let count = |log: &str| {
            let entries = std::fs::read_dir(self.checkpoint.path().join(log));
            let entries = entries.into_iter().flatten().flatten();
            entries
                .filter(|entry| entry.file_name().to_str().unwrap().parse::<i64>().is_ok())
                .count()
        };
        (count("offsets"), count("commits"))
    }
}

fn told(rows: &[(i64, &str)]) -> Vec<(i64, String)> {
    rows.iter()
        .map(|(at, row)| (*at, row.to_string()))
        .collect()
}

fn batches(query: &StreamingQuery) -> Vec<(i64, i64)> {
    let one = |progress: &StreamingQueryProgress| (progress.batch_id, progress.num_input_rows);
    query.recent_progress().iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_leave_at_once_and_are_committed_at_the_interval() {
    for trigger in [continuous(SECOND), real_time(SECOND)] {
        let lesson = Lesson::new().await;
        let query = "SELECT user, n FROM events WHERE n > 1";
        let query = lesson
            .start(query, "append", trigger.clone())
            .await
            .unwrap();
        let shown = lesson.rows(&query, &[(1, "a", 1), (1, "b", 2)]).await;
        assert_eq!(shown, told(&[(0, "b 2")]));
        let shown = lesson.rows(&query, &[(1, "c", 3)]).await;
        assert_eq!(shown, told(&[(0, "c 3")]));
        assert_eq!((lesson.logged(), batches(&query)), ((0, 0), vec![]));
        lesson.a_second_later().await;
        assert_eq!(lesson.logged(), (1, 1));
        assert_eq!(batches(&query), [(0, 3)]);
        let progress = query.last_progress().unwrap();
        assert_eq!(progress.sink.num_output_rows, 2);
        assert_eq!(progress.sources[0].end_offset, serde_json::json!(1));
        if matches!(trigger, Some(Trigger::ContinuousCheckpointInterval(_))) {
            assert_eq!(query.status().message, "Committing epoch 0");
        }
        // A batch without rows is one as well.
        lesson.a_second_later().await;
        let shown = lesson.rows(&query, &[(1, "d", 4)]).await;
        assert_eq!(shown, told(&[(2, "d 4")]));
        lesson.a_second_later().await;
        assert_eq!(batches(&query), [(0, 3), (1, 0), (2, 1)]);
        assert_eq!(lesson.logged(), (3, 3));
        soon(query.stop()).await.unwrap();
        assert_eq!(
            lesson.logged(),
            (3, 3),
            "{trigger:?}: there was nothing to commit"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_close_within_a_batch_and_only_once() {
    let lesson = Lesson::new().await;
    let counts = "SELECT second(window.start) AS s, count(*) AS n FROM marked \
                  GROUP BY window(ts, '10 seconds')";
    let query = lesson
        .start(counts, "append", real_time(SECOND))
        .await
        .unwrap();
    assert!(
        lesson
            .rows(&query, &[(1, "a", 0), (2, "a", 0)])
            .await
            .is_empty()
    );
    let shown = lesson.rows(&query, &[(15, "a", 0)]).await;
    assert_eq!(shown, told(&[(0, "0 2")]), "the watermark is 10 s");
    assert!(lesson.rows(&query, &[(3, "late", 0)]).await.is_empty());
    lesson.a_second_later().await;
    let progress = query.last_progress().unwrap();
    assert_eq!(progress.num_input_rows, 4);
    let operator = &progress.state_operators[0];
    assert_eq!((operator.num_rows_total, operator.num_rows_removed), (1, 1));
    assert_eq!(operator.num_rows_dropped_by_watermark, 1);
    // What was closed before a restart is not opened again.
    soon(query.stop()).await.unwrap();
    let query = lesson
        .start(counts, "append", real_time(SECOND))
        .await
        .unwrap();
    assert!(lesson.rows(&query, &[(4, "late", 0)]).await.is_empty());
    let shown = lesson.rows(&query, &[(60, "a", 0)]).await;
    assert_eq!(shown, told(&[(1, "10 1")]));
    soon(query.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn update_and_complete_show_every_change() {
    for (mode, second) in [
        ("update", vec![(0, "a 2")]),
        ("complete", vec![(0, "a 2"), (0, "b 1")]),
    ] {
        let lesson = Lesson::new().await;
        let counts = "SELECT user, count(*) AS n FROM events GROUP BY user";
        let query = lesson.start(counts, mode, real_time(SECOND)).await.unwrap();
        let mut shown = lesson.rows(&query, &[(1, "a", 1), (1, "b", 1)]).await;
        shown.sort();
        assert_eq!(shown, told(&[(0, "a 1"), (0, "b 1")]));
        let mut shown = lesson.rows(&query, &[(1, "a", 1)]).await;
        shown.sort();
        assert_eq!(shown, told(&second), "{mode}");
        soon(query.stop()).await.unwrap();
    }
}

/// A second user's rows in the place of a crash: nothing is lost, nothing is counted twice, and only
/// what was shown since the last commit may show again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_it_goes_on_from_the_last_commit() {
    let points = [
        FaultPoint::SourcesAsked,
        FaultPoint::SinkDone,
        FaultPoint::OffsetsLogged,
        FaultPoint::StateCommitted,
        FaultPoint::CommitLogged,
        FaultPoint::SinkCommitted,
    ];
    for point in points {
        let lesson = Lesson::new().await;
        let counts = "SELECT user, count(*) AS n FROM events GROUP BY user";
        let begin = || lesson.start(counts, "update", real_time(SECOND));
        let query = begin().await.unwrap();
        let mut shown = lesson.rows(&query, &[(1, "a", 1)]).await;
        lesson.a_second_later().await;
        shown.extend(lesson.rows(&query, &[(1, "a", 1)]).await);
        *lesson.fault.lock().unwrap() = Some(point);
        shown.extend(lesson.rows(&query, &[(1, "b", 1)]).await);
        lesson.a_second_later().await;
        let error = soon(query.await_termination(None)).await.unwrap_err();
        assert!(error.message().contains("crash"), "{point:?}: {error}");
        *lesson.fault.lock().unwrap() = None;
        let query = begin().await.unwrap();
        shown.extend(lesson.rows(&query, &[(1, "a", 1), (1, "b", 1)]).await);
        soon(query.stop()).await.unwrap();
        shown.extend(lesson.take());
        let rows = shown.iter().map(|(_, row)| row.as_str());
        let rows: BTreeMap<_, _> = rows.map(|row| row.split_at(1)).collect();
        let last = BTreeMap::from([("a", " 3"), ("b", " 2")]);
        assert_eq!(rows, last, "{point:?}: {shown:?}");
        let firsts = shown.iter().filter(|(_, row)| row == "a 1").count();
        assert_eq!(firsts, 1, "{point:?}: it was committed: {shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_goes_from_trigger_to_trigger() {
    let lesson = Lesson::new().await;
    let query = "SELECT user FROM events";
    let triggers = [
        None,
        continuous(SECOND),
        None,
        real_time(SECOND),
        continuous(SECOND),
    ];
    for (batch, trigger) in triggers.into_iter().enumerate() {
        let query = lesson.start(query, "append", trigger).await.unwrap();
        let shown = lesson.rows(&query, &[(1, "a", batch as i64)]).await;
        // A query that is stopped commits what it has shown: none of it comes again.
        assert_eq!(shown, told(&[(batch as i64, "a")]));
        soon(query.stop()).await.unwrap();
    }
    assert_eq!(lesson.logged(), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_in_a_row_ends_the_query() {
    for trigger in [continuous(SECOND), real_time(SECOND)] {
        let lesson = Lesson::new().await;
        let query = lesson.start("SELECT 6 / n AS r FROM events", "append", trigger);
        let query = query.await.unwrap();
        let shown = lesson.rows(&query, &[(1, "a", 2)]).await;
        assert_eq!(shown, told(&[(0, "3.0")]));
        assert!(lesson.rows(&query, &[(1, "a", 0)]).await.is_empty());
        let error = soon(query.await_termination(None)).await.unwrap_err();
        assert_eq!(error.condition(), Some("DIVIDE_BY_ZERO"), "{error}");
        assert_eq!(lesson.logged(), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interval_of_nothing_commits_whenever_rows_have_left() {
    let lesson = Lesson::new().await;
    let query = "SELECT user FROM events";
    let query = lesson.start(query, "append", continuous("0 seconds")).await;
    let query = query.unwrap();
    for batch in 0..3 {
        let shown = lesson.rows(&query, &[(1, "a", 1)]).await;
        assert_eq!(shown, told(&[(batch, "a")]));
    }
    assert_eq!(batches(&query), [(0, 1), (1, 1), (2, 1)]);
    soon(query.stop()).await.unwrap();
}

/// Tells of every call.
struct Teller(mpsc::UnboundedSender<String>);

impl ForeachWriter for Teller {
    fn open(&mut self, partition_id: i64, epoch_id: i64) -> Result<bool, Error> {
        let _ = self.0.send(format!("open {partition_id} {epoch_id}"));
        Ok(true)
    }

    fn process(&mut self, rows: &RecordBatch, row: usize) -> Result<(), Error> {
        let text = rows.column(0).as_string::<i32>().value(row).to_string();
        let _ = self.0.send(text);
        Ok(())
    }

    fn close(&mut self, _: Option<&Error>) {}
}

/// The batch lasts an hour: whatever is seen was not waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_a_socket_is_there_before_the_batch_is_over() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let lines: Relation = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("socket".into()),
            options: [("host", "127.0.0.1"), ("port", port.as_str())]
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .into(),
            ..Default::default()
        })),
    }));
    let (tell, mut told) = mpsc::unbounded_channel();
    let session = Session::new().unwrap();
    let make = move || Box::new(Teller(tell.clone())) as Box<dyn ForeachWriter>;
    session.register_foreach("tell", Arc::new(make));
    let command = WriteStreamOperationStart {
        input: Some(lines),
        format: "foreach".into(),
        options: [("callback".to_string(), "tell".to_string())].into(),
        query_name: "lines".into(),
        trigger: real_time("1 hour"),
        ..Default::default()
    };
    let query = start(&session, command).await.unwrap();
    let (mut connection, _) = soon(server.accept()).await.unwrap();
    let mut parts = Vec::new();
    for line in ["a", "b"] {
        connection
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        parts.push(soon(told.recv()).await.unwrap());
        assert_eq!(soon(told.recv()).await.unwrap(), line);
    }
    // One epoch, and a partition for what came together.
    assert!(parts.iter().all(|part| part.ends_with(" 0")), "{parts:?}");
    assert_ne!(parts[0], parts[1]);
    assert!(query.last_progress().is_none());
    soon(query.stop()).await.unwrap();
    assert_eq!(query.last_progress().unwrap().num_input_rows, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_although_nothing_comes() {
    let session = Session::new().unwrap();
    let rate = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("rate".into()),
            ..Default::default()
        })),
    }));
    for trigger in [continuous("1 hour"), real_time("1 hour")] {
        let command = WriteStreamOperationStart {
            input: Some(rate.clone()),
            format: "noop".into(),
            trigger,
            ..Default::default()
        };
        let query = start(&session, command).await.unwrap();
        soon(query.stop()).await.unwrap();
        assert!(!query.is_active());
    }
}
