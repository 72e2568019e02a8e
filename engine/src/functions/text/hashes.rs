//! Hashes of values: `hash` and `xxhash64` of any, the digests and the checksum of bytes.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, Int64Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType,
    Time64MicrosecondType, TimeUnit,
};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use twox_hash::XxHash64;

use super::murmur::murmur3;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;
use crate::text::timestamp_micros;
use crate::type_names::sql_type;

const BINARY: &[&[Takes]] = &[&[Takes::Binary]];
const ANY: &[&[Takes]] = &[&[Takes::Any, Takes::Rest(&Takes::Any)]];
/// The hash of no value at all.
const SEED: u64 = 42;

pub(super) const HASHES: &[Scalar] = &[
    Scalar {
        name: "hash",
        forms: ANY,
        returns: Returns::By(|inputs| hashed_type(inputs, DataType::Int32)),
        call: |call| {
            let hashes = hashed(call, &|bytes, seed| u64::from(murmur3(bytes, seed as u32)))?;
            let hashes = hashes.into_iter().map(|hash| hash as i32);
            Ok(Arc::new(Int32Array::from_iter_values(hashes)))
        },
        doc: "A hash of 32 bits of all values together, by Murmur3.",
        example: "SELECT hash('tide', 1)",
        ..SCALAR
    },
    Scalar {
        name: "xxhash64",
        forms: ANY,
        returns: Returns::By(|inputs| hashed_type(inputs, DataType::Int64)),
        call: |call| {
            let hashes = hashed(call, &|bytes, seed| XxHash64::oneshot(seed, bytes))?;
            let hashes = hashes.into_iter().map(|hash| hash as i64);
            Ok(Arc::new(Int64Array::from_iter_values(hashes)))
        },
        doc: "A hash of 64 bits of all values together, by xxHash.",
        example: "SELECT xxhash64('tide', 1)",
        ..SCALAR
    },
    Scalar {
        name: "md5",
        forms: BINARY,
        call: |call| call.strings(|row| Ok(Some(digest::<Md5>(call.bytes(0, row)?)))),
        doc: "The digest of bytes by MD5, in hexadecimal digits.",
        example: "SELECT md5('tide')",
        ..SCALAR
    },
    Scalar {
        name: "sha1",
        aliases: &["sha"],
        forms: BINARY,
        call: |call| call.strings(|row| Ok(Some(digest::<Sha1>(call.bytes(0, row)?)))),
        doc: "The digest of bytes by SHA-1, in hexadecimal digits.",
        example: "SELECT sha1('tide')",
        ..SCALAR
    },
    Scalar {
        name: "sha2",
        forms: &[&[Takes::Binary, Takes::Int]],
        call: |call| {
            call.strings(|row| {
                let bytes = call.bytes(0, row)?;
                Ok(match call.int(1, row)? {
                    0 | 256 => Some(digest::<Sha256>(bytes)),
                    224 => Some(digest::<Sha224>(bytes)),
                    384 => Some(digest::<Sha384>(bytes)),
                    512 => Some(digest::<Sha512>(bytes)),
                    _ => None,
                })
            })
        },
        doc: "The digest of bytes by SHA-2 of 224, 256, 384 or 512 bits, in hexadecimal digits.",
        example: "SELECT sha2('tide', 256)",
        ..SCALAR
    },
    Scalar {
        name: "crc32",
        forms: BINARY,
        returns: Returns::Long,
        call: |call| {
            call.numbers::<Int64Type>(|row| {
                Ok(Some(i64::from(crc32fast::hash(call.bytes(0, row)?))))
            })
        },
        doc: "The checksum of bytes by CRC-32.",
        example: "SELECT crc32('tide')",
        ..SCALAR
    },
];

