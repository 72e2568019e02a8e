//! What is done with values: the chapter's own pattern.

use acceptance::frame::{of, relation};
use acceptance::kafka::Record;
use serde_json::{Value, json};
use tidebook_engine::connect::proto::Relation;
use tidebook_engine::connect::proto::expression::{ExprType, ExpressionString};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Expression, Project};

use super::harness::{EARLIEST, Engine, Start, sql};

const SCHEMA: &str = "user STRING, amount INT, ts TIMESTAMP";

fn select(input: Relation, expressions: &[&str]) -> Relation {
    let expression = |text: &&str| Expression {
        expr_type: Some(ExprType::ExpressionString(ExpressionString {
            expression: (*text).to_owned(),
        })),
        ..Expression::default()
    };
    of(RelType::Project(Box::new(Project {
        input: Some(Box::new(input)),
        expressions: expressions.iter().map(expression).collect(),
    })))
}

pub(super) async fn json_in_sql_and_frames(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("j_in", 2).unwrap();
    let events = [
        r#"{"user":"ann","amount":3,"ts":"2024-01-01T12:00:10Z"}"#,
        r#"{"user":"bob","amount":5,"ts":"2024-01-01T12:00:50Z"}"#,
        r#"{"user":"ann","amount":4,"ts":"2024-01-01T12:06:00Z"}"#,
    ];
    engine.kafka.values("j_in", &events).unwrap();
    engine
        .define("clicks", &[("subscribe", "j_in"), EARLIEST])
        .await
        .unwrap();
    let parsed = format!("from_json(CAST(value AS STRING), '{SCHEMA}') AS data");
    let text = format!("SELECT data.* FROM (SELECT {parsed} FROM clicks)");
    let frame = relation(&["from clicks".to_owned()]).unwrap();
    let frame = select(select(frame, &[&parsed]), &["data.*"]);
    for input in [sql(&text), frame] {
        let schema = engine.session.schema(&input).await.unwrap();
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, ["user", "amount", "ts"]);
        engine.run(input, Start::default()).await.unwrap();
        let rows = engine.collected();
        let users: Vec<&Value> = rows.iter().map(|row| &row["user"]).collect();
        assert_eq!(users, ["ann", "bob", "ann"]);
    }
    // Windowed, to the end of the chapter.
    engine.view("parsed", sql(&text)).await.unwrap();
    let counts = "SELECT CAST(window(ts, '5 minutes').start AS STRING) AS w, sum(amount) AS total FROM parsed GROUP BY window(ts, '5 minutes')";
    let start = Start {
        mode: "complete",
        ..Start::default()
    };
    engine.run(sql(counts), start).await.unwrap();
    let mut rows = engine.collected();
    rows.sort_by_key(|row| row["w"].to_string());
    let expected = [
        json!({"w": "2024-01-01 12:00:00", "total": 8}),
        json!({"w": "2024-01-01 12:05:00", "total": 4}),
    ];
    assert_eq!(rows, expected);
}

pub(super) async fn malformed_values_and_wrong_encodings(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("j_bad", 1).unwrap();
    let value = |bytes: &[u8]| Record {
        value: Some(bytes.to_vec()),
        partition: Some(0),
        ..Record::default()
    };
    let large = format!(r#"{{"user":"{}","amount":1}}"#, "x".repeat(900_000));
    let messages = [
        value(br#"{"user":"ann","amount":3}"#),
        value(b"oops"),
        value(br#"{"user":"bob","amount":"many"}"#),
        value(b""),
        Record {
            partition: Some(0),
            ..Record::default()
        },
        value(b"\xff\xfe{\"user\""),
        value(large.as_bytes()),
        value(br#"{"user":"eve","amount":7}"#),
    ];
    engine.kafka.send("j_bad", &messages).unwrap();
    engine
        .define("bad", &[("subscribe", "j_bad"), EARLIEST])
        .await
        .unwrap();
    let select = format!(
        "SELECT offset, length(data.user) AS n, data.amount AS amount FROM (SELECT offset, from_json(CAST(value AS STRING), '{SCHEMA}') AS data FROM bad)"
    );
    engine.run(sql(&select), Start::default()).await.unwrap();
    let rows = engine.collected();
    assert_eq!(rows.len(), messages.len(), "no message is lost");
    let good: Vec<&Value> = rows.iter().filter(|row| !row["amount"].is_null()).collect();
    assert_eq!(
        good,
        [
            &json!({"offset": 0, "n": 3, "amount": 3}),
            &json!({"offset": 6, "n": 900_000, "amount": 1}),
            &json!({"offset": 7, "n": 3, "amount": 7}),
        ]
    );
}
