//! Brokers that are not there, go, come back, or do not answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use acceptance::real_broker::RealBroker;
use tidebook_engine::{Error, StreamingQuery};

use super::harness::{EARLIEST, Engine, Start, sql, until_rows};

/// A query is gone this soon after it was asked to, or an interrupt after it was made.
const SOON: Duration = Duration::from_secs(1);
/// A wrong address is an error after this time.
const WRONG_ADDRESS: Duration = Duration::from_secs(10);

fn running<'a>(sink: &'a str, options: &'a [(&'a str, &'a str)]) -> Start<'a> {
    Start {
        trigger: None,
        sink,
        checkpoint: Some("c"),
        options,
        ..Start::default()
    }
}

async fn stops_soon(query: &StreamingQuery) {
    let watch = Instant::now();
    query.stop().await.unwrap();
    assert!(
        watch.elapsed() < SOON,
        "stopping took {:?}",
        watch.elapsed()
    );
}

/// An address where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_an_error_that_names_it() {
    let address = nowhere();
    let engine = Engine::new(&address);
    let watch = Instant::now();
    let said = |error: Error| {
        let expected = format!("no Kafka broker answers at '{address}'");
        assert!(error.message().contains(&expected), "{error}");
        assert!(
            error.hint().unwrap().contains("kafka.bootstrap.servers"),
            "{error}"
        );
    };
    let stream = engine.drain(&[("subscribe", "t"), EARLIEST], None);
    engine
        .view("t", engine.source(false, &[("subscribe", "t")]))
        .await
        .unwrap();
    let table = engine.sql("SELECT * FROM t");
    // A sink that cannot be reached, of a stream that can.
    let memory = engine.session.memory_stream("m", text_schema()).unwrap();
    drop(memory);
    let start = Start {
        sink: "kafka",
        checkpoint: Some("c"),
        options: &[("topic", "t")],
        ..Start::default()
    };
    let sink = engine.run(sql("SELECT value FROM m"), start);
    let (stream, table, sink) = tokio::join!(stream, table, sink);
    said(stream.unwrap_err());
    said(table.unwrap_err());
    said(sink.unwrap_err());
    assert!(watch.elapsed() < WRONG_ADDRESS, "{:?}", watch.elapsed());
}

fn text_schema() -> arrow::datatypes::SchemaRef {
    use arrow::datatypes::{DataType, Field, Schema};
    std::sync::Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8, true)]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_never_answers_does_not_hold_a_query() {
    // Connections are accepted, by the system, and nothing is ever said.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let engine = Engine::new(&silent.local_addr().unwrap().to_string());
    let stream = engine.source(true, &[("subscribe", "t"), EARLIEST]);
    let query = engine.start(stream, running("noop", &[])).await.unwrap();
    stops_soon(&query).await;
    engine.session.memory_stream("m", text_schema()).unwrap();
    for options in [
        &[("topic", "t")][..],
        &[("topic", "t"), ("exactlyOnce", "true")],
    ] {
        let start = running("kafka", options);
        let query = engine
            .start(sql("SELECT value FROM m"), start)
            .await
            .unwrap();
        stops_soon(&query).await;
    }
    // A batch query that is left.
    engine
        .view("t", engine.source(false, &[("subscribe", "t")]))
        .await
        .unwrap();
    let left = tokio::time::timeout(Duration::from_millis(100), engine.sql("SELECT * FROM t"));
    assert!(left.await.is_err(), "there is nothing to read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_survives_a_broker_that_goes_and_comes_back() {
    let mut broker = RealBroker::start().unwrap();
    let engine = Engine::new(&broker.address());
    for topic in ["f_in", "f_out", "f_once"] {
        engine.kafka.create(topic, 1).unwrap();
    }
    engine.kafka.fill("f_in", &[(0, 5)], "a").unwrap();
    engine
        .define("s", &[("subscribe", "f_in"), EARLIEST])
        .await
        .unwrap();
    let select = || sql("SELECT key, CAST(value AS STRING) AS value FROM s");
    let once = [("topic", "f_once"), ("exactlyOnce", "true")];
    let mut queries = Vec::new();
    for (name, options) in [
        ("at-least-once", &[("topic", "f_out")][..]),
        ("once", &once),
    ] {
        let start = Start {
            checkpoint: Some(name),
            ..running("kafka", options)
        };
        queries.push(engine.start(select(), start).await.unwrap());
    }
    for query in &queries {
        until_rows(query, 5).await;
    }
    // In order, at once, and not at all for a while.
    for (round, rows) in [("stop", 10), ("kill", 15), ("freeze", 20)] {
        match round {
            "stop" => broker.stop().unwrap(),
            "kill" => broker.kill().unwrap(),
            _ => broker.freeze().unwrap(),
        }
        match round {
            "freeze" => broker.thaw().unwrap(),
            _ => broker.start_again().unwrap(),
        }
        engine.kafka.fill("f_in", &[(0, 5)], round).unwrap();
        for query in &queries {
            until_rows(query, rows).await;
        }
    }
    for query in &queries {
        stops_soon(query).await;
    }
    for topic in ["f_out", "f_once"] {
        let values: Vec<_> = engine.kafka.read(topic).unwrap();
        let values: Vec<_> = values.iter().map(|one| one.value_text().unwrap()).collect();
        assert_eq!(values.len(), 20, "{topic}: {values:?}");
    }
    // It is gone, and the query is asked to stop.
    let query = engine.start(select(), running("noop", &[])).await.unwrap();
    until_rows(&query, 20).await;
    broker.freeze().unwrap();
    stops_soon(&query).await;
    broker.thaw().unwrap();
}
