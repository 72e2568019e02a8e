//! What is produced is what is consumed, however it is compressed and however many ask for it.

use std::sync::mpsc::channel;
use std::thread;

use acceptance::kafka::{
    PATIENCE, Record, Seen, consumer, create_topic, next, produce, producer, read_all, send,
};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::{Tested, on_both_brokers};

const T: i64 = 1_700_000_000_000;

on_both_brokers![
    records_come_back_as_they_were_sent,
    the_producer_spreads_keys_over_partitions,
    each_compression_is_read_and_searched,
    a_batch_at_the_limit_is_taken_and_one_beyond_refused,
    a_time_too_far_ahead_is_refused,
    a_reader_that_waits_gets_what_comes,
    a_small_fetch_gets_everything_piece_by_piece,
    fifty_clients_at_once,
    append_time_is_the_brokers,
];

fn records_come_back_as_they_were_sent(broker: &Tested) {
    let topic = broker.topic("records", 3);
    let full = Record {
        partition: Some(1),
        key: Some(b"key".to_vec()),
        value: Some(b"value".to_vec()),
        timestamp: Some(T),
        headers: vec![
            ("h".to_owned(), Some(b"1".to_vec())),
            ("null".to_owned(), None),
            ("empty".to_owned(), Some(Vec::new())),
            ("h".to_owned(), Some(b"2".to_vec())),
        ],
    };
    let null = Record {
        value: None,
        headers: Vec::new(),
        ..full.clone()
    };
    let empty = Record {
        key: Some(Vec::new()),
        value: Some(Vec::new()),
        partition: Some(2),
        ..full.clone()
    };
    let records = [full, null, empty];
    let producer = producer(&broker.address, &[]).expect("a producer");
    let mut delivered = produce(&producer, &topic, &records).expect("answers");
    delivered.sort_by_key(|delivery| delivery.ok());
    assert_eq!(delivered, [Ok((1, 0)), Ok((1, 1)), Ok((2, 0))]);

    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    let expected = |record: &Record, offset| Seen {
        partition: record.partition.expect("a partition"),
        offset,
        key: record.key.clone(),
        value: record.value.clone(),
        timestamp: record.timestamp,
        headers: record.headers.clone(),
    };
    let wanted = [
        expected(&records[0], 0),
        expected(&records[1], 1),
        expected(&records[2], 0),
    ];
    assert_eq!(seen, wanted);
}

fn the_producer_spreads_keys_over_partitions(broker: &Tested) {
    let topic = broker.topic("keys", 4);
    let producer = producer(&broker.address, &[]).expect("a producer");
    let records: Vec<Record> = (0..200)
        .map(|n| Record {
            key: Some(format!("k{}", n % 20).into_bytes()),
            ..Record::of(n.to_string())
        })
        .collect();
    produce(&producer, &topic, &records).expect("answers");
    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    assert_eq!(seen.len(), 200);
    for key in 0..20 {
        let key = format!("k{key}").into_bytes();
        let of_key: Vec<&Seen> = seen
            .iter()
            .filter(|seen| seen.key.as_ref() == Some(&key))
            .collect();
        assert_eq!(of_key.len(), 10);
        assert!(
            of_key
                .iter()
                .all(|seen| seen.partition == of_key[0].partition)
        );
        // In the order in which they were sent.
        assert!(of_key.is_sorted_by_key(|seen| seen.text().parse::<i32>().expect("a number")));
    }
}

fn each_compression_is_read_and_searched(broker: &Tested) {
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = broker.topic(codec, 1);
        let settings = [("compression.codec", codec), ("linger.ms", "1000")];
        let producer = producer(&broker.address, &settings).expect("a producer");
        let records: Vec<Record> = (0..300)
            .map(|n| Record::of(format!("{} {n}", "value".repeat(40))).at(T + i64::from(n)))
            .collect();
        produce(&producer, &topic, &records).expect("answers");
        let seen = read_all(&broker.address, &topic, &[("check.crcs", "true")]).expect("records");
        let read: Vec<&[u8]> = seen
            .iter()
            .filter_map(|seen| seen.value.as_deref())
            .collect();
        let sent: Vec<&[u8]> = records
            .iter()
            .filter_map(|record| record.value.as_deref())
            .collect();
        assert_eq!(read, sent, "{codec}");

        let consumer = consumer(&broker.address, &[]).expect("a consumer");
        let mut times = TopicPartitionList::new();
        times
            .add_partition_offset(&topic, 0, Offset::Offset(T + 123))
            .expect("a time");
        let found = consumer
            .offsets_for_times(times, PATIENCE)
            .expect("offsets");
        let found = found.find_partition(&topic, 0).expect("the partition");
        assert_eq!(found.offset(), Offset::Offset(123), "{codec}");
        if let Some((_, ours)) = &broker.ours {
            let topics = ours.topics();
            let kept = topics.iter().find(|described| described.name == topic);
            let kept = kept.expect("the topic");
            assert_eq!(kept.records, 300);
            let sent: usize = sent.iter().map(|value| value.len()).sum();
            let compressed = kept.bytes < sent / 2;
            assert_eq!(
                compressed,
                codec != "none",
                "{codec}: {} of {sent}",
                kept.bytes
            );
        }
    }
}

