//! Transactions: what a reader sees of them, who may end them, and which offsets they commit.

use acceptance::kafka::{
    Deliveries, PATIENCE, Record, Seen, code, consumer, delivered, produce, producer, read_all,
    send,
};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::{Tested, on_both_brokers};

on_both_brokers![
    committed_and_aborted,
    several_partitions_in_one,
    the_second_fences_the_first,
    offsets_within_a_transaction,
    what_takes_too_long_is_aborted,
    what_a_gone_producer_left_open_ends_with_the_next,
];

const COMMITTED: [(&str, &str); 1] = [("isolation.level", "read_committed")];
const UNCOMMITTED: [(&str, &str); 1] = [("isolation.level", "read_uncommitted")];

fn transactional(broker: &Tested, id: &str, more: &[(&str, &str)]) -> BaseProducer<Deliveries> {
    let id = broker.name(id);
    let mut settings = vec![("transactional.id", id.as_str())];
    settings.extend(more);
    let producer = producer(&broker.address, &settings).expect("a producer");
    producer
        .init_transactions(PATIENCE)
        .expect("the first transaction can begin");
    producer
}

fn texts(broker: &Tested, topic: &str, isolation: &[(&str, &str)]) -> Vec<(i64, String)> {
    let seen = read_all(&broker.address, topic, isolation).expect("records");
    seen.iter().map(|seen| (seen.offset, seen.text())).collect()
}

fn records(texts: &[&str]) -> Vec<Record> {
    texts.iter().map(|text| Record::of(*text)).collect()
}

fn owned(texts: &[(i64, &str)]) -> Vec<(i64, String)> {
    texts
        .iter()
        .map(|&(offset, text)| (offset, text.to_owned()))
        .collect()
}

fn committed_and_aborted(broker: &Tested) {
    let topic = broker.topic("mixed", 1);
    let producer = transactional(broker, "mixed", &[]);
    let transactions: [(&[&str], bool); 3] = [
        (&["c0", "c1", "c2"], true),
        (&["a0", "a1"], false),
        (&["c3"], true),
    ];
    for (texts, commit) in transactions {
        producer.begin_transaction().expect("begun");
        produce(&producer, &topic, &records(texts)).expect("answers");
        let ended = match commit {
            true => producer.commit_transaction(PATIENCE),
            false => producer.abort_transaction(PATIENCE),
        };
        ended.expect("ended");
    }
    // Each end takes an offset.
    let committed = owned(&[(0, "c0"), (1, "c1"), (2, "c2"), (7, "c3")]);
    let mut all = owned(&[
        (0, "c0"),
        (1, "c1"),
        (2, "c2"),
        (4, "a0"),
        (5, "a1"),
        (7, "c3"),
    ]);
    assert_eq!(texts(broker, &topic, &COMMITTED), committed);
    assert_eq!(texts(broker, &topic, &UNCOMMITTED), all);

    // One that is open hides what comes after its beginning, also what belongs to none.
    producer.begin_transaction().expect("begun");
    produce(&producer, &topic, &records(&["open"])).expect("answers");
    let other = acceptance::kafka::producer(&broker.address, &[]).expect("a producer");
    produce(&other, &topic, &records(&["plain"])).expect("answers");
    assert_eq!(texts(broker, &topic, &COMMITTED), committed);
    all.extend(owned(&[(9, "open"), (10, "plain")]));
    assert_eq!(texts(broker, &topic, &UNCOMMITTED), all);
    let ends = |isolation: &[(&str, &str)]| {
        let consumer = consumer(&broker.address, isolation).expect("a consumer");
        let mut times = TopicPartitionList::new();
        times
            .add_partition_offset(&topic, 0, Offset::End)
            .expect("a partition");
        let ends = consumer
            .offsets_for_times(times, PATIENCE)
            .expect("offsets");
        ends.find_partition(&topic, 0)
            .expect("the partition")
            .offset()
    };
    assert_eq!(ends(&COMMITTED), Offset::Offset(9));
    assert_eq!(ends(&UNCOMMITTED), Offset::Offset(11));
    producer.abort_transaction(PATIENCE).expect("aborted");
    let mut committed = committed;
    committed.extend(owned(&[(10, "plain")]));
    assert_eq!(texts(broker, &topic, &COMMITTED), committed);
    assert_eq!(ends(&COMMITTED), Offset::Offset(12));
}

fn several_partitions_in_one(broker: &Tested) {
    let (left, right) = (broker.topic("left", 2), broker.topic("right", 1));
    let producer = transactional(broker, "several", &[]);
    let round = |text: &str| {
        producer.begin_transaction().expect("begun");
        for partition in 0..2 {
            send(&producer, &left, &Record::of(text).to(partition)).expect("sent");
        }
        send(&producer, &right, &Record::of(text)).expect("sent");
        assert!(
            delivered(&producer)
                .expect("answers")
                .iter()
                .all(Result::is_ok)
        );
    };
    round("no");
    producer.abort_transaction(PATIENCE).expect("aborted");
    round("yes");
    producer.commit_transaction(PATIENCE).expect("committed");
    for (topic, count) in [(&left, 2), (&right, 1)] {
        let seen = read_all(&broker.address, topic, &COMMITTED).expect("records");
        assert_eq!(seen.len(), count);
        assert!(
            seen.iter()
                .all(|seen| seen.text() == "yes" && seen.offset == 2)
        );
    }
}

