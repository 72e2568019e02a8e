//! What the Kafka source and the Kafka sink have in common: settings of a client, the client itself
//! and its errors. librdkafka speaks the protocol.

mod client;
mod errors;
mod java_settings;
mod partition;
mod security;
mod settings;

pub(crate) use client::{
    ConsumerClient, Delivery, Events, ProducerClient, ProducerEvents, blocking,
};
pub(crate) use errors::{cannot_reach, code, from_kafka, invalid_topic, unknown_topic};
pub(crate) use partition::{PartitionOffsets, TopicPartition};
pub(crate) use settings::{BOOTSTRAP_SERVERS, ClientSettings, Role, own_options};
