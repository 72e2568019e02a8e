//! The settings of topics, told and changed; a broker's own are told only.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_request;
use kafka_protocol::messages::alter_configs_response;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::names::{outcome, text};
use crate::error::Failure;
use crate::state::{NODE_ID, State};
use crate::topic_config::{Kind, SETTINGS};
use crate::topics::unknown;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
/// Where a value is from: the topic, the broker's start, the default.
const OF_THE_TOPIC: i8 = 1;
const OF_THE_START: i8 = 4;
const OF_THE_DEFAULT: i8 = 5;
/// What a value is.
const STRING: i8 = 2;
const LONG: i8 = 5;

/// Kafka's number for where a topic has a value from.
pub(super) fn source(given: bool) -> i8 {
    match given {
        true => OF_THE_TOPIC,
        false => OF_THE_DEFAULT,
    }
}

pub(super) fn describe(state: &State, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let with_docs = request.include_documentation;
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match described(state, &resource, with_docs) {
            Ok(configs) => result.with_configs(configs),
            Err(failure) => result
                .with_error_code(failure.code.code())
                .with_error_message(Some(text(failure.message))),
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn described(
    state: &State,
    resource: &DescribeConfigsResource,
    with_docs: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    let all = match resource.resource_type {
        TOPIC => of_topic(state, &resource.resource_name, with_docs)?,
        BROKER => of_broker(state, &resource.resource_name)?,
        _ => return Err(not_here("topics and this broker")),
    };
    let wanted = |config: &DescribeConfigsResourceResult| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.contains(&config.name))
    };
    Ok(all.into_iter().filter(wanted).collect())
}

fn of_topic(
    state: &State,
    name: &str,
    with_docs: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    let config = state
        .topics
        .get(name)
        .ok_or_else(|| unknown(name))?
        .config();
    let settings = SETTINGS.iter().map(|setting| {
        let (value, given) = config.get(setting);
        DescribeConfigsResourceResult::default()
            .with_name(text(setting.name))
            .with_value(Some(text(value)))
            .with_config_source(source(given))
            .with_config_type(match setting.kind {
                Kind::Number(_) => LONG,
                _ => STRING,
            })
            .with_documentation(with_docs.then(|| text(setting.doc)))
    });
    Ok(settings.collect())
}

fn of_broker(state: &State, name: &str) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    if !name.is_empty() && name != NODE_ID.to_string() {
        return Err(not_here(&format!("broker {NODE_ID}")));
    }
    let options = &state.options;
    let values = [
        (
            "auto.create.topics.enable",
            options.auto_create_topics.to_string(),
        ),
        ("broker.id", NODE_ID.to_string()),
        ("message.max.bytes", options.max_message_bytes.to_string()),
        ("num.partitions", options.default_partitions.to_string()),
    ];
    let told = values.into_iter().map(|(name, value)| {
        DescribeConfigsResourceResult::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_read_only(true)
            .with_config_source(OF_THE_START)
            .with_config_type(STRING)
    });
    Ok(told.collect())
}

pub(super) fn alter(
    state: &State,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let only_check = request.validate_only;
    let responses = request.resources.into_iter().map(|resource| {
        let (error, message) = outcome(alter_one(state, &resource, only_check));
        AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
            .with_error_code(error)
            .with_error_message(message)
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn alter_one(
    state: &State,
    resource: &AlterConfigsResource,
    only_check: bool,
) -> Result<(), Failure> {
    if resource.resource_type != TOPIC {
        return Err(not_here("topics"));
    }
    let name = &*resource.resource_name;
    let topic = state.topics.get(name).ok_or_else(|| unknown(name))?;
    let mut config = topic.config();
    for entry in &resource.configs {
        let changed = match (entry.config_operation, &entry.value) {
            (SET, Some(value)) => config.set(&entry.name, value),
            (SET | DELETE, _) => config.unset(&entry.name),
            _ => Err(format!("{} is no list", &*entry.name)),
        };
        changed.map_err(|wrong| Failure::new(ResponseError::InvalidConfig, wrong))?;
    }
    if !only_check {
        topic.set_config(config);
        state.changed.notify_one();
    }
    Ok(())
}

/// The older form: what is not named gets its default.
pub(super) fn replace(state: &State, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let only_check = request.validate_only;
    let responses = request.resources.into_iter().map(|resource| {
        let (error, message) = outcome(replace_one(state, &resource, only_check));
        alter_configs_response::AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
            .with_error_code(error)
            .with_error_message(message)
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

fn replace_one(
    state: &State,
    resource: &alter_configs_request::AlterConfigsResource,
    only_check: bool,
) -> Result<(), Failure> {
    if resource.resource_type != TOPIC {
        return Err(not_here("topics"));
    }
    let name = &*resource.resource_name;
    let topic = state.topics.get(name).ok_or_else(|| unknown(name))?;
    let mut config = state.default_config();
    for entry in &resource.configs {
        let changed = match &entry.value {
            Some(value) => config.set(&entry.name, value),
            None => config.unset(&entry.name),
        };
        changed.map_err(|wrong| Failure::new(ResponseError::InvalidConfig, wrong))?;
    }
    if !only_check {
        topic.set_config(config);
        state.changed.notify_one();
    }
    Ok(())
}

fn not_here(what: &str) -> Failure {
    let message = format!("only {what} have settings that can be asked for or changed like this");
    Failure::new(ResponseError::InvalidRequest, message)
}
