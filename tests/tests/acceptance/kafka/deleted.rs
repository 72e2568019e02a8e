//! A topic that goes at the very moment when it matters: after the topics were listed, before one of
//! them is asked for its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acceptance::kafka::{Between, Kafka};
use kafka_protocol::messages::ApiKey;
use serde_json::json;

use super::harness::{EARLIEST, Engine, Start, batches, until_rows};

/// A way to the broker on which, once `armed`, the first question for offsets finds `topic` deleted.
fn deleting(address: &str, topic: &str, armed: &Arc<AtomicBool>) -> Between {
    let (address, topic, armed) = (address.to_owned(), topic.to_owned(), Arc::clone(armed));
    let deleted_by = address.clone();
    let before = move |key: ApiKey| {
        if key == ApiKey::ListOffsets && armed.swap(false, Ordering::Relaxed) {
            Kafka::new(&deleted_by).unwrap().delete(&topic).unwrap();
        }
    };
    Between::start(&address, Arc::new(before)).unwrap()
}

fn two_topics(engine: &Engine, name: &str) -> (String, String) {
    let (a, b) = (format!("{name}_a"), format!("{name}_b"));
    for topic in [&a, &b] {
        engine.kafka.create(topic, 1).unwrap();
        engine.kafka.fill(topic, &[(0, 2)], "v").unwrap();
    }
    (a, b)
}

pub(super) async fn a_topic_goes_before_a_query_knows_it(address: &str) {
    let engine = Engine::new(address);
    for trigger in [None, Some("available-now")] {
        let name = format!("l_gone_{}", trigger.unwrap_or("running"));
        let (a, b) = two_topics(&engine, &name);
        let armed = Arc::new(AtomicBool::new(true));
        let way = deleting(address, &b, &armed);
        let pattern = format!("{name}_.");
        let options = [
            ("subscribePattern", pattern.as_str()),
            ("kafka.bootstrap.servers", way.address()),
            EARLIEST,
        ];
        let start = Start {
            trigger,
            ..Start::default()
        };
        let stream = engine.source(true, &options);
        let query = engine.start(stream, start).await.unwrap();
        until_rows(&query, 2).await;
        query.stop().await.unwrap();
        assert!(!armed.load(Ordering::Relaxed));
        assert!(!engine.kafka.exists(&b).unwrap());
        // It never was one of the query's topics, so nothing of it is lost.
        let end = batches(&query).pop().unwrap().end;
        assert_eq!(end, json!({&a: {"0": 2}}), "{name}");
    }
}

pub(super) async fn a_topic_goes_while_a_query_asks_for_it(address: &str) {
    let engine = Engine::new(address);
    for fails in ["true", "false"] {
        let (a, b) = two_topics(&engine, &format!("l_going_{fails}"));
        let armed = Arc::new(AtomicBool::new(false));
        let way = deleting(address, &b, &armed);
        let pattern = format!("l_going_{fails}_.");
        let options = [
            ("subscribePattern", pattern.as_str()),
            ("kafka.bootstrap.servers", way.address()),
            ("failOnDataLoss", fails),
            EARLIEST,
        ];
        let start = Start {
            trigger: None,
            ..Start::default()
        };
        let stream = engine.source(true, &options);
        let query = engine.start(stream, start).await.unwrap();
        until_rows(&query, 4).await;
        armed.store(true, Ordering::Relaxed);
        if fails == "true" {
            let error = query.await_termination(None).await.unwrap_err();
            let reason = format!("Reason: Partitions Set({b}-0) have been deleted.");
            assert!(error.message().contains(&reason), "{error}");
            continue;
        }
        // As soon as it is gone the query goes on without it.
        engine.kafka.fill(&a, &[(0, 1)], "w").unwrap();
        until_rows(&query, 5).await;
        while armed.load(Ordering::Relaxed) {
            query.process_all_available().await.unwrap();
        }
        engine.kafka.fill(&a, &[(0, 1)], "x").unwrap();
        until_rows(&query, 6).await;
        query.stop().await.unwrap();
        assert_eq!(batches(&query).last().unwrap().end, json!({&a: {"0": 4}}));
    }
}