fn digest<D: Digest>(bytes: &[u8]) -> String {
    D::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn hashed_type(inputs: &Inputs<'_>, returned: DataType) -> Result<DataType> {
    match inputs.types.iter().find(|data_type| has_map(data_type)) {
        None => Ok(returned),
        Some(map) => Err(Error::analysis(format!("{} has no hash", sql_type(map)))
            .with_condition("DATATYPE_MISMATCH.HASH_MAP_TYPE")
            .with_hint(
                "equal maps may have their entries in another order: hash \
                        array_sort(map_entries(m))",
            )),
    }
}

fn has_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::List(item) => has_map(item.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_map(field.data_type())),
        _ => false,
    }
}

/// The hash of bytes, from the hash of what came before.
type Hash<'a> = &'a dyn Fn(&[u8], u64) -> u64;

fn hashed(call: &Call<'_>, hash: Hash<'_>) -> Result<Vec<u64>> {
    let mut hashes = vec![SEED; call.rows];
    for values in &call.arguments {
        fold(values, 0, &mut hashes, hash)?;
    }
    Ok(hashes)
}

/// Puts the values from `first` on into one hash each. NULL changes nothing.
fn fold(values: &dyn Array, first: usize, hashes: &mut [u64], hash: Hash<'_>) -> Result<()> {
    match values.data_type() {
        DataType::Null => {}
        DataType::Boolean => {
            let values = values.as_boolean();
            each(values, first, hashes, |row, seed| {
                hash(&i32::from(values.value(row)).to_le_bytes(), seed)
            });
        }
        DataType::Int8 => {
            numbers::<Int8Type, 4>(values, first, hashes, hash, |n| i32::from(n).to_le_bytes());
        }
        DataType::Int16 => {
            numbers::<Int16Type, 4>(values, first, hashes, hash, |n| i32::from(n).to_le_bytes());
        }
        DataType::Int32 => {
            numbers::<Int32Type, 4>(values, first, hashes, hash, i32::to_le_bytes);
        }
        DataType::Date32 => {
            numbers::<Date32Type, 4>(values, first, hashes, hash, i32::to_le_bytes);
        }
        DataType::Int64 => {
            numbers::<Int64Type, 8>(values, first, hashes, hash, i64::to_le_bytes);
        }
        // Zero has no sign, and there is one NaN.
        DataType::Float32 => {
            numbers::<Float32Type, 4>(values, first, hashes, hash, |n| match n {
                0.0 => [0; 4],
                n if n.is_nan() => 0x7fc0_0000_u32.to_le_bytes(),
                n => n.to_le_bytes(),
            });
        }
        DataType::Float64 => {
            numbers::<Float64Type, 8>(values, first, hashes, hash, |n| match n {
                0.0 => [0; 8],
                n if n.is_nan() => 0x7ff8_0000_0000_0000_u64.to_le_bytes(),
                n => n.to_le_bytes(),
            });
        }
        DataType::Decimal128(..=18, _) => {
            numbers::<Decimal128Type, 8>(values, first, hashes, hash, |n| (n as i64).to_le_bytes());
        }
        DataType::Decimal128(..) => {
            let values = values.as_primitive::<Decimal128Type>();
            each(values, first, hashes, |row, seed| {
                hash(shortest(&values.value(row).to_be_bytes()), seed)
            });
        }
        DataType::Timestamp(..) => each(values, first, hashes, |row, seed| {
            hash(&timestamp_micros(values, row).to_le_bytes(), seed)
        }),
        DataType::Time64(TimeUnit::Microsecond) => {
            // Spark counts nanoseconds.
            numbers::<Time64MicrosecondType, 8>(values, first, hashes, hash, |micros| {
                micros.wrapping_mul(1_000).to_le_bytes()
            });
        }
        DataType::Duration(unit) => duration(values, *unit, first, hashes, hash),
        DataType::Interval(_) => interval(values, first, hashes, hash)?,
        DataType::Utf8 => {
            let values = values.as_string::<i32>();
            each(values, first, hashes, |row, seed| {
                hash(values.value(row).as_bytes(), seed)
            });
        }
        DataType::Binary => {
            let values = values.as_binary::<i32>();
            each(values, first, hashes, |row, seed| {
                hash(values.value(row), seed)
            });
        }
        DataType::Struct(_) => {
            let values = values.as_struct();
            for (place, seed) in hashes.iter_mut().enumerate() {
                let row = first + place;
                for column in values.columns().iter().filter(|_| values.is_valid(row)) {
                    fold(column, row, std::slice::from_mut(seed), hash)?;
                }
            }
        }
        DataType::List(_) => {
            let values = values.as_list::<i32>();
            let lists = values.offsets().array_windows().enumerate().skip(first);
            for (seed, (row, [start, end])) in hashes.iter_mut().zip(lists) {
                for item in (*start..*end).filter(|_| values.is_valid(row)) {
                    fold(
                        values.values(),
                        item as usize,
                        std::slice::from_mut(seed),
                        hash,
                    )?;
                }
            }
        }
        other => {
            let Some(plain) = plain(other) else {
                return Err(Error::analysis(format!("{} has no hash", sql_type(other)))
                    .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"));
            };
            let values = cast(&values.slice(first, hashes.len()), &plain);
            let values = values.map_err(|error| from_datafusion(error.into()))?;
            return fold(&values, 0, hashes, hash);
        }
    }
    Ok(())
}

/// The type that stands for another with the same values.
fn plain(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::LargeList(item) => DataType::List(Arc::clone(item)),
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        _ => return None,
    })
}

