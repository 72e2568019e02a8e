//! Decodes what anybody may have sent. The codec reserves room for as many elements as an array claims to
//! have before it reads them, so a wrong length would end the process, not the request. A first pass
//! therefore reads the request with every number cut to what is left of it: a length that was cut lets
//! that pass run out of bytes, any other number only has another value.

use bytes::{Buf, Bytes};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

use super::Unanswerable;

/// Reads a `T` from the front of `bytes`.
pub(super) fn decode<T: Decodable>(bytes: &mut Bytes, version: i16) -> Result<T, Unanswerable> {
    let malformed = |error| Unanswerable(format!("a malformed request: {error}"));
    let mut probe = Probe {
        bytes: bytes.clone(),
        number: 0,
        shift: 0,
    };
    T::decode(&mut probe, version).map_err(malformed)?;
    T::decode(bytes, version).map_err(malformed)
}

/// Bytes that give no number which is larger than what is left of them.
struct Probe {
    bytes: Bytes,
    /// The number of which the last bytes were the beginning, seven bits each.
    number: u64,
    shift: u32,
}

impl Probe {
    /// Whether the byte may be part of a number that is longer than what is left.
    fn is_too_large(&mut self, byte: u8) -> bool {
        self.number |= u64::from(byte & 0x7f) << self.shift;
        self.shift += 7;
        // Lengths are written with one added.
        let too_large = self.number > self.bytes.remaining() as u64 + 1;
        if byte < 0x80 || self.shift > 28 {
            self.number = 0;
            self.shift = 0;
        }
        too_large
    }
}

impl Buf for Probe {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.number = 0;
        self.shift = 0;
        self.bytes.advance(count);
    }

    fn try_get_u8(&mut self) -> Result<u8, bytes::TryGetError> {
        let within_number = self.shift > 0;
        let byte = self.bytes.try_get_u8()?;
        let too_large = self.is_too_large(byte);
        match (within_number || byte >= 0x80) && too_large {
            true => Err(bytes::TryGetError {
                requested: usize::MAX,
                available: self.bytes.remaining(),
            }),
            false => Ok(byte),
        }
    }

    fn try_get_i32(&mut self) -> Result<i32, bytes::TryGetError> {
        self.number = 0;
        self.shift = 0;
        let number = self.bytes.try_get_i32()?;
        let left = i32::try_from(self.bytes.remaining()).unwrap_or(i32::MAX);
        Ok(number.min(left))
    }
}

impl ByteBuf for Probe {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.number = 0;
        self.shift = 0;
        self.bytes.split_to(size)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::{FetchRequest, JoinGroupRequest, MetadataRequest};

    use super::*;

    #[test]
    fn an_array_that_is_longer_than_the_request_is_refused() {
        for length in [1000, 1 << 24, i32::MAX] {
            let mut bytes = BytesMut::new();
            bytes.put_i32(length);
            bytes.put_bytes(0, 100);
            let read = decode::<MetadataRequest>(&mut bytes.freeze(), 1);
            assert!(read.is_err(), "{length}");
        }
        for length in [&[0xff, 0xff, 0x7f][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]] {
            let mut bytes = BytesMut::new();
            bytes.put_slice(length);
            bytes.put_bytes(0, 100);
            let read = decode::<MetadataRequest>(&mut bytes.freeze(), 12);
            assert!(read.is_err(), "{length:?}");
        }
    }

    #[test]
    fn other_numbers_may_be_as_large_as_they_like() {
        let mut bytes = BytesMut::new();
        // Group, both timeouts, member, instance, protocol type, no protocols.
        bytes.put_slice(&[0, 1, b'g']);
        bytes.put_i32(1_800_000);
        bytes.put_i32(i32::MAX);
        bytes.put_slice(&[0, 0, 0xff, 0xff, 0, 1, b'c', 0, 0, 0, 0]);
        let request: JoinGroupRequest = decode(&mut bytes.freeze(), 5).expect("a request");
        assert_eq!(request.session_timeout_ms, 1_800_000);
        assert_eq!(request.rebalance_timeout_ms, i32::MAX);

        let mut bytes = BytesMut::new();
        for number in [-1, 500, 1, i32::MAX] {
            bytes.put_i32(number);
        }
        bytes.put_i8(1);
        bytes.put_i32(0);
        bytes.put_i32(-1);
        // No topics, none forgotten, no rack, no tags.
        bytes.put_slice(&[1, 1, 1, 0]);
        let request: FetchRequest = decode(&mut bytes.freeze(), 12).expect("a request");
        assert_eq!(request.max_bytes, i32::MAX);
        assert_eq!(request.replica_id.0, -1);
    }
}
