//! Fetch: batches out of logs, as soon as there are enough of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, ProducerId};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::list_offsets::{check_epoch, isolation};
use crate::log::{Isolation, OutOfRange, Read};
use crate::state::State;
use crate::topics::{Partition, Topic};

/// From this version on topics are named by their ids.
const BY_ID: i16 = 13;
/// So much is put into one answer; it is read again for the rest.
const LARGEST_ANSWER: usize = 16 << 20;
/// Nobody waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// The answer to one request, as far as it is known.
struct Answer {
    response: FetchResponse,
    bytes: usize,
    has_error: bool,
}

pub(super) async fn answer(state: &State, version: i16, request: FetchRequest) -> FetchResponse {
    // There are no sessions: whoever asks for one is answered without, and asks for everything again.
    if request.session_id != 0 {
        let unknown = ResponseError::FetchSessionIdNotFound;
        return FetchResponse::default().with_error_code(unknown.code());
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let until = Instant::now() + wait.min(LONGEST_WAIT);
    let enough = usize::try_from(request.min_bytes).unwrap_or(0);
    loop {
        let changed = Arc::new(Notify::new());
        tell(state, version, &request, &changed);
        let answer = read(state, version, &request);
        if answer.has_error || answer.bytes >= enough {
            return answer.response;
        }
        if timeout_at(until, changed.notified()).await.is_err() {
            return answer.response;
        }
    }
}

/// Whatever happens in a partition that is asked for from now on, `changed` is told.
fn tell(state: &State, version: i16, request: &FetchRequest, changed: &Arc<Notify>) {
    for wanted in &request.topics {
        let Some(topic) = find(state, version, wanted) else {
            continue;
        };
        for partition in &wanted.partitions {
            if let Some(partition) = topic.partition(partition.partition) {
                partition.lock().tell(changed);
            }
        }
    }
}

fn find(state: &State, version: i16, wanted: &FetchTopic) -> Option<Arc<Topic>> {
    match version >= BY_ID {
        true => state.topics.get_by_id(wanted.topic_id),
        false => state.topics.get(&wanted.topic),
    }
}

fn read(state: &State, version: i16, request: &FetchRequest) -> Answer {
    let isolation = isolation(request.isolation_level);
    let mut left = usize::try_from(request.max_bytes)
        .unwrap_or(0)
        .min(LARGEST_ANSWER);
    let mut answer = Answer {
        response: FetchResponse::default(),
        bytes: 0,
        has_error: false,
    };
    for wanted in &request.topics {
        let topic = find(state, version, wanted);
        let mut partitions = Vec::with_capacity(wanted.partitions.len());
        for asked in &wanted.partitions {
            let partition = topic
                .as_ref()
                .and_then(|topic| topic.partition(asked.partition));
            let data = match partition {
                Some(partition) => {
                    read_partition(&partition, asked, isolation, left, answer.bytes == 0)
                }
                None => Err(match version >= BY_ID && topic.is_none() {
                    true => ResponseError::UnknownTopicId,
                    false => ResponseError::UnknownTopicOrPartition,
                }),
            };
            let data = data.unwrap_or_else(|error| failed(asked, error));
            let bytes = data.records.as_ref().map_or(0, Bytes::len);
            left = left.saturating_sub(bytes);
            answer.bytes += bytes;
            answer.has_error |= data.error_code != 0;
            partitions.push(data);
        }
        let topic = FetchableTopicResponse::default()
            .with_topic(wanted.topic.clone())
            .with_topic_id(wanted.topic_id)
            .with_partitions(partitions);
        answer.response.responses.push(topic);
    }
    answer
}

fn read_partition(
    partition: &Partition,
    asked: &FetchPartition,
    isolation: Isolation,
    left: usize,
    is_first: bool,
) -> Result<PartitionData, ResponseError> {
    check_epoch(asked.current_leader_epoch)?;
    let max_bytes = usize::try_from(asked.partition_max_bytes)
        .unwrap_or(0)
        .min(left);
    let log = partition.lock();
    let data = PartitionData::default()
        .with_partition_index(asked.partition)
        .with_high_watermark(log.end())
        .with_last_stable_offset(log.stable_end())
        .with_log_start_offset(log.start());
    let read = log.read(asked.fetch_offset, max_bytes, is_first, isolation);
    drop(log);
    let read = match read {
        Ok(read) => read,
        // Where the log begins and ends is told along with it.
        Err(OutOfRange) => {
            let error = ResponseError::OffsetOutOfRange.code();
            return Ok(data.with_error_code(error).with_records(Some(Bytes::new())));
        }
    };
    let aborted = (isolation == Isolation::ReadCommitted).then(|| aborted(&read));
    Ok(data
        .with_aborted_transactions(aborted)
        .with_preferred_read_replica(BrokerId(-1))
        .with_records(Some(joined(read))))
}

fn aborted(read: &Read) -> Vec<AbortedTransaction> {
    let aborted = read.aborted.iter().map(|aborted| {
        AbortedTransaction::default()
            .with_producer_id(ProducerId(aborted.producer_id))
            .with_first_offset(aborted.first_offset)
    });
    aborted.collect()
}

fn joined(read: Read) -> Bytes {
    match <[Bytes; 1]>::try_from(read.batches) {
        Ok([batch]) => batch,
        Err(batches) => {
            let mut all = BytesMut::with_capacity(read.bytes);
            for batch in batches {
                all.extend_from_slice(&batch);
            }
            all.freeze()
        }
    }
}

fn failed(asked: &FetchPartition, error: ResponseError) -> PartitionData {
    PartitionData::default()
        .with_partition_index(asked.partition)
        .with_error_code(error.code())
        .with_high_watermark(-1)
        .with_records(Some(Bytes::new()))
}
