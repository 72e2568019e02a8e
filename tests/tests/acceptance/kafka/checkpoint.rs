//! What is written down, and that it is Spark's.

use std::fs;

use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;

use super::harness::{Batch, EARLIEST, Engine, Start, batches};

pub(super) async fn offsets_are_written_as_spark_writes_them(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_ck", 3).unwrap();
    engine.kafka.fill("t_ck", &[(0, 5), (1, 2)], "v").unwrap();
    let options = [("subscribe", "t_ck"), EARLIEST];
    engine.drain(&options, Some("c")).await.unwrap();
    assert_eq!(
        engine.file("c/sources/0/0"),
        b"\0v1\n{\"t_ck\":{\"0\":0,\"1\":0,\"2\":0}}"
    );
    engine.kafka.fill("t_ck", &[(2, 3)], "v").unwrap();
    engine.drain(&options, Some("c")).await.unwrap();
    for (batch, end) in [
        (0, r#"{"t_ck":{"0":5,"1":2,"2":0}}"#),
        (1, r#"{"t_ck":{"0":5,"1":2,"2":3}}"#),
    ] {
        let text = String::from_utf8(engine.file(&format!("c/offsets/{batch}"))).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!((lines[0], lines[2], lines.len()), ("v1", end, 3));
        let commit = engine.file(&format!("c/commits/{batch}"));
        assert_eq!(commit, b"v1\n{\"nextBatchWatermarkMs\":0}");
    }
    // A run that finds nothing new writes nothing.
    assert_eq!(engine.drain(&options, Some("c")).await.unwrap(), []);
    let mut files: Vec<_> = fs::read_dir(engine.path("c/offsets")).unwrap().collect();
    files.retain(|file| {
        !file
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with('.')
    });
    assert_eq!(files.len(), 2);
}

/// The very bytes of a checkpoint that Spark 4.3 wrote, with a batch that it planned and did not
/// finish.
pub(super) async fn a_checkpoint_of_spark_goes_on_here(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_sp", 3).unwrap();
    engine
        .kafka
        .fill("t_sp", &[(0, 5), (1, 4), (2, 3)], "v")
        .unwrap();
    let conf = r#"{"batchWatermarkMs":0,"batchTimestampMs":1796033990602,"conf":{"spark.sql.streaming.stateStore.providerClass":"org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider","spark.sql.streaming.multipleWatermarkPolicy":"min","spark.sql.shuffle.partitions":"2"}}"#;
    let offsets = |end: &str| format!("v1\n{conf}\n{end}");
    for (file, content) in [
        (
            "metadata",
            r#"{"id":"6a3f1f0e-8d0b-4a57-9a53-0f1f6d1f3a11"}"#.to_owned(),
        ),
        (
            "sources/0/0",
            "\0v1\n{\"t_sp\":{\"0\":1,\"1\":0,\"2\":0}}".to_owned(),
        ),
        ("offsets/0", offsets(r#"{"t_sp":{"0":3,"1":2,"2":0}}"#)),
        ("commits/0", "v1\n{\"nextBatchWatermarkMs\":0}".to_owned()),
        ("offsets/1", offsets(r#"{"t_sp":{"2":1,"1":3,"0":5}}"#)),
    ] {
        let path = engine.folder.path().join("c").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let options = [("subscribe", "t_sp"), EARLIEST];
    let done = engine.drain(&options, Some("c")).await.unwrap();
    let ends = [[5, 3, 1], [5, 4, 3]].map(|[a, b, c]| json!({"t_sp": {"0": a, "1": b, "2": c}}));
    let expected = [
        Batch {
            id: 1,
            rows: 4,
            start: json!({"t_sp": {"0": 3, "1": 2, "2": 0}}),
            end: ends[0].clone(),
        },
        Batch {
            id: 2,
            rows: 3,
            start: ends[0].clone(),
            end: ends[1].clone(),
        },
    ];
    assert_eq!(done, expected);
    // A first batch that did not finish begins where Spark began.
    for file in [
        "offsets/1",
        "offsets/2",
        "commits/0",
        "commits/1",
        "commits/2",
    ] {
        fs::remove_file(engine.folder.path().join("c").join(file)).unwrap();
    }
    engine.collected();
    engine.drain(&options, Some("c")).await.unwrap();
    assert_eq!(engine.collected().len(), 11, "all but the first message");
}

/// The checkpoint says what was read, and no group does, although the broker would keep that for it.
pub(super) async fn no_group_has_offsets(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_group", 1).unwrap();
    engine.kafka.fill("t_group", &[(0, 3)], "v").unwrap();
    let options = [
        ("subscribe", "t_group"),
        ("kafka.group.id", "readers-of-t_group"),
        EARLIEST,
    ];
    assert_eq!(engine.drain(&options, Some("c")).await.unwrap()[0].rows, 3);
    let group = [("group.id", "readers-of-t_group")];
    let member = acceptance::kafka::consumer(address, &group).unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition("t_group", 0);
    let answered = member.committed_offsets(asked, acceptance::kafka::PATIENCE);
    let offset = answered.unwrap().elements()[0].offset();
    assert_eq!(offset, Offset::Invalid, "nothing was committed");
}

/// A run that finds nothing new says where the query stands, and writes nothing.
pub(super) async fn an_idle_run_says_where_it_stands(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_idle", 2).unwrap();
    engine.kafka.fill("t_idle", &[(0, 2), (1, 1)], "v").unwrap();
    let options = [("subscribe", "t_idle"), EARLIEST];
    for trigger in ["available-now", "once"] {
        let start = Start {
            trigger: Some(trigger),
            checkpoint: Some(trigger),
            ..Start::default()
        };
        let run = async || {
            let query = engine.start(engine.source(true, &options), start).await;
            let query = query.unwrap();
            query.await_termination(None).await.unwrap();
            query.recent_progress()
        };
        assert_eq!(run().await[0].num_input_rows, 3, "{trigger}");
        let idle = run().await;
        assert_eq!(idle.len(), 1, "{trigger}");
        let idle = &idle[0];
        assert_eq!((idle.batch_id, idle.num_input_rows), (1, 0), "{trigger}");
        let end = json!({"t_idle": {"0": 2, "1": 1}});
        let source = &idle.sources[0];
        let offsets = [
            &source.start_offset,
            &source.end_offset,
            &source.latest_offset,
        ];
        assert_eq!(offsets, [&end, &end, &end], "{trigger}");
        let phases: Vec<&str> = idle.duration_ms.keys().map(|key| key.as_str()).collect();
        assert_eq!(phases, ["latestOffset", "triggerExecution"], "{trigger}");
        for log in ["offsets", "commits"] {
            let second = engine.folder.path().join(trigger).join(log).join("1");
            assert!(!second.exists(), "{trigger} {log}");
        }
    }
}

pub(super) async fn the_progress_tells_how_far_behind_the_query_is(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_pr", 2).unwrap();
    engine.kafka.fill("t_pr", &[(0, 10), (1, 4)], "v").unwrap();
    let options = [
        ("subscribe", "t_pr"),
        ("maxOffsetsPerTrigger", "7"),
        EARLIEST,
    ];
    let start = Start {
        trigger: None,
        sink: "noop",
        ..Start::default()
    };
    let query = engine
        .start(engine.source(true, &options), start)
        .await
        .unwrap();
    query.process_all_available().await.unwrap();
    query.stop().await.unwrap();
    assert_eq!(batches(&query).len(), 2);
    let latest = json!({"t_pr": {"0": 10, "1": 4}});
    for (progress, (start, end, behind)) in query.recent_progress().iter().zip([
        (
            json!(null),
            json!({"t_pr": {"0": 5, "1": 2}}),
            ["3.5", "5", "2"],
        ),
        (
            json!({"t_pr": {"0": 5, "1": 2}}),
            latest.clone(),
            ["0.0", "0", "0"],
        ),
    ]) {
        let source = &progress.sources[0];
        assert_eq!(source.description, "KafkaV2[Subscribe[t_pr]]");
        assert_eq!((&source.start_offset, &source.end_offset), (&start, &end));
        assert_eq!(source.latest_offset, latest);
        let names = [
            "avgOffsetsBehindLatest",
            "maxOffsetsBehindLatest",
            "minOffsetsBehindLatest",
        ];
        assert_eq!(names.map(|name| source.metrics[name].as_str()), behind);
        assert_eq!(source.metrics.len(), 3);
    }
}
