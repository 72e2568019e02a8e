//! The topics of a broker, and the logs of their partitions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use kafka_protocol::ResponseError;
use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

use crate::error::Failure;
use crate::log::{Log, Settings};
use crate::memory::Memory;
use crate::topic_config::TopicConfig;

/// What a partition costs while it is empty.
const BYTES_PER_PARTITION: usize = 4096;
const LONGEST_NAME: usize = 249;

/// All topics.
#[derive(Debug)]
pub(crate) struct Topics {
    memory: Arc<Memory>,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub name: String,
    pub id: Uuid,
    config: RwLock<TopicConfig>,
    partitions: RwLock<Vec<Partition>>,
}

/// The log of a partition, shared by all who read and write it.
pub(crate) type Partition = Arc<Mutex<Log>>;

impl Topics {
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            index: RwLock::default(),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.index.read().by_name.get(name).cloned()
    }

    pub(crate) fn get_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.index.read().by_id.get(&id).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Topic>> {
        self.index.read().by_name.values().cloned().collect()
    }

    /// A partition of a topic, if there is such a one.
    pub(crate) fn partition(&self, topic: &str, index: i32) -> Option<Partition> {
        self.get(topic)?.partition(index)
    }

    pub(crate) fn create(
        &self,
        name: &str,
        partitions: i32,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, Failure> {
        check_name(name)?;
        let mut index = self.index.write();
        if index.by_name.contains_key(name) {
            let message = format!("Topic '{name}' already exists.");
            return Err(Failure::new(ResponseError::TopicAlreadyExists, message));
        }
        let topic = Arc::new(Topic {
            name: name.to_owned(),
            id: Uuid::new_v4(),
            config: RwLock::new(config),
            partitions: RwLock::new(self.new_partitions(name, partitions)?),
        });
        index.by_name.insert(name.to_owned(), Arc::clone(&topic));
        index.by_id.insert(topic.id, Arc::clone(&topic));
        Ok(topic)
    }

    /// Whether [`Topics::create`] would do it.
    pub(crate) fn check_create(&self, name: &str, partitions: i32) -> Result<(), Failure> {
        check_name(name)?;
        if self.get(name).is_some() {
            let message = format!("Topic '{name}' already exists.");
            return Err(Failure::new(ResponseError::TopicAlreadyExists, message));
        }
        self.new_partitions(name, partitions).map(drop)
    }

    pub(crate) fn delete(&self, name: &str) -> Result<(), Failure> {
        let mut index = self.index.write();
        let topic = index.by_name.remove(name).ok_or_else(|| unknown(name))?;
        index.by_id.remove(&topic.id);
        drop(index);
        for partition in topic.partitions() {
            partition.lock().wake();
        }
        Ok(())
    }

    /// Gives a topic more partitions, `count` in all; with `only_check` says whether it could.
    pub(crate) fn grow(&self, name: &str, count: i32, only_check: bool) -> Result<(), Failure> {
        let topic = self.get(name).ok_or_else(|| unknown(name))?;
        let mut partitions = topic.partitions.write();
        let now = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
        if count <= now {
            let message = match count == now {
                true => format!("Topic already has {now} partition(s)."),
                false => format!(
                    "The topic {name} currently has {now} partition(s); {count} would not be an increase."
                ),
            };
            return Err(Failure::new(ResponseError::InvalidPartitions, message));
        }
        let more = self.new_partitions(name, count - now)?;
        if !only_check {
            partitions.extend(more);
        }
        Ok(())
    }

    fn new_partitions(&self, topic: &str, count: i32) -> Result<Vec<Partition>, Failure> {
        if count < 1 {
            let message = "Number of partitions must be larger than 0.";
            return Err(Failure::new(ResponseError::InvalidPartitions, message));
        }
        let full = |_| {
            let message = format!(
                "There is no room for {count} partitions of '{topic}': {}",
                self.full()
            );
            Failure::new(ResponseError::PolicyViolation, message)
        };
        (0..count)
            .map(|_| Log::new(&self.memory, BYTES_PER_PARTITION).map_err(full))
            .map(|log| Ok(Arc::new(Mutex::new(log?))))
            .collect()
    }

    /// Says that the memory is used up, and what helps.
    pub(crate) fn full(&self) -> String {
        format!(
            "this broker keeps everything in memory and its {} MiB are used up; delete topics or \
             records, give the topic a retention.bytes, or start the broker with more memory",
            self.memory.limit() >> 20
        )
    }
}

impl Topic {
    pub(crate) fn partitions(&self) -> Vec<Partition> {
        self.partitions.read().clone()
    }

    pub(crate) fn partition(&self, index: i32) -> Option<Partition> {
        let index = usize::try_from(index).ok()?;
        self.partitions.read().get(index).cloned()
    }

    pub(crate) fn config(&self) -> TopicConfig {
        self.config.read().clone()
    }

    pub(crate) fn set_config(&self, config: TopicConfig) {
        *self.config.write() = config;
    }

    pub(crate) fn log_settings(&self) -> Settings {
        let config = self.config.read();
        Settings {
            log_append_time: config.log_append_time(),
            retention_bytes: config.retention_bytes(),
        }
    }
}

pub(crate) fn unknown(name: &str) -> Failure {
    let message = format!("This server does not host the topic '{name}'.");
    Failure::new(ResponseError::UnknownTopicOrPartition, message)
}

fn check_name(name: &str) -> Result<(), Failure> {
    let wrong = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        "'.' and '..' are not allowed".to_owned()
    } else if name.len() > LONGEST_NAME {
        format!("the length of '{name}' is longer than the max allowed length {LONGEST_NAME}")
    } else if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    let message = format!("Topic name is invalid: {wrong}");
    Err(Failure::new(ResponseError::InvalidTopicException, message))
}
