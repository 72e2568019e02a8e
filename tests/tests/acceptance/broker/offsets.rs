//! Where partitions begin and end, and what they have of a time.

use acceptance::kafka::{
    PATIENCE, Record, admin, code, consumer, produce, producer, read_all, read_to_ends,
};
use futures::executor::block_on;
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use super::{Tested, on_both_brokers};

const T: i64 = 1_700_000_000_000;

on_both_brokers![
    offsets_by_time,
    records_that_are_deleted,
    an_offset_beyond_the_end,
];

fn since(consumer: &BaseConsumer, topic: &str, time: i64) -> Offset {
    let mut times = TopicPartitionList::new();
    times
        .add_partition_offset(topic, 0, Offset::from_raw(time))
        .expect("a time");
    let found = consumer
        .offsets_for_times(times, PATIENCE)
        .expect("offsets");
    found
        .find_partition(topic, 0)
        .expect("the partition")
        .offset()
}

fn offsets_by_time(broker: &Tested) {
    let topic = broker.topic("times", 1);
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    assert_eq!(since(&consumer, &topic, T), Offset::End);
    let producer = producer(&broker.address, &[]).expect("a producer");
    for second in [0, 1, 2, 3, 4, 2] {
        let record = Record::of("x").at(T + 1000 * second);
        produce(&producer, &topic, &[record]).expect("an answer");
    }
    let asked = [
        (-10_000, Offset::Offset(0)),
        (0, Offset::Offset(0)),
        (1, Offset::Offset(1)),
        (1000, Offset::Offset(1)),
        (2000, Offset::Offset(2)),
        (4000, Offset::Offset(4)),
        (4001, Offset::End),
    ];
    for (time, offset) in asked {
        assert_eq!(since(&consumer, &topic, T + time), offset, "{time}");
    }
    // The times that stand for the end and the beginning.
    assert_eq!(since(&consumer, &topic, -1), Offset::Offset(6));
    assert_eq!(since(&consumer, &topic, -2), Offset::Offset(0));
    let watermarks = consumer.fetch_watermarks(&topic, 0, PATIENCE);
    assert_eq!(watermarks.expect("watermarks"), (0, 6));
}

fn records_that_are_deleted(broker: &Tested) {
    let topic = broker.topic("aged", 1);
    let producer = producer(&broker.address, &[]).expect("a producer");
    let records: Vec<Record> = (0..10)
        .map(|n| Record::of(n.to_string()).at(T + n))
        .collect();
    produce(&producer, &topic, &records).expect("answers");
    let delete = |before: Offset| {
        let mut offsets = TopicPartitionList::new();
        offsets
            .add_partition_offset(&topic, 0, before)
            .expect("an offset");
        let admin = admin(&broker.address).expect("a client");
        let deleted = block_on(admin.delete_records(&offsets, &AdminOptions::new()));
        let deleted = deleted.map_err(|error| code(&error))?;
        let deleted = deleted.find_partition(&topic, 0).expect("the partition");
        deleted.error().map_err(|error| code(&error))?;
        Ok(deleted.offset())
    };
    assert_eq!(delete(Offset::Offset(4)), Ok(Offset::Offset(4)));
    // Nothing comes back.
    assert_eq!(delete(Offset::Offset(2)), Ok(Offset::Offset(4)));
    assert_eq!(
        delete(Offset::Offset(11)),
        Err(RDKafkaErrorCode::OffsetOutOfRange)
    );

    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    let offsets: Vec<i64> = seen.iter().map(|seen| seen.offset).collect();
    assert_eq!(offsets, [4, 5, 6, 7, 8, 9]);
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    assert_eq!(since(&consumer, &topic, T), Offset::Offset(4));
    let watermarks = consumer.fetch_watermarks(&topic, 0, PATIENCE);
    assert_eq!(watermarks.expect("watermarks"), (4, 10));
    out_of_range(&consumer, &topic, 3);

    assert_eq!(delete(Offset::End), Ok(Offset::Offset(10)));
    assert_eq!(read_all(&broker.address, &topic, &[]).expect("records"), []);
    produce(&producer, &topic, &[Record::of("next")]).expect("an answer");
    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    assert_eq!(seen[0].offset, 10);
}

fn an_offset_beyond_the_end(broker: &Tested) {
    let topic = broker.topic("beyond", 1);
    let producer = producer(&broker.address, &[]).expect("a producer");
    produce(&producer, &topic, &[Record::of("x")]).expect("an answer");
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    out_of_range(&consumer, &topic, 2);
}

fn out_of_range(consumer: &BaseConsumer, topic: &str, offset: i64) {
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, 0, Offset::Offset(offset))
        .expect("an offset");
    consumer.assign(&assignment).expect("assigned");
    let error = read_to_ends(consumer, 1).expect_err("an error");
    let error = error.downcast_ref::<KafkaError>().expect("the client's");
    // The client's own policy, auto.offset.reset=error, is what it names.
    assert_eq!(code(error), RDKafkaErrorCode::AutoOffsetReset, "{error}");
}
