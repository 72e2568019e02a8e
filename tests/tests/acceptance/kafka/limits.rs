//! How much a batch takes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidebook_engine::Session;
use tidebook_engine::clock::ManualClock;

use super::harness::{EARLIEST, Engine, Start, batches, until, until_rows};

pub(super) async fn shares_of_max_offsets_per_trigger(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_lim", 3).unwrap();
    engine
        .kafka
        .fill("t_lim", &[(0, 100), (1, 10), (2, 1)], "v")
        .unwrap();
    for (limit, ends) in [
        ("1", vec![[1, 1, 1], [2, 2, 1], [3, 3, 1], [4, 4, 1]]),
        ("3", vec![[2, 1, 1], [4, 2, 1], [6, 3, 1], [8, 4, 1]]),
        ("10", vec![[9, 1, 1], [18, 2, 1], [27, 3, 1], [36, 4, 1]]),
        ("50", vec![[45, 4, 1], [90, 8, 1], [100, 10, 1]]),
        ("60", vec![[54, 5, 1], [100, 10, 1]]),
    ] {
        let options = [
            ("subscribe", "t_lim"),
            ("maxOffsetsPerTrigger", limit),
            EARLIEST,
        ];
        let batches = engine.drain(&options, None).await.unwrap();
        let ends = ends
            .iter()
            .map(|[a, b, c]| json!({"t_lim": {"0": a, "1": b, "2": c}}));
        let ends: Vec<Value> = ends.collect();
        // A query remembers its last hundred batches.
        for batch in batches.iter().filter(|batch| batch.id < ends.len() as i64) {
            assert_eq!(
                batch.end, ends[batch.id as usize],
                "limit {limit}, batch {}",
                batch.id
            );
        }
        assert!(batches[0].id < 2, "limit {limit}");
        assert_eq!(engine.collected().len(), 111, "limit {limit}");
    }
    // Nothing at all is a limit too.
    let options = [
        ("subscribe", "t_lim"),
        ("maxOffsetsPerTrigger", "0"),
        EARLIEST,
    ];
    let batches = engine.drain(&options, None).await.unwrap();
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].end, json!({"t_lim": {"0": 0, "1": 0, "2": 0}}));
}

pub(super) async fn once_ignores_limits(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_once", 1).unwrap();
    engine.kafka.fill("t_once", &[(0, 10)], "v").unwrap();
    let options = [
        ("subscribe", "t_once"),
        ("maxOffsetsPerTrigger", "4"),
        EARLIEST,
    ];
    let start = Start {
        trigger: Some("once"),
        ..Start::default()
    };
    let once = engine
        .run(engine.source(true, &options), start)
        .await
        .unwrap();
    assert_eq!((once.len(), once[0].rows), (1, 10));
    let parts = engine.drain(&options, None).await.unwrap();
    let rows: Vec<i64> = parts.iter().map(|batch| batch.rows).collect();
    assert_eq!(rows, [4, 4, 2]);
}

pub(super) async fn a_batch_waits_for_enough_records(address: &str) {
    let clock = ManualClock::new(1_000_000);
    let mut engine = Engine::new(address);
    engine.session = Session::builder()
        .clock(Arc::new(clock.clone()))
        .build()
        .unwrap();
    engine.kafka.create("t_min", 1).unwrap();
    engine.kafka.fill("t_min", &[(0, 3)], "v").unwrap();
    let options = [
        ("subscribe", "t_min"),
        ("minOffsetsPerTrigger", "5"),
        ("maxTriggerDelay", "6s"),
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
    // The first batch never waits.
    until_rows(&query, 3).await;
    engine.kafka.fill("t_min", &[(0, 2)], "w").unwrap();
    query.process_all_available().await.unwrap();
    assert_eq!(batches(&query).len(), 1, "two records are too few");
    // Enough records are a reason …
    engine.kafka.fill("t_min", &[(0, 3)], "x").unwrap();
    until_rows(&query, 8).await;
    engine.kafka.fill("t_min", &[(0, 1)], "y").unwrap();
    query.process_all_available().await.unwrap();
    assert_eq!(batches(&query).len(), 2);
    // … and so is time.
    clock.advance(Duration::from_secs(6));
    until_rows(&query, 9).await;
    query.stop().await.unwrap();
    // Available-now reads what there is.
    let options = [
        ("subscribe", "t_min"),
        ("minOffsetsPerTrigger", "1000"),
        EARLIEST,
    ];
    let engine = Engine::new(address);
    let batches = engine.drain(&options, None).await.unwrap();
    assert_eq!((batches.len(), batches[0].rows), (1, 9));
}

/// The shares of a batch follow what is left then, not what there was at first.
pub(super) async fn shares_follow_what_is_left(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_left", 2).unwrap();
    engine.kafka.fill("t_left", &[(0, 6), (1, 4)], "v").unwrap();
    let options = [
        ("subscribe", "t_left"),
        ("maxOffsetsPerTrigger", "4"),
        EARLIEST,
    ];
    let batches = engine.drain(&options, None).await.unwrap();
    let ends = batches.iter().map(|batch| batch.end.clone());
    let expected = [[2, 1], [4, 2], [6, 4]].map(|[a, b]| json!({"t_left": {"0": a, "1": b}}));
    assert_eq!(ends.collect::<Vec<_>>(), expected);
    let rows: Vec<i64> = batches.iter().map(|batch| batch.rows).collect();
    assert_eq!(rows, [3, 3, 4]);
}

pub(super) async fn available_now_ends_where_it_began(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_an", 2).unwrap();
    engine.kafka.fill("t_an", &[(0, 4), (1, 2)], "v").unwrap();
    let options = [
        ("subscribe", "t_an"),
        ("maxOffsetsPerTrigger", "3"),
        EARLIEST,
    ];
    let stream = engine.source(true, &options);
    let start = Start {
        checkpoint: Some("c"),
        ..Start::default()
    };
    let query = engine.start(stream, start).await.unwrap();
    // What comes while it runs is for the next run.
    until(&query, |query| !batches(query).is_empty()).await;
    engine.kafka.fill("t_an", &[(0, 5)], "w").unwrap();
    query.await_termination(None).await.unwrap();
    let done = batches(&query);
    assert_eq!(done.last().unwrap().end, json!({"t_an": {"0": 4, "1": 2}}));
    assert_eq!(done.iter().map(|batch| batch.rows).sum::<i64>(), 6);
    let next = engine.drain(&options, Some("c")).await.unwrap();
    assert_eq!(next.iter().map(|batch| batch.rows).sum::<i64>(), 5);
}
