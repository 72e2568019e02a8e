//! What a function can return: how a Rust value becomes a row of a column.

use std::fmt::Display;

use super::build::Builder;
use crate::columns::Kind;
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;

/// A type that a function can return: a plain type, `Option` of one, or `Result` of these.
#[diagnostic::on_unimplemented(
    message = "a function of SQL cannot return `{Self}`",
    label = "`{Self}` is not a type of a value",
    note = "allowed are bool, i8, i16, i32, i64, f32, f64, String, &'static str, Vec<u8>, Timestamp, Option of them, and Result of all these"
)]
pub trait UdfReturn {
    /// What the column is.
    const KIND: Kind;

    /// Adds the row.
    ///
    /// # Errors
    /// If it is an error, or the column becomes too long.
    fn push(self, builder: &mut Builder) -> Result<()>;
}

macro_rules! returned {
    ($($type:ty: $kind:ident, $builder:ident, $value:ident => $push:expr;)*) => {$(
        impl UdfReturn for $type {
            const KIND: Kind = Kind::$kind;

            fn push(self, $builder: &mut Builder) -> Result<()> {
                let $value = self;
                $push
            }
        }
    )*};
}

macro_rules! numbers {
    ($($type:ty: $kind:ident;)*) => {
        returned! {
            $($type: $kind, builder, value => {
                builder.push_fixed(value.to_le_bytes());
                Ok(())
            };)*
        }
    };
}

numbers! {
    i8: Int8;
    i16: Int16;
    i32: Int32;
    i64: Int64;
    f32: Float32;
    f64: Float64;
}

returned! {
    bool: Bool, builder, value => {
        builder.push_bit(value);
        Ok(())
    };
    Timestamp: Timestamp, builder, time => {
        builder.push_fixed(time.micros().to_le_bytes());
        Ok(())
    };
    String: Utf8, builder, text => builder.push_bytes(text.as_bytes());
    &'static str: Utf8, builder, text => builder.push_bytes(text.as_bytes());
    Vec<u8>: Binary, builder, bytes => builder.push_bytes(&bytes);
}

impl<T: UdfReturn> UdfReturn for Option<T> {
    const KIND: Kind = T::KIND;

    fn push(self, builder: &mut Builder) -> Result<()> {
        match self {
            Some(value) => value.push(builder),
            None => {
                builder.push_null();
                Ok(())
            }
        }
    }
}

impl<T: UdfReturn, E: Display> UdfReturn for std::result::Result<T, E> {
    const KIND: Kind = T::KIND;

    fn push(self, builder: &mut Builder) -> Result<()> {
        self.map_err(|error| Error::new(error.to_string()))?
            .push(builder)
    }
}
