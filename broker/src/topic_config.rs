//! The settings of a topic: Kafka's names, what they may be, and which of them mean something here.

use std::collections::BTreeMap;

/// A setting that a topic can have.
#[derive(Debug)]
pub(crate) struct Setting {
    pub name: &'static str,
    pub default: &'static str,
    pub kind: Kind,
    pub doc: &'static str,
}

/// What a setting may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number of at least so much.
    Number(i64),
    OneOf(&'static [&'static str]),
    /// Something about files, replicas or compaction: kept and told, and without effect.
    NoEffect,
}

const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
const TIMESTAMP_TYPE: &str = "message.timestamp.type";
const TIMESTAMP_AFTER: &str = "message.timestamp.after.max.ms";
const RETENTION_BYTES: &str = "retention.bytes";
const RETENTION_MS: &str = "retention.ms";
const LOG_APPEND_TIME: &str = "LogAppendTime";
const NO_EFFECT: &str = "Kept, but without effect in this broker.";

/// All settings, by name.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "cleanup.policy",
        default: "delete",
        kind: Kind::OneOf(&["delete"]),
        doc: "Old records are deleted; this broker does not compact.",
    },
    Setting {
        name: "compression.type",
        default: "producer",
        kind: Kind::OneOf(&["producer"]),
        doc: "Batches stay compressed as the producer sent them.",
    },
    no_effect("delete.retention.ms", "86400000"),
    no_effect("file.delete.delay.ms", "60000"),
    no_effect("flush.messages", "9223372036854775807"),
    no_effect("flush.ms", "9223372036854775807"),
    no_effect("index.interval.bytes", "4096"),
    no_effect("max.compaction.lag.ms", "9223372036854775807"),
    Setting {
        name: MAX_MESSAGE_BYTES,
        default: "1048588",
        kind: Kind::Number(0),
        doc: "The largest batch that is taken.",
    },
    Setting {
        name: TIMESTAMP_AFTER,
        default: "3600000",
        kind: Kind::Number(0),
        doc: "How far a record's time may be ahead of the broker's clock.",
    },
    no_effect("message.timestamp.before.max.ms", "9223372036854775807"),
    Setting {
        name: TIMESTAMP_TYPE,
        default: "CreateTime",
        kind: Kind::OneOf(&["CreateTime", LOG_APPEND_TIME]),
        doc: "Whether a record's time is the producer's or that of its arrival.",
    },
    no_effect("min.cleanable.dirty.ratio", "0.5"),
    no_effect("min.compaction.lag.ms", "0"),
    no_effect("min.insync.replicas", "1"),
    no_effect("preallocate", "false"),
    Setting {
        name: RETENTION_BYTES,
        default: "-1",
        kind: Kind::Number(-1),
        doc: "So much a partition keeps, -1: all; the oldest batches go.",
    },
    Setting {
        name: RETENTION_MS,
        default: "-1",
        kind: Kind::Number(-1),
        doc: "How old a record may become by its time, -1: as old as it likes.",
    },
    no_effect("segment.bytes", "1073741824"),
    no_effect("segment.index.bytes", "10485760"),
    no_effect("segment.jitter.ms", "0"),
    no_effect("segment.ms", "604800000"),
    no_effect("unclean.leader.election.enable", "false"),
];

const fn no_effect(name: &'static str, default: &'static str) -> Setting {
    Setting {
        name,
        default,
        kind: Kind::NoEffect,
        doc: NO_EFFECT,
    }
}

/// The settings of one topic; those that were not given have their defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct TopicConfig {
    given: BTreeMap<&'static str, String>,
    /// The broker's own default, which the topic may change.
    max_message_bytes: Option<usize>,
}

impl TopicConfig {
    pub(crate) fn with_max_message_bytes(bytes: usize) -> Self {
        Self {
            given: BTreeMap::new(),
            max_message_bytes: Some(bytes),
        }
    }

    /// Sets `name`; the error says what is wrong with it.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let setting = setting(name)?;
        let bad = match setting.kind {
            Kind::Number(least) => match value.trim().parse::<i64>() {
                Ok(number) if number >= least => None,
                _ => Some(format!("a whole number of at least {least}")),
            },
            Kind::OneOf(values) if values.contains(&value) => None,
            Kind::OneOf(values) => Some(values.join(" or ")),
            Kind::NoEffect => None,
        };
        match bad {
            Some(wanted) => Err(format!(
                "Invalid value {value} for configuration {name}: this broker takes {wanted}"
            )),
            None => {
                self.given.insert(setting.name, value.trim().to_owned());
                Ok(())
            }
        }
    }

    /// Gives `name` its default.
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), String> {
        self.given.remove(setting(name)?.name);
        Ok(())
    }

    /// The value of a setting, and whether it was given.
    pub(crate) fn get(&self, setting: &Setting) -> (String, bool) {
        match self.given.get(setting.name) {
            Some(value) => (value.clone(), true),
            None => (self.default(setting), false),
        }
    }

    fn default(&self, setting: &Setting) -> String {
        match self.max_message_bytes {
            Some(bytes) if setting.name == MAX_MESSAGE_BYTES => bytes.to_string(),
            _ => setting.default.to_owned(),
        }
    }

    pub(crate) fn max_message_bytes(&self) -> usize {
        self.size(MAX_MESSAGE_BYTES).unwrap_or(usize::MAX)
    }

    pub(crate) fn log_append_time(&self) -> bool {
        self.given
            .get(TIMESTAMP_TYPE)
            .is_some_and(|value| value == LOG_APPEND_TIME)
    }

    pub(crate) fn timestamp_after_max_millis(&self) -> i64 {
        self.number(TIMESTAMP_AFTER)
    }

    pub(crate) fn retention_bytes(&self) -> Option<usize> {
        self.size(RETENTION_BYTES)
    }

    pub(crate) fn retention_millis(&self) -> Option<i64> {
        Some(self.number(RETENTION_MS)).filter(|&millis| millis >= 0)
    }

    fn size(&self, name: &str) -> Option<usize> {
        usize::try_from(self.number(name)).ok()
    }

    fn number(&self, name: &str) -> i64 {
        let value = setting(name).map(|setting| self.get(setting).0);
        value
            .ok()
            .and_then(|value| value.parse().ok())
            .unwrap_or(-1)
    }
}

fn setting(name: &str) -> Result<&'static Setting, String> {
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    found.ok_or_else(|| format!("Unknown topic config name: {name}"))
}
