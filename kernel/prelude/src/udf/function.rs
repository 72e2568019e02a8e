//! Functions that are called once per row.

use super::argument::{UdfArgument, UdfArguments};
use super::build::{Builder, is_set, mask, wrong_number};
use super::returned::UdfReturn;
use crate::columns::Array;
use crate::error::Result;

/// Says what a function takes and returns, whether or not SQL has these types: so that the compiler
/// can name the one that it has not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a function of up to six arguments",
    label = "must be a function or a closure whose arguments have types: `|x: f64| x * 2.0`"
)]
pub trait UdfSignature<Arguments, R> {}

/// A function that can be called once per row.
pub trait UdfFunction<Arguments, R>: Send + Sync + 'static {
    /// The column of its values.
    ///
    /// # Errors
    /// If it returns one, or the columns cannot be read.
    fn call_rows(&self, columns: &[Array], rows: usize) -> Result<Array<'static>>;
}

macro_rules! function {
    ($($argument:ident $reader:ident)*) => {
        impl<Function, Return, $($argument),*> UdfSignature<($($argument,)*), Return> for Function
        where
            Function: Fn($($argument),*) -> Return,
        {
        }

        impl<Function, Return, $($argument),*> UdfFunction<($($argument,)*), Return> for Function
        where
            Function: Fn($($argument),*) -> Return
                + for<'a> Fn($($argument::Item<'a>),*) -> Return
                + Send
                + Sync
                + 'static,
            Return: UdfReturn,
            $($argument: UdfArgument,)*
        {
            fn call_rows(&self, columns: &[Array], rows: usize) -> Result<Array<'static>> {
                let mask = mask(columns, <($($argument,)*)>::NULLABLE);
                let [$($reader),*] = columns else {
                    return Err(wrong_number(columns));
                };
                $(let $reader = $argument::reader($reader)?;)*
                let mut builder = Builder::new(Return::KIND, rows);
                for row in 0..rows {
                    if is_set(mask.as_deref(), row) {
                        self($($argument::read(&$reader, row)),*).push(&mut builder)?;
                    } else {
                        builder.push_null();
                    }
                }
                Ok(builder.finish())
            }
        }
    };
}

function!();
function!(A a);
function!(A a B b);
function!(A a B b C c);
function!(A a B b C c D d);
function!(A a B b C c D d E e);
function!(A a B b C c D d E e F f);
