//! Consumer groups: who gets which partitions, who comes and goes, and what is committed.

use std::collections::BTreeSet;
use std::time::Duration;

use acceptance::kafka::{PATIENCE, Record, admin, config, next, produce, producer};
use futures::executor::block_on;
use rdkafka::admin::AdminOptions;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::{Tested, on_both_brokers};

on_both_brokers![
    two_members_share_and_one_takes_over,
    a_member_that_vanishes_is_given_up,
    offsets_outlive_their_members,
    a_static_member_comes_back,
    groups_are_listed_and_deleted,
];

const STEP: Duration = Duration::from_millis(20);

fn member(broker: &Tested, group: &str, topic: &str, more: &[(&str, &str)]) -> BaseConsumer {
    let group = broker.name(group);
    let mut settings = vec![
        ("group.id", group.as_str()),
        ("enable.auto.commit", "false"),
        ("auto.offset.reset", "earliest"),
        ("heartbeat.interval.ms", "50"),
        ("session.timeout.ms", "6000"),
    ];
    settings.extend(more);
    let consumer: BaseConsumer = config(&broker.address, &settings)
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("subscribed");
    consumer
}

fn assigned(consumer: &BaseConsumer) -> BTreeSet<i32> {
    let assignment = consumer.assignment().expect("an assignment");
    assignment
        .elements()
        .iter()
        .map(|element| element.partition())
        .collect()
}

/// Lets members take part until each has so many partitions; what they read meanwhile.
fn until_shared(members: &[&BaseConsumer], counts: &[usize]) -> Vec<(i32, i64)> {
    let mut read = Vec::new();
    loop {
        for member in members {
            if let Some(message) = member.poll(STEP) {
                let message = message.expect("a record");
                read.push((message.partition(), message.offset()));
            }
        }
        let shares: Vec<usize> = members
            .iter()
            .map(|member| assigned(member).len())
            .collect();
        if shares == counts {
            return read;
        }
    }
}

fn two_members_share_and_one_takes_over(broker: &Tested) {
    for strategy in ["range", "cooperative-sticky"] {
        let topic = broker.topic(&format!("shared-{strategy}"), 4);
        let settings = [("partition.assignment.strategy", strategy)];
        let first = member(broker, strategy, &topic, &settings);
        until_shared(&[&first], &[4]);
        let second = member(broker, strategy, &topic, &settings);
        until_shared(&[&first, &second], &[2, 2]);
        let (of_first, of_second) = (assigned(&first), assigned(&second));
        assert!(of_first.is_disjoint(&of_second));

        let producer = producer(&broker.address, &[]).expect("a producer");
        let records: Vec<Record> = (0..40)
            .map(|n| Record::of(n.to_string()).to(n % 4))
            .collect();
        produce(&producer, &topic, &records).expect("answers");
        let mut count = 0;
        while count < 40 {
            for (consumer, share) in [(&first, &of_first), (&second, &of_second)] {
                if let Some(message) = consumer.poll(STEP) {
                    let message = message.expect("a record");
                    assert!(share.contains(&message.partition()));
                    consumer
                        .commit_message(&message, CommitMode::Sync)
                        .expect("committed");
                    count += 1;
                }
            }
        }
        drop(second);
        // Everything was committed, so nothing comes twice.
        assert_eq!(until_shared(&[&first], &[4]), []);
    }
}

fn a_member_that_vanishes_is_given_up(broker: &Tested) {
    let topic = broker.topic("vanishing", 2);
    // It takes part until it has to be polled again, which nobody does.
    let settings = [("max.poll.interval.ms", "6001")];
    let silent = member(broker, "vanishing", &topic, &settings);
    let other = member(broker, "vanishing", &topic, &[]);
    until_shared(&[&silent, &other], &[1, 1]);
    while assigned(&other).len() < 2 {
        let _ = other.poll(STEP);
    }
}

fn offsets_outlive_their_members(broker: &Tested) {
    let topic = broker.topic("resumed", 1);
    let producer = producer(&broker.address, &[]).expect("a producer");
    let records: Vec<Record> = (0..10).map(|n| Record::of(n.to_string())).collect();
    produce(&producer, &topic, &records).expect("answers");
    let first = member(broker, "resumed", &topic, &[]);
    for offset in 0..6 {
        let seen = next(&first).expect("in time").expect("a record");
        assert_eq!(seen.offset, offset);
        first
            .commit_consumer_state(CommitMode::Sync)
            .expect("committed");
    }
    drop(first);
    let second = member(broker, "resumed", &topic, &[]);
    let seen = next(&second).expect("in time").expect("a record");
    assert_eq!(seen.offset, 6);
}

fn a_static_member_comes_back(broker: &Tested) {
    let topic = broker.topic("static", 2);
    let settings = |name| {
        [
            ("group.instance.id", name),
            ("session.timeout.ms", "300000"),
        ]
    };
    let one = member(broker, "static", &topic, &settings("one"));
    let two = member(broker, "static", &topic, &settings("two"));
    until_shared(&[&one, &two], &[1, 1]);
    let before = assigned(&two);
    // It does not leave, and its place is kept for it.
    drop(two);
    let two = member(broker, "static", &topic, &settings("two"));
    until_shared(&[&one, &two], &[1, 1]);
    assert_eq!(assigned(&two), before);
}

fn groups_are_listed_and_deleted(broker: &Tested) {
    let topic = broker.topic("listed", 1);
    let name = broker.name("listed");
    let consumer = member(broker, "listed", &topic, &[("client.id", "me")]);
    until_shared(&[&consumer], &[1]);
    let group = |state: &str| {
        let list = consumer
            .fetch_group_list(Some(&name), PATIENCE)
            .expect("groups");
        let group = list
            .groups()
            .iter()
            .find(|group| group.name() == name)
            .expect("the group");
        assert_eq!((group.state(), group.protocol_type()), (state, "consumer"));
        group
            .members()
            .iter()
            .map(|member| member.client_id().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(group("Stable"), ["me"]);
    let admin = admin(&broker.address).expect("a client");
    let delete = || {
        let deleted = block_on(admin.delete_groups(&[&name], &AdminOptions::new()));
        deleted
            .expect("an answer")
            .remove(0)
            .map_err(|(_, code)| code)
    };
    assert_eq!(delete(), Err(RDKafkaErrorCode::NonEmptyGroup));
    let mut offsets = TopicPartitionList::new();
    offsets
        .add_partition_offset(&topic, 0, Offset::Offset(0))
        .expect("an offset");
    consumer
        .commit(&offsets, CommitMode::Sync)
        .expect("committed");
    consumer.unsubscribe();
    while group_is_empty(&consumer, &name).is_none() {
        let _ = consumer.poll(STEP);
    }
    assert_eq!(group("Empty"), Vec::<String>::new());
    assert_eq!(delete(), Ok(name.clone()));
    assert_eq!(delete(), Err(RDKafkaErrorCode::GroupIdNotFound));
}

fn group_is_empty(consumer: &BaseConsumer, name: &str) -> Option<()> {
    let list = consumer
        .fetch_group_list(Some(name), PATIENCE)
        .expect("groups");
    let group = list.groups().iter().find(|group| group.name() == name)?;
    (group.state() == "Empty").then_some(())
}
