//! What a row holds.

use acceptance::kafka::Record;
use serde_json::{Value, json};

use super::harness::{EARLIEST, Engine, Start, sql};

const HEADERS: (&str, &str) = ("includeHeaders", "true");

pub(super) async fn columns_and_rows(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_schema", 1).unwrap();
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let messages = [
        Record {
            key: bytes("k"),
            value: bytes("v"),
            timestamp: Some(1_700_000_000_123),
            headers: vec![
                ("h1".into(), bytes("x")),
                ("h1".into(), bytes("y")),
                ("n".into(), None),
            ],
            ..Record::default()
        },
        Record {
            value: bytes("nokey"),
            timestamp: Some(1_700_000_001_000),
            ..Record::default()
        },
        Record {
            key: bytes("k2"),
            timestamp: Some(1_700_000_001_000),
            ..Record::default()
        },
        Record {
            key: bytes(""),
            value: bytes(""),
            timestamp: Some(1_700_000_001_000),
            ..Record::default()
        },
    ];
    engine.kafka.send("t_schema", &messages).unwrap();
    let options = [("subscribe", "t_schema"), EARLIEST, HEADERS];
    for is_streaming in [false, true] {
        let schema = engine
            .session
            .schema(&engine.source(is_streaming, &options))
            .await
            .unwrap();
        let shown = |field: &arrow::datatypes::FieldRef| {
            assert!(field.is_nullable());
            let kind = tidebook_engine::simple_string(field.data_type());
            format!("{} {kind}", field.name())
        };
        let columns: Vec<String> = schema.fields().iter().map(shown).collect();
        let expected = [
            "key binary",
            "value binary",
            "topic string",
            "partition int",
            "offset bigint",
            "timestamp timestamp",
            "timestampType int",
            "headers array<struct<key:string,value:binary>>",
        ];
        assert_eq!(columns, expected);
        let without = engine.source(is_streaming, &options[..2]);
        assert_eq!(
            engine
                .session
                .schema(&without)
                .await
                .unwrap()
                .fields()
                .len(),
            7
        );
    }

    const SELECT: &str = "SELECT CAST(key AS STRING) AS k, length(key) AS n, CAST(value AS STRING) AS v, topic, partition, offset, unix_millis(timestamp) AS ts, timestampType AS type, transform(headers, h -> concat(h.key, '=', coalesce(CAST(h.value AS STRING), 'NULL'))) AS h FROM t";
    let expected = json!([
        {"k": "k", "n": 1, "v": "v", "topic": "t_schema", "partition": 0, "offset": 0, "ts": 1_700_000_000_123_i64, "type": 0, "h": ["h1=x", "h1=y", "n=NULL"]},
        {"k": null, "n": null, "v": "nokey", "topic": "t_schema", "partition": 0, "offset": 1, "ts": 1_700_000_001_000_i64, "type": 0, "h": null},
        {"k": "k2", "n": 2, "v": null, "topic": "t_schema", "partition": 0, "offset": 2, "ts": 1_700_000_001_000_i64, "type": 0, "h": null},
        {"k": "", "n": 0, "v": "", "topic": "t_schema", "partition": 0, "offset": 3, "ts": 1_700_000_001_000_i64, "type": 0, "h": null},
    ]);
    engine
        .view("t", engine.source(false, &options))
        .await
        .unwrap();
    assert_eq!(Value::from(engine.sql(SELECT).await.unwrap()), expected);
    assert_eq!(
        engine.sql("SELECT count(*) AS n FROM t").await.unwrap(),
        [json!({"n": 4})]
    );
    engine.define("t", &options).await.unwrap();
    engine.run(sql(SELECT), Start::default()).await.unwrap();
    assert_eq!(Value::from(engine.collected()), expected);
}

pub(super) async fn log_append_time(address: &str) {
    let engine = Engine::new(address);
    let settings = [("message.timestamp.type", "LogAppendTime")];
    engine.kafka.create_with("t_lat", 1, &settings).unwrap();
    engine.kafka.fill("t_lat", &[(0, 1)], "v").unwrap();
    let table = engine.source(false, &[("subscribe", "t_lat")]);
    engine.view("t", table).await.unwrap();
    let rows = engine.sql("SELECT timestampType, timestamp > TIMESTAMP'2024-01-01' AS now FROM t");
    assert_eq!(
        rows.await.unwrap(),
        [json!({"timestampType": 1, "now": true})]
    );
}

pub(super) async fn a_batch_is_in_order_of_partitions(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_ord", 3).unwrap();
    engine
        .kafka
        .fill("t_ord", &[(2, 2), (0, 2), (1, 2)], "v")
        .unwrap();
    engine
        .define("t", &[("subscribe", "t_ord"), EARLIEST])
        .await
        .unwrap();
    let select = sql("SELECT partition AS p, offset AS o FROM t");
    engine.run(select, Start::default()).await.unwrap();
    let rows: Vec<_> = engine
        .collected()
        .iter()
        .map(|row| (row["p"].clone(), row["o"].clone()))
        .collect();
    let expected = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)];
    assert_eq!(rows, expected.map(|(p, o)| (json!(p), json!(o))));
}

/// Parts of one partition are read at once, each by a consumer of its own, and give every row once;
/// also when the next batch goes on from there.
pub(super) async fn parts_of_partitions(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_parts", 2).unwrap();
    for part in [("minPartitions", "5"), ("maxRecordsPerPartition", "40")] {
        let options = [("subscribe", "t_parts"), part, EARLIEST];
        for (round, rows) in [(1, 118), (2, 118)] {
            engine
                .kafka
                .fill("t_parts", &[(0, 107), (1, 11)], "v")
                .unwrap();
            let checkpoint = format!("{}-{round}", part.0);
            let query = engine.start(
                engine.source(true, &options),
                Start {
                    trigger: None,
                    checkpoint: Some(&checkpoint),
                    ..Start::default()
                },
            );
            let query = query.await.unwrap();
            query.process_all_available().await.unwrap();
            let before = offsets(&engine.collected());
            engine
                .kafka
                .fill("t_parts", &[(0, 107), (1, 11)], "w")
                .unwrap();
            query.process_all_available().await.unwrap();
            query.stop().await.unwrap();
            let after = offsets(&engine.collected());
            assert_eq!(after.len(), rows);
            let mut all = [before, after].concat();
            all.sort_unstable();
            let mut expected: Vec<_> = all.clone();
            expected.dedup();
            assert_eq!(all, expected, "{part:?}");
            let first = all.iter().filter(|(partition, _)| *partition == 0);
            let first: Vec<i64> = first.map(|(_, offset)| *offset).collect();
            assert_eq!(
                first,
                (0..first.len() as i64).collect::<Vec<_>>(),
                "{part:?}"
            );
        }
    }
}

fn offsets(rows: &[Value]) -> Vec<(i64, i64)> {
    let number = |row: &Value, name: &str| row[name].as_i64().unwrap();
    let pairs = rows
        .iter()
        .map(|row| (number(row, "partition"), number(row, "offset")));
    pairs.collect()
}
