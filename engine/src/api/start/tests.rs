//! What a sink is told, and when: a sink that writes down its calls.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt as _;
use parking_lot::Mutex;

use super::*;
use crate::connect::proto::relation::RelType;
use crate::connect::proto::{Relation, Sql};
use crate::sinks::Sink;
use crate::sources::MemoryStream;

/// Where it fails, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fails {
    Never,
    Opening,
    Adding(i64),
    Committing(i64),
}

#[derive(Debug, Clone)]
struct Spy {
    calls: Arc<Mutex<Vec<String>>>,
    commits: PathBuf,
    fails: Fails,
}

impl Spy {
    fn note(&self, call: impl Into<String>, fails: Fails) -> Result<()> {
        self.calls.lock().push(call.into());
        match fails == self.fails {
            true => Err(Error::runtime("the sink fails")),
            false => Ok(()),
        }
    }

    /// Whether the batch is in the commit log by now.
    fn logged(&self, batch_id: i64) -> &'static str {
        match self.commits.join(batch_id.to_string()).exists() {
            true => "logged",
            false => "not logged",
        }
    }
}

#[async_trait]
impl Sink for Spy {
    fn description(&self) -> String {
        "Spy".to_string()
    }

    async fn open(&self, _: Uuid, _: Uuid) -> Result<()> {
        self.note("open", Fails::Opening)
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let batches: Vec<RecordBatch> = rows
            .try_collect()
            .await
            .map_err(crate::error::from_datafusion)?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let logged = self.logged(batch_id);
        self.note(
            format!("add {batch_id}: {rows} rows, {logged}"),
            Fails::Adding(batch_id),
        )?;
        Ok(Some(rows as i64))
    }

    async fn commit(&self, batch_id: i64) -> Result<()> {
        let call = format!("commit {batch_id}, {}", self.logged(batch_id));
        self.note(call, Fails::Committing(batch_id))
    }

    async fn abort(&self, batch_id: i64) {
        let call = format!("abort {batch_id}, {}", self.logged(batch_id));
        self.calls.lock().push(call);
    }

    async fn close(&self) {
        self.calls.lock().push("close".to_string());
    }
}

/// A stream of numbers and a checkpoint, for several runs.
struct Lesson {
    session: Session,
    stream: MemoryStream,
    folder: TempDir,
}

