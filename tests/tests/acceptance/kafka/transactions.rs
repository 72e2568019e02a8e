//! Transactions: those of others, read, and our own, written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tidebook_engine::{Error, ErrorKind, FaultHook, FaultPoint};

use super::harness::{EARLIEST, Engine, Start, sql};

const PATIENCE: Duration = Duration::from_secs(60);
const COMMITTED: (&str, &str) = ("kafka.isolation.level", "read_committed");

fn transact(producer: &BaseProducer, topic: &str, values: &[&str], commits: bool) {
    producer.begin_transaction().unwrap();
    for value in values {
        let record = BaseRecord::<(), str>::to(topic).payload(value).partition(0);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    match commits {
        true => producer.commit_transaction(PATIENCE).unwrap(),
        false => {
            producer.flush(PATIENCE).unwrap();
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
}

/// Markers take offsets, and aborted messages are not for everybody: a batch ends all the same.
pub(super) async fn aborted_messages_and_markers(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("l_tx", 1).unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("transactional.id", "l_tx")
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    transact(&producer, "l_tx", &["a", "b", "c"], true);
    transact(&producer, "l_tx", &["d", "e"], false);
    transact(&producer, "l_tx", &["f"], true);
    // Nothing follows but what nobody sees.
    transact(&producer, "l_tx", &["g"], false);
    for (option, visible) in [
        (COMMITTED, vec!["a", "b", "c", "f"]),
        (
            ("kafka.isolation.level", "read_uncommitted"),
            vec!["a", "b", "c", "d", "e", "f", "g"],
        ),
    ] {
        for limit in ["1000", "2"] {
            let options = [
                ("subscribe", "l_tx"),
                ("maxOffsetsPerTrigger", limit),
                EARLIEST,
                option,
            ];
            engine.define("s", &options).await.unwrap();
            let select = sql("SELECT CAST(value AS STRING) AS v FROM s");
            let batches = engine.run(select, Start::default()).await.unwrap();
            let rows = engine.collected();
            let values: Vec<&str> = rows.iter().map(|row| row["v"].as_str().unwrap()).collect();
            assert_eq!(values, visible, "{option:?} {limit}");
            let end = &batches.last().unwrap().end;
            assert_eq!(
                *end,
                serde_json::json!({"l_tx": {"0": 11}}),
                "{option:?} {limit}"
            );
        }
    }
    // An open transaction is not read beyond its beginning.
    producer.begin_transaction().unwrap();
    let record = BaseRecord::<(), str>::to("l_tx")
        .payload("open")
        .partition(0);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    let options = [("subscribe", "l_tx"), EARLIEST, COMMITTED];
    let batches = engine.drain(&options, None).await.unwrap();
    assert_eq!(
        batches.last().unwrap().end,
        serde_json::json!({"l_tx": {"0": 11}})
    );
    producer.abort_transaction(PATIENCE).unwrap();
}

/// A query that dies at every step of every batch, and the one place where a sink of Spark's doubles
/// rows: after the messages are there and before the batch is noted.
pub(super) async fn a_killed_query_writes_every_row_once(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("x_in", 1).unwrap();
    engine.kafka.create("x_out", 2).unwrap();
    engine.kafka.create("x_twice", 2).unwrap();
    engine.kafka.fill("x_in", &[(0, 20)], "v").unwrap();
    for (topic, once) in [("x_out", "true"), ("x_twice", "false")] {
        let mut runs = 0;
        loop {
            runs += 1;
            assert!(runs < 30, "the query does not end");
            let dying = Engine::with_fault(address, Some(dies_late(runs)));
            let options = [
                ("subscribe", "x_in"),
                ("maxOffsetsPerTrigger", "7"),
                EARLIEST,
            ];
            dying.define("s", &options).await.unwrap();
            let checkpoint = engine.path(topic);
            let start = Start {
                sink: "kafka",
                options: &[
                    ("topic", topic),
                    ("exactlyOnce", once),
                    ("checkpointLocation", &checkpoint),
                ],
                ..Start::default()
            };
            let select = sql("SELECT key, CAST(value AS STRING) AS value FROM s");
            match dying.run(select, start).await {
                Ok(_) => break,
                Err(error) => assert!(error.message().contains("killed by the test"), "{error}"),
            }
        }
        let written = engine.kafka.read(topic).unwrap();
        let values: BTreeSet<_> = written.iter().map(|one| one.text()).collect();
        assert_eq!(values.len(), 20, "{topic}: nothing is lost");
        match once {
            "true" => assert_eq!(written.len(), 20, "nothing is doubled"),
            _ => assert!(written.len() > 20, "so the query did die where it hurts"),
        }
    }
}

/// Dies at step `run` of all steps of the batches that this run executes, as long as there are few.
fn dies_late(run: usize) -> FaultHook {
    let steps = AtomicUsize::new(0);
    Arc::new(move |_: FaultPoint, _| {
        let step = steps.fetch_add(1, Ordering::Relaxed);
        match step == run % 4 && run < 12 {
            true => Err(Error::new(ErrorKind::Internal, "killed by the test")),
            false => Ok(()),
        }
    })
}
