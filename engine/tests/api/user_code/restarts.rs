//! A query that is started again with a watermark, on a checkpoint from when it had none.

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{CreateDataFrameViewCommand, Deduplicate, Relation};
use tidebook_engine::{Session, StreamingQueryProgress};

use super::support::{Feed, Start, execute, relation, soon, sql, table, with_watermark};

/// A session with a stream, the views of it with and without a watermark, and one checkpoint.
struct Restarted {
    session: Session,
    feed: Feed,
    checkpoint: tempfile::TempDir,
}

impl Restarted {
    async fn new() -> Self {
        let session = Session::new().unwrap();
        let feed = Feed::new(&session, "events");
        let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(with_watermark(table("events"), "ts", "5 seconds")),
            name: "marked".into(),
            is_global: false,
            replace: true,
        });
        execute(&session, view).await.unwrap();
        Self {
            session,
            feed,
            checkpoint: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts `input` on the checkpoint, adds rows one after the other, and stops: the rows it
    /// emitted, sorted, and its last progress.
    async fn run(
        &self,
        input: Relation,
        mode: &str,
        data: &[(i64, &str, i64)],
    ) -> (Vec<String>, StreamingQueryProgress) {
        let mut start = Start::new("restarted", input, mode);
        start.checkpoint = self.checkpoint.path().to_str();
        let (query, emitted) = start.run(&self.session).await.unwrap();
        for row in data {
            self.feed.add(&[*row]);
            soon(query.process_all_available()).await.unwrap();
        }
        query.stop().await.unwrap();
        let mut emitted = emitted.take();
        emitted.sort();
        (emitted, query.last_progress().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_from_before_are_emitted_once_the_watermark_passes_them() {
    let restarted = Restarted::new().await;
    let counts = |view: &str| {
        sql(&format!(
            "SELECT window.start AS start, count(*) AS n FROM {view} GROUP BY window(ts, '10 seconds')"
        ))
    };
    let before = [(1, "a", 0), (4, "b", 0), (12, "c", 0)];
    let (emitted, progress) = restarted.run(counts("events"), "update", &before).await;
    assert_eq!(emitted.len(), 3, "{emitted:?}");
    assert_eq!(progress.state_operators[0].num_rows_total, 2);

    let after = [(30, "d", 0), (13, "late", 0)];
    let (emitted, progress) = restarted.run(counts("marked"), "append", &after).await;
    assert_eq!(
        emitted,
        ["1970-01-01T00:00:00Z 2", "1970-01-01T00:00:10Z 1"]
    );
    assert_eq!(progress.state_operators[0].num_rows_total, 1);

    let last = [(60, "e", 0)];
    let (emitted, progress) = restarted.run(counts("marked"), "append", &last).await;
    assert_eq!(emitted, ["1970-01-01T00:00:30Z 1"]);
    assert_eq!(progress.state_operators[0].num_rows_total, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_from_before_are_forgotten_once_the_watermark_passes_them() {
    let restarted = Restarted::new().await;
    let distinct = |view: &str| {
        relation(RelType::Deduplicate(Box::new(Deduplicate {
            input: Some(Box::new(sql(&format!("SELECT ts, user FROM {view}")))),
            column_names: vec!["user".into(), "ts".into()],
            ..Default::default()
        })))
    };
    let before = [(1, "a", 0), (2, "b", 0), (2, "b", 0)];
    let (emitted, progress) = restarted.run(distinct("events"), "append", &before).await;
    assert_eq!(emitted.len(), 2, "{emitted:?}");
    assert_eq!(progress.state_operators[0].num_rows_total, 2);

    let after = [(2, "b", 0), (30, "c", 0)];
    let (emitted, progress) = restarted.run(distinct("marked"), "append", &after).await;
    assert_eq!(emitted, ["1970-01-01T00:00:30Z c"]);
    assert_eq!(progress.state_operators[0].num_rows_total, 1);
}
