//! Records, partitions and topics that go and come.

use serde_json::{Value, json};
use tidebook_engine::StreamingQuery;

use super::harness::{Batch, EARLIEST, Engine, Start, batches, until_rows};

const LOST: &str = "Some data may have been lost because they are not available in Kafka any more;\neither the data was aged out by Kafka or the topic may have been deleted before all the data in the\ntopic was processed.\nIf you don't want your streaming query to fail on such cases, set the source option failOnDataLoss to false.\nReason: ";

/// The client notices new topics and partitions at once.
const FRESH: (&str, &str) = ("kafka.metadata.max.age.ms", "1000");

fn fail(fails: bool) -> (&'static str, &'static str) {
    ("failOnDataLoss", if fails { "true" } else { "false" })
}

pub(super) async fn records_that_aged_out_between_two_runs(address: &str) {
    let engine = Engine::new(address);
    for fails in [true, false] {
        let topic = format!("l_age_{fails}");
        engine.kafka.create(&topic, 1).unwrap();
        engine.kafka.fill(&topic, &[(0, 5)], "v").unwrap();
        let options = [("subscribe", topic.as_str()), fail(fails), EARLIEST];
        engine.drain(&options, Some(&topic)).await.unwrap();
        engine.kafka.fill(&topic, &[(0, 10)], "w").unwrap();
        engine.kafka.delete_records(&topic, &[(0, 9)]).unwrap();
        engine.collected();
        let second = engine.drain(&options, Some(&topic)).await;
        if fails {
            let error = second.unwrap_err();
            let message = format!(
                "{LOST}Could not read records in offset [5, 15) for topic partition {topic}-0\nwith consumer group spark-kafka-source-"
            );
            assert!(error.message().contains(&message), "{error}");
            assert_eq!(
                error.condition(),
                Some("KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE")
            );
            continue;
        }
        let expected = Batch {
            id: 1,
            rows: 6,
            start: json!({&topic: {"0": 5}}),
            end: json!({&topic: {"0": 15}}),
        };
        assert_eq!(second.unwrap(), [expected]);
        let offsets: Vec<Value> = engine
            .collected()
            .iter()
            .map(|row| row["offset"].clone())
            .collect();
        assert_eq!(offsets, (9..15).map(Value::from).collect::<Vec<_>>());
    }
}

pub(super) async fn a_topic_that_was_made_anew(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("l_all", 1).unwrap();
    engine.kafka.fill("l_all", &[(0, 5)], "v").unwrap();
    let options = |fails| [("subscribe", "l_all"), fail(fails), EARLIEST];
    engine.drain(&options(true), Some("c")).await.unwrap();
    engine.kafka.delete("l_all").unwrap();
    engine.kafka.create("l_all", 1).unwrap();
    engine.kafka.fill("l_all", &[(0, 2)], "w").unwrap();
    let error = engine.drain(&options(true), Some("c")).await.unwrap_err();
    let reason = format!("{LOST}Partition l_all-0 offset was changed from 5 to 2.");
    assert!(error.message().contains(&reason), "{error}");
    assert_eq!(
        error.condition(),
        Some("KAFKA_DATA_LOSS.PARTITION_OFFSET_CHANGED")
    );
    // The batch stays in the log, and goes back when that is allowed.
    let batches = engine.drain(&options(false), Some("c")).await.unwrap();
    let expected = Batch {
        id: 1,
        rows: 0,
        start: json!({"l_all": {"0": 5}}),
        end: json!({"l_all": {"0": 2}}),
    };
    assert_eq!(batches, [expected]);
    engine.kafka.fill("l_all", &[(0, 1)], "x").unwrap();
    let batches = engine.drain(&options(false), Some("c")).await.unwrap();
    assert_eq!((batches.len(), batches[0].rows), (1, 1));
}

pub(super) async fn a_topic_that_is_gone(address: &str) {
    let engine = Engine::new(address);
    for fails in [true, false] {
        let topic = format!("l_del_{fails}");
        engine.kafka.create(&topic, 1).unwrap();
        engine.kafka.fill(&topic, &[(0, 3)], "v").unwrap();
        let options = [
            ("subscribe", topic.as_str()),
            fail(fails),
            EARLIEST,
            ("fetchOffset.retryIntervalMs", "10"),
        ];
        engine.drain(&options, Some(&topic)).await.unwrap();
        engine.kafka.delete(&topic).unwrap();
        let error = engine.drain(&options, Some(&topic)).await.unwrap_err();
        let said = "This server does not host this topic-partition.";
        assert!(error.message().contains(said), "{error}");
    }
}

async fn running(engine: &Engine, options: &[(&str, &str)]) -> StreamingQuery {
    let start = Start {
        trigger: None,
        ..Start::default()
    };
    engine
        .start(engine.source(true, options), start)
        .await
        .unwrap()
}

pub(super) async fn one_of_two_topics_is_deleted_while_running(address: &str) {
    let engine = Engine::new(address);
    for fails in [true, false] {
        let (a, b) = (format!("l_two_a_{fails}"), format!("l_two_b_{fails}"));
        for topic in [&a, &b] {
            engine.kafka.create(topic, 1).unwrap();
            engine.kafka.fill(topic, &[(0, 2)], "v").unwrap();
        }
        let pattern = format!("l_two_._{fails}");
        let options = [
            ("subscribePattern", pattern.as_str()),
            fail(fails),
            FRESH,
            EARLIEST,
        ];
        let query = running(&engine, &options).await;
        until_rows(&query, 4).await;
        engine.kafka.delete(&b).unwrap();
        if fails {
            let error = query.await_termination(None).await.unwrap_err();
            let reason = format!("{LOST}Partitions Set({b}-0) have been deleted.");
            assert!(error.message().contains(&reason), "{error}");
            assert_eq!(
                error.condition(),
                Some("KAFKA_DATA_LOSS.PARTITIONS_DELETED")
            );
            continue;
        }
        engine.kafka.fill(&a, &[(0, 1)], "w").unwrap();
        until_rows(&query, 5).await;
        query.stop().await.unwrap();
        assert_eq!(batches(&query).last().unwrap().end, json!({&a: {"0": 3}}));
    }
}

