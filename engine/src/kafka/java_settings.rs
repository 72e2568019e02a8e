//! Settings of Kafka's Java client, and what becomes of them: librdkafka has most of them under the
//! same names.

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// It has another name.
    Renamed(&'static str),
    /// It is about the Java client's own inside, or the engine does what it asks for.
    Ignored,
}

use Becomes::{Ignored, Renamed};

/// Settings that are not librdkafka's own.
const SETTINGS: &[(&str, Becomes)] = &[
    ("fetch.max.wait.ms", Renamed("fetch.wait.max.ms")),
    ("request.timeout.ms", Renamed("socket.timeout.ms")),
    ("max.request.size", Renamed("message.max.bytes")),
    (
        "receive.buffer.bytes",
        Renamed("socket.receive.buffer.bytes"),
    ),
    ("send.buffer.bytes", Renamed("socket.send.buffer.bytes")),
    ("allow.auto.create.topics", Ignored),
    ("auto.include.jmx.reporter", Ignored),
    ("config.providers", Ignored),
    ("default.api.timeout.ms", Ignored),
    ("exclude.internal.topics", Ignored),
    ("key.deserializer", Ignored),
    ("key.serializer", Ignored),
    ("max.block.ms", Ignored),
    ("max.poll.records", Ignored),
    ("metadata.max.idle.ms", Ignored),
    ("metric.reporters", Ignored),
    ("metrics.num.samples", Ignored),
    ("metrics.recording.level", Ignored),
    ("metrics.sample.window.ms", Ignored),
    ("partition.assignment.strategy", Ignored),
    ("partitioner.adaptive.partitioning.enable", Ignored),
    ("partitioner.availability.timeout.ms", Ignored),
    ("partitioner.class", Ignored),
    ("partitioner.ignore.keys", Ignored),
    ("security.providers", Ignored),
    ("socket.connection.setup.timeout.max.ms", Ignored),
    ("ssl.enabled.protocols", Ignored),
    ("ssl.keymanager.algorithm", Ignored),
    ("ssl.protocol", Ignored),
    ("ssl.provider", Ignored),
    ("ssl.secure.random.implementation", Ignored),
    ("ssl.trustmanager.algorithm", Ignored),
    ("enable.metrics.push", Ignored),
    ("value.deserializer", Ignored),
    ("value.serializer", Ignored),
];

/// Settings that people set, to find the one that was meant.
const COMMON: &[&str] = &[
    "acks",
    "batch.size",
    "bootstrap.servers",
    "buffer.memory",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.type",
    "connections.max.idle.ms",
    "delivery.timeout.ms",
    "enable.idempotence",
    "fetch.max.bytes",
    "fetch.min.bytes",
    "group.id",
    "isolation.level",
    "linger.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "metadata.max.age.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retries",
    "retry.backoff.ms",
    "sasl.jaas.config",
    "sasl.mechanism",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "session.timeout.ms",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.truststore.location",
    "transaction.timeout.ms",
];

/// What becomes of the setting `name`; `None` if it is passed on as it is.
pub(super) fn becomes(name: &str) -> Option<Becomes> {
    let found = SETTINGS.iter().find(|(java, _)| *java == name);
    found.map(|(_, becomes)| *becomes)
}

/// Names that may have been meant by one that nobody knows.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let java = SETTINGS.iter().map(|(name, _)| *name);
    COMMON.iter().copied().chain(java)
}
