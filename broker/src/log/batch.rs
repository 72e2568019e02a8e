//! A record batch, Kafka's unit of writing and reading: its header is read and, where the broker decides
//! (offsets, times), written; its records stay as the producer sent them.

use bytes::Bytes;

/// ```text
///  0 base offset i64 · 8 length of what follows i32 · 12 leader epoch i32 · 16 magic i8 · 17 CRC-32C u32
/// 21 attributes i16 · 23 last offset delta i32 · 27 base timestamp i64 · 35 max timestamp i64
/// 43 producer id i64 · 51 producer epoch i16 · 53 base sequence i32 · 57 record count i32 · 61 records
/// ```
pub(crate) const HEADER_BYTES: usize = 61;
const BEFORE_LENGTH: usize = 12;
const LEADER_EPOCH: usize = 12;
const MAGIC: usize = 16;
const CRC: usize = 17;
const ATTRIBUTES: usize = 21;
const MAX_TIMESTAMP: usize = 35;

/// The only format since Kafka 4.0.
const CURRENT_MAGIC: u8 = 2;
const COMPRESSION_BITS: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// Where no producer has given an id.
pub(crate) const NO_PRODUCER: i64 = -1;

/// The header of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

/// Why bytes are no batch that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// Not the length it claims, or not its checksum.
    Corrupt(&'static str),
    /// A format of before Kafka 0.11.
    OldFormat,
    /// Whole, but not what a producer may send.
    Record(&'static str),
}

impl Header {
    /// Reads the one batch that a producer sends for a partition.
    pub(crate) fn of_produced(batch: &[u8]) -> Result<Header, Invalid> {
        if batch.get(MAGIC).is_some_and(|&magic| magic < CURRENT_MAGIC) {
            return Err(Invalid::OldFormat);
        }
        let header = Header::read(batch).ok_or(Invalid::Corrupt("the batch is too short"))?;
        let length = read_i32(batch, 8).and_then(|length| usize::try_from(length).ok());
        match length.map(|length| (length + BEFORE_LENGTH).cmp(&batch.len())) {
            Some(std::cmp::Ordering::Equal) => {}
            Some(std::cmp::Ordering::Less) => {
                return Err(Invalid::Record("a partition takes one batch a request"));
            }
            _ => return Err(Invalid::Corrupt("the batch is not as long as it says")),
        }
        if batch.get(MAGIC) != Some(&CURRENT_MAGIC) {
            return Err(Invalid::Corrupt("the batch has an unknown format"));
        }
        if checksum(batch) != read_u32(batch, CRC) {
            return Err(Invalid::Corrupt("the batch fails its checksum"));
        }
        header.check_as_produced()?;
        Ok(header)
    }

    fn check_as_produced(&self) -> Result<(), Invalid> {
        if self.is_control() {
            return Err(Invalid::Record("producers write no control batches"));
        }
        if self.count < 1 || i64::from(self.last_offset_delta) != i64::from(self.count) - 1 {
            return Err(Invalid::Record(
                "the batch's offsets do not fit its number of records",
            ));
        }
        if self.compression() > 4 {
            return Err(Invalid::Record("the batch has an unknown compression"));
        }
        if self.is_transactional() && self.producer_id < 0 {
            return Err(Invalid::Record("a transaction needs a producer id"));
        }
        if self.producer_id >= 0 && (self.base_sequence < 0 || self.producer_epoch < 0) {
            return Err(Invalid::Record(
                "a producer id needs an epoch and a sequence number",
            ));
        }
        Ok(())
    }

    fn read(batch: &[u8]) -> Option<Header> {
        if batch.len() < HEADER_BYTES {
            return None;
        }
        Some(Header {
            attributes: read_i16(batch, ATTRIBUTES)?,
            last_offset_delta: read_i32(batch, 23)?,
            base_timestamp: read_i64(batch, 27)?,
            max_timestamp: read_i64(batch, MAX_TIMESTAMP)?,
            producer_id: read_i64(batch, 43)?,
            producer_epoch: read_i16(batch, 51)?,
            base_sequence: read_i32(batch, 53)?,
            count: read_i32(batch, 57)?,
        })
    }

    /// Reads a batch that [`Header::of_produced`] or [`end_marker`] has let through.
    pub(crate) fn of_kept(batch: &[u8]) -> Option<Header> {
        Header::read(batch)
    }

    /// 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub(crate) fn compression(&self) -> i16 {
        self.attributes & COMPRESSION_BITS
    }

    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// All its records have the time at which the broker took them.
    pub(crate) fn has_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    pub(crate) fn last_sequence(&self) -> i32 {
        // After the largest comes 0.
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }
}

