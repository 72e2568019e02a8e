//! Loops over the rows of a call: a row in which an argument is NULL gives NULL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, PrimitiveArray,
    StringBuilder,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Int32Type};

use crate::error::{Error, Result};
use crate::functions::scalar::Call;

impl Call<'_> {
    /// A text of a row.
    pub(super) fn str(&self, index: usize, row: usize) -> Result<&str> {
        Ok(self.text(index)?.value(row))
    }

    /// A text or a binary of a row as bytes.
    pub(super) fn bytes(&self, index: usize, row: usize) -> Result<&[u8]> {
        let values = self.argument(index)?;
        Ok(match values.data_type() {
            DataType::Binary => values.as_binary::<i32>().value(row),
            _ => values.as_string::<i32>().value(row).as_bytes(),
        })
    }

    /// An INT of a row.
    pub(super) fn int(&self, index: usize, row: usize) -> Result<i32> {
        Ok(self.primitive::<Int32Type>(index)?.value(row))
    }

    /// An INT of a row, or what stands for it if there are not so many arguments.
    pub(super) fn int_or(&self, index: usize, row: usize, default: i32) -> Result<i32> {
        match index < self.len() {
            true => self.int(index, row),
            false => Ok(default),
        }
    }

    /// A text of a row, or what stands for it if there are not so many arguments.
    pub(super) fn str_or<'b>(
        &'b self,
        index: usize,
        row: usize,
        default: &'b str,
    ) -> Result<&'b str> {
        match index < self.len() {
            true => self.str(index, row),
            false => Ok(default),
        }
    }

    /// Whether an argument is a binary.
    pub(super) fn is_binary(&self, index: usize) -> Result<bool> {
        Ok(self.argument(index)?.data_type() == &DataType::Binary)
    }

    /// Where no argument is NULL.
    fn complete(&self) -> Option<NullBuffer> {
        let nulls = self
            .arguments
            .iter()
            .map(|argument| argument.logical_nulls());
        nulls.fold(None, |one, other| {
            NullBuffer::union(one.as_ref(), other.as_ref())
        })
    }

    /// The values of all rows; of those with a NULL without asking.
    fn each<V>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<V>>,
        mut put: impl FnMut(Option<V>) -> Result<()>,
    ) -> Result<()> {
        let complete = self.complete();
        for row in 0..self.rows {
            let is_complete = complete.as_ref().is_none_or(|valid| valid.is_valid(row));
            put(if is_complete { value(row)? } else { None })?;
        }
        Ok(())
    }

    /// Texts.
    pub(super) fn strings<V: AsRef<str>>(
        &self,
        value: impl FnMut(usize) -> Result<Option<V>>,
    ) -> Result<ArrayRef> {
        let mut texts = StringBuilder::with_capacity(self.rows, 0);
        self.each(value, |text| {
            let text: Option<&str> = text.as_ref().map(AsRef::as_ref);
            texts.append_option(fits(texts.values_slice().len(), text)?);
            Ok(())
        })?;
        Ok(Arc::new(texts.finish()))
    }

    /// Binaries.
    pub(super) fn binaries<V: AsRef<[u8]>>(
        &self,
        value: impl FnMut(usize) -> Result<Option<V>>,
    ) -> Result<ArrayRef> {
        let mut values = BinaryBuilder::with_capacity(self.rows, 0);
        self.each(value, |value| {
            let value: Option<&[u8]> = value.as_ref().map(AsRef::as_ref);
            values.append_option(fits(values.values_slice().len(), value)?);
            Ok(())
        })?;
        Ok(Arc::new(values.finish()))
    }

    /// Numbers.
    pub(super) fn numbers<T: ArrowPrimitiveType>(
        &self,
        value: impl FnMut(usize) -> Result<Option<T::Native>>,
    ) -> Result<ArrayRef> {
        let mut numbers = Vec::with_capacity(self.rows);
        self.each(value, |number| {
            numbers.push(number);
            Ok(())
        })?;
        Ok(Arc::new(PrimitiveArray::<T>::from_iter(numbers)))
    }

    /// Truths.
    pub(super) fn truths(
        &self,
        value: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let mut truths = BooleanBuilder::with_capacity(self.rows);
        self.each(value, |truth| {
            truths.append_option(truth);
            Ok(())
        })?;
        let truths: BooleanArray = truths.finish();
        Ok(Arc::new(truths))
    }
}

/// A value, if an array of so many bytes has room for it too.
fn fits<V: AsRef<[u8]> + ?Sized>(filled: usize, value: Option<&V>) -> Result<Option<&V>> {
    let more = value.map_or(0, |value| value.as_ref().len());
    match i32::try_from(filled.saturating_add(more)) {
        Ok(_) => Ok(value),
        Err(_) => Err(too_long()),
    }
}

/// The refusal of a value that no row has room for.
pub(super) fn too_long() -> Error {
    Error::runtime("the values of these rows are longer than 2 GiB together")
        .with_condition("COLLECTION_SIZE_LIMIT_EXCEEDED.INITIALIZE")
        .with_hint("make shorter texts")
}
