//! Topics as sinks.

use acceptance::kafka::Seen;
use serde_json::json;
use tidebook_engine::connect::proto::write_operation::{SaveMode, SaveType};
use tidebook_engine::connect::proto::{Command, WriteOperation, command::CommandType};
use tidebook_engine::{Error, Session};

use super::harness::{EARLIEST, Engine, Start, sql};

/// A stream `s` with one message.
async fn one_message(engine: &Engine, topic: &str) {
    engine.kafka.create(topic, 1).unwrap();
    engine.kafka.values(topic, &["v1"]).unwrap();
    engine
        .define("s", &[("subscribe", topic), EARLIEST])
        .await
        .unwrap();
}

/// Writes what `select` makes of the message; how many rows were written.
async fn write(engine: &Engine, select: &str, options: &[(&str, &str)]) -> Result<i64, Error> {
    let folder = format!(
        "c{}",
        std::fs::read_dir(engine.folder.path()).unwrap().count()
    );
    let start = Start {
        sink: "kafka",
        checkpoint: Some(&folder),
        options,
        ..Start::default()
    };
    let query = engine
        .start(sql(&format!("SELECT {select} FROM s")), start)
        .await?;
    query.await_termination(None).await?;
    let progress = query.last_progress().unwrap();
    assert!(progress.sink.description.starts_with("KafkaSink"));
    Ok(progress.sink.num_output_rows)
}

fn shown(message: &Seen) -> (Option<&str>, Option<&str>) {
    (message.key_text(), message.value_text())
}

pub(super) async fn columns_become_messages(address: &str) {
    let engine = Engine::new(address);
    one_message(&engine, "k_src").await;
    engine.kafka.create("k_out", 2).unwrap();
    let out = [("topic", "k_out")];
    let header = |key: &str, value: Option<&str>| {
        (key.to_owned(), value.map(|value| value.as_bytes().to_vec()))
    };
    for (select, options, expected) in [
        ("value", &out[..], (None, Some("v1"))),
        (
            "'k1' AS key, CAST(value AS STRING) AS value, 'k_out' AS topic",
            &[],
            (Some("k1"), Some("v1")),
        ),
        (
            "'option' AS value, 'k_other' AS topic",
            &out,
            (None, Some("option")),
        ),
        (
            "CAST(NULL AS STRING) AS topic, 'null topic' AS value",
            &out,
            (None, Some("null topic")),
        ),
        (
            "'tomb' AS key, CAST(NULL AS STRING) AS value",
            &out,
            (Some("tomb"), None),
        ),
        (
            "CAST(NULL AS STRING) AS key, 'null key' AS value",
            &out,
            (None, Some("null key")),
        ),
        (
            "'p null' AS value, CAST(NULL AS INT) AS partition",
            &out,
            (None, Some("p null")),
        ),
        (
            "'extra' AS value, 1 AS a, offset, timestamp",
            &out,
            (None, Some("extra")),
        ),
        (
            "'acks' AS value",
            &[("topic", "k_out"), ("kafka.acks", "0")],
            (None, Some("acks")),
        ),
        (
            "'idem' AS value",
            &[("topic", "k_out"), ("kafka.enable.idempotence", "true")],
            (None, Some("idem")),
        ),
    ] {
        let before = engine.kafka.read("k_out").unwrap();
        assert_eq!(
            write(&engine, select, options).await.unwrap(),
            1,
            "{select}"
        );
        let after = engine.kafka.read("k_out").unwrap();
        let new: Vec<_> = after
            .iter()
            .filter(|message| !before.contains(message))
            .collect();
        assert_eq!(new.len(), 1, "{select}: {new:?}");
        assert_eq!(shown(new[0]), expected, "{select}");
        assert_eq!(new[0].headers, [], "{select}");
    }
    // A column of times is one that nobody asks for: a message has the time of its sending.
    let earliest = engine.kafka.read("k_src").unwrap()[0].timestamp;
    let all = engine.kafka.read("k_out").unwrap();
    let extra = all.iter().find(|one| one.value_text() == Some("extra"));
    assert!(extra.unwrap().timestamp > earliest, "{extra:?}");
    let headers = "array(struct('h1' AS key, CAST('x' AS BINARY) AS value), struct('h2' AS key, CAST(NULL AS BINARY) AS value))";
    write(
        &engine,
        &format!("'p1' AS value, 1 AS partition, {headers} AS headers"),
        &out,
    )
    .await
    .unwrap();
    let all = engine.kafka.read("k_out").unwrap();
    let written = all
        .iter()
        .find(|one| one.value_text() == Some("p1"))
        .unwrap();
    assert_eq!(written.partition, 1);
    let expected = [header("h1", Some("x")), header("h2", None)];
    assert_eq!(written.headers, expected);
    // A topic that nobody has made: the broker makes it.
    write(&engine, "'new' AS value", &[("topic", "k_auto")])
        .await
        .unwrap();
    assert_eq!(engine.kafka.read("k_auto").unwrap().len(), 1);
}

