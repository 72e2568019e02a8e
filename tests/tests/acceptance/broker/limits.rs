//! Only of our broker: its bound, its end and what it tells whoever runs it.

use acceptance::kafka::{
    PATIENCE, Record, admin, consumer, create_topic, next, produce, producer, read_all,
};
use futures::executor::block_on;
use rdkafka::admin::{AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use tidebook_broker::{Broker, BrokerOptions};

use super::Tested;

const MIB: usize = 1 << 20;

fn small() -> Tested {
    Tested::ours_with(BrokerOptions {
        memory_limit: 4 * MIB,
        ..BrokerOptions::default()
    })
}

#[test]
fn beyond_its_memory_a_producer_gets_an_error_and_the_rest_goes_on() {
    let broker = small();
    let (full, other) = (broker.topic("full", 1), broker.topic("other", 1));
    let producer = producer(&broker.address, &[]).expect("a producer");
    produce(&producer, &other, &[Record::of("x")]).expect("an answer");
    let record = Record::of(vec![b'x'; 100_000]);
    let mut kept = 0;
    loop {
        let delivered =
            produce(&producer, &full, std::slice::from_ref(&record)).expect("an answer");
        match delivered[0] {
            Ok(_) => kept += 1,
            Err(code) => {
                assert_eq!(code, RDKafkaErrorCode::PolicyViolation);
                break;
            }
        }
        assert!(kept < 100, "there is no bound");
    }
    assert!(kept >= 38, "{kept} records of 100 kB in 4 MiB");
    assert!(broker.broker().memory_used() <= 4 * MIB);
    assert_eq!(
        read_all(&broker.address, &full, &[])
            .expect("records")
            .len(),
        kept
    );
    let too_many = NewTopic::new("many", 100_000, TopicReplication::Fixed(1));
    let admin = admin(&broker.address).expect("a client");
    let created = block_on(admin.create_topics([&too_many], &AdminOptions::new()));
    let created = created.expect("an answer").remove(0);
    assert_eq!(
        created,
        Err(("many".to_owned(), RDKafkaErrorCode::PolicyViolation))
    );
    // Small ones still fit, and what is deleted makes room.
    let delivered = produce(&producer, &other, &[Record::of("y")]).expect("an answer");
    assert_eq!(delivered, [Ok((0, 1))]);
    broker.broker().delete_topic(&full).expect("deleted");
    let delivered = produce(&producer, &other, &[record]).expect("an answer");
    assert_eq!(delivered, [Ok((0, 2))]);
    broker.broker().delete_topic(&other).expect("deleted");
    assert_eq!(broker.broker().memory_used(), 0);
}

#[test]
fn an_open_transaction_ends_although_the_memory_is_used_up() {
    use rdkafka::producer::Producer;
    let broker = small();
    let topic = broker.topic("full", 1);
    let producer = producer(&broker.address, &[("transactional.id", "t")]).expect("a producer");
    producer.init_transactions(PATIENCE).expect("initialised");
    let mut rounds = 0;
    loop {
        producer.begin_transaction().expect("begun");
        let record = Record::of(vec![b'x'; 300_000]);
        let delivered = produce(&producer, &topic, &[record]).expect("an answer");
        if delivered[0].is_err() {
            break;
        }
        producer.commit_transaction(PATIENCE).expect("committed");
        rounds += 1;
    }
    producer.abort_transaction(PATIENCE).expect("aborted");
    let committed = [("isolation.level", "read_committed")];
    let seen = read_all(&broker.address, &topic, &committed).expect("records");
    assert_eq!(seen.len(), rounds);
}

#[test]
fn a_topic_that_keeps_so_many_bytes_never_fills_it() {
    let broker = small();
    create_topic(
        &broker.address,
        "ring",
        1,
        &[("retention.bytes", "1000000")],
    )
    .expect("a topic");
    let producer = producer(&broker.address, &[]).expect("a producer");
    for _ in 0..100 {
        let record = Record::of(vec![b'x'; 100_000]);
        let delivered = produce(&producer, "ring", &[record]).expect("an answer");
        assert!(delivered[0].is_ok(), "{delivered:?}");
    }
    let described = broker.broker().topics().remove(0);
    assert_eq!(described.partitions[0].latest, 100);
    assert_eq!(described.partitions[0].earliest, 91);
    assert_eq!(described.records, 9);
    assert!(described.bytes <= 1_000_000);
}

#[test]
fn records_grow_too_old_by_their_time() {
    let broker = Tested::ours();
    create_topic(&broker.address, "aging", 1, &[("retention.ms", "60000")]).expect("a topic");
    let producer = producer(&broker.address, &[("batch.num.messages", "1")]).expect("a producer");
    let records = [Record::of("old").at(1_700_000_000_000), Record::of("new")];
    produce(&producer, "aging", &records).expect("answers");
    let consumer = consumer(&broker.address, &[]).expect("a consumer");
    while consumer
        .fetch_watermarks("aging", 0, PATIENCE)
        .expect("watermarks")
        != (1, 2)
    {}
    let seen = read_all(&broker.address, "aging", &[]).expect("records");
    assert_eq!(seen[0].text(), "new");
}

#[test]
fn it_ends_while_a_reader_waits() {
    let mut broker = Tested::ours();
    let topic = broker.topic("waiting", 1);
    let settings = [
        ("fetch.wait.max.ms", "250000"),
        ("socket.timeout.ms", "300000"),
    ];
    let consumer = consumer(&broker.address, &settings).expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(&topic, 0, Offset::Offset(0))
        .expect("a partition");
    consumer.assign(&assignment).expect("assigned");
    let producer = producer(&broker.address, &[]).expect("a producer");
    produce(&producer, &topic, &[Record::of("x")]).expect("an answer");
    next(&consumer).expect("in time").expect("a record");
    // Now it asks for the next one.
    broker.shut_down();
    let error = next(&consumer).expect("in time").expect_err("an end");
    assert!(
        matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure)
        ),
        "{error:?}"
    );
    std::net::TcpStream::connect(&broker.address).expect_err("nobody listens");
}

