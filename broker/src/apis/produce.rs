//! Produce: batches into logs.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::names::text;
use super::{Answer, Call, Unanswerable};
use crate::clock::now_millis;
use crate::error::Failure;
use crate::log::batch::{Header, Invalid};
use crate::log::{Appended, Refused};
use crate::state::State;
use crate::topics::{Partition, Topic, unknown};
use crate::transactions::Producer;

/// Where a batch stands, and where its log begins.
struct Kept {
    appended: Appended,
    log_start: i64,
}

pub(super) fn answer(state: &State, call: &Call) -> Answer {
    let request: ProduceRequest = call.request()?;
    let acks = request.acks;
    let response = produce(state, request);
    if acks != 0 {
        return call.response(&response);
    }
    // Nobody waits for an answer: what went wrong is told by closing the connection.
    let partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partition_responses);
    match partitions
        .map(|partition| partition.error_code)
        .find(|&error| error != 0)
    {
        Some(error) => Err(Unanswerable(format!("produce without acks: error {error}"))),
        None => Ok(None),
    }
}

fn produce(state: &State, request: ProduceRequest) -> ProduceResponse {
    let acks = match (-1..=1).contains(&request.acks) {
        true => Ok(()),
        false => Err(Failure::from(ResponseError::InvalidRequiredAcks)),
    };
    let responses = request.topic_data.into_iter().map(|topic| {
        let partitions = topic.partition_data.into_iter().map(|partition| {
            let kept = match &acks {
                Ok(()) => keep(state, &topic.name, &partition),
                Err(failure) => Err(failure.clone()),
            };
            response_of(partition.index, kept)
        });
        TopicProduceResponse::default()
            .with_partition_responses(partitions.collect())
            .with_name(topic.name)
    });
    ProduceResponse::default().with_responses(responses.collect())
}

fn response_of(index: i32, kept: Result<Kept, Failure>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match kept {
        Ok(Kept {
            appended,
            log_start,
        }) => response
            .with_base_offset(appended.base_offset)
            .with_log_append_time_ms(appended.append_time.unwrap_or(-1))
            .with_log_start_offset(log_start),
        Err(failure) => response
            .with_error_code(failure.code.code())
            .with_error_message(Some(text(failure.message)))
            .with_base_offset(-1),
    }
}

fn keep(state: &State, name: &str, wanted: &PartitionProduceData) -> Result<Kept, Failure> {
    let topic = state.topics.get(name).ok_or_else(|| unknown(name))?;
    let partition = topic.partition(wanted.index).ok_or_else(|| unknown(name))?;
    let batch = wanted.records.as_ref().ok_or_else(|| {
        Failure::new(ResponseError::InvalidRecord, "there is no batch of records")
    })?;
    let header = check(&topic, batch)?;
    let keep = || append(state, &topic, &partition, batch, &header);
    if !header.is_transactional() {
        return keep();
    }
    let producer = Producer {
        id: header.producer_id,
        epoch: header.producer_epoch,
    };
    let written = state.transactions.write(producer, name, wanted.index, keep);
    written.unwrap_or_else(|error| Err(as_told_to_producers(error).into()))
}

/// Clients know this older code here.
fn as_told_to_producers(error: ResponseError) -> ResponseError {
    match error {
        ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
        error => error,
    }
}

fn check(topic: &Topic, batch: &Bytes) -> Result<Header, Failure> {
    let config = topic.config();
    let largest = config.max_message_bytes();
    if batch.len() > largest {
        let message = format!(
            "The batch has {} bytes, and '{}' takes {largest} at most; make the producer's batches \
             smaller, or give the topic a larger max.message.bytes",
            batch.len(),
            topic.name
        );
        return Err(Failure::new(ResponseError::MessageTooLarge, message));
    }
    let header = Header::of_produced(batch).map_err(|invalid| match invalid {
        Invalid::Corrupt(why) => Failure::new(ResponseError::CorruptMessage, why),
        Invalid::OldFormat => Failure::new(
            ResponseError::UnsupportedForMessageFormat,
            "this broker takes the record format of Kafka 0.11 and later",
        ),
        Invalid::Record(why) => Failure::new(ResponseError::InvalidRecord, why),
    })?;
    let latest = now_millis().saturating_add(config.timestamp_after_max_millis());
    if !config.log_append_time() && header.max_timestamp > latest {
        let message = format!(
            "A record's time, {}, is further ahead of the broker's clock than '{}' allows: \
             message.timestamp.after.max.ms",
            header.max_timestamp, topic.name
        );
        return Err(Failure::new(ResponseError::InvalidTimestamp, message));
    }
    Ok(header)
}

fn append(
    state: &State,
    topic: &Topic,
    partition: &Partition,
    batch: &Bytes,
    header: &Header,
) -> Result<Kept, Failure> {
    let mut log = partition.lock();
    let appended = log.append(batch, header, topic.log_settings(), now_millis());
    let appended = appended.map_err(|refused| match refused {
        Refused::OutOfOrder => ResponseError::OutOfOrderSequenceNumber.into(),
        Refused::Fenced => ResponseError::InvalidProducerEpoch.into(),
        Refused::Full => {
            let message = format!("The record is not kept: {}", state.topics.full());
            Failure::new(ResponseError::PolicyViolation, message)
        }
    })?;
    Ok(Kept {
        appended,
        log_start: log.start(),
    })
}
