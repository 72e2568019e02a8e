//! Topics made, deleted and grown, and those that there are not.

use acceptance::kafka::{
    Record, admin, consumer, create_topic, delete_topic, next, partitions, produce, producer,
    read_all,
};
use futures::executor::block_on;
use rdkafka::admin::{
    AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::{Tested, on_both_brokers};

on_both_brokers![
    what_cannot_be_created,
    a_topic_that_does_not_exist,
    a_producer_gets_its_topic_made,
    deleted_while_it_is_read,
    more_partitions,
    settings_are_told_and_changed,
];

fn create(broker: &Tested, topic: &NewTopic<'_>) -> Result<String, RDKafkaErrorCode> {
    let admin = admin(&broker.address).expect("a client");
    let created = block_on(admin.create_topics([topic], &AdminOptions::new()));
    let mut created = created.expect("an answer");
    created.remove(0).map_err(|(_, code)| code)
}

fn what_cannot_be_created(broker: &Tested) {
    let name = broker.topic("once", 1);
    let one = || TopicReplication::Fixed(1);
    let long = "x".repeat(250);
    let cases = [
        (
            NewTopic::new(&name, 1, one()),
            RDKafkaErrorCode::TopicAlreadyExists,
        ),
        (
            NewTopic::new("not a name", 1, one()),
            RDKafkaErrorCode::InvalidTopic,
        ),
        (
            NewTopic::new("..", 1, one()),
            RDKafkaErrorCode::InvalidTopic,
        ),
        (
            NewTopic::new(&long, 1, one()),
            RDKafkaErrorCode::InvalidTopic,
        ),
        (
            NewTopic::new("replicated", 1, TopicReplication::Fixed(3)),
            RDKafkaErrorCode::InvalidReplicationFactor,
        ),
        (
            NewTopic::new("set", 1, one()).set("no.such.setting", "1"),
            RDKafkaErrorCode::InvalidConfig,
        ),
        (
            NewTopic::new("set", 1, one()).set("retention.ms", "soon"),
            RDKafkaErrorCode::InvalidConfig,
        ),
    ];
    for (topic, code) in cases {
        assert_eq!(create(broker, &topic), Err(code), "{topic:?}");
    }
}

fn a_topic_that_does_not_exist(broker: &Tested) {
    let name = broker.name("nowhere");
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    let error = partitions(&consumer, &name).expect_err("an error");
    let unknown = format!("{name}: {:?}", RDKafkaErrorCode::UnknownTopicOrPartition);
    assert_eq!(error.to_string(), unknown);
    // To ask for it has not made it.
    assert!(partitions(&consumer, &name).is_err());
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(&name, 0, Offset::Beginning)
        .expect("a partition");
    consumer.assign(&assignment).expect("assigned");
    let error = next(&consumer).expect("in time").expect_err("an error");
    assert!(is_unknown(&error), "{error}");
    let admin = admin(&broker.address).expect("a client");
    let deleted = block_on(admin.delete_topics(&[&name], &AdminOptions::new()));
    let deleted = deleted.expect("an answer").remove(0);
    assert_eq!(
        deleted,
        Err((name, RDKafkaErrorCode::UnknownTopicOrPartition))
    );
}

/// Whether the client or the broker says so depends on who notices first.
fn is_unknown(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::UnknownPartition | RDKafkaErrorCode::UnknownTopicOrPartition)
    )
}

fn a_producer_gets_its_topic_made(broker: &Tested) {
    let name = broker.name("made");
    let producer = producer(&broker.address, &[]).expect("a producer");
    let delivered = produce(&producer, &name, &[Record::of("x")]).expect("an answer");
    assert_eq!(delivered, [Ok((0, 0))]);
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    assert_eq!(partitions(&consumer, &name).expect("a topic"), 1);
}

