//! Messages from the lines of a cell.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use serde_json::Value;

use super::client::{config, unreachable};
use crate::cell::is_comment;
use crate::error::{CellError, Result};

/// How long a message may be under way.
const PATIENCE: Duration = Duration::from_secs(10);

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its key.
    pub key: Option<String>,
    /// Its value.
    pub value: String,
}

/// How messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The time from one message to the next.
    pub every: Option<Duration>,
    /// Whether the first follows on the last, again and again.
    pub repeat: bool,
}

/// What was sent so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Produced {
    /// How many messages.
    pub messages: u64,
    /// How many there are, unless they go on for ever.
    pub of: Option<u64>,
    /// How many per partition.
    pub partitions: BTreeMap<i32, u64>,
}

/// The messages of a text: one per line, each an object of JSON. `key` names the field whose value is
/// the key.
pub(crate) fn messages(body: &str, key: Option<&str>) -> Result<Vec<Message>> {
    let lines = body.lines().enumerate();
    let lines = lines.map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !is_comment(line));
    lines
        .map(|(number, line)| message(number, line, key))
        .collect()
}

fn message(number: usize, line: &str, key: Option<&str>) -> Result<Message> {
    let read: std::result::Result<Value, _> = serde_json::from_str(line);
    let value = read.map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line").next().unwrap_or_default();
        CellError::usage(format!("line {number} is not JSON: {why}: {line}"))
            .hint("one message per line: {\"user\": \"ann\", \"amount\": 3.5}")
    })?;
    let key = match key {
        None => None,
        Some(name) => {
            let found = value
                .get(name)
                .ok_or_else(|| no_key(number, name, &value))?;
            match found {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            }
        }
    };
    Ok(Message {
        key,
        value: line.to_owned(),
    })
}

fn no_key(number: usize, name: &str, value: &Value) -> CellError {
    let error = CellError::usage(format!("line {number} has no field '{name}' to be its key"));
    let fields = value
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    let fields: Vec<&str> = fields.map(String::as_str).collect();
    match tidebook_engine::nearest(name, fields.iter().copied()) {
        Some(near) => error.hint(format!("--key {near}")),
        None => error.hint(format!("its fields are {}", fields.join(", "))),
    }
}

/// Sends messages to a broker.
#[derive(Clone)]
pub(crate) struct Producer {
    producer: FutureProducer,
    address: String,
}

impl Producer {
    /// For the broker at this address.
    pub(crate) fn new(address: &str) -> Result<Self> {
        let mut config = config(address);
        config
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("message.timeout.ms", PATIENCE.as_millis().to_string());
        let producer = config
            .create()
            .map_err(|error| unreachable(address, "produce", &error))?;
        Ok(Self {
            producer,
            address: address.to_owned(),
        })
    }

    /// Sends the messages and tells how many were taken after each step. Ends with the first that is
    /// not.
    pub(crate) async fn send(
        &self,
        topic: &str,
        messages: &[Message],
        pace: Pace,
        mut told: impl FnMut(&Produced),
    ) -> Result<Produced> {
        let mut produced = Produced {
            of: (!pace.repeat).then_some(messages.len() as u64),
            ..Produced::default()
        };
        match pace.every {
            None => {
                let sent = messages.iter().map(|message| self.send_one(topic, message));
                for delivery in sent.collect::<Vec<_>>() {
                    count(&mut produced, self.taken(topic, delivery.await)?);
                    told(&produced);
                }
            }
            Some(every) => {
                let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                loop {
                    for message in messages {
                        ticks.tick().await;
                        let delivery = self.send_one(topic, message).await;
                        count(&mut produced, self.taken(topic, delivery)?);
                        told(&produced);
                    }
                    if !pace.repeat {
                        break;
                    }
                }
            }
        }
        Ok(produced)
    }

    fn send_one(
        &self,
        topic: &str,
        message: &Message,
    ) -> impl Future<Output = std::result::Result<i32, KafkaError>> + use<> {
        let producer = self.producer.clone();
        let (topic, message) = (topic.to_owned(), message.clone());
        async move {
            let mut record: FutureRecord<'_, str, str> =
                FutureRecord::to(&topic).payload(message.value.as_str());
            if let Some(key) = &message.key {
                record = record.key(key.as_str());
            }
            let sent = producer.send(record, Timeout::After(PATIENCE)).await;
            sent.map(|delivery| delivery.partition)
                .map_err(|(error, _)| error)
        }
    }

    fn taken(&self, topic: &str, delivery: std::result::Result<i32, KafkaError>) -> Result<i32> {
        let what = || format!("produce to topic '{topic}'");
        delivery.map_err(|error| unreachable(&self.address, &what(), &error))
    }
}

fn count(produced: &mut Produced, partition: i32) {
    produced.messages += 1;
    *produced.partitions.entry(partition).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_messages() {
        let body = "-- two\n{\"user\": \"ann\", \"n\": 1}\n\n{\"user\": null, \"n\": 2}\n";
        let found = messages(body, Some("user")).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].key.as_deref(), Some("ann"));
        assert_eq!(found[0].value, "{\"user\": \"ann\", \"n\": 1}");
        assert_eq!(found[1].key, None);
        assert_eq!(
            messages(body, Some("n")).unwrap()[1].key.as_deref(),
            Some("2")
        );
        let error = messages("{\"user\": 1}\n{\"usr\": 1}", Some("user")).unwrap_err();
        assert_eq!(error.evalue, "line 2 has no field 'user' to be its key");
        assert_eq!(error.hint.as_deref(), Some("--key usr"));
        let error = messages("ann,1", None).unwrap_err();
        assert!(error.evalue.starts_with("line 1 is not JSON"), "{error}");
    }
}