fn each(values: &dyn Array, first: usize, hashes: &mut [u64], one: impl Fn(usize, u64) -> u64) {
    for (place, hash) in hashes.iter_mut().enumerate() {
        if values.is_valid(first + place) {
            *hash = one(first + place, *hash);
        }
    }
}

fn numbers<T: ArrowPrimitiveType, const N: usize>(
    values: &dyn Array,
    first: usize,
    hashes: &mut [u64],
    hash: Hash<'_>,
    bytes: impl Fn(T::Native) -> [u8; N],
) {
    let values: &PrimitiveArray<T> = values.as_primitive();
    each(values, first, hashes, |row, seed| {
        hash(&bytes(values.value(row)), seed)
    });
}

/// As microseconds.
fn duration(values: &dyn Array, unit: TimeUnit, first: usize, hashes: &mut [u64], hash: Hash<'_>) {
    let times = |factor: i64| move |n: i64| n.wrapping_mul(factor).to_le_bytes();
    match unit {
        TimeUnit::Second => {
            numbers::<DurationSecondType, 8>(values, first, hashes, hash, times(1_000_000));
        }
        TimeUnit::Millisecond => {
            numbers::<DurationMillisecondType, 8>(values, first, hashes, hash, times(1_000));
        }
        TimeUnit::Microsecond => {
            numbers::<DurationMicrosecondType, 8>(values, first, hashes, hash, times(1));
        }
        TimeUnit::Nanosecond => {
            numbers::<DurationNanosecondType, 8>(values, first, hashes, hash, |n| {
                n.div_euclid(1_000).to_le_bytes()
            });
        }
    }
}

fn interval(values: &dyn Array, first: usize, hashes: &mut [u64], hash: Hash<'_>) -> Result<()> {
    if values.as_primitive_opt::<IntervalYearMonthType>().is_some() {
        numbers::<IntervalYearMonthType, 4>(values, first, hashes, hash, i32::to_le_bytes);
        return Ok(());
    }
    let Some(values) = values.as_primitive_opt::<IntervalMonthDayNanoType>() else {
        return Err(Error::internal("an interval is of no known kind"));
    };
    each(values, first, hashes, |row, seed| {
        let value = values.value(row);
        let seed = hash(&(value.nanoseconds / 1_000).to_le_bytes(), seed);
        let seed = hash(&value.days.to_le_bytes(), seed);
        hash(&value.months.to_le_bytes(), seed)
    });
    Ok(())
}

/// A number without the bytes in front that only repeat its sign.
fn shortest(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [sign @ (0 | 0xff), rest @ ..] = bytes {
        match rest.first() {
            Some(next) if next >> 7 == sign >> 7 => bytes = rest,
            _ => break,
        }
    }
    bytes
}
