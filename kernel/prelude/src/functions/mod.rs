//! Spark's functions.
//!
//! Where a function asks for a column, a string is a column's name; where it asks for a value, a
//! string is that text.

mod aggregate;
mod collection;
mod column;
mod conditional;
mod json;
mod math;
mod string;
mod time;
mod window;

pub use aggregate::*;
pub use collection::*;
pub use column::*;
pub use conditional::*;
pub use json::*;
pub use math::*;
pub use string::*;
pub use time::*;
pub use window::*;

/// The plain functions: a column of a call, with columns and values as arguments.
/// `fn rust_name(argument: column, argument: value) = "spark name";`
macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $kind:ident),*) $(= $spark:literal)?;)*) => {$(
        $(#[$doc])*
        pub fn $name($($argument: functions!(@type $kind)),*) -> $crate::Column {
            let name = functions!(@name $name $($spark)?);
            $crate::Column::call(name, [$(functions!(@argument $kind $argument)),*])
        }
    )*};
    (@type column) => { impl Into<$crate::Column> };
    (@type value) => { impl $crate::column::Operand };
    (@argument column $argument:ident) => { $argument.into() };
    (@argument value $argument:ident) => { $crate::column::Operand::into_operand($argument) };
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $spark:literal) => { $spark };
}

/// Functions of any number of columns.
macro_rules! variadic {
    ($($(#[$doc:meta])* fn $name:ident $(= $spark:literal)?;)*) => {$(
        $(#[$doc])*
        pub fn $name<C: Into<$crate::Column>>(
            columns: impl IntoIterator<Item = C>,
        ) -> $crate::Column {
            let name = functions!(@name $name $($spark)?);
            $crate::Column::call(name, columns.into_iter().map(C::into))
        }
    )*};
}

use {functions, variadic};
