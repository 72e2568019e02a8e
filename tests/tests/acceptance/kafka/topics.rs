//! Which topics are read.

use super::harness::{EARLIEST, Engine};

pub(super) async fn three_ways_to_choose(address: &str) {
    let engine = Engine::new(address);
    for (topic, partitions) in [("p_a", 1), ("p_b", 2), ("q_c", 1)] {
        engine.kafka.create(topic, partitions).unwrap();
        let counts: Vec<_> = (0..partitions).map(|partition| (partition, 1)).collect();
        engine.kafka.fill(topic, &counts, "v").unwrap();
    }
    for (name, value, description, rows) in [
        ("subscribe", "p_a, q_c", "KafkaV2[Subscribe[p_a, q_c]]", 2),
        (
            "subscribePattern",
            "p_.*",
            "KafkaV2[SubscribePattern[p_.*]]",
            3,
        ),
        ("subscribePattern", "p_", "KafkaV2[SubscribePattern[p_]]", 0),
        (
            "assign",
            r#"{"p_b":[1],"p_a":[0]}"#,
            "KafkaV2[Assign[p_a-0, p_b-1]]",
            2,
        ),
    ] {
        let stream = engine.source(true, &[(name, value), EARLIEST]);
        let query = engine.start(stream, Default::default()).await.unwrap();
        query.await_termination(None).await.unwrap();
        let progress = query.last_progress().unwrap();
        assert_eq!(progress.sources[0].description, description);
        assert_eq!(engine.collected().len(), rows, "{name}={value}");
    }
}

pub(super) async fn an_unknown_topic_is_named(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("clicks", 1).unwrap();
    let options = [
        ("subscribe", "clickz"),
        ("fetchOffset.retryIntervalMs", "10"),
    ];
    let stream = engine.drain(&options, None).await.unwrap_err();
    engine
        .view("t", engine.source(false, &options))
        .await
        .unwrap();
    let table = engine.sql("SELECT * FROM t").await.unwrap_err();
    for error in [stream, table] {
        assert!(
            error
                .message()
                .contains("the topic 'clickz' does not exist"),
            "{error}"
        );
        assert!(
            error
                .message()
                .contains("This server does not host this topic-partition.")
        );
        assert_eq!(error.condition(), Some("UNKNOWN_TOPIC_OR_PARTITION"));
        assert_eq!(error.hint(), Some("did you mean 'clicks'?"));
    }
    assert!(
        !engine.kafka.exists("clickz").unwrap(),
        "reading makes no topic"
    );
}
