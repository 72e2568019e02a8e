//! Topics made, deleted, given more partitions; records deleted.

use std::collections::HashMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_records_request::DeleteRecordsPartition;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
};

use super::configs::source;
use super::names::{code, outcome, text, topic_name};
use crate::error::Failure;
use crate::log::OutOfRange;
use crate::state::State;
use crate::topic_config::{SETTINGS, TopicConfig};
use crate::topics::unknown;

/// The offset in DeleteRecords that stands for the end.
const TO_THE_END: i64 = -1;

pub(super) fn create(state: &State, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let mut times: HashMap<String, usize> = HashMap::new();
    for topic in &request.topics {
        *times.entry(topic.name.to_string()).or_default() += 1;
    }
    let results = request.topics.into_iter().map(|topic| {
        let twice = times.get(&**topic.name).is_some_and(|&times| times > 1);
        let created = match twice {
            true => Err(Failure::new(
                ResponseError::InvalidRequest,
                format!("the request has the topic '{}' twice", &*topic.name),
            )),
            false => create_one(state, &topic, request.validate_only),
        };
        created.unwrap_or_else(|failure| {
            let message = Some(text(failure.message));
            CreatableTopicResult::default()
                .with_name(topic.name.clone())
                .with_error_code(failure.code.code())
                .with_error_message(message)
        })
    });
    CreateTopicsResponse::default().with_topics(results.collect())
}

fn create_one(
    state: &State,
    topic: &CreatableTopic,
    only_check: bool,
) -> Result<CreatableTopicResult, Failure> {
    let partitions = partitions_of(state, topic)?;
    let mut config = state.default_config();
    for entry in &topic.configs {
        let set = match &entry.value {
            Some(value) => config.set(&entry.name, value),
            None => config.unset(&entry.name),
        };
        set.map_err(|wrong| Failure::new(ResponseError::InvalidConfig, wrong))?;
    }
    let result = CreatableTopicResult::default()
        .with_name(topic.name.clone())
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(Some(told(&config)));
    if only_check {
        state.topics.check_create(&topic.name, partitions)?;
        return Ok(result);
    }
    let created = state.create_topic(&topic.name, partitions, config)?;
    Ok(result.with_topic_id(created.id))
}

fn partitions_of(state: &State, topic: &CreatableTopic) -> Result<i32, Failure> {
    if !topic.assignments.is_empty() {
        return match topic.num_partitions {
            -1 => Ok(i32::try_from(topic.assignments.len()).unwrap_or(i32::MAX)),
            _ => Err(Failure::new(
                ResponseError::InvalidRequest,
                "either a number of partitions or their replicas can be given",
            )),
        };
    }
    let factor = topic.replication_factor;
    if factor != -1 && factor != 1 {
        let message = match factor {
            2.. => format!(
                "Unable to replicate the partition {factor} time(s): this broker is the only one."
            ),
            _ => "Replication factor must be larger than 0, or -1 to use the default value.".into(),
        };
        return Err(Failure::new(
            ResponseError::InvalidReplicationFactor,
            message,
        ));
    }
    Ok(match topic.num_partitions {
        -1 => state.options.default_partitions,
        partitions => partitions,
    })
}

fn told(config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    let settings = SETTINGS.iter().map(|setting| {
        let (value, given) = config.get(setting);
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_value(Some(text(value)))
            .with_config_source(source(given))
    });
    settings.collect()
}

pub(super) fn delete(
    state: &State,
    version: i16,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let results = match version < 6 {
        true => {
            let names = request.topic_names.into_iter();
            let deleted = names.map(|name| DeleteTopicState::default().with_name(Some(name)));
            deleted.map(|topic| delete_one(state, topic)).collect()
        }
        false => {
            let topics = request.topics.into_iter();
            topics.map(|topic| delete_one(state, topic)).collect()
        }
    };
    DeleteTopicsResponse::default().with_responses(results)
}

fn delete_one(state: &State, topic: DeleteTopicState) -> DeletableTopicResult {
    let (name, deleted) = match topic.name {
        Some(name) => {
            let deleted = state.delete_topic(&name);
            (Some(name), deleted)
        }
        None => match state.topics.get_by_id(topic.topic_id) {
            Some(found) => (
                Some(topic_name(&found.name)),
                state.delete_topic(&found.name),
            ),
            None => (None, Err(ResponseError::UnknownTopicId.into())),
        },
    };
    let (error, message) = outcome(deleted);
    DeletableTopicResult::default()
        .with_name(name)
        .with_topic_id(topic.topic_id)
        .with_error_code(error)
        .with_error_message(message)
}

pub(super) fn grow(state: &State, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let only_check = request.validate_only;
    let results = request
        .topics
        .into_iter()
        .map(|topic: CreatePartitionsTopic| {
            let (error, message) = outcome(state.topics.grow(&topic.name, topic.count, only_check));
            CreatePartitionsTopicResult::default()
                .with_name(topic.name)
                .with_error_code(error)
                .with_error_message(message)
        });
    CreatePartitionsResponse::default().with_results(results.collect())
}

pub(super) fn delete_records(
    state: &State,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let start = delete_before(state, &topic.name, partition);
            DeleteRecordsPartitionResult::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(&start))
                .with_low_watermark(start.unwrap_or(-1))
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default()
            .with_name(topic.name)
            .with_partitions(partitions)
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

/// Gives the first offset that is left.
fn delete_before(
    state: &State,
    topic: &str,
    wanted: &DeleteRecordsPartition,
) -> Result<i64, ResponseError> {
    let partition = state.topics.partition(topic, wanted.partition_index);
    let partition = partition.ok_or_else(|| unknown(topic).code)?;
    let mut log = partition.lock();
    let offset = match wanted.offset {
        TO_THE_END => log.end(),
        offset => offset,
    };
    log.delete_before(offset)
        .map_err(|OutOfRange| ResponseError::OffsetOutOfRange)?;
    Ok(log.start())
}