impl Lesson {
    fn new() -> Self {
        let session = Session::new().unwrap();
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
        let stream = session.memory_stream("numbers", Arc::new(schema)).unwrap();
        Self {
            session,
            stream,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn add(&self, numbers: &[i64]) {
        let column = Arc::new(Int64Array::from(numbers.to_vec()));
        let rows = RecordBatch::try_new(Arc::clone(self.stream.schema()), vec![column]);
        self.stream.add_data(rows.unwrap()).unwrap();
    }

    async fn start(&self, sql: &str, fails: Fails) -> (Result<StreamingQuery>, Spy) {
        let spy = Spy {
            calls: Arc::default(),
            commits: self.folder.path().join("commits"),
            fails,
        };
        let checkpoint = self.folder.path().display().to_string();
        let sql = Sql {
            query: sql.into(),
            ..Default::default()
        };
        let start = WriteStreamOperationStart {
            input: Some(Relation {
                common: None,
                rel_type: Some(RelType::Sql(sql)),
            }),
            format: "noop".into(),
            output_mode: "update".into(),
            options: [("checkpointLocation".to_string(), checkpoint)].into(),
            ..Default::default()
        };
        let started = Start {
            session: &self.session,
            start: &start,
            name: None,
        };
        let given = spy.clone();
        let query = started.run_into(|_| Ok(given.into())).await;
        (query, spy)
    }

    /// Runs until there is nothing more to do or the sink fails; the calls.
    async fn calls(&self, sql: &str, fails: Fails) -> Vec<String> {
        let (query, spy) = self.start(sql, fails).await;
        let query = query.unwrap();
        let processed = query.process_all_available().await;
        assert_eq!(processed.is_ok(), fails == Fails::Never, "{processed:?}");
        // It has failed by now; that it is told again here is not the matter.
        let _ = query.stop().await;
        spy.calls.lock().clone()
    }
}

const SELECT: &str = "SELECT n FROM numbers";
const COUNT: &str = "SELECT n, count(*) AS c FROM numbers GROUP BY n";

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_committed_after_it_is_logged_and_a_run_is_closed() {
    let lesson = Lesson::new();
    lesson.add(&[1, 2]);
    let calls = lesson.calls(SELECT, Fails::Never).await;
    assert_eq!(
        calls,
        [
            "open",
            "add 0: 2 rows, not logged",
            "commit 0, logged",
            "close"
        ]
    );
    lesson.add(&[3]);
    let calls = lesson.calls(SELECT, Fails::Never).await;
    assert_eq!(
        calls,
        [
            "open",
            "add 1: 1 rows, not logged",
            "commit 1, logged",
            "close"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_is_aborted_and_comes_again() {
    let lesson = Lesson::new();
    lesson.add(&[1]);
    let calls = lesson.calls(COUNT, Fails::Adding(0)).await;
    assert_eq!(
        calls,
        [
            "open",
            "add 0: 1 rows, not logged",
            "abort 0, not logged",
            "close"
        ]
    );
    let calls = lesson.calls(COUNT, Fails::Never).await;
    assert_eq!(
        calls,
        [
            "open",
            "add 0: 1 rows, not logged",
            "commit 0, logged",
            "close"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_logged_is_aborted() {
    let lesson = Lesson::new();
    for (folder, sql) in [("commits", SELECT), ("state", COUNT)] {
        let lesson = Lesson {
            folder: tempfile::tempdir().unwrap(),
            session: lesson.session.clone(),
            stream: lesson.stream.clone(),
        };
        lesson.add(&[1]);
        let (query, spy) = lesson.start(sql, Fails::Never).await;
        let query = query.unwrap();
        query.process_all_available().await.unwrap();
        // A file in its place: the next batch cannot be written.
        let path = lesson.folder.path().join(folder);
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        spy.calls.lock().clear();
        lesson.add(&[2]);
        query.process_all_available().await.unwrap_err();
        let calls = spy.calls.lock().clone();
        assert_eq!(
            calls,
            ["add 1: 1 rows, not logged", "abort 1, not logged", "close"],
            "{folder}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_logged_is_not_aborted() {
    let lesson = Lesson::new();
    lesson.add(&[1]);
    let calls = lesson.calls(SELECT, Fails::Committing(0)).await;
    assert_eq!(
        calls,
        [
            "open",
            "add 0: 1 rows, not logged",
            "commit 0, logged",
            "close"
        ]
    );
    // It is for `open` to settle what the sink has not heard to the end.
    let calls = lesson.calls(SELECT, Fails::Never).await;
    assert_eq!(calls, ["open", "close"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_sink_does_not_open_is_closed() {
    let lesson = Lesson::new();
    lesson.add(&[1]);
    let calls = lesson.calls(SELECT, Fails::Opening).await;
    assert_eq!(calls, ["open", "close"]);
    assert!(!lesson.folder.path().join("offsets").exists());
}

/// The lines of `offsets/N` behind the settings.
fn logged(lesson: &Lesson, batch_id: i64) -> Vec<String> {
    let path = lesson.folder.path().join(format!("offsets/{batch_id}"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(2).map(str::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_read_twice_is_one_source_with_two_lines_in_the_log() {
    for sql in [
        "SELECT a.n FROM numbers a JOIN numbers b ON a.n = b.n",
        "SELECT n FROM numbers UNION ALL SELECT n + 1 FROM numbers WHERE n > 0",
        "WITH c AS (SELECT n FROM numbers) SELECT n FROM c UNION ALL SELECT n FROM c",
    ] {
        let lesson = Lesson::new();
        for (batch_id, numbers) in [[1, 2], [3, 4]].iter().enumerate() {
            lesson.add(numbers);
            let (query, _) = lesson.start(sql, Fails::Never).await;
            let query = query.unwrap();
            query.process_all_available().await.unwrap();
            let progress = query.last_progress().unwrap();
            let sources: Vec<i64> = progress.sources.iter().map(|s| s.num_input_rows).collect();
            assert_eq!(
                (progress.batch_id, sources),
                (batch_id as i64, vec![4]),
                "{sql}"
            );
            let lines = logged(&lesson, batch_id as i64);
            assert_eq!(lines.len(), 2, "{sql}");
            assert_eq!(lines[0], lines[1], "{sql}");
            query.stop().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_read_a_stream_apart_does_not_go_on_together() {
    const UNION: &str = "SELECT n FROM numbers UNION ALL SELECT n FROM numbers";
    let lesson = Lesson::new();
    lesson.add(&[1]);
    lesson.calls(UNION, Fails::Never).await;
    let path = lesson.folder.path().join("offsets/0");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // As Spark writes it for a name in WITH that is read twice: one line.
    std::fs::write(&path, lines[..3].join("\n")).unwrap();
    lesson.add(&[2]);
    let calls = lesson.calls(UNION, Fails::Never).await;
    assert_eq!(calls[1], "add 1: 2 rows, not logged");
    let path = lesson.folder.path().join("offsets/1");
    let apart = format!("{}\n{}\n9", lines[0], lines[1..3].join("\n"));
    std::fs::write(&path, apart).unwrap();
    let error = lesson.start(UNION, Fails::Never).await.0.unwrap_err();
    assert!(error.message().contains("different ends"), "{error}");
}