/// The batch as it is kept: with its offset and, if the topic wants it, the time it came.
pub(crate) fn placed(batch: &[u8], base_offset: i64, append_time: Option<i64>) -> Bytes {
    let mut batch = batch.to_vec();
    write(&mut batch, 0, &base_offset.to_be_bytes());
    write(&mut batch, LEADER_EPOCH, &super::LEADER_EPOCH.to_be_bytes());
    if let Some(time) = append_time {
        let attributes = read_i16(&batch, ATTRIBUTES).unwrap_or_default() | LOG_APPEND_TIME;
        write(&mut batch, ATTRIBUTES, &attributes.to_be_bytes());
        write(&mut batch, MAX_TIMESTAMP, &time.to_be_bytes());
        let crc = checksum(&batch);
        write(&mut batch, CRC, &crc.to_be_bytes());
    }
    batch.into()
}

/// The control batch that ends a transaction.
pub(crate) fn end_marker(
    producer_id: i64,
    producer_epoch: i16,
    commit: bool,
    time: i64,
) -> Vec<u8> {
    let mut batch = Vec::with_capacity(HEADER_BYTES + 17);
    batch.extend_from_slice(&0_i64.to_be_bytes());
    batch.extend_from_slice(&0_i32.to_be_bytes());
    batch.extend_from_slice(&super::LEADER_EPOCH.to_be_bytes());
    batch.push(CURRENT_MAGIC);
    batch.extend_from_slice(&0_u32.to_be_bytes());
    batch.extend_from_slice(&(TRANSACTIONAL | CONTROL).to_be_bytes());
    batch.extend_from_slice(&0_i32.to_be_bytes());
    batch.extend_from_slice(&time.to_be_bytes());
    batch.extend_from_slice(&time.to_be_bytes());
    batch.extend_from_slice(&producer_id.to_be_bytes());
    batch.extend_from_slice(&producer_epoch.to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.extend_from_slice(&1_i32.to_be_bytes());
    // One record, its lengths as zigzag varints: attributes, both deltas, key (version, type), value
    // (version, coordinator's epoch), no headers.
    batch.extend_from_slice(&[2 * 16, 0, 0, 0, 2 * 4, 0, 0, 0, u8::from(commit), 2 * 6]);
    batch.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0]);
    let length = i32::try_from(batch.len() - BEFORE_LENGTH).unwrap_or_default();
    write(&mut batch, 8, &length.to_be_bytes());
    let crc = checksum(&batch);
    write(&mut batch, CRC, &crc.to_be_bytes());
    batch
}

fn checksum(batch: &[u8]) -> u32 {
    crc32c::crc32c(batch.get(ATTRIBUTES..).unwrap_or_default())
}

fn write(batch: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = batch.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn read<const N: usize>(batch: &[u8], at: usize) -> Option<[u8; N]> {
    batch.get(at..at + N)?.try_into().ok()
}

fn read_i16(batch: &[u8], at: usize) -> Option<i16> {
    read(batch, at).map(i16::from_be_bytes)
}

fn read_i32(batch: &[u8], at: usize) -> Option<i32> {
    read(batch, at).map(i32::from_be_bytes)
}

fn read_u32(batch: &[u8], at: usize) -> u32 {
    read(batch, at).map(u32::from_be_bytes).unwrap_or_default()
}

fn read_i64(batch: &[u8], at: usize) -> Option<i64> {
    read(batch, at).map(i64::from_be_bytes)
}
