//! Columns as bytes: how arguments and values of functions travel between kernel and cell.
//!
//! The buffers are arrow's, little endian, so either side copies them whole. A body is a `u32`
//! count of columns and a `u32` 0, and then for each column: `u32` [`Kind`], `u32` 0, `u64` rows,
//! and three buffers, each a `u64` length and that many bytes, filled up with zeros to a multiple
//! of eight:
//! - the validity: a bit per row, the lowest first, 1 if the row has a value; empty if all have one;
//! - the offsets of [`Kind::Utf8`] and [`Kind::Binary`]: an `i32` per row and one more; else empty;
//! - the values: a bit per row for [`Kind::Bool`], the bytes of all rows one after the other for
//!   [`Kind::Utf8`] and [`Kind::Binary`], else a number per row.

use std::borrow::Cow;
use std::io;

/// What the rows of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Kind {
    /// `BOOLEAN`: bits.
    Bool = 1,
    /// `TINYINT`: `i8`.
    Int8 = 2,
    /// `SMALLINT`: `i16`.
    Int16 = 3,
    /// `INT`: `i32`.
    Int32 = 4,
    /// `BIGINT`: `i64`.
    Int64 = 5,
    /// `FLOAT`: `f32`.
    Float32 = 6,
    /// `DOUBLE`: `f64`.
    Float64 = 7,
    /// `STRING`: UTF-8.
    Utf8 = 8,
    /// `BINARY`: bytes.
    Binary = 9,
    /// `TIMESTAMP`: `i64` microseconds since 1970.
    Timestamp = 10,
}

const KINDS: [Kind; 10] = [
    Kind::Bool,
    Kind::Int8,
    Kind::Int16,
    Kind::Int32,
    Kind::Int64,
    Kind::Float32,
    Kind::Float64,
    Kind::Utf8,
    Kind::Binary,
    Kind::Timestamp,
];

impl Kind {
    /// The name in DDL.
    pub const fn ddl(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int8 => "TINYINT",
            Self::Int16 => "SMALLINT",
            Self::Int32 => "INT",
            Self::Int64 => "BIGINT",
            Self::Float32 => "FLOAT",
            Self::Float64 => "DOUBLE",
            Self::Utf8 => "STRING",
            Self::Binary => "BINARY",
            Self::Timestamp => "TIMESTAMP",
        }
    }

    /// Bytes per row; `None` for bits, and for rows of different lengths.
    pub const fn width(self) -> Option<usize> {
        match self {
            Self::Int8 => Some(1),
            Self::Int16 => Some(2),
            Self::Int32 | Self::Float32 => Some(4),
            Self::Int64 | Self::Float64 | Self::Timestamp => Some(8),
            Self::Bool | Self::Utf8 | Self::Binary => None,
        }
    }

    /// Whether rows have different lengths, so that there are offsets.
    pub const fn has_offsets(self) -> bool {
        matches!(self, Self::Utf8 | Self::Binary)
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<'a> {
    /// What its rows are.
    pub kind: Kind,
    /// How many there are.
    pub rows: usize,
    /// Which rows have a value; all, without it.
    pub validity: Option<Cow<'a, [u8]>>,
    /// Where each row begins among the values, and where the last one ends; empty if rows have one
    /// length.
    pub offsets: Cow<'a, [u8]>,
    /// The values.
    pub values: Cow<'a, [u8]>,
}

impl Array<'_> {
    /// Whether the row has a value.
    pub fn is_valid(&self, row: usize) -> bool {
        self.validity.as_deref().is_none_or(|bits| bit(bits, row))
    }

    /// The bytes of a row of [`Kind::Utf8`] or [`Kind::Binary`].
    #[expect(
        clippy::indexing_slicing,
        reason = "`check` has seen that every row is in the buffers"
    )]
    pub fn bytes(&self, row: usize) -> &[u8] {
        let offsets = self.offsets.as_chunks::<4>().0;
        let at = |index: usize| i32::from_le_bytes(offsets[index]) as usize;
        &self.values[at(row)..at(row + 1)]
    }

    /// Checks that the buffers are as long as they have to be, so that reading a row cannot fail.
    fn check(self) -> io::Result<Self> {
        let bits = self.rows.div_ceil(8);
        let is_valid = self
            .validity
            .as_ref()
            .is_none_or(|validity| validity.len() >= bits);
        let values = match self.kind.width() {
            Some(width) => self.rows.checked_mul(width),
            None if self.kind == Kind::Bool => Some(bits),
            None => self.last_offset(),
        };
        let is_long_enough = values.is_some_and(|values| self.values.len() >= values);
        match is_valid && is_long_enough {
            true => Ok(self),
            false => Err(broken("a column's buffers do not fit its rows")),
        }
    }

    /// The end of the last row, if the offsets are right.
    fn last_offset(&self) -> Option<usize> {
        let offsets = self
            .offsets
            .as_chunks::<4>()
            .0
            .get(..self.rows.checked_add(1)?)?;
        let mut last = 0;
        for offset in offsets {
            let offset = i32::from_le_bytes(*offset);
            if offset < last {
                return None;
            }
            last = offset;
        }
        usize::try_from(last).ok()
    }
}

