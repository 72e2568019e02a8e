//! Looks into a batch for records by their time. This is the only place where what a producer sent is
//! uncompressed: record by record, and no further than is asked for.

use std::io::{self, Read};

use bytes::Bytes;

use super::Place;
use super::batch::{HEADER_BYTES, Header};

/// What a producer sent cannot be uncompressed, or is not made of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undecodable;

/// A block of snappy may claim any length; producers make them of this one at most.
const LARGEST_SNAPPY_BLOCK: usize = 64 << 20;
/// Before the blocks of Java's snappy: eight bytes, and two versions.
const JAVA_SNAPPY: &[u8; 8] = b"\x82SNAPPY\0";
const JAVA_SNAPPY_HEADER_BYTES: usize = 16;

/// The first record of `timestamp` or later that is not before `start`.
pub(crate) fn first_since(
    batch: &Bytes,
    timestamp: i64,
    start: i64,
) -> Result<Option<Place>, Undecodable> {
    places(batch, |place| {
        place.timestamp >= timestamp && place.offset >= start
    })
}

/// The first record that has the largest time of a batch.
pub(crate) fn latest(batch: &Bytes) -> Result<Option<Place>, Undecodable> {
    let header = Header::of_kept(batch).ok_or(Undecodable)?;
    places(batch, |place| place.timestamp == header.max_timestamp)
}

/// The first record that is wanted.
fn places(batch: &Bytes, wanted: impl Fn(&Place) -> bool) -> Result<Option<Place>, Undecodable> {
    let header = Header::of_kept(batch).ok_or(Undecodable)?;
    let base = batch.first_chunk().map(|bytes| i64::from_be_bytes(*bytes));
    let base = base.ok_or(Undecodable)?;
    let mut records = uncompressed(&header, batch.get(HEADER_BYTES..).ok_or(Undecodable)?)
        .map_err(|_| Undecodable)?;
    for _ in 0..header.count {
        let (time_delta, offset_delta) = record(&mut records).map_err(|_| Undecodable)?;
        let timestamp = match header.has_append_time() {
            true => header.max_timestamp,
            false => header.base_timestamp.saturating_add(time_delta),
        };
        let offset = base.saturating_add(offset_delta);
        let place = Place { offset, timestamp };
        if wanted(&place) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn uncompressed<'a>(header: &Header, records: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match header.compression() {
        0 => Box::new(records),
        1 => Box::new(flate2::read::GzDecoder::new(records)),
        2 => Box::new(io::Cursor::new(snappy(records)?)),
        3 => Box::new(lz4_flex::frame::FrameDecoder::new(records)),
        4 => Box::new(zstd::stream::read::Decoder::new(records)?),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    })
}

/// Snappy without its frames: one block, or Java's blocks with their lengths.
fn snappy(records: &[u8]) -> io::Result<Vec<u8>> {
    if !records.starts_with(JAVA_SNAPPY) {
        return snappy_block(records);
    }
    let mut all = Vec::new();
    let mut rest = records.get(JAVA_SNAPPY_HEADER_BYTES..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let block = after.split_at_checked(length);
        let (block, after) = block.ok_or(io::ErrorKind::UnexpectedEof)?;
        all.extend(snappy_block(block)?);
        if all.len() > LARGEST_SNAPPY_BLOCK {
            return Err(io::ErrorKind::InvalidData.into());
        }
        rest = after;
    }
    Ok(all)
}

fn snappy_block(block: &[u8]) -> io::Result<Vec<u8>> {
    if snap::raw::decompress_len(block)? > LARGEST_SNAPPY_BLOCK {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(snap::raw::Decoder::new().decompress_vec(block)?)
}

/// Reads over a record; gives how far its time and its offset are from those of the batch.
fn record(records: &mut dyn Read) -> io::Result<(i64, i64)> {
    let length = varint(records)?;
    let length = u64::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut record = records.take(length);
    let _attributes = byte(&mut record)?;
    let time_delta = varint(&mut record)?;
    let offset_delta = varint(&mut record)?;
    io::copy(&mut record, &mut io::sink())?;
    match record.limit() {
        0 => Ok((time_delta, offset_delta)),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A zigzag number of seven bits a byte, the lowest first.
fn varint(bytes: &mut (impl Read + ?Sized)) -> io::Result<i64> {
    let mut value = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = byte(bytes)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

fn byte(bytes: &mut (impl Read + ?Sized)) -> io::Result<u8> {
    let mut byte = [0];
    bytes.read_exact(&mut byte)?;
    Ok(byte[0])
}