fn a_batch_at_the_limit_is_taken_and_one_beyond_refused(broker: &Tested) {
    let topic = broker.topic("large", 1);
    // The client would refuse it too: it is told that more is allowed.
    let settings = [("message.max.bytes", "5000000")];
    let producer = producer(&broker.address, &settings).expect("a producer");
    let largest = (1 << 20) + 12;
    // The batch's header and what is beside the one value.
    let overhead = 61 + 11;
    let send = |bytes: usize| {
        let record = Record::of(vec![b'x'; bytes]);
        let delivered = produce(&producer, &topic, &[record]).expect("an answer");
        delivered[0]
    };
    assert_eq!(send(largest - overhead), Ok((0, 0)));
    assert_eq!(
        send(largest - overhead + 1),
        Err(RDKafkaErrorCode::MessageSizeTooLarge)
    );
    assert_eq!(send(4_000_000), Err(RDKafkaErrorCode::MessageSizeTooLarge));
    assert_eq!(send(3), Ok((0, 1)));
    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    let sizes: Vec<usize> = seen.iter().map(|seen| seen.text().len()).collect();
    assert_eq!(sizes, [largest - overhead, 3]);
}

fn a_time_too_far_ahead_is_refused(broker: &Tested) {
    let topic = broker.topic("ahead", 1);
    let producer = producer(&broker.address, &[]).expect("a producer");
    let far = 32_503_680_000_000;
    let delivered = produce(&producer, &topic, &[Record::of("x").at(far)]).expect("an answer");
    assert_eq!(delivered, [Err(RDKafkaErrorCode::InvalidTimestamp)]);
}

fn a_reader_that_waits_gets_what_comes(broker: &Tested) {
    let topic = broker.topic("waiting", 1);
    // A test that had to wait for these would not end.
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
    for n in 0..20 {
        let record = Record::of(n.to_string());
        produce(&producer, &topic, &[record]).expect("an answer");
        let seen = next(&consumer).expect("in time").expect("a record");
        assert_eq!(seen.text(), n.to_string());
    }
}

fn a_small_fetch_gets_everything_piece_by_piece(broker: &Tested) {
    let topic = broker.topic("pieces", 2);
    let producer = producer(&broker.address, &[("batch.num.messages", "3")]).expect("a producer");
    let records: Vec<Record> = (0..100)
        .map(|n| Record::of(vec![b'x'; 1000 + n]).to(n as i32 % 2))
        .collect();
    produce(&producer, &topic, &records).expect("answers");
    let settings = [
        ("fetch.max.bytes", "2000"),
        ("message.max.bytes", "2000"),
        ("fetch.message.max.bytes", "500"),
    ];
    let seen = read_all(&broker.address, &topic, &settings).expect("records");
    let mut sizes: Vec<usize> = seen.iter().map(|seen| seen.text().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, (1000..1100).collect::<Vec<_>>());
}

fn fifty_clients_at_once(broker: &Tested) {
    let topic = broker.topic("crowd", 5);
    let (done, all_done) = channel();
    for client in 0..50 {
        let (done, topic, address) = (done.clone(), topic.clone(), broker.address.clone());
        thread::spawn(move || {
            let producer = producer(&address, &[]).expect("a producer");
            for n in 0..20 {
                let record = Record::of(format!("{client}-{n}")).to(client % 5);
                send(&producer, &topic, &record).expect("sent");
            }
            let delivered = acceptance::kafka::delivered(&producer).expect("answers");
            done.send(delivered).expect("somebody who waits");
        });
    }
    drop(done);
    let delivered: Vec<_> = all_done.iter().flatten().collect();
    assert_eq!(delivered.len(), 1000);
    assert!(delivered.iter().all(Result::is_ok), "{delivered:?}");
    let mut offsets: Vec<_> = delivered.into_iter().map(Result::unwrap).collect();
    offsets.sort_unstable();
    let wanted: Vec<(i32, i64)> = (0..5).flat_map(|p| (0..200).map(move |n| (p, n))).collect();
    assert_eq!(offsets, wanted);
    let seen = read_all(&broker.address, &topic, &[]).expect("records");
    let mut texts: Vec<String> = seen.iter().map(Seen::text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 1000);
}

fn append_time_is_the_brokers(broker: &Tested) {
    let topic = broker.name("stamped");
    let settings = [("message.timestamp.type", "LogAppendTime")];
    create_topic(&broker.address, &topic, 1, &settings).expect("a topic");
    let producer = producer(&broker.address, &[("compression.codec", "lz4")]).expect("a producer");
    let records = [Record::of("a").at(T), Record::of("b").at(T + 1)];
    produce(&producer, &topic, &records).expect("answers");
    let seen = read_all(&broker.address, &topic, &[("check.crcs", "true")]).expect("records");
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert!(seen.timestamp.expect("a time") > T + 1_000_000, "{seen:?}");
    }
}
