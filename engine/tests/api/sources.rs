//! Streams of numbers and of lines: where their batches begin and end, and what a restart finds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidebook_engine::clock::ManualClock;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    CreateDataFrameViewCommand, Read, Relation, WriteStreamOperationStart, read,
};
use tidebook_engine::{Error, Session, StreamingQueryProgress};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::user_code::support::{Start, execute, relation, soon, sql, start, try_select};

/// `read_stream().format(…).options(…).load()`, or `read()`.
fn source(is_streaming: bool, format: &str, options: &[(&str, &str)]) -> Relation {
    relation(RelType::Read(Read {
        is_streaming,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some(format.into()),
            options: owned(options),
            ..Default::default()
        })),
    }))
}

fn owned(options: &[(&str, &str)]) -> std::collections::HashMap<String, String> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    options.iter().map(owned).collect()
}

async fn view(session: &Session, name: &str, input: Relation) -> Result<(), Error> {
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(input),
        name: name.into(),
        is_global: false,
        replace: true,
    });
    execute(session, view).await.map(drop)
}

/// Reads what there is of a stream, with a checkpoint.
async fn read(
    session: &Session,
    stream: &str,
    checkpoint: &tempfile::TempDir,
    trigger: Trigger,
) -> Vec<StreamingQueryProgress> {
    let checkpoint = checkpoint.path().to_str().unwrap();
    let command = WriteStreamOperationStart {
        input: Some(sql(&format!("SELECT * FROM {stream}"))),
        format: "noop".into(),
        options: owned(&[("checkpointLocation", checkpoint)]),
        trigger: Some(trigger),
        ..Default::default()
    };
    let query = start(session, command).await.unwrap();
    soon(query.await_termination(None)).await.unwrap();
    query.recent_progress()
}

const AVAILABLE_NOW: Trigger = Trigger::AvailableNow(true);

