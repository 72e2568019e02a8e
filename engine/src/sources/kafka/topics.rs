//! Which topics and partitions a source reads.

use std::collections::BTreeSet;
use std::fmt;

use fancy_regex::Regex;

use super::offsets_json::parse_assignment;
use crate::error::{Error, Result, hint};
use crate::kafka::TopicPartition;
use crate::options::Options;

/// What was asked for, in one of three ways.
#[derive(Debug, Clone)]
pub(super) enum Topics {
    /// All partitions of these topics.
    Subscribe(Vec<String>),
    /// All partitions of the topics whose whole name matches.
    SubscribePattern { text: String, pattern: Box<Regex> },
    /// These partitions.
    Assign(BTreeSet<TopicPartition>),
}

/// Topics that Kafka keeps for itself.
const INTERNAL: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

impl Topics {
    pub(super) fn new(options: &Options) -> Result<Self> {
        const WAYS: [&str; 3] = ["subscribe", "subscribePattern", "assign"];
        let mut given = WAYS
            .iter()
            .filter_map(|way| options.get(way).map(|value| (*way, value)));
        let of = "of the following options";
        let ways =
            "for Kafka source: subscribe, subscribepattern, assign. See the docs for more details.";
        let (way, value) = given.next().ok_or_else(|| {
            let message = format!("One {of} must be specified {ways}");
            Error::illegal_argument(message)
                .with_hint([hint::say("add "), hint::option("subscribe", "TOPIC")])
        })?;
        if given.next().is_some() {
            let message = format!("Only one {of} can be specified {ways}");
            return Err(Error::illegal_argument(message).with_hint("leave one of them"));
        }
        match way {
            "subscribe" => subscribed(value),
            "assign" => assigned(value),
            _ => matched(value),
        }
    }

    /// Whether a topic that exists is read. Not asked for topics that are named.
    pub(super) fn matches(&self, topic: &str) -> bool {
        match self {
            Self::SubscribePattern { pattern, .. } => {
                !INTERNAL.contains(&topic) && pattern.is_match(topic).unwrap_or(false)
            }
            Self::Subscribe(topics) => topics.iter().any(|name| name == topic),
            Self::Assign(partitions) => partitions.iter().any(|one| *one.topic == *topic),
        }
    }

    /// The topics that are named, and must exist; `None` if there is a pattern instead.
    pub(super) fn named(&self) -> Option<Vec<String>> {
        match self {
            Self::Subscribe(topics) => Some(topics.clone()),
            Self::SubscribePattern { .. } => None,
            Self::Assign(partitions) => {
                let topics: BTreeSet<_> =
                    partitions.iter().map(|one| one.topic.to_string()).collect();
                Some(topics.into_iter().collect())
            }
        }
    }

    /// Whether a partition of a topic that is read is read itself.
    pub(super) fn takes(&self, partition: &TopicPartition) -> bool {
        match self {
            Self::Assign(partitions) => partitions.contains(partition),
            _ => true,
        }
    }
}

fn subscribed(value: &str) -> Result<Topics> {
    let topics = value
        .split(',')
        .map(str::trim)
        .filter(|topic| !topic.is_empty());
    let mut topics: Vec<String> = topics.map(str::to_string).collect();
    let mut seen = BTreeSet::new();
    topics.retain(|topic| seen.insert(topic.clone()));
    match topics.is_empty() {
        true => Err(Error::illegal_argument(format!(
            "No topics to subscribe to as specified value for option 'subscribe' is '{value}'"
        ))
        .with_hint([hint::say("name one: "), hint::option("subscribe", "TOPIC")])),
        false => Ok(Topics::Subscribe(topics)),
    }
}

fn matched(value: &str) -> Result<Topics> {
    let text = value.trim();
    if text.is_empty() {
        return Err(Error::illegal_argument(format!(
            "Pattern to subscribe is empty as specified value for option 'subscribePattern' is '{value}'"
        ))
        .with_hint([
            hint::say("write a regular expression, e.g. "),
            hint::option("subscribePattern", "clicks_.*"),
        ]));
    }
    let pattern = Regex::new(&format!("^(?:{text})$")).map_err(|error| {
        Error::illegal_argument(format!(
            "option 'subscribePattern' is not a regular expression: '{text}'"
        ))
        .with_source(error)
        .with_hint([
            hint::say("write e.g. "),
            hint::option("subscribePattern", "clicks_.*"),
            hint::say("; a backslash before ( . [ takes it literally"),
        ])
    })?;
    Ok(Topics::SubscribePattern {
        text: text.to_string(),
        pattern: Box::new(pattern),
    })
}

fn assigned(value: &str) -> Result<Topics> {
    if !value.trim_start().starts_with('{') {
        return Err(Error::illegal_argument(format!(
            "No topicpartitions to assign as specified value for option 'assign' is '{value}'"
        ))
        .with_hint([
            hint::say("write it as JSON: "),
            hint::option("assign", "{\"TOPIC\":[0,1]}"),
        ]));
    }
    parse_assignment(value).map(Topics::Assign)
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscribe(topics) => write!(f, "Subscribe[{}]", topics.join(", ")),
            Self::SubscribePattern { text, .. } => write!(f, "SubscribePattern[{text}]"),
            Self::Assign(partitions) => {
                let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
                write!(f, "Assign[{}]", names.join(", "))
            }
        }
    }
}
