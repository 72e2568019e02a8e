//! A connection on which requests are written by hand: those that no client would send.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// A connection to a broker.
pub(super) struct Raw(TcpStream);

impl Raw {
    pub(super) fn connect(address: &str) -> Self {
        Self(TcpStream::connect(address).expect("a connection"))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// There is no more to come.
    pub(super) fn half_close(&mut self) {
        // It may be closed altogether already.
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Writes bytes as a request, with their length before them.
    pub(super) fn write_frame(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = i32::try_from(bytes.len()).expect("a length");
        self.write(&length.to_be_bytes())?;
        self.write(bytes)
    }

    /// The next answer; none when the broker has closed the connection.
    pub(super) fn read_frame(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).ok()?;
        let length = usize::try_from(i32::from_be_bytes(length)).expect("a length");
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame).ok()?;
        Some(frame.into())
    }

    /// Sends a request and reads its answer.
    pub(super) fn call<R: Decodable>(
        &mut self,
        key: ApiKey,
        version: i16,
        request: &impl Encodable,
    ) -> R {
        self.write_frame(&encoded(key, version, request))
            .expect("written");
        let mut frame = self.read_frame().expect("an answer");
        let header_version = key.response_header_version(version);
        let header = ResponseHeader::decode(&mut frame, header_version).expect("a header");
        assert_eq!(header.correlation_id, 7);
        let response = R::decode(&mut frame, version).expect("an answer that can be read");
        assert!(frame.is_empty(), "{key:?}: more than an answer");
        response
    }
}

/// A request without its length.
pub(super) fn encoded(key: ApiKey, version: i16, request: &impl Encodable) -> Vec<u8> {
    let header = RequestHeader::default()
        .with_request_api_key(key as i16)
        .with_request_api_version(version)
        .with_correlation_id(7)
        .with_client_id(Some(StrBytes::from_static_str("raw")));
    let mut bytes = BytesMut::new();
    header
        .encode(&mut bytes, key.request_header_version(version))
        .expect("a header");
    request.encode(&mut bytes, version).expect("a request");
    bytes.to_vec()
}
