//! Options that are refused, and those that are not.

use tidebook_engine::Error;

use super::harness::{EARLIEST, Engine, map, source};

pub(super) async fn definitions_that_cannot_work_are_refused(address: &str) {
    let engine = Engine::new(address);
    let ways =
        "for Kafka source: subscribe, subscribepattern, assign. See the docs for more details.";
    let one = format!("One of the following options must be specified {ways}");
    let only = format!("Only one of the following options can be specified {ways}");
    let topic = ("subscribe", "t");
    for (options, said) in [
        (vec![], one.as_str()),
        (vec![topic, ("assign", r#"{"p_b":[1]}"#)], &only),
        (
            vec![("subscribe", "")],
            "No topics to subscribe to as specified value for option 'subscribe' is ''",
        ),
        (
            vec![("subscribe", ",")],
            "No topics to subscribe to as specified value for option 'subscribe' is ','",
        ),
        (
            vec![("subscribePattern", " ")],
            "Pattern to subscribe is empty as specified value for option 'subscribePattern' is ' '",
        ),
        (
            vec![("subscribePattern", "p_(")],
            "option 'subscribePattern' is not a regular expression: 'p_('",
        ),
        (
            vec![("assign", "p_b")],
            "No topicpartitions to assign as specified value for option 'assign' is 'p_b'",
        ),
        (
            vec![("assign", r#"{"p_b":1}"#)],
            r#"Expected e.g. {"topicA":[0,1],"topicB":[0,1]}, got {"p_b":1}"#,
        ),
        (
            vec![topic, ("kafka.enable.auto.commit", "false")],
            "Kafka option 'enable.auto.commit' is not supported",
        ),
        (
            vec![topic, ("kafka.interceptor.classes", "x")],
            "Kafka option 'interceptor.classes' is not supported",
        ),
        (
            vec![topic, ("kafka.key.deserializer", "x")],
            "Kafka option 'key.deserializer' is not supported as keys are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the keys.",
        ),
        (
            vec![topic, ("kafka.value.deserializer", "x")],
            "Kafka option 'value.deserializer' is not supported as values are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the values.",
        ),
        (
            vec![topic, ("kafka.auto.offset.reset", "earliest")],
            "Kafka option 'auto.offset.reset' is not supported.\nInstead set the source option 'startingoffsets' to 'earliest' or 'latest'",
        ),
        (
            vec![topic, ("minPartitions", "0")],
            "minPartitions must be positive",
        ),
        (
            vec![topic, ("minPartitions", "x")],
            "must be a positive whole number, not 'x'",
        ),
        (
            vec![topic, ("maxRecordsPerPartition", "0")],
            "maxRecordsPerPartition must be positive",
        ),
        (vec![topic, ("maxOffsetsPerTrigger", "x")], "not 'x'"),
        (vec![topic, ("maxOffsetsPerTrigger", "-1")], "not '-1'"),
        (
            vec![
                topic,
                ("minOffsetsPerTrigger", "9"),
                ("maxOffsetsPerTrigger", "3"),
            ],
            "The value of minOffsetPerTrigger(9) is higher than the maxOffsetsPerTrigger(3).",
        ),
        (vec![topic, ("maxTriggerDelay", "soon")], "not 'soon'"),
        (vec![topic, ("failOnDataLoss", "maybe")], "not 'maybe'"),
        (vec![topic, ("includeHeaders", "maybe")], "not 'maybe'"),
        (
            vec![topic, ("startingOfsets", "earliest")],
            "unknown option 'startingOfsets'",
        ),
        (
            vec![topic, ("kafka.isolation.level", "x")],
            "'kafka.isolation.level' cannot be set",
        ),
        (
            vec![topic, ("kafka.no.such.option", "x")],
            "no Kafka setting 'no.such.option'",
        ),
        (
            vec![topic, ("kafka.bootstrap.servers", "localhost")],
            "'localhost' in kafka.bootstrap.servers is not HOST:PORT",
        ),
    ] {
        // Already as a definition, and the same as a table.
        let error = engine
            .view("s", engine.source(true, &options))
            .await
            .unwrap_err();
        assert!(error.message().contains(said), "{options:?}: {error}");
        let table = engine
            .view("s", engine.source(false, &options))
            .await
            .unwrap_err();
        assert_eq!(table.message(), error.message(), "{options:?}");
    }
    let missing = source(true, None, map(&[topic]));
    let error: Error = engine.view("s", missing).await.unwrap_err();
    assert_eq!(
        error.message(),
        "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer"
    );
    assert!(error.hint().unwrap().contains("start a broker"), "{error}");
    let mut options = map(&[topic]);
    options.insert("kafka.bootstrap.servers".into(), address.into());
    let error = engine
        .view("s", source(true, Some("a INT"), options))
        .await
        .unwrap_err();
    let said = "Kafka source has a fixed schema and cannot be set with a custom one";
    assert!(error.message().contains(said), "{error}");
}

pub(super) async fn settings_that_change_nothing_are_taken(address: &str) {
    let engine = Engine::new(address);
    engine.kafka.create("t_op", 1).unwrap();
    engine.kafka.fill("t_op", &[(0, 1)], "v").unwrap();
    for option in [
        ("kafka.group.id", "mygroup"),
        ("groupIdPrefix", "pre"),
        ("kafka.isolation.level", "read_committed"),
        ("kafka.key.serializer", "x"),
        ("kafka.fetch.max.wait.ms", "10"),
        ("kafka.max.poll.records", "7"),
        ("kafka.request.timeout.ms", "20000"),
        ("kafkaConsumer.pollTimeoutMs", "20000"),
    ] {
        let options = [("subscribe", "t_op"), EARLIEST, option];
        let batches = engine.drain(&options, None).await;
        let batches = batches.unwrap_or_else(|error| panic!("{option:?}: {error}"));
        assert_eq!((batches.len(), batches[0].rows), (1, 1), "{option:?}");
    }
}
