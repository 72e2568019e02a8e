//! Where reading starts.

use serde_json::{Value, json};

use super::harness::{Batch, EARLIEST, Engine};

/// Two partitions of ten messages each.
async fn ten_and_ten(engine: &Engine, topic: &str) {
    engine.kafka.create(topic, 2).unwrap();
    engine.kafka.fill(topic, &[(0, 10), (1, 10)], "v").unwrap();
}

pub(super) async fn where_a_stream_starts(address: &str) {
    let engine = Engine::new(address);
    ten_and_ten(&engine, "t_st").await;
    for (options, rows) in [
        (vec![EARLIEST], 20),
        (vec![("startingOffsets", "EARLIEST")], 20),
        (vec![("STARTINGOFFSETS", "earliest")], 20),
        (vec![("startingOffsets", "latest")], 0),
        (vec![], 0),
        (vec![("startingOffsets", r#"{"t_st":{"0":3,"1":-2}}"#)], 17),
        (vec![("startingOffsets", r#"{"t_st":{"0":-1,"1":8}}"#)], 2),
        (
            vec![
                ("startingOffsets", r#"{"t_st":{"0":99,"1":0}}"#),
                ("failOnDataLoss", "false"),
            ],
            10,
        ),
        (vec![("startingTimestamp", "1700000004500")], 10),
        (vec![("startingTimestamp", "1700000004000")], 12),
        (
            vec![
                ("startingTimestamp", "1800000000000"),
                ("startingOffsetsByTimestampStrategy", "latest"),
            ],
            0,
        ),
        (vec![("startingTimestamp", "-1")], 0),
        (vec![("startingTimestamp", "1700000008000"), EARLIEST], 4),
        (
            vec![(
                "startingOffsetsByTimestamp",
                r#"{"t_st":{"0":1700000002000,"1":1700000007000}}"#,
            )],
            11,
        ),
        (vec![("endingTimestamp", "1")], 0),
    ] {
        let mut all = options.clone();
        all.push(("subscribe", "t_st"));
        let batches = engine.drain(&all, None).await;
        let batches = batches.unwrap_or_else(|error| panic!("{options:?}: {error}"));
        let expected = Batch {
            id: 0,
            rows,
            start: Value::Null,
            end: json!({"t_st": {"0": 10, "1": 10}}),
        };
        assert_eq!(batches, [expected], "{options:?}");
    }
}

pub(super) async fn starts_that_cannot_be_found(address: &str) {
    let engine = Engine::new(address);
    ten_and_ten(&engine, "t_sf").await;
    let offsets = "If startingOffsets contains specific offsets, you must specify all TopicPartitions.\nUse -1 for latest, -2 for earliest, if you don't care.";
    let expected = r#"Expected e.g. {"topicA":{"0":23,"1":-1},"topicB":{"0":-2}}, got "#;
    for (name, value, said) in [
        (
            "startingOffsets",
            r#"{"t_sf":{"0":3}}"#,
            format!("{offsets}\nSpecified: Set(t_sf-0) Assigned: Set(t_sf-0, t_sf-1)"),
        ),
        (
            "startingOffsets",
            r#"{"t_sf":{"0":3,"1":3,"7":0}}"#,
            format!("{offsets}\nSpecified: Set(t_sf-0, t_sf-1, t_sf-7) Assigned: Set(t_sf-0, t_sf-1)"),
        ),
        (
            "startingOffsets",
            r#"{"t_sf":{"0":3,"1":3},"other":{"0":1}}"#,
            format!("{offsets}\nSpecified: Set(other-0, t_sf-0, t_sf-1) Assigned: Set(t_sf-0, t_sf-1)"),
        ),
        (
            "startingOffsets",
            r#"{"t_sf":{"0":99,"1":0}}"#,
            "Reason: Partition t_sf-0 offset was changed from 99 to 10.\nThis could be either 1) a user error that the start offset is set beyond available offset when starting query, or 2) the kafka topic-partition is deleted and re-created.".to_owned(),
        ),
        (
            "startingOffsets",
            r#"{"t_sf":{"0":-3,"1":0}}"#,
            "-3 is not an offset of t_sf-0".to_owned(),
        ),
        ("startingOffsets", "first", format!("{expected}first")),
        (
            "startingOffsets",
            r#"{"t_sf":{"0":}}"#,
            format!(r#"{expected}{{"t_sf":{{"0":}}}}"#),
        ),
        (
            "startingTimestamp",
            "1800000000000",
            "No offset matched from request of topic-partition t_sf-0 and timestamp 1800000000000.".to_owned(),
        ),
        (
            "startingTimestamp",
            "yesterday",
            "Expected a single long value, got yesterday".to_owned(),
        ),
        (
            "startingOffsetsByTimestamp",
            r#"{"t_sf":{"0":1700000002000}}"#,
            "Partitions specified for Kafka timestamp based start offsets don't match what are assigned. Maybe topic partitions are created \nor deleted while the query is running, or you didn't specify all the partitions.\nSpecified: Set(t_sf-0) Assigned: Set(t_sf-0, t_sf-1)".to_owned(),
        ),
        (
            "startingOffsetsByTimestampStrategy",
            "x",
            "must be error or latest, not 'x'".to_owned(),
        ),
        (
            "endingOffsets",
            "latest",
            "ending offset not valid in streaming queries".to_owned(),
        ),
        (
            "endingOffsetsByTimestamp",
            "{}",
            "ending timestamp not valid in streaming queries".to_owned(),
        ),
    ] {
        let error = engine
            .drain(&[("subscribe", "t_sf"), (name, value)], None)
            .await
            .unwrap_err();
        assert!(error.message().contains(&said), "{name}={value}: {error}");
        assert!(error.hint().is_some(), "{name}={value}: {error}");
    }
}

pub(super) async fn nothing_to_read_yet(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_empty", 1).unwrap();
    // A topic without messages has offsets: the first batch runs.
    let options = [("subscribe", "t_empty"), EARLIEST];
    let batches = engine.drain(&options, Some("c")).await.unwrap();
    let end = json!({"t_empty": {"0": 0}});
    let expected = Batch {
        id: 0,
        rows: 0,
        start: Value::Null,
        end,
    };
    assert_eq!(batches, [expected]);
    assert_eq!(engine.drain(&options, Some("c")).await.unwrap(), []);
    // Without a partition there is no offset at all.
    for (name, value) in [
        ("subscribePattern", "zzz.*"),
        ("assign", r#"{"t_empty":[9]}"#),
    ] {
        assert_eq!(
            engine
                .drain(&[(name, value), EARLIEST], None)
                .await
                .unwrap(),
            []
        );
    }
}

pub(super) async fn a_restart_ignores_the_starting_options(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_re", 1).unwrap();
    engine.kafka.fill("t_re", &[(0, 2)], "v").unwrap();
    let options = |start| [("subscribe", "t_re"), ("startingOffsets", start)];
    engine.drain(&options("latest"), Some("c")).await.unwrap();
    engine.kafka.fill("t_re", &[(0, 3)], "w").unwrap();
    let batches = engine.drain(&options("earliest"), Some("c")).await.unwrap();
    let expected = Batch {
        id: 1,
        rows: 3,
        start: json!({"t_re": {"0": 2}}),
        end: json!({"t_re": {"0": 5}}),
    };
    assert_eq!(batches, [expected]);
}
