//! Ids for producers that number their batches, and their transactions.

use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, EndTxnRequest, EndTxnResponse, InitProducerIdRequest,
    InitProducerIdResponse, ProducerId, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
};

use super::group_offsets::{commit_one, metadata_of};
use super::names::code;
use crate::groups::{Caller, Committed};
use crate::state::State;
use crate::transactions::Producer;

/// Clients of before these versions know fencing by an older name.
const FENCED_IN_INIT: i16 = 4;
const FENCED_IN_TRANSACTION: i16 = 2;

fn named_for(version: i16, since: i16) -> impl Fn(ResponseError) -> ResponseError {
    move |error| match error {
        ResponseError::ProducerFenced if version < since => ResponseError::InvalidProducerEpoch,
        error => error,
    }
}

pub(super) fn init(
    state: &State,
    version: i16,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let known = (request.producer_id.0 >= 0).then_some(Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    });
    let producer = match &request.transactional_id {
        None => Ok(state.transactions.new_producer()),
        Some(id) if id.is_empty() => Err(ResponseError::InvalidRequest),
        Some(id) => {
            let millis = u64::try_from(request.transaction_timeout_ms).unwrap_or(0);
            state
                .transactions
                .init(id, Duration::from_millis(millis), known)
        }
    };
    match producer.map_err(named_for(version, FENCED_IN_INIT)) {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}

pub(super) fn add_partitions(
    state: &State,
    version: i16,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let topics = &request.v3_and_below_topics;
    let all: Vec<(String, i32)> = topics
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|&index| (topic.name.to_string(), index))
        })
        .collect();
    let exists = |(topic, index): &(String, i32)| state.topics.partition(topic, *index).is_some();
    let all_exist = all.iter().all(exists);
    let added = match all_exist {
        true => state.transactions.add_partitions(
            &request.v3_and_below_transactional_id,
            Producer {
                id: request.v3_and_below_producer_id.0,
                epoch: request.v3_and_below_producer_epoch,
            },
            &all,
        ),
        false => Err(ResponseError::OperationNotAttempted),
    };
    let added = added.map_err(named_for(version, FENCED_IN_TRANSACTION));
    state.changed.notify_one();
    let results = topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|&index| {
            let error = match exists(&(topic.name.to_string(), index)) {
                true => code(&added),
                false => ResponseError::UnknownTopicOrPartition.code(),
            };
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(error)
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results.collect())
}

pub(super) fn add_offsets(
    state: &State,
    version: i16,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let id = &request.transactional_id;
    let added = state
        .transactions
        .add_group(id, producer, &request.group_id)
        .map_err(named_for(version, FENCED_IN_TRANSACTION));
    state.changed.notify_one();
    AddOffsetsToTxnResponse::default().with_error_code(code(&added))
}

pub(super) fn commit_offsets(
    state: &State,
    version: i16,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let checked = check_member(state, &request);
    let group = &request.group_id;
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let at = (topic.name.to_string(), partition.partition_index);
            let offset = Committed {
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: metadata_of(partition.committed_metadata.as_ref()),
            };
            let committed = checked.and_then(|()| {
                let commit = || commit_one(state, group, Some(producer.id), at, offset);
                let id = &request.transactional_id;
                state
                    .transactions
                    .write_offsets(id, producer, group, commit)?
            });
            let committed = committed.map_err(named_for(version, i16::MAX));
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(&committed))
        });
        TxnOffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

/// A producer that says for which member it commits must name one of the present generation.
fn check_member(state: &State, request: &TxnOffsetCommitRequest) -> Result<(), ResponseError> {
    if request.member_id.is_empty() && request.generation_id < 0 {
        return Ok(());
    }
    let caller = Caller {
        member: &request.member_id,
        instance: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    state.groups.check_commit(&request.group_id, caller)
}

pub(super) fn end(state: &State, version: i16, request: EndTxnRequest) -> EndTxnResponse {
    let producer = Producer {
        id: request.producer_id.0,
        epoch: request.producer_epoch,
    };
    let id = &request.transactional_id;
    let ended = state
        .transactions
        .end(id, producer, request.committed)
        .map_err(named_for(version, FENCED_IN_TRANSACTION));
    EndTxnResponse::default().with_error_code(code(&ended))
}