#[tokio::test]
async fn what_cannot_be_started_says_what_to_do() {
    let first = Broker::start(BrokerOptions::default())
        .await
        .expect("a broker");
    let port = first.address().rsplit(':').next().expect("a port").parse();
    let options = BrokerOptions {
        port: port.expect("a port"),
        ..BrokerOptions::default()
    };
    let error = Broker::start(options.clone()).await.expect_err("taken");
    assert!(error.message().contains(&first.address()), "{error}");
    assert!(error.hint().is_some());
    first.shutdown().await;
    // Now it is free again.
    let second = Broker::start(options).await.expect("a broker");
    drop(second);
}

#[tokio::test]
async fn topics_by_whoever_runs_it() {
    let broker = Broker::start(BrokerOptions::default())
        .await
        .expect("a broker");
    broker.create_topic("b", 2).expect("a topic");
    broker.create_topic("a", 1).expect("a topic");
    let error = broker.create_topic("a", 1).expect_err("there is one");
    assert_eq!(error.message(), "Topic 'a' already exists.");
    let error = broker.create_topic("a b", 1).expect_err("no name");
    assert!(error.message().contains("'a b'"), "{error}");
    let error = broker.create_topic("c", 0).expect_err("no partitions");
    assert_eq!(
        error.message(),
        "Number of partitions must be larger than 0."
    );
    let names = || {
        broker
            .topics()
            .into_iter()
            .map(|topic| topic.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["a", "b"]);
    broker.delete_topic("a").expect("deleted");
    let error = broker.delete_topic("a").expect_err("gone");
    assert!(error.message().contains("'a'"), "{error}");
    assert_eq!(names(), ["b"]);
    assert_eq!(broker.topics()[0].partitions.len(), 2);
}