/// Batch, start, end, latest offset and rows.
fn seen(progress: &StreamingQueryProgress) -> (i64, Value, Value, Value, i64) {
    let source = &progress.sources[0];
    (
        progress.batch_id,
        source.start_offset.clone(),
        source.end_offset.clone(),
        source.latest_offset.clone(),
        progress.num_input_rows,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seconds_since_the_first_start_are_offsets() {
    const BEGIN: i64 = 1_796_034_118_013;
    let clock = ManualClock::new(BEGIN);
    let session = Session::builder().clock(Arc::new(clock.clone()));
    let session = session.build().unwrap();
    let checkpoint = tempfile::tempdir().unwrap();
    let options = [("rowsPerSecond", "5"), ("numPartitions", "2")];
    let rate = source(true, "rate", &options);
    view(&session, "numbers", rate).await.unwrap();
    let run = async |trigger| read(&session, "numbers", &checkpoint, trigger).await;
    // One batch with what the clock says, and that is nothing when a query begins.
    let first = run(AVAILABLE_NOW).await;
    assert_eq!(first.len(), 1);
    assert_eq!(seen(&first[0]), (0, Value::Null, json!(0), json!(0), 0));
    let description = "RateStreamV2[rowsPerSecond=5, rampUpTimeSeconds=0, numPartitions=2";
    assert_eq!(first[0].sources[0].description, description);
    clock.advance(Duration::from_millis(8_500));
    let second = run(Trigger::Once(true)).await;
    assert_eq!(second.len(), 1);
    assert_eq!(seen(&second[0]), (1, json!(0), json!(8), json!(8), 40));
    // A restart goes on counting.
    clock.advance(Duration::from_millis(1_000));
    assert_eq!(
        seen(&run(AVAILABLE_NOW).await[0]),
        (2, json!(8), json!(9), json!(9), 5)
    );
    let file = |name: &str| std::fs::read_to_string(checkpoint.path().join(name)).unwrap();
    assert_eq!(file("sources/0/0"), format!("v1\n{BEGIN}"));
    assert!(file("offsets/1").ends_with("\n8"), "{}", file("offsets/1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_numbers_are_offsets() {
    let session = Session::new().unwrap();
    let checkpoint = tempfile::tempdir().unwrap();
    let options = [
        ("rowsPerBatch", "5"),
        ("numPartitions", "2"),
        ("startTimestamp", "1700000000000"),
        ("advanceMillisPerBatch", "1500"),
    ];
    let rate = source(true, "rate-micro-batch", &options);
    view(&session, "numbers", rate).await.unwrap();
    let first = read(&session, "numbers", &checkpoint, AVAILABLE_NOW).await;
    let end = json!({"offset": 5, "timestamp": 1_700_000_001_500_i64});
    assert_eq!(first.len(), 1);
    assert_eq!(
        seen(&first[0]),
        (0, Value::Null, end.clone(), Value::Null, 5)
    );
    let description = "RatePerMicroBatchStream[rowsPerBatch=5, numPartitions=2, startTimestamp=1700000000000, advanceMsPerBatch=1500]";
    assert_eq!(first[0].sources[0].description, description);
    let second = read(&session, "numbers", &checkpoint, AVAILABLE_NOW).await;
    let next = json!({"offset": 10, "timestamp": 1_700_000_003_000_i64});
    assert_eq!(seen(&second[0]), (1, end, next, Value::Null, 5));
    assert!(!checkpoint.path().join("sources/0/0").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_counted_anew_in_every_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let session = Session::new().unwrap();
    let options = [
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("includeTimestamp", "true"),
    ];
    let lines = source(true, "socket", &options);
    view(&session, "lines", lines).await.unwrap();
    let checkpoint = tempfile::tempdir().unwrap();
    let select = sql("SELECT value FROM lines WHERE timestamp IS NOT NULL");
    let running = Start {
        checkpoint: checkpoint.path().to_str(),
        ..Start::new("shown", select, "append")
    };
    let (query, shown) = running.run(&session).await.unwrap();
    let (mut server, _) = soon(listener.accept()).await.unwrap();
    server
        .write_all(b"a\nb\n\nc\r\nnot yet ended")
        .await
        .unwrap();
    let mut rows = Vec::new();
    let mut changes = query.watch();
    let read_all = async {
        while rows.len() < 4 {
            rows.extend(shown.take());
            if rows.len() < 4 {
                changes.changed().await.unwrap();
            }
        }
    };
    soon(read_all).await;
    rows.sort();
    assert_eq!(rows, ["", "a", "b", "c"]);
    soon(query.process_all_available()).await.unwrap();
    soon(query.stop()).await.unwrap();
    let progress = query.recent_progress();
    let mut batches = progress
        .iter()
        .filter(|one| one.duration_ms.contains_key("addBatch"));
    let first = seen(batches.next().unwrap());
    assert_eq!(first, (0, Value::Null, json!(-1), json!(-1), 0));
    let mut end = json!(-1);
    for batch in batches {
        let (_, start, until, ..) = seen(batch);
        assert_eq!(start, end);
        end = until;
    }
    assert_eq!(end, json!(3), "the last line that has an end");
    let description = format!("TextSocketV2[host: 127.0.0.1, port: {port}]");
    assert_eq!(progress[0].sources[0].description, description);
    let sink = &progress[0].sink;
    assert_eq!(sink.description, "ForeachBatchSink");
    assert_eq!(sink.num_output_rows, -1);
    // The lines of the first run are gone: one batch goes back to before the first line of this one.
    let again = read(&session, "lines", &checkpoint, AVAILABLE_NOW).await;
    let (_, start, until, latest, rows) = seen(&again[0]);
    assert_eq!(
        (start, until, latest, rows),
        (json!(3), json!(-1), json!(-1), 0)
    );
    // Without a checkpoint: one batch, of what has come, which is nothing yet.
    let fresh = tempfile::tempdir().unwrap();
    let now = read(&session, "lines", &fresh, AVAILABLE_NOW).await;
    assert_eq!(now.len(), 1);
    assert_eq!(seen(&now[0]), (0, Value::Null, json!(-1), json!(-1), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_lines_are_no_tables() {
    let session = Session::new().unwrap();
    for (format, options) in [
        ("rate", &[][..]),
        ("rate-micro-batch", &[("rowsPerBatch", "1")]),
        ("socket", &[("host", "127.0.0.1"), ("port", "9")]),
    ] {
        let defined = view(&session, "t", source(false, format, options)).await;
        let error = match defined {
            Err(error) => error,
            Ok(()) => try_select(&session, "SELECT * FROM t").await.unwrap_err(),
        };
        let said = format!("{format} is not a valid Spark SQL Data Source");
        assert!(error.message().contains(&said), "{error}");
    }
    for format in ["console", "jdbc", "noop"] {
        let error = view(&session, "t", source(true, format, &[])).await;
        let error = error.unwrap_err();
        let said = format!("Data source {format} does not support streamed reading.");
        assert_eq!(error.message(), said);
        assert!(error.hint().unwrap().contains("kafka"), "{error}");
    }
}