pub(super) async fn rows_that_cannot_be_written(address: &str) {
    let engine = Engine::new(address);
    one_message(&engine, "k_src2").await;
    engine.kafka.create("k_bad", 2).unwrap();
    let out = [("topic", "k_bad")];
    for (select, options, said) in [
        (
            "value",
            &[][..],
            "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.",
        ),
        ("key", &out, "Required attribute 'value' not found"),
        (
            "'up' AS VALUE",
            &out,
            "Required attribute 'value' not found",
        ),
        (
            "1 AS value",
            &out,
            "value attribute unsupported type int. value must be a(n) string or binary",
        ),
        (
            "struct(1 AS a) AS value",
            &out,
            "value attribute unsupported type struct<a:int>. value must be a(n) string or binary",
        ),
        (
            "1 AS key, value",
            &out,
            "key attribute unsupported type int. key must be a(n) string or binary",
        ),
        (
            "1 AS topic, value",
            &[],
            "topic attribute unsupported type int. topic must be a(n) string",
        ),
        (
            "CAST(NULL AS STRING) AS topic, value",
            &[],
            "The Kafka message data sent to the producer contains a null topic. Use the `topic` option for setting a default topic.",
        ),
        ("'' AS topic, value", &[], "Invalid topics: []"),
        (
            "'x' AS value",
            &[("topic", "bad name!")],
            "Invalid topics: [bad name!]",
        ),
        (
            "'x' AS value, 1L AS partition",
            &out,
            "partition attribute unsupported type bigint. partition must be a(n) int",
        ),
        (
            "'x' AS value, 7 AS partition",
            &out,
            "Partition 7 of topic k_bad",
        ),
        (
            "'x' AS value, -1 AS partition",
            &out,
            "Invalid partition: -1. Partition number should always be non-negative or null.",
        ),
        (
            "'x' AS value, array(struct('h1' AS key, 'x' AS value)) AS headers",
            &out,
            "headers attribute unsupported type array<struct<key:string,value:string>>. headers must be a(n) array<struct<key:string,value:binary>>",
        ),
        (
            "'x' AS value, map('a', 'b') AS headers",
            &out,
            "headers attribute unsupported type map<string,string>. headers must be a(n) array<struct<key:string,value:binary>>",
        ),
        (
            "repeat('x', 2000000) AS value",
            &out,
            "which is larger than 1048576, which is the value of the max.request.size configuration.",
        ),
        (
            "value",
            &[("topic", "k_bad"), ("kafka.key.serializer", "x")],
            "Kafka option 'key.serializer' is not supported as keys are serialized with ByteArraySerializer.",
        ),
        (
            "value",
            &[("topic", "k_bad"), ("kafka.value.serializer", "x")],
            "Kafka option 'value.serializer' is not supported as value are serialized with ByteArraySerializer.",
        ),
        (
            "value",
            &[("topic", "k_bad"), ("kafka.transactional.id", "tx")],
            "Kafka option 'transactional.id' is not supported",
        ),
        (
            "value, 'k_bad' AS topic",
            &[("exactlyOnce", "true")],
            "exactlyOnce needs a topic that is always there",
        ),
        (
            "value",
            &[("topic", "k_bad"), ("kafka.bootstrap.servers", " ")],
            "Kafka option bootstrap.servers is not set. Please make sure it is set and retry.",
        ),
    ] {
        let error = write(&engine, select, options).await.unwrap_err();
        assert!(error.message().contains(said), "{select}: {error}");
        assert!(error.hint().is_some(), "{select}: {error}");
    }
    assert_eq!(
        engine.kafka.read("k_bad").unwrap(),
        [],
        "nothing was written"
    );
    // The checkpoint has to be named.
    let start = Start {
        sink: "kafka",
        options: &out,
        ..Start::default()
    };
    let error = engine
        .start(sql("SELECT value FROM s"), start)
        .await
        .unwrap_err();
    assert!(error.message().contains("checkpointLocation"), "{error}");
}

