//! What a function can take: how a row of a column becomes a Rust value.

use std::str;

use crate::columns::{Array, Kind, bit};
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

/// A type that a function can take.
#[diagnostic::on_unimplemented(
    message = "a function of SQL cannot take `{Self}`",
    label = "`{Self}` is not a type of an argument",
    note = "allowed are bool, i8, i16, i32, i64, f32, f64, String, &str, Vec<u8>, &[u8], Timestamp, and Option of them"
)]
pub trait UdfArgument {
    /// The type with the lifetime of the rows.
    type Item<'a>;
    /// What reads a column.
    type Reader<'a>;
    /// What the column is.
    const KIND: Kind;
    /// Whether it takes `NULL`. If it does not, rows with `NULL` are `NULL`, without a call.
    const NULLABLE: bool = false;

    /// Begins to read a column of [`Self::KIND`].
    ///
    /// # Errors
    /// If it holds what cannot be.
    fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>>;

    /// The value of a row, which is valid or may be `NULL`.
    fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Item<'a>;
}

macro_rules! numbers {
    ($($type:ty: $kind:ident, $width:literal;)*) => {$(
        impl UdfArgument for $type {
            type Item<'a> = $type;
            type Reader<'a> = &'a [[u8; $width]];
            const KIND: Kind = Kind::$kind;

            fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
                Ok(array.values.as_chunks().0)
            }

            #[expect(clippy::indexing_slicing, reason = "there is a value for every row")]
            fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Item<'a> {
                <$type>::from_le_bytes(reader[row])
            }
        }
    )*};
}

numbers! {
    i8: Int8, 1;
    i16: Int16, 2;
    i32: Int32, 4;
    i64: Int64, 8;
    f32: Float32, 4;
    f64: Float64, 8;
}

impl UdfArgument for Timestamp {
    type Item<'a> = Self;
    type Reader<'a> = &'a [[u8; 8]];
    const KIND: Kind = Kind::Timestamp;

    fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
        i64::reader(array)
    }

    fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Item<'a> {
        Self(i64::read(reader, row))
    }
}

impl UdfArgument for bool {
    type Item<'a> = bool;
    type Reader<'a> = &'a [u8];
    const KIND: Kind = Kind::Bool;

    fn reader<'a>(array: &'a Array<'_>) -> Result<&'a [u8]> {
        Ok(&array.values)
    }

    fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Item<'a> {
        bit(reader, row)
    }
}

impl UdfArgument for &[u8] {
    type Item<'a> = &'a [u8];
    type Reader<'a> = Rows<'a, [u8]>;
    const KIND: Kind = Kind::Binary;

    fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
        Ok(Rows {
            offsets: array.offsets.as_chunks().0,
            values: &array.values,
        })
    }

    #[expect(clippy::indexing_slicing, reason = "offsets lie within the values")]
    fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> &'a [u8] {
        let (start, end) = reader.range(row);
        &reader.values[start..end]
    }
}

impl UdfArgument for &str {
    type Item<'a> = &'a str;
    type Reader<'a> = Rows<'a, str>;
    const KIND: Kind = Kind::Utf8;

    fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
        let values = str::from_utf8(&array.values)
            .map_err(|_| Error::of("InternalError", "a column of text is not UTF-8".to_string()))?;
        Ok(Rows {
            offsets: array.offsets.as_chunks().0,
            values,
        })
    }

    /// A row that begins or ends inside a character reads as empty.
    fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> &'a str {
        let (start, end) = reader.range(row);
        reader.values.get(start..end).unwrap_or_default()
    }
}

macro_rules! owned {
    ($($type:ty: $borrowed:ty;)*) => {$(
        impl UdfArgument for $type {
            type Item<'a> = $type;
            type Reader<'a> = <$borrowed as UdfArgument>::Reader<'a>;
            const KIND: Kind = <$borrowed as UdfArgument>::KIND;

            fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
                <$borrowed>::reader(array)
            }

            fn read<'a>(reader: &Self::Reader<'a>, row: usize) -> Self::Item<'a> {
                <$borrowed>::read(reader, row).into()
            }
        }
    )*};
}

owned! {
    String: &'static str;
    Vec<u8>: &'static [u8];
}

impl<T: UdfArgument> UdfArgument for Option<T> {
    type Item<'a> = Option<T::Item<'a>>;
    type Reader<'a> = (Option<&'a [u8]>, T::Reader<'a>);
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;

    fn reader<'a>(array: &'a Array<'_>) -> Result<Self::Reader<'a>> {
        Ok((array.validity.as_deref(), T::reader(array)?))
    }

    fn read<'a>((validity, reader): &Self::Reader<'a>, row: usize) -> Self::Item<'a> {
        validity
            .is_none_or(|bits| bit(bits, row))
            .then(|| T::read(reader, row))
    }
}

/// Rows of different lengths.
#[derive(Debug)]
pub struct Rows<'a, V: ?Sized> {
    offsets: &'a [[u8; 4]],
    values: &'a V,
}

impl<V: ?Sized> Rows<'_, V> {
    #[expect(
        clippy::indexing_slicing,
        reason = "there is an offset for every row, and one for the end"
    )]
    fn range(&self, row: usize) -> (usize, usize) {
        let at = |index: usize| i32::from_le_bytes(self.offsets[index]) as usize;
        (at(row), at(row + 1))
    }
}

/// All arguments of a function.
pub trait UdfArguments {
    /// What the columns are.
    const KINDS: &'static [Kind];
    /// Which of them take `NULL`.
    const NULLABLE: &'static [bool];
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: UdfArgument),*> UdfArguments for ($($argument,)*) {
            const KINDS: &'static [Kind] = &[$($argument::KIND),*];
            const NULLABLE: &'static [bool] = &[$($argument::NULLABLE),*];
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
