//! Settings of a Kafka client: the options `kafka.*`, which are named as for Kafka's Java client and
//! become librdkafka's.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::java_settings::{Becomes, becomes, known};
use super::security;
use crate::error::{Error, Hint, Result, hint};
use crate::nearest::nearest;
use crate::options::{OptionMap, OptionSpec};

/// The option that says where the brokers are.
pub(crate) const BOOTSTRAP_SERVERS: OptionSpec = OptionSpec {
    name: "kafka.bootstrap.servers",
    doc: "the brokers to begin with, HOST:PORT,…; without it the session's broker. Other settings of a Kafka client are given the same way, under Kafka's names: kafka.security.protocol, kafka.sasl.jaas.config, …",
};

const PREFIX: &str = "kafka.";

/// Kafka's defaults.
const DELIVERY_TIMEOUT_MS: &str = "120000";
const TRANSACTION_TIMEOUT_MS: &str = "60000";

/// How long a call to a broker that has answered before may take: Kafka's default.
const API_TIMEOUT: Duration = Duration::from_secs(60);

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Consumer,
    Producer,
    /// A consumer that belongs to a sink, and takes its settings.
    Marker,
}

/// Checked settings of a client.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    config: ClientConfig,
    servers: String,
    api_timeout: Duration,
}

/// The options that are not settings of a Kafka client.
pub(crate) fn own_options(options: &OptionMap) -> OptionMap {
    let own = |name: &str| setting(name).is_none();
    let own = options.iter().filter(|(name, _)| own(name));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// `kafka.client.id` → `client.id`.
fn setting(option: &str) -> Option<String> {
    let lower = option.to_ascii_lowercase();
    lower.strip_prefix(PREFIX).map(str::to_string)
}

impl ClientSettings {
    /// The settings among `options`, and those of the session among `defaults` where they say nothing.
    pub(crate) fn new(role: Role, options: &OptionMap, defaults: &OptionMap) -> Result<Self> {
        let mut settings = BTreeMap::new();
        for (name, value) in defaults.iter().chain(options) {
            if let Some(name) = setting(name) {
                settings.insert(name, value.clone());
            }
        }
        for name in settings.keys() {
            check_allowed(role, name)?;
        }
        let servers = servers(role, &settings)?;
        let api_timeout = match settings.get("default.api.timeout.ms") {
            None => API_TIMEOUT,
            Some(text) => {
                let wrong = || {
                    Error::illegal_argument(format!(
                        "option 'kafka.default.api.timeout.ms' must be a whole number of milliseconds, not '{text}'"
                    ))
                };
                Duration::from_millis(text.trim().parse().map_err(|_| wrong())?)
            }
        };
        security::translate(&mut settings)?;
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        for (name, value) in role.defaults() {
            config.set(*name, *value);
        }
        for (name, value) in settings {
            set(&mut config, &name, &value)?;
        }
        if role == Role::Producer {
            keep_idempotence_possible(&mut config);
        }
        let checked = Self {
            config,
            servers,
            api_timeout,
        };
        let native = checked.config.create_native_config();
        native.map_err(|error| checked.refused(&error))?;
        Ok(checked)
    }

    /// For librdkafka.
    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// The same with another value for one of librdkafka's settings.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.config.set(name, value);
        changed
    }

    /// The same for a producer of transactions: a message may not take longer than its transaction.
    pub(crate) fn transactional(&self, id: &str) -> Self {
        let mut changed = self.with("transactional.id", id);
        if changed.get("delivery.timeout.ms") == Some(DELIVERY_TIMEOUT_MS) {
            let limit = changed
                .get("transaction.timeout.ms")
                .unwrap_or(TRANSACTION_TIMEOUT_MS);
            let limit = limit.to_string();
            changed.config.set("delivery.timeout.ms", limit);
        }
        changed
    }

    /// One of librdkafka's settings, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.config.get(name)
    }

    /// Where the brokers are.
    pub(crate) fn servers(&self) -> &str {
        &self.servers
    }

    /// How long a call to a broker that has answered before may take.
    pub(crate) fn api_timeout(&self) -> Duration {
        self.api_timeout
    }

    /// librdkafka does not take these settings.
    pub(crate) fn refused(&self, error: &KafkaError) -> Error {
        match error {
            KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
                let unknown =
                    Error::illegal_argument(format!("there is no Kafka setting '{name}'"));
                match nearest(name, known()) {
                    Some(near) => unknown.with_hint(format!("did you mean 'kafka.{near}'?")),
                    None => unknown.with_hint(format!("remove the option 'kafka.{name}'")),
                }
            }
            KafkaError::ClientConfig(_, why, name, _) => {
                Error::illegal_argument(format!("option 'kafka.{name}' cannot be set: {why}"))
            }
            KafkaError::ClientCreation(why) => {
                Error::illegal_argument(format!("Failed to create a Kafka client: {why}"))
                    .with_hint("check the options that begin with kafka.")
            }
            error => Error::illegal_argument(format!("Failed to create a Kafka client: {error}")),
        }
    }
}