pub(super) async fn a_partition_is_added_while_running(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("l_np", 1).unwrap();
    engine.kafka.fill("l_np", &[(0, 2)], "v").unwrap();
    let query = running(&engine, &[("subscribe", "l_np"), FRESH]).await;
    query.process_all_available().await.unwrap();
    engine.kafka.fill("l_np", &[(0, 1)], "v").unwrap();
    until_rows(&query, 1).await;
    // It is read from its beginning, although the query began at the end.
    engine.kafka.add_partitions("l_np", 2).unwrap();
    engine.kafka.fill("l_np", &[(1, 4)], "v").unwrap();
    until_rows(&query, 5).await;
    query.stop().await.unwrap();
    assert_eq!(
        batches(&query).last().unwrap().end,
        json!({"l_np": {"0": 3, "1": 4}})
    );
}

pub(super) async fn a_topic_appears_while_running(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("l_np2_a", 1).unwrap();
    engine.kafka.fill("l_np2_a", &[(0, 1)], "v").unwrap();
    let query = running(
        &engine,
        &[("subscribePattern", "l_np2_.*"), FRESH, EARLIEST],
    )
    .await;
    until_rows(&query, 1).await;
    engine.kafka.create("l_np2_b", 1).unwrap();
    engine.kafka.fill("l_np2_b", &[(0, 3)], "v").unwrap();
    until_rows(&query, 4).await;
    query.stop().await.unwrap();
    let end = json!({"l_np2_a": {"0": 1}, "l_np2_b": {"0": 3}});
    assert_eq!(batches(&query).last().unwrap().end, end);
}

pub(super) async fn an_added_partition_without_its_first_records(address: &str) {
    let engine = Engine::new(address);
    for fails in [true, false] {
        let topic = format!("l_np3_{fails}");
        engine.kafka.create(&topic, 1).unwrap();
        engine.kafka.fill(&topic, &[(0, 2)], "v").unwrap();
        let options = [("subscribe", topic.as_str()), fail(fails), EARLIEST];
        engine.drain(&options, Some(&topic)).await.unwrap();
        engine.kafka.add_partitions(&topic, 2).unwrap();
        engine.kafka.fill(&topic, &[(1, 4)], "v").unwrap();
        engine.kafka.delete_records(&topic, &[(1, 2)]).unwrap();
        let second = engine.drain(&options, Some(&topic)).await;
        if fails {
            let error = second.unwrap_err();
            let reason = format!("{LOST}Added partition {topic}-1 starts from 2 instead of 0.");
            assert!(error.message().contains(&reason), "{error}");
            continue;
        }
        let second = second.unwrap();
        assert_eq!((second.len(), second[0].rows), (1, 2));
    }
}

/// A batch that was planned and not run names a partition that has gone since, and that no batch before
/// has read.
pub(super) async fn a_partition_that_only_the_log_knows(address: &str) {
    let engine = Engine::new(address);
    for fails in [true, false] {
        let topic = format!("l_log_{fails}");
        engine.kafka.create(&topic, 1).unwrap();
        engine.kafka.fill(&topic, &[(0, 2)], "v").unwrap();
        let options = [("subscribe", topic.as_str()), fail(fails), EARLIEST];
        engine.drain(&options, Some(&topic)).await.unwrap();
        engine.kafka.fill(&topic, &[(0, 3)], "w").unwrap();
        let file = |name: &str| engine.folder.path().join(&topic).join(name);
        let first = std::fs::read_to_string(file("offsets/0")).unwrap();
        let (head, _) = first.rsplit_once('\n').unwrap();
        let planned = json!({&topic: {"0": 5, "7": 1}});
        std::fs::write(file("offsets/1"), format!("{head}\n{planned}")).unwrap();
        let second = engine.drain(&options, Some(&topic)).await;
        let reason = format!(
            "{LOST}Cannot find initial offsets for partitions Set({topic}-7). They may have been deleted."
        );
        if fails {
            let error = second.unwrap_err();
            assert!(error.message().contains(&reason), "{error}");
            continue;
        }
        let rows: i64 = second.unwrap().iter().map(|batch| batch.rows).sum();
        assert_eq!(rows, 3);
    }
}

pub(super) async fn a_restart_with_other_topics(address: &str) {
    let engine = Engine::new(address);
    for (topic, count) in [("l_c1", 2), ("l_c2", 3)] {
        engine.kafka.create(topic, 1).unwrap();
        engine.kafka.fill(topic, &[(0, count)], "v").unwrap();
    }
    // Two runs of one query, whose topics are its own business.
    let first = engine
        .drain(&[("subscribePattern", "l_c1"), EARLIEST], Some("c"))
        .await
        .unwrap();
    assert_eq!(first[0].rows, 2);
    let both = [("subscribePattern", "l_c."), EARLIEST];
    let error = engine.drain(&both, Some("c")).await.unwrap_err();
    // The checkpoint says which sources it belongs to.
    assert!(
        error.message().contains("belongs to another query"),
        "{error}"
    );
}