pub(super) async fn output_modes(address: &str) {
    let engine = Engine::new(address);
    one_message(&engine, "k_msrc").await;
    engine.kafka.create("k_mode", 1).unwrap();
    let counted = "SELECT CAST(count(*) AS STRING) AS value FROM s GROUP BY key";
    for (mode, select, works) in [
        ("append", "SELECT value FROM s", true),
        ("update", "SELECT value FROM s", true),
        ("complete", "SELECT value FROM s", false),
        ("append", counted, false),
        ("update", counted, true),
        ("complete", counted, true),
    ] {
        let checkpoint = format!("{mode}-{}", select.len());
        let start = Start {
            sink: "kafka",
            mode,
            checkpoint: Some(&checkpoint),
            options: &[("topic", "k_mode")],
            ..Start::default()
        };
        let done = engine.run(sql(select), start).await;
        match works {
            true => assert_eq!(done.unwrap().len(), 1, "{mode} {select}"),
            false => {
                let error = done.unwrap_err();
                let expected = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";
                assert_eq!(error.condition(), Some(expected), "{mode} {select}");
            }
        }
    }
    assert_eq!(engine.kafka.read("k_mode").unwrap().len(), 4);
}

async fn save(
    session: &Session,
    select: &str,
    mode: SaveMode,
    options: &[(&str, &str)],
) -> Result<(), Error> {
    let write = WriteOperation {
        input: Some(sql(select)),
        source: Some("kafka".to_owned()),
        mode: mode.into(),
        options: super::harness::map(options),
        save_type: None::<SaveType>,
        ..WriteOperation::default()
    };
    let command = Command {
        command_type: Some(CommandType::WriteOperation(write)),
    };
    session.execute(&command).await.map(drop)
}

pub(super) async fn batch_writes(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("k_b", 1).unwrap();
    let rows = "SELECT * FROM VALUES ('a', '1'), (CAST(NULL AS STRING), '2') AS t(key, value)";
    let options = [("kafka.bootstrap.servers", address), ("topic", "k_b")];
    for mode in [SaveMode::Append, SaveMode::ErrorIfExists] {
        save(&engine.session, rows, mode, &options).await.unwrap();
    }
    for (mode, name) in [
        (SaveMode::Overwrite, "Overwrite"),
        (SaveMode::Ignore, "Ignore"),
    ] {
        let error = save(&engine.session, rows, mode, &options)
            .await
            .unwrap_err();
        let said = format!(
            "Save mode {name} not allowed for Kafka. Allowed save modes are Append and ErrorIfExists (default)."
        );
        assert_eq!(error.message(), said);
    }
    let written = engine.kafka.read("k_b").unwrap();
    let pairs: Vec<_> = written.iter().map(shown).collect();
    let expected = [(Some("a"), Some("1")), (None, Some("2"))];
    assert_eq!(pairs, [expected, expected].concat());
    for (select, said) in [
        (
            "SELECT 'x' AS value",
            "topic option required when no 'topic' attribute is present. Use the topic option for setting a topic.",
        ),
        (
            "SELECT 'x' AS key, 't' AS topic",
            "Required attribute 'value' not found",
        ),
        (
            "SELECT 1 AS value, 't' AS topic",
            "value attribute unsupported type int. value must be a(n) string or binary",
        ),
    ] {
        let error = save(&engine.session, select, SaveMode::Append, &options[..1])
            .await
            .unwrap_err();
        assert_eq!(error.message(), said);
    }
    // All or nothing, where that is asked for.
    let transaction = [options[0], options[1], ("exactlyOnce", "true")];
    save(&engine.session, rows, SaveMode::Append, &transaction)
        .await
        .unwrap();
    assert_eq!(engine.kafka.read("k_b").unwrap().len(), 6);
    let failing = "SELECT CAST(raise_error('no') AS STRING) AS value FROM range(1) UNION ALL SELECT 'x' AS value";
    save(&engine.session, failing, SaveMode::Append, &transaction)
        .await
        .unwrap_err();
    assert_eq!(engine.kafka.read("k_b").unwrap().len(), 6);
}

pub(super) async fn a_restart_writes_what_is_missing(address: &str) {
    let engine = Engine::new(address);
    one_message(&engine, "k_rs").await;
    engine.kafka.create("k_ro", 1).unwrap();
    let start = Start {
        sink: "kafka",
        checkpoint: Some("c"),
        options: &[("topic", "k_ro")],
        ..Start::default()
    };
    let select = || sql("SELECT CAST(value AS STRING) AS value FROM s");
    engine.run(select(), start).await.unwrap();
    engine.kafka.values("k_rs", &["v2", "v3"]).unwrap();
    engine.run(select(), start).await.unwrap();
    engine.run(select(), start).await.unwrap();
    let written = engine.kafka.read("k_ro").unwrap();
    let values: Vec<_> = written
        .iter()
        .map(|one| one.value_text().unwrap())
        .collect();
    assert_eq!(json!(values), json!(["v1", "v2", "v3"]));
}
