//! Kafka's own client for Java sees the same of both brokers, line by line. What it must see was recorded
//! with Apache Kafka's broker.

use std::process::Command;

use acceptance::real_broker;

use super::{Tested, on_both_brokers};

const SEEN: &str = include_str!("../../../kafka-broker/JavaClient.txt");

on_both_brokers![the_java_client_sees_what_was_recorded];

fn the_java_client_sees_what_was_recorded(broker: &Tested) {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/kafka-broker/JavaClient.java");
    let output = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=off")
        .arg("-cp")
        .arg(real_broker::jars().expect("Kafka's jars"))
        .args([program, &broker.address, &broker.name("java-")])
        .output()
        .expect("Java");
    let seen = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{seen}\n{said}");
    let difference = seen
        .lines()
        .zip(SEEN.lines())
        .find(|(seen, wanted)| seen != wanted);
    assert_eq!(difference, None, "{said}");
    assert_eq!(seen.lines().count(), SEEN.lines().count());
}
