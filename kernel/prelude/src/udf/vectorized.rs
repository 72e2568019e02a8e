//! Functions that are called once per batch, with slices.

use super::argument::UdfArgument;
use super::build::{Builder, is_set, mask, wrong_number};
use super::returned::UdfReturn;
use crate::columns::{Array, Kind, bit};
use crate::error::{Error, Result};

/// A type of the elements of a slice that a function can take.
#[diagnostic::on_unimplemented(
    message = "a vectorized function of SQL cannot take a slice of `{Self}`",
    label = "`{Self}` is not a type of an element",
    note = "allowed are bool, i8, i16, i32, i64, f32, f64, String, Vec<u8>, Timestamp, and Option of them"
)]
pub trait VectorElement: Sized {
    /// What the column is.
    const KIND: Kind;
    /// Whether it takes `NULL`. If it does not, rows with `NULL` are left out.
    const NULLABLE: bool;

    /// The rows of a column that a mask has.
    ///
    /// # Errors
    /// If the column cannot be read.
    fn collect(array: &Array, mask: Option<&[u8]>) -> Result<Vec<Self>>;
}

impl<T: for<'a> UdfArgument<Item<'a> = T>> VectorElement for T {
    const KIND: Kind = <T as UdfArgument>::KIND;
    const NULLABLE: bool = <T as UdfArgument>::NULLABLE;

    fn collect(array: &Array, mask: Option<&[u8]>) -> Result<Vec<T>> {
        let reader = T::reader(array)?;
        let read = |row| T::read(&reader, row);
        Ok(match mask {
            None => (0..array.rows).map(read).collect(),
            Some(mask) => (0..array.rows)
                .filter(|row| bit(mask, *row))
                .map(read)
                .collect(),
        })
    }
}

/// A type that a vectorized function can take: a slice.
#[diagnostic::on_unimplemented(
    message = "a vectorized function of SQL cannot take `{Self}`",
    label = "`{Self}` is not a slice such as `&[f64]` or `&[Option<i64>]`"
)]
pub trait VectorArgument {
    /// Its elements.
    type Element: VectorElement;
}

impl<T: VectorElement> VectorArgument for &[T] {
    type Element = T;
}

/// All arguments of a vectorized function.
pub trait VectorArguments {
    /// What the columns are.
    const KINDS: &'static [Kind];
    /// Which of them take `NULL`.
    const NULLABLE: &'static [bool];
}

/// What a vectorized function can return: a `Vec` with a value per row, or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a vectorized function of SQL cannot return `{Self}`",
    label = "must be a `Vec` with a value per row, or a `Result` of one"
)]
pub trait VectorReturn {
    /// Its elements.
    type Element: UdfReturn;

    /// The values.
    ///
    /// # Errors
    /// If it is one.
    fn into_values(self) -> Result<Vec<Self::Element>>;
}

impl<T: UdfReturn> VectorReturn for Vec<T> {
    type Element = T;

    fn into_values(self) -> Result<Vec<T>> {
        Ok(self)
    }
}

impl<T: UdfReturn, E: std::fmt::Display> VectorReturn for std::result::Result<Vec<T>, E> {
    type Element = T;

    fn into_values(self) -> Result<Vec<T>> {
        self.map_err(|error| Error::new(error.to_string()))
    }
}

/// A function that can be called once per batch.
pub trait VectorFunction<Arguments, R>: Send + Sync + 'static {
    /// The column of its values.
    ///
    /// # Errors
    /// If it returns one or too few or too many values, or the columns cannot be read.
    fn call_batch(&self, columns: &[Array], rows: usize) -> Result<Array<'static>>;
}

macro_rules! function {
    ($($argument:ident $values:ident)+) => {
        impl<$($argument: VectorArgument),*> VectorArguments for ($($argument,)*) {
            const KINDS: &'static [Kind] = &[$($argument::Element::KIND),*];
            const NULLABLE: &'static [bool] = &[$($argument::Element::NULLABLE),*];
        }

        impl<Function, Return, $($argument),*> VectorFunction<($($argument,)*), Return> for Function
        where
            Function: Fn($($argument),*) -> Return
                + for<'a> Fn($(&'a [$argument::Element]),*) -> Return
                + Send
                + Sync
                + 'static,
            Return: VectorReturn,
            $($argument: VectorArgument,)*
        {
            fn call_batch(&self, columns: &[Array], rows: usize) -> Result<Array<'static>> {
                let mask = mask(columns, <($($argument,)*)>::NULLABLE);
                let [$($values),*] = columns else {
                    return Err(wrong_number(columns));
                };
                $(let $values = $argument::Element::collect($values, mask.as_deref())?;)*
                let given = mask.as_deref().map_or(rows, |mask| count(mask, rows));
                let values = self($($values.as_slice()),*).into_values()?;
                scatter(values, given, mask.as_deref(), rows)
            }
        }
    };
}

function!(A a);
function!(A a B b);
function!(A a B b C c);
function!(A a B b C c D d);
function!(A a B b C c D d E e);
function!(A a B b C c D d E e F f);

/// How many rows a mask has.
fn count(mask: &[u8], rows: usize) -> usize {
    (0..rows).filter(|row| bit(mask, *row)).count()
}

/// Values of the rows that a mask has, with `NULL` between them.
fn scatter<T: UdfReturn>(
    values: Vec<T>,
    given: usize,
    mask: Option<&[u8]>,
    rows: usize,
) -> Result<Array<'static>> {
    if values.len() != given {
        return Err(Error::new(format!(
            "it returned a list of length {} for {given} rows",
            values.len()
        )));
    }
    let mut builder = Builder::new(T::KIND, rows);
    let mut values = values.into_iter();
    for row in 0..rows {
        let next = if is_set(mask, row) {
            values.next()
        } else {
            None
        };
        match next {
            Some(value) => value.push(&mut builder)?,
            None => builder.push_null(),
        }
    }
    Ok(builder.finish())
}