impl Role {
    /// What holds where nothing is said: the Java client's defaults, where librdkafka's are others.
    fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Consumer => &[
                ("allow.auto.create.topics", "false"),
                ("auto.offset.reset", "error"),
                ("check.crcs", "true"),
                ("enable.auto.commit", "false"),
                ("enable.auto.offset.store", "false"),
                ("enable.partition.eof", "true"),
                ("isolation.level", "read_uncommitted"),
                ("reconnect.backoff.max.ms", "1000"),
            ],
            Self::Marker => &[("enable.auto.commit", "false")],
            Self::Producer => &[
                ("delivery.timeout.ms", DELIVERY_TIMEOUT_MS),
                ("enable.idempotence", "true"),
                ("linger.ms", "0"),
                ("message.max.bytes", "1048576"),
                ("partitioner", "murmur2_random"),
                ("reconnect.backoff.max.ms", "1000"),
            ],
        }
    }
}

/// An idempotent producer needs certain settings; who sets others does not want one.
fn keep_idempotence_possible(config: &mut ClientConfig) {
    let acks = config
        .get("acks")
        .is_some_and(|acks| !["all", "-1"].contains(&acks));
    let retries = config.get("retries").is_some_and(|retries| retries == "0");
    if acks || retries {
        config.set("enable.idempotence", "false");
    }
}

fn set(config: &mut ClientConfig, name: &str, value: &str) -> Result<()> {
    match becomes(name) {
        Some(Becomes::Ignored) => {
            tracing::debug!(name, "a setting without effect here");
        }
        Some(Becomes::Renamed(renamed)) => {
            // -1 is the system's choice, which librdkafka calls 0.
            let is_system = renamed.ends_with("buffer.bytes") && value.trim() == "-1";
            config.set(renamed, if is_system { "0" } else { value.trim() });
        }
        None if name == "buffer.memory" => {
            let bytes: u64 = value.trim().parse().map_err(|_| {
                let message = format!(
                    "option 'kafka.buffer.memory' must be a number of bytes, not '{value}'"
                );
                Error::illegal_argument(message)
            })?;
            config.set(
                "queue.buffering.max.kbytes",
                (bytes / 1024).max(1).to_string(),
            );
        }
        None if name == "metadata.max.age.ms" => {
            config.set(name, value.trim());
            config.set("topic.metadata.refresh.interval.ms", value.trim());
        }
        None => {
            config.set(name, value.trim());
        }
    }
    Ok(())
}

fn servers(role: Role, settings: &BTreeMap<String, String>) -> Result<String> {
    let given = settings
        .get("bootstrap.servers")
        .map(|servers| servers.trim());
    let Some(servers) = given.filter(|servers| !servers.is_empty()) else {
        let message = match role {
            Role::Consumer => {
                "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer"
            }
            Role::Producer | Role::Marker => {
                "Kafka option bootstrap.servers is not set. Please make sure it is set and retry."
            }
        };
        return Err(Error::illegal_argument(message).with_hint([
            hint::say("add "),
            hint::option("kafka.bootstrap.servers", "HOST:PORT"),
            hint::say(", or "),
            hint::start_broker(),
        ]));
    };
    for server in servers.split(',').map(str::trim) {
        let port = server.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(Error::illegal_argument(format!(
                "Failed to create a Kafka client: '{server}' in kafka.bootstrap.servers is not HOST:PORT"
            ))
            .with_hint(format!("write e.g. {}:9092", server.trim_end_matches(':'))));
        }
    }
    Ok(servers.to_string())
}

