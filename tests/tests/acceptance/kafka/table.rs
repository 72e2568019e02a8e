//! Topics as tables.

use serde_json::{Value, json};

use super::harness::{Engine, map, source};

async fn ten_and_ten(engine: &Engine, topic: &str) {
    engine.kafka.create(topic, 2).unwrap();
    engine.kafka.fill(topic, &[(0, 10), (1, 10)], "v").unwrap();
}

const SELECT: &str = "SELECT partition AS p, count(*) AS n, min(offset) AS first, max(offset) AS last FROM t GROUP BY partition ORDER BY partition";

pub(super) async fn where_a_table_begins_and_ends(address: &str) {
    let engine = Engine::new(address);
    ten_and_ten(&engine, "t_bt").await;
    let row = |p: i32, first: i32, last: i32| json!({"p": p, "n": last - first + 1, "first": first, "last": last});
    let all = vec![row(0, 0, 9), row(1, 0, 9)];
    for (options, expected) in [
        (vec![], all.clone()),
        (
            vec![
                ("startingOffsets", r#"{"t_bt":{"0":3,"1":-2}}"#),
                ("endingOffsets", r#"{"t_bt":{"0":5,"1":-1}}"#),
            ],
            vec![row(0, 3, 4), row(1, 0, 9)],
        ),
        (
            vec![
                ("startingTimestamp", "1700000002000"),
                ("endingTimestamp", "1700000005000"),
            ],
            vec![row(0, 2, 4), row(1, 2, 4)],
        ),
        (
            vec![(
                "endingOffsetsByTimestamp",
                r#"{"t_bt":{"0":1700000001000,"1":1700000002000}}"#,
            )],
            vec![row(0, 0, 0), row(1, 0, 1)],
        ),
        (vec![("endingTimestamp", "1800000000000")], all.clone()),
        (vec![("minPartitions", "6")], all.clone()),
        (vec![("maxRecordsPerPartition", "4")], all.clone()),
    ] {
        let mut all = options.clone();
        all.push(("subscribe", "t_bt"));
        engine.view("t", engine.source(false, &all)).await.unwrap();
        let rows = engine.sql(SELECT).await;
        let rows = rows.unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!(rows, expected, "{options:?}");
    }
    // A table has what there is when it is read.
    engine
        .view("t", engine.source(false, &[("subscribe", "t_bt")]))
        .await
        .unwrap();
    engine.kafka.fill("t_bt", &[(0, 1)], "w").unwrap();
    assert_eq!(
        engine.sql(SELECT).await.unwrap(),
        [row(0, 0, 10), row(1, 0, 9)]
    );
    let limited = engine.sql("SELECT offset FROM t LIMIT 3").await.unwrap();
    assert_eq!(limited.len(), 3);
}

pub(super) async fn tables_that_cannot_be_read(address: &str) {
    let engine = Engine::new(address);
    ten_and_ten(&engine, "t_bf").await;
    for (options, said) in [
        (
            vec![("startingOffsets", "latest")],
            "starting offset can't be latest for batch queries on Kafka",
        ),
        (
            vec![("endingOffsets", "earliest")],
            "ending offset can't be earliest for batch queries on Kafka",
        ),
        (
            vec![("startingOffsets", r#"{"t_bf":{"0":-1,"1":0}}"#)],
            "startingOffsets for t_bf-0 can't be latest for batch queries on Kafka",
        ),
        (
            vec![("endingOffsets", r#"{"t_bf":{"0":-2,"1":5}}"#)],
            "ending offset for t_bf-0 can't be earliest for batch queries on Kafka",
        ),
        (
            vec![
                ("startingOffsets", r#"{"t_bf":{"0":8,"1":0}}"#),
                ("endingOffsets", r#"{"t_bf":{"0":5,"1":5}}"#),
            ],
            "The specified start offset 8 is greater than the end offset 5 for topic t_bf partition 0.",
        ),
        (
            vec![
                ("startingTimestamp", "1700000008000"),
                ("endingTimestamp", "1700000005000"),
            ],
            "The resolved start offset 8 is greater than the resolved end offset 5 for topic t_bf partition 0.",
        ),
        (
            vec![("endingOffsets", r#"{"t_bf":{"0":50,"1":5}}"#)],
            "Could not read records in offset [10, 50) for topic partition t_bf-0\nwith consumer group spark-kafka-relation-",
        ),
        (
            vec![("startingTimestamp", "1800000000000")],
            "No offset matched from request of topic-partition t_bf-0 and timestamp 1800000000000.",
        ),
    ] {
        let mut all = options.clone();
        all.push(("subscribe", "t_bf"));
        let error = match engine.view("t", engine.source(false, &all)).await {
            Err(error) => error,
            Ok(()) => engine.sql(SELECT).await.unwrap_err(),
        };
        assert!(error.message().contains(said), "{options:?}: {error}");
        assert!(error.hint().is_some(), "{options:?}: {error}");
    }
}

pub(super) async fn a_table_in_sql(address: &str) {
    let engine = Engine::new(address);
    ten_and_ten(&engine, "t_sql").await;
    let create = format!(
        "CREATE TEMPORARY VIEW clicks USING kafka OPTIONS (`kafka.bootstrap.servers` '{address}', subscribe 't_sql')"
    );
    engine.sql(&create).await.unwrap();
    let rows = engine.sql("SELECT count(DISTINCT CAST(value AS STRING)) AS n FROM clicks");
    assert_eq!(rows.await.unwrap(), [json!({"n": 20})]);
    // The session's broker is used where none is named.
    engine
        .session
        .set_format_default("kafka.bootstrap.servers", Some(address));
    let table = source(false, None, map(&[("subscribe", "t_sql")]));
    engine.view("own", table).await.unwrap();
    let rows: Vec<Value> = engine.sql("SELECT count(*) AS n FROM own").await.unwrap();
    assert_eq!(rows, [json!({"n": 20})]);
}