fn deleted_while_it_is_read(broker: &Tested) {
    let name = broker.topic("deleted", 1);
    let producer = producer(&broker.address, &[]).expect("a producer");
    let records = [Record::of("a"), Record::of("b"), Record::of("c")];
    produce(&producer, &name, &records).expect("answers");
    // It believes at once that a topic is gone.
    let settings = [
        ("topic.metadata.refresh.interval.ms", "100"),
        ("topic.metadata.propagation.max.ms", "0"),
    ];
    let reader = consumer(&broker.address, &settings).expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(&name, 0, Offset::Beginning)
        .expect("a partition");
    reader.assign(&assignment).expect("assigned");
    for _ in 0..3 {
        next(&reader).expect("in time").expect("a record");
    }
    let end = next(&reader).expect("in time");
    assert_eq!(end, Err(KafkaError::PartitionEOF(0)));

    delete_topic(&broker.address, &name).expect("deleted");
    let error = loop {
        match next(&reader).expect("in time") {
            Err(KafkaError::PartitionEOF(_)) => {}
            Err(error) => break error,
            Ok(seen) => panic!("a record of nowhere: {seen:?}"),
        }
    };
    assert!(is_unknown(&error), "{error}");

    // The next one of that name is another one.
    create_topic(&broker.address, &name, 2, &[]).expect("a topic");
    let delivered = produce(&producer, &name, &[Record::of("new").to(0)]).expect("an answer");
    assert_eq!(delivered, [Ok((0, 0))]);
    let seen = read_all(&broker.address, &name, &[]).expect("records");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].text(), "new");
}

fn more_partitions(broker: &Tested) {
    let name = broker.topic("grows", 1);
    let admin = admin(&broker.address).expect("a client");
    let grow = |count| {
        let partitions = NewPartitions::new(&name, count);
        let grown = admin.create_partitions([&partitions], &AdminOptions::new());
        let grown = block_on(grown).expect("an answer").remove(0);
        grown.map_err(|(_, code)| code)
    };
    assert_eq!(grow(3), Ok(name.clone()));
    assert_eq!(grow(3), Err(RDKafkaErrorCode::InvalidPartitions));
    assert_eq!(grow(2), Err(RDKafkaErrorCode::InvalidPartitions));
    acceptance::kafka::wait_for_topic(&broker.address, &name, 3).expect("partitions");
    let producer = producer(&broker.address, &[]).expect("a producer");
    let delivered = produce(&producer, &name, &[Record::of("x").to(2)]).expect("an answer");
    assert_eq!(delivered, [Ok((2, 0))]);
}

fn settings_are_told_and_changed(broker: &Tested) {
    let name = broker.name("settings");
    create_topic(&broker.address, &name, 1, &[("max.message.bytes", "1000")]).expect("a topic");
    let admin = admin(&broker.address).expect("a client");
    let told = || {
        let resource = ResourceSpecifier::Topic(&name);
        let told = block_on(admin.describe_configs([&resource], &AdminOptions::new()));
        let told = told.expect("an answer").remove(0).expect("settings");
        let value = |key: &str| told.get(key).and_then(|entry| entry.value.clone());
        (value("max.message.bytes"), value("cleanup.policy"))
    };
    let is = |bytes: &str| (Some(bytes.to_owned()), Some("delete".to_owned()));
    assert_eq!(told(), is("1000"));
    let settings = [("message.send.max.retries", "0")];
    let producer = producer(&broker.address, &settings).expect("a producer");
    let record = [Record::of(vec![b'x'; 2000])];
    let delivered = produce(&producer, &name, &record).expect("an answer");
    assert_eq!(delivered, [Err(RDKafkaErrorCode::MessageSizeTooLarge)]);

    let change = AlterConfig::new(ResourceSpecifier::Topic(&name)).set("max.message.bytes", "3000");
    let changed = block_on(admin.alter_configs([&change], &AdminOptions::new()));
    changed.expect("an answer").remove(0).expect("changed");
    assert_eq!(told(), is("3000"));
    let delivered = produce(&producer, &name, &record).expect("an answer");
    assert_eq!(delivered, [Ok((0, 0))]);
}
