//! Numbered batches are kept once and in order: what a producer sends again because the answer did not
//! reach it, and what it must not send.

use bytes::{Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiKey, InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

use super::raw::Raw;
use super::{Tested, on_both_brokers};

on_both_brokers![
    a_batch_that_comes_again_is_kept_once,
    batches_in_the_wrong_order_are_refused,
    what_is_no_batch_is_refused,
];

/// A batch of records with numbers from `sequence` on.
fn batch(producer_id: i64, epoch: i16, sequence: i32, count: i32) -> Bytes {
    let records: Vec<Record> = (0..count)
        .map(|n| Record {
            transactional: false,
            control: false,
            partition_leader_epoch: -1,
            producer_id,
            producer_epoch: epoch,
            delete_horizon: false,
            timestamp_type: TimestampType::Creation,
            offset: i64::from(n),
            sequence: sequence + n,
            timestamp: 1_700_000_000_000,
            key: None,
            value: Some(Bytes::from_static(b"value")),
            headers: Default::default(),
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut bytes = BytesMut::new();
    RecordBatchEncoder::encode(&mut bytes, &records, &options).expect("a batch");
    bytes.freeze()
}

/// Error and offset of what was produced.
fn produce(raw: &mut Raw, topic: &str, records: Bytes) -> (Option<ResponseError>, i64) {
    let partition = PartitionProduceData::default()
        .with_index(0)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_partition_data(vec![partition]);
    let request = ProduceRequest::default()
        .with_transactional_id(None)
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic]);
    let response: ProduceResponse = raw.call(ApiKey::Produce, 9, &request);
    let partition = &response.responses[0].partition_responses[0];
    let error = ResponseError::try_from_code(partition.error_code);
    (error, partition.base_offset)
}

fn new_producer(raw: &mut Raw) -> i64 {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(60_000);
    loop {
        let response: InitProducerIdResponse = raw.call(ApiKey::InitProducerId, 4, &request);
        match ResponseError::try_from_code(response.error_code) {
            None => {
                assert_eq!(response.producer_epoch, 0);
                return response.producer_id.0;
            }
            // Kafka is not ready for it at once.
            Some(error) => assert!(error.is_retriable(), "{error}"),
        }
    }
}

fn a_batch_that_comes_again_is_kept_once(broker: &Tested) {
    let topic = broker.topic("again", 1);
    let mut raw = Raw::connect(&broker.address);
    let id = new_producer(&mut raw);
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 0, 3)), (None, 0));
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 0, 3)), (None, 0));
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 3, 2)), (None, 3));
    // From another connection, and not the last one.
    let mut other = Raw::connect(&broker.address);
    assert_eq!(produce(&mut other, &topic, batch(id, 0, 0, 3)), (None, 0));
    assert_eq!(produce(&mut other, &topic, batch(id, 0, 3, 2)), (None, 3));
    assert_eq!(produce(&mut other, &topic, batch(id, 0, 5, 1)), (None, 5));
    // Batches without numbers are all kept.
    assert_eq!(produce(&mut other, &topic, batch(-1, -1, -1, 1)), (None, 6));
    assert_eq!(produce(&mut other, &topic, batch(-1, -1, -1, 1)), (None, 7));
}

fn batches_in_the_wrong_order_are_refused(broker: &Tested) {
    let topic = broker.topic("order", 1);
    let mut raw = Raw::connect(&broker.address);
    let id = new_producer(&mut raw);
    let out_of_order = (Some(ResponseError::OutOfOrderSequenceNumber), -1);
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 0, 1)), (None, 0));
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 2, 1)), out_of_order);
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 1, 1)), (None, 1));
    // A higher epoch begins anew; the lower one is over.
    assert_eq!(produce(&mut raw, &topic, batch(id, 1, 5, 1)), out_of_order);
    assert_eq!(produce(&mut raw, &topic, batch(id, 1, 0, 1)), (None, 2));
    let over = (Some(ResponseError::InvalidProducerEpoch), -1);
    assert_eq!(produce(&mut raw, &topic, batch(id, 0, 2, 1)), over);
    // Long ago: nobody remembers it.
    for sequence in 1..8 {
        let offset = i64::from(sequence) + 2;
        assert_eq!(
            produce(&mut raw, &topic, batch(id, 1, sequence, 1)),
            (None, offset)
        );
    }
    assert_eq!(produce(&mut raw, &topic, batch(id, 1, 0, 1)), out_of_order);
}

fn what_is_no_batch_is_refused(broker: &Tested) {
    let topic = broker.topic("batches", 1);
    let mut raw = Raw::connect(&broker.address);
    let good = batch(-1, -1, -1, 2);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.to_vec();
        bytes[at] ^= byte;
        Bytes::from(bytes)
    };
    // The checksum, and what it is of.
    let corrupt = Some(ResponseError::CorruptMessage);
    assert_eq!(produce(&mut raw, &topic, changed(18, 1)).0, corrupt);
    assert_eq!(produce(&mut raw, &topic, changed(70, 1)).0, corrupt);
    let mut twice = good.to_vec();
    twice.extend_from_slice(&good);
    let invalid = Some(ResponseError::InvalidRecord);
    assert_eq!(produce(&mut raw, &topic, twice.into()).0, invalid);
    assert_eq!(produce(&mut raw, &topic, good), (None, 0));
}
