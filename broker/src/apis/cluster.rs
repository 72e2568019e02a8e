//! What there is: versions of APIs, the one node, topics and their partitions.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, BrokerId, DescribeClusterRequest,
    DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::names::{text, topic_name};
use super::{Answer, Call, SUPPORTED, Unanswerable};
use crate::log::LEADER_EPOCH;
use crate::state::{NODE_ID, State};
use crate::topics::Topic;

pub(super) fn api_versions(_request: ApiVersionsRequest) -> ApiVersionsResponse {
    versions(0)
}

fn versions(error: i16) -> ApiVersionsResponse {
    let keys = SUPPORTED.iter().map(|&(key, low, high)| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(low)
            .with_max_version(high)
    });
    ApiVersionsResponse::default()
        .with_error_code(error)
        .with_api_keys(keys.collect())
}

/// Whoever asks for the versions in one that is too new is told those that there are; everybody else
/// could know.
pub(super) fn unsupported_version(call: &Call) -> Answer {
    match call.key {
        ApiKey::ApiVersions => {
            call.response_in(&versions(ResponseError::UnsupportedVersion.code()), 0)
        }
        key => Err(Unanswerable(format!(
            "{key:?} version {} is not supported",
            call.version
        ))),
    }
}

pub(super) fn describe(state: &State, _request: DescribeClusterRequest) -> DescribeClusterResponse {
    let broker = DescribeClusterBroker::default()
        .with_broker_id(BrokerId(NODE_ID))
        .with_host(host(state))
        .with_port(port(state));
    DescribeClusterResponse::default()
        .with_cluster_id(text(&*state.cluster_id))
        .with_controller_id(BrokerId(NODE_ID))
        .with_brokers(vec![broker])
}

/// The one node coordinates everything.
pub(super) fn find_coordinator(
    state: &State,
    version: i16,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    if version < 4 {
        return FindCoordinatorResponse::default()
            .with_node_id(BrokerId(NODE_ID))
            .with_host(host(state))
            .with_port(port(state));
    }
    let coordinators = request.coordinator_keys.into_iter().map(|key| {
        Coordinator::default()
            .with_key(key)
            .with_node_id(BrokerId(NODE_ID))
            .with_host(host(state))
            .with_port(port(state))
    });
    FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
}

pub(super) fn metadata(state: &State, version: i16, request: MetadataRequest) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(NODE_ID))
        .with_host(host(state))
        .with_port(port(state));
    // In the first version nobody asks for no topics.
    let wanted = request
        .topics
        .filter(|topics| version > 0 || !topics.is_empty());
    let topics = match wanted {
        None => state
            .topics
            .all()
            .iter()
            .map(|topic| described(topic))
            .collect(),
        Some(topics) => {
            let create = request.allow_auto_topic_creation || version < 4;
            topics
                .into_iter()
                .map(|topic| find(state, topic, create))
                .collect()
        }
    };
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&*state.cluster_id)))
        .with_controller_id(BrokerId(NODE_ID))
        .with_topics(topics)
}

fn find(state: &State, wanted: MetadataRequestTopic, create: bool) -> MetadataResponseTopic {
    // Whoever asks by an id may give an empty name beside it.
    let Some(name) = wanted.name.filter(|_| wanted.topic_id.is_nil()) else {
        return match state.topics.get_by_id(wanted.topic_id) {
            Some(topic) => described(&topic),
            None => not_found(None, wanted.topic_id, ResponseError::UnknownTopicId),
        };
    };
    if let Some(topic) = state.topics.get(&name) {
        return described(&topic);
    }
    if !(create && state.options.auto_create_topics) {
        let unknown = ResponseError::UnknownTopicOrPartition;
        return not_found(Some(name), Uuid::nil(), unknown);
    }
    let partitions = state.options.default_partitions;
    match state.create_topic(&name, partitions, state.default_config()) {
        Ok(topic) => described(&topic),
        // Somebody else was faster.
        Err(failure) => match state.topics.get(&name) {
            Some(topic) => described(&topic),
            None => not_found(Some(name), Uuid::nil(), failure.code),
        },
    }
}

fn not_found(name: Option<TopicName>, id: Uuid, error: ResponseError) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_name(name)
        .with_topic_id(id)
        .with_error_code(error.code())
}

fn described(topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..).zip(topic.partitions()).map(|(index, _)| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(NODE_ID))
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![BrokerId(NODE_ID)])
            .with_isr_nodes(vec![BrokerId(NODE_ID)])
    });
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_partitions(partitions.collect())
}

fn host(state: &State) -> StrBytes {
    text(state.address.ip().to_string())
}

fn port(state: &State) -> i32 {
    i32::from(state.address.port())
}