fn the_second_fences_the_first(broker: &Tested) {
    let topic = broker.topic("fenced", 1);
    let first = transactional(broker, "fenced", &[]);
    first.begin_transaction().expect("begun");
    produce(&first, &topic, &records(&["lost"])).expect("answers");
    let second = transactional(broker, "fenced", &[]);
    let error = first.commit_transaction(PATIENCE).expect_err("fenced");
    assert_eq!(code(&error), RDKafkaErrorCode::Fenced, "{error}");
    second.begin_transaction().expect("begun");
    produce(&second, &topic, &records(&["kept"])).expect("answers");
    second.commit_transaction(PATIENCE).expect("committed");
    let seen = read_all(&broker.address, &topic, &COMMITTED).expect("records");
    assert_eq!(seen.iter().map(Seen::text).collect::<Vec<_>>(), ["kept"]);

    // Also when it sends the first record of a transaction.
    let third = transactional(broker, "fenced", &[]);
    second.begin_transaction().expect("begun");
    send(&second, &topic, &Record::of("zombie")).expect("sent");
    let delivered = delivered(&second).expect("an answer");
    assert!(delivered[0].is_err(), "{delivered:?}");
    drop(third);
    let seen = read_all(&broker.address, &topic, &UNCOMMITTED).expect("records");
    assert_eq!(
        seen.iter().map(Seen::text).collect::<Vec<_>>(),
        ["lost", "kept"]
    );
}

fn offsets_within_a_transaction(broker: &Tested) {
    let topic = broker.topic("within", 1);
    let group = broker.name("within");
    let settings = [("group.id", group.as_str())];
    let consumer = consumer(&broker.address, &settings).expect("a consumer");
    let producer = transactional(broker, "within", &[]);
    let committed = || {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(&topic, 0);
        let committed = consumer
            .committed_offsets(partitions, PATIENCE)
            .expect("offsets");
        committed
            .find_partition(&topic, 0)
            .expect("the partition")
            .offset()
    };
    let metadata = || consumer.group_metadata().expect("a group");
    let offsets = |offset| {
        let mut offsets = TopicPartitionList::new();
        let added = offsets.add_partition_offset(&topic, 0, Offset::Offset(offset));
        added.expect("an offset");
        offsets
    };
    assert_eq!(committed(), Offset::Invalid);
    for (offset, commit) in [(5, true), (9, false), (7, true)] {
        producer.begin_transaction().expect("begun");
        produce(&producer, &topic, &records(&["x"])).expect("answers");
        producer
            .send_offsets_to_transaction(&offsets(offset), &metadata(), PATIENCE)
            .expect("sent");
        match commit {
            true => {
                producer.commit_transaction(PATIENCE).expect("committed");
                assert_eq!(committed(), Offset::Offset(offset));
            }
            false => {
                producer.abort_transaction(PATIENCE).expect("aborted");
                assert_eq!(committed(), Offset::Offset(5));
            }
        }
    }
}

fn what_takes_too_long_is_aborted(broker: &Tested) {
    let topic = broker.topic("slow", 1);
    let producer = transactional(broker, "slow", &[("transaction.timeout.ms", "1000")]);
    producer.begin_transaction().expect("begun");
    produce(&producer, &topic, &records(&["late"])).expect("answers");
    let consumer = consumer(&broker.address, &COMMITTED).expect("a consumer");
    // Until the broker has ended it in its place.
    while consumer
        .fetch_watermarks(&topic, 0, PATIENCE)
        .expect("watermarks")
        .1
        < 2
    {}
    assert_eq!(texts(broker, &topic, &COMMITTED), []);
    let error = producer.commit_transaction(PATIENCE).expect_err("too late");
    assert!(
        matches!(
            code(&error),
            RDKafkaErrorCode::Fenced | RDKafkaErrorCode::InvalidProducerEpoch
        ),
        "{error}"
    );
}

fn what_a_gone_producer_left_open_ends_with_the_next(broker: &Tested) {
    let topic = broker.topic("gone", 1);
    let first = transactional(broker, "gone", &[]);
    first.begin_transaction().expect("begun");
    produce(&first, &topic, &records(&["half"])).expect("answers");
    drop(first);
    let second = transactional(broker, "gone", &[]);
    second.begin_transaction().expect("begun");
    produce(&second, &topic, &records(&["whole"])).expect("answers");
    second.commit_transaction(PATIENCE).expect("committed");
    assert_eq!(texts(broker, &topic, &COMMITTED), owned(&[(2, "whole")]));
}