/// The bit of a row.
#[expect(clippy::indexing_slicing, reason = "there is a bit for every row")]
pub fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

/// The body of a message that carries these columns.
pub fn encode(columns: &[Array]) -> Vec<u8> {
    let padded = |buffer: &[u8]| 8 + buffer.len().next_multiple_of(8);
    let length = |column: &Array| {
        let validity = column.validity.as_deref().unwrap_or_default();
        16 + padded(validity) + padded(&column.offsets) + padded(&column.values)
    };
    let mut body = Vec::with_capacity(8 + columns.iter().map(length).sum::<usize>());
    body.extend((columns.len() as u64).to_le_bytes());
    for column in columns {
        body.extend((column.kind as u64).to_le_bytes());
        body.extend((column.rows as u64).to_le_bytes());
        for buffer in [
            column.validity.as_deref().unwrap_or_default(),
            &column.offsets,
            &column.values,
        ] {
            body.extend((buffer.len() as u64).to_le_bytes());
            body.extend_from_slice(buffer);
            body.resize(body.len().next_multiple_of(8), 0);
        }
    }
    body
}

/// The columns that a body carries; their buffers lie in it.
///
/// # Errors
/// If it is not such a body. What it gives can be read without further checks, but text may still
/// not be UTF-8.
pub fn decode(body: &[u8]) -> io::Result<Vec<Array<'_>>> {
    let mut rest = body;
    let columns = number(&mut rest)?;
    let mut decoded = Vec::new();
    for _ in 0..columns {
        let kind = number(&mut rest)?;
        let kind = KINDS.into_iter().find(|known| *known as usize == kind);
        let kind = kind.ok_or_else(|| broken("a column is of an unknown kind"))?;
        let rows = number(&mut rest)?;
        let validity = buffer(&mut rest)?;
        let array = Array {
            kind,
            rows,
            validity: (!validity.is_empty()).then_some(Cow::Borrowed(validity)),
            offsets: Cow::Borrowed(buffer(&mut rest)?),
            values: Cow::Borrowed(buffer(&mut rest)?),
        };
        decoded.push(array.check()?);
    }
    Ok(decoded)
}

fn number(rest: &mut &[u8]) -> io::Result<usize> {
    let Some((bytes, after)) = rest.split_first_chunk::<8>() else {
        return Err(broken("columns are cut off"));
    };
    *rest = after;
    usize::try_from(u64::from_le_bytes(*bytes)).map_err(|_| broken("columns are too long"))
}

fn buffer<'a>(rest: &mut &'a [u8]) -> io::Result<&'a [u8]> {
    let length = number(rest)?;
    let padded = length.checked_next_multiple_of(8);
    let split = padded.and_then(|padded| rest.split_at_checked(padded));
    let (padded, after) = split.ok_or_else(|| broken("columns are cut off"))?;
    *rest = after;
    let buffer = padded.get(..length);
    buffer.ok_or_else(|| broken("columns are cut off"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::{Array, Kind, bit, decode, encode};

    fn column(kind: Kind, rows: usize, offsets: &[i32], values: &[u8]) -> Array<'static> {
        Array {
            kind,
            rows,
            validity: None,
            offsets: offsets
                .iter()
                .flat_map(|offset| offset.to_le_bytes())
                .collect(),
            values: values.to_vec().into(),
        }
    }

    #[test]
    fn columns_come_back_as_they_went() {
        let mut numbers = column(Kind::Int16, 3, &[], &[1, 0, 2, 0, 3, 0]);
        numbers.validity = Some(vec![0b101].into());
        let columns = [
            numbers,
            column(Kind::Utf8, 2, &[0, 2, 2], b"ab"),
            column(Kind::Bool, 9, &[], &[0xff, 1]),
            column(Kind::Float64, 0, &[], &[]),
        ];
        let body = encode(&columns);
        assert_eq!(body.len() % 8, 0);
        let decoded = decode(&body).unwrap();
        assert_eq!(decoded, columns);
        assert_eq!(
            (decoded[1].bytes(0), decoded[1].bytes(1)),
            (&b"ab"[..], &b""[..])
        );
        assert!(decoded[0].is_valid(0) && !decoded[0].is_valid(1));
        assert!(bit(&decoded[2].values, 8));
    }

    #[test]
    fn every_cut_of_a_body_is_an_error() {
        let body = encode(&[column(Kind::Utf8, 2, &[0, 1, 2], b"ab")]);
        for length in 0..body.len() {
            assert!(decode(&body[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn buffers_that_do_not_fit_are_refused() {
        for wrong in [
            column(Kind::Int64, 2, &[], &[0; 15]),
            column(Kind::Utf8, 2, &[0, 2, 1], b"ab"),
            column(Kind::Utf8, 2, &[0, 1, 9], b"ab"),
            column(Kind::Utf8, 2, &[-1, 0, 1], b"ab"),
            column(Kind::Bool, 9, &[], &[0xff]),
            column(Kind::Int64, usize::MAX, &[], &[]),
        ] {
            let body = encode(std::slice::from_ref(&wrong));
            assert!(decode(&body).is_err(), "{wrong:?}");
        }
    }
}
