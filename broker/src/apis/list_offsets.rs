//! ListOffsets and OffsetForLeaderEpoch: where a log begins, ends, and has records of a time.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};

use super::names::code;
use crate::log::{self, Isolation, LEADER_EPOCH, Place, Undecodable};
use crate::state::State;
use crate::topics::Partition;

/// The times that stand for places.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const LATEST_IN_TIME: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// There is no such record.
const NOWHERE: Place = Place {
    offset: -1,
    timestamp: -1,
};

/// Which records a client wants to know of.
pub(super) fn isolation(level: i8) -> Isolation {
    match level {
        1 => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    }
}

/// Whether a client may think that this is the leader's epoch; -1 where it does not think about it.
pub(super) fn check_epoch(epoch: i32) -> Result<(), ResponseError> {
    match epoch > LEADER_EPOCH {
        true => Err(ResponseError::UnknownLeaderEpoch),
        false => Ok(()),
    }
}

pub(super) fn answer(state: &State, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let isolation = isolation(request.isolation_level);
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let partition = state.topics.partition(&topic.name, wanted.partition_index);
            let place = match partition {
                Some(partition) => find(&partition, wanted, isolation),
                None => Err(ResponseError::UnknownTopicOrPartition),
            };
            let error = code(&place);
            let place = place.unwrap_or(NOWHERE);
            ListOffsetsPartitionResponse::default()
                .with_partition_index(wanted.partition_index)
                .with_error_code(error)
                .with_offset(place.offset)
                .with_timestamp(place.timestamp)
                .with_leader_epoch(if place.offset < 0 { -1 } else { LEADER_EPOCH })
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse::default()
            .with_name(topic.name)
            .with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn find(
    partition: &Partition,
    wanted: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<Place, ResponseError> {
    check_epoch(wanted.current_leader_epoch)?;
    let log = partition.lock();
    let at = |offset| Place {
        offset,
        timestamp: -1,
    };
    let (start, end) = (log.start(), log.end_for(isolation));
    let batches = match wanted.timestamp {
        LATEST => return Ok(at(end)),
        EARLIEST | EARLIEST_LOCAL => return Ok(at(start)),
        LATEST_TIERED => return Ok(NOWHERE),
        LATEST_IN_TIME => log.latest_in_time().into_iter().collect(),
        timestamp if timestamp < 0 => return Err(ResponseError::UnsupportedVersion),
        timestamp => log.batches_since(timestamp),
    };
    drop(log);
    for batch in &batches {
        let found = match wanted.timestamp {
            LATEST_IN_TIME => log::latest(batch),
            timestamp => log::first_since(batch, timestamp, start),
        };
        let found = found.map_err(|Undecodable| ResponseError::CorruptMessage)?;
        if let Some(place) = found.filter(|place| place.offset < end) {
            return Ok(place);
        }
    }
    Ok(NOWHERE)
}

pub(super) fn for_leader_epoch(
    state: &State,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let partition = state.topics.partition(&topic.topic, wanted.partition);
            epoch_end(partition, wanted)
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic)
            .with_partitions(partitions)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

/// The only epoch ends where the log does.
fn epoch_end(partition: Option<Partition>, wanted: &OffsetForLeaderPartition) -> EpochEndOffset {
    let result = EpochEndOffset::default().with_partition(wanted.partition);
    let checked = check_epoch(wanted.current_leader_epoch);
    match (partition, checked) {
        (None, _) => result.with_error_code(ResponseError::UnknownTopicOrPartition.code()),
        (_, Err(error)) => result.with_error_code(error.code()),
        (Some(partition), Ok(())) if wanted.leader_epoch >= LEADER_EPOCH => result
            .with_leader_epoch(LEADER_EPOCH)
            .with_end_offset(partition.lock().end()),
        _ => result,
    }
}