/// Refuses what the engine itself decides, in Spark's words.
fn check_allowed(role: Role, name: &str) -> Result<()> {
    let refused =
        |message: String, hint: Hint| Err(Error::illegal_argument(message).with_hint(hint));
    let side = match (role, name) {
        (_, "interceptor.classes") => {
            let message = format!("Kafka option '{name}' is not supported");
            return refused(message, "remove it".into());
        }
        (Role::Consumer, "enable.auto.commit") => {
            let message = format!("Kafka option '{name}' is not supported");
            return refused(
                message,
                "remove it: offsets are kept in the query's checkpoint".into(),
            );
        }
        (Role::Consumer, "auto.offset.reset") => {
            return refused(
                OFFSET_RESET.to_string(),
                [
                    hint::say("use "),
                    hint::option("startingOffsets", "earliest"),
                ]
                .into(),
            );
        }
        (Role::Consumer, "key.deserializer") => {
            "keys are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the keys."
        }
        (Role::Consumer, "value.deserializer") => {
            "values are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the values."
        }
        (Role::Producer, "key.serializer") => "keys are serialized with ByteArraySerializer.",
        (Role::Producer, "value.serializer") => "value are serialized with ByteArraySerializer.",
        (Role::Producer, "transactional.id") => {
            "the sink names its transactions itself, if it is asked to write in transactions."
        }
        _ => return Ok(()),
    };
    let hint = match name {
        "transactional.id" => [hint::say("use "), hint::option("exactlyOnce", "true")].into(),
        "key.deserializer" => "write CAST(key AS STRING)".into(),
        "value.deserializer" => {
            "write CAST(value AS STRING) or from_json(CAST(value AS STRING), …)".into()
        }
        _ => {
            "remove it, and make the column a STRING or BINARY, e.g. with to_json(struct(*))".into()
        }
    };
    refused(
        format!("Kafka option '{name}' is not supported as {side}"),
        hint,
    )
}

const OFFSET_RESET: &str = "\
Kafka option 'auto.offset.reset' is not supported.
Instead set the source option 'startingoffsets' to 'earliest' or 'latest'
to specify where to start. Structured Streaming manages which offsets are consumed
internally, rather than relying on the kafkaConsumer to do it. This will ensure that no
data is missed when new topics/partitions are dynamically subscribed. Note that
'startingoffsets' only applies when a new Streaming query is started, and
that resuming will always pick up from where the query left off.";

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(role: Role, given: &[(&str, &str)]) -> Result<ClientSettings> {
        let given = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let defaults = [("kafka.bootstrap.servers".to_string(), "here:1".to_string())];
        ClientSettings::new(role, &given.collect(), &defaults.into())
    }

    #[test]
    fn javas_names_become_librdkafkas() {
        let given = [
            ("kafka.fetch.max.wait.ms", "7"),
            ("KAFKA.Bootstrap.Servers", "there:2, other:3"),
            ("kafka.receive.buffer.bytes", "-1"),
            ("kafka.max.poll.records", "5"),
            ("kafka.default.api.timeout.ms", "1500"),
        ];
        let checked = settings(Role::Consumer, &given).unwrap();
        assert_eq!(checked.get("fetch.wait.max.ms"), Some("7"));
        assert_eq!(checked.servers(), "there:2, other:3");
        assert_eq!(checked.get("socket.receive.buffer.bytes"), Some("0"));
        assert_eq!(checked.get("max.poll.records"), None);
        assert_eq!(checked.get("isolation.level"), Some("read_uncommitted"));
        assert_eq!(checked.api_timeout(), Duration::from_millis(1500));
        assert_eq!(settings(Role::Consumer, &[]).unwrap().servers(), "here:1");
        let weak = settings(Role::Producer, &[("kafka.acks", "0")]).unwrap();
        assert_eq!(weak.get("enable.idempotence"), Some("false"));
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        for (role, name, value, expected) in [
            (
                Role::Consumer,
                "kafka.enable.auto.commit",
                "true",
                "Kafka option 'enable.auto.commit' is not supported",
            ),
            (
                Role::Consumer,
                "kafka.key.deserializer",
                "x",
                "explicitly deserialize the keys.",
            ),
            (
                Role::Consumer,
                "kafka.auto.offset.reset",
                "x",
                "Instead set the source option 'startingoffsets'",
            ),
            (
                Role::Producer,
                "kafka.value.serializer",
                "x",
                "value are serialized with ByteArraySerializer.",
            ),
            (
                Role::Producer,
                "kafka.transactional.id",
                "x",
                "exactlyOnce=true",
            ),
            (
                Role::Consumer,
                "kafka.bootstrap.servers",
                "localhost",
                "localhost:9092",
            ),
            (
                Role::Consumer,
                "kafka.bootstrap.servers",
                " ",
                "start a broker",
            ),
            (
                Role::Consumer,
                "kafka.isolation.levle",
                "x",
                "did you mean 'kafka.isolation.level'?",
            ),
            (
                Role::Consumer,
                "kafka.isolation.level",
                "x",
                "'kafka.isolation.level' cannot be set",
            ),
        ] {
            let error = settings(role, &[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
