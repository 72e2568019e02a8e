//! What is no request ends its connection, and nothing else.

use acceptance::kafka::{Record, produce, producer, read_all};
use acceptance::seeded::Seeded;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, MetadataRequest,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::raw::{Raw, encoded};
use super::{Tested, on_both_brokers};

on_both_brokers![
    no_requests,
    versions_that_there_are_not,
    requests_that_are_cut_off,
];

/// All goes on for others.
fn still_serves(broker: &Tested, topic: &str) {
    let producer = producer(&broker.address, &[]).expect("a producer");
    let before = read_all(&broker.address, topic, &[])
        .expect("records")
        .len();
    let delivered = produce(&producer, topic, &[Record::of("x")]).expect("an answer");
    assert!(delivered[0].is_ok());
    let after = read_all(&broker.address, topic, &[])
        .expect("records")
        .len();
    assert_eq!(after, before + 1);
}

fn no_requests(broker: &Tested) {
    let topic = broker.topic("others", 1);
    let lengths: [&[u8]; 5] = [
        &i32::MAX.to_be_bytes(),
        &(-1_i32).to_be_bytes(),
        &i32::MIN.to_be_bytes(),
        // Others' protocols.
        b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n",
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
    ];
    for bytes in lengths {
        let mut raw = Raw::connect(&broker.address);
        let _ = raw.write(bytes);
        assert_eq!(raw.read_frame(), None, "{bytes:?}");
    }
    let frames: [&[u8]; 4] = [
        b"",
        &[0],
        // There is no such API; there is no such version.
        &[0x7f, 0, 0, 0, 0, 0, 0, 1, 0, 0],
        &[0, 3, 0x7f, 0, 0, 0, 0, 1, 0, 0],
    ];
    for bytes in frames {
        let mut raw = Raw::connect(&broker.address);
        let _ = raw.write_frame(bytes);
        assert_eq!(raw.read_frame(), None, "{bytes:?}");
    }
    still_serves(broker, &topic);
}

fn versions_that_there_are_not(broker: &Tested) {
    let mut raw = Raw::connect(&broker.address);
    let mut request = encoded(
        ApiKey::ApiVersions,
        4,
        &ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("raw"))
            .with_client_software_version(StrBytes::from_static_str("1")),
    );
    request[2..4].copy_from_slice(&99_i16.to_be_bytes());
    raw.write_frame(&request).expect("written");
    let mut frame = raw.read_frame().expect("an answer");
    let rest = frame.split_off(4);
    assert_eq!(&*frame, 7_i32.to_be_bytes());
    let answer = ApiVersionsResponse::decode(&mut rest.clone(), 0).expect("an answer");
    assert_eq!(
        ResponseError::try_from_code(answer.error_code),
        Some(ResponseError::UnsupportedVersion)
    );
    // It can be asked again, on the same connection.
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("raw"))
        .with_client_software_version(StrBytes::from_static_str("1"));
    let answer: ApiVersionsResponse = raw.call(ApiKey::ApiVersions, 3, &request);
    assert_eq!(answer.error_code, 0);
    assert!(answer.api_keys.len() > 20);
}

fn requests_that_are_cut_off(broker: &Tested) {
    let topic = broker.topic("others", 1);
    let request = encoded(
        ApiKey::Metadata,
        1,
        &MetadataRequest::default().with_topics(None),
    );
    for length in 8..request.len() {
        let mut raw = Raw::connect(&broker.address);
        raw.write_frame(&request[..length]).expect("written");
        assert_eq!(raw.read_frame(), None, "{length}");
    }
    // An array that claims to have more elements than there is memory for, where the header ends.
    let lengths: [(i16, usize, &[u8]); 2] = [
        (4, 13, &[0x7f, 0xff, 0xff, 0xff]),
        (5, 14, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
    ];
    for (version, header, length) in lengths {
        let mut request = encoded(
            ApiKey::CreateTopics,
            version,
            &CreateTopicsRequest::default(),
        );
        request.truncate(header);
        request.extend_from_slice(length);
        request.extend_from_slice(&[0; 64]);
        let mut raw = Raw::connect(&broker.address);
        raw.write_frame(&request).expect("written");
        assert_eq!(raw.read_frame(), None, "{version}");
    }
    still_serves(broker, &topic);
}

/// Only against ours: Kafka's own does what random bytes happen to say.
#[test]
fn random_bytes() {
    let broker = Tested::ours();
    let topic = broker.topic("others", 1);
    let seed = Seeded::seed_from_env();
    println!("SEED={seed}");
    let mut random = Seeded::new(seed);
    for _ in 0..2000 {
        let mut raw = Raw::connect(&broker.address);
        let length = random.below(200);
        let mut bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        // Mostly an API and a version that there are, so that it is the rest that is wrong.
        if let [key_high, key, version_high, version, ..] = bytes.as_mut_slice() {
            (*key_high, *version_high) = (0, 0);
            (*key, *version) = (*key % 62, *version % 10);
        }
        raw.write_frame(&bytes).expect("written");
        raw.half_close();
        while raw.read_frame().is_some() {}
    }
    still_serves(&broker, &topic);
}
