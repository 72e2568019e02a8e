//! Topics of a broker: made, listed and deleted by Kafka's protocol.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::{CellError, Result};

/// How long a broker has to answer. A wrong address must be told soon.
const PATIENCE: Duration = Duration::from_secs(6);

/// How often it is looked whether a topic is gone, and how long it is waited in between.
const FORGOTTEN: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// A topic and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its name.
    pub name: String,
    /// First offset and next offset of each partition.
    pub partitions: Vec<(i64, i64)>,
}

impl Topic {
    /// How many offsets are there to be read: transactions take a few that are no messages.
    pub(crate) fn messages(&self) -> i64 {
        self.partitions
            .iter()
            .map(|(first, next)| next - first)
            .sum()
    }
}

/// Whether Kafka takes this for the name of a topic.
pub(crate) fn is_topic_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    !name.is_empty()
        && name.len() <= 249
        && name.chars().all(is_letter)
        && name != "."
        && name != ".."
}

/// How librdkafka is set up for everything here.
pub(super) fn config(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        // What it would log is told as an error.
        .set("log_level", "0")
        .set("socket.connection.setup.timeout.ms", "5000");
    config
}

/// All topics but the broker's own.
pub(super) async fn topics(address: &str) -> Result<Vec<Topic>> {
    let address = address.to_owned();
    let listed = tokio::task::spawn_blocking(move || list(&address)).await;
    listed.map_err(|error| CellError::internal(format!("list topics: {error}")))?
}

fn list(address: &str) -> Result<Vec<Topic>> {
    let failed = |error| unreachable(address, "list the topics", &error);
    let consumer: BaseConsumer = config(address).create().map_err(failed)?;
    let metadata = consumer.fetch_metadata(None, PATIENCE).map_err(failed)?;
    let mut topics = Vec::new();
    for topic in metadata
        .topics()
        .iter()
        .filter(|topic| !topic.name().starts_with("__"))
    {
        let mut numbers: Vec<i32> = topic.partitions().iter().map(|it| it.id()).collect();
        numbers.sort_unstable();
        let mut partitions = Vec::with_capacity(numbers.len());
        for number in numbers {
            let ends = consumer.fetch_watermarks(topic.name(), number, PATIENCE);
            partitions.push(ends.map_err(failed)?);
        }
        topics.push(Topic {
            name: topic.name().to_owned(),
            partitions,
        });
    }
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(topics)
}

/// Makes a topic.
pub(super) async fn create(address: &str, name: &str, partitions: i32) -> Result<()> {
    if !is_topic_name(name) {
        return Err(
            CellError::usage(format!("'{name}' cannot be the name of a topic"))
                .hint("use letters, digits, '.', '_' and '-'"),
        );
    }
    let failed = |error| unreachable(address, &format!("create topic '{name}'"), &error);
    let admin: AdminClient<DefaultClientContext> = config(address).create().map_err(failed)?;
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let done = admin
        .create_topics([&topic], &options())
        .await
        .map_err(failed)?;
    settled(done, address, "create", name)
}

/// Deletes a topic.
pub(super) async fn delete(address: &str, name: &str) -> Result<()> {
    let failed = |error| unreachable(address, &format!("delete topic '{name}'"), &error);
    let admin: AdminClient<DefaultClientContext> = config(address).create().map_err(failed)?;
    let done = admin
        .delete_topics(&[name], &options())
        .await
        .map_err(failed)?;
    settled(done, address, "delete", name)?;
    // A broker takes a moment to forget a topic; whoever makes it anew would find it there.
    for _ in 0..FORGOTTEN {
        if !topics(address)
            .await?
            .iter()
            .any(|topic| topic.name == name)
        {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}

fn settled(
    done: Vec<std::result::Result<String, (String, RDKafkaErrorCode)>>,
    address: &str,
    verb: &str,
    name: &str,
) -> Result<()> {
    let Some(Err((_, code))) = done.into_iter().next() else {
        return Ok(());
    };
    let error = |text: String| CellError::new("KafkaException", text);
    Err(match code {
        RDKafkaErrorCode::TopicAlreadyExists => error(format!("topic '{name}' is there already"))
            .hint(format!("%kafka delete {name} removes it with its messages")),
        RDKafkaErrorCode::UnknownTopicOrPartition => {
            error(format!("there is no topic '{name}'")).hint("%kafka topics lists them")
        }
        code => error(format!("{verb} topic '{name}' on {address}: {code}")),
    })
}

/// A broker did not do what it was asked.
pub(super) fn unreachable(address: &str, what: &str, error: &KafkaError) -> CellError {
    let cell = CellError::new("KafkaException", format!("{what} on {address}: {error}"));
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown,
        ) => cell.hint(format!(
            "is a broker listening on {address}? %kafka up starts one for lessons"
        )),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_topics() {
        for name in ["clicks", "a.b_c-1"] {
            assert!(is_topic_name(name), "{name}");
        }
        for name in ["", ".", "..", "a b", "ä", &"x".repeat(250)] {
            assert!(!is_topic_name(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_wrong_address_is_told_soon() {
        let error = topics("127.0.0.1:1").await.unwrap_err();
        assert_eq!(error.ename, "KafkaException");
        assert!(
            error.hint.unwrap().contains("%kafka up"),
            "{}",
            error.evalue
        );
    }
}
