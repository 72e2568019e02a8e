//! Columns under construction: the values that a function returns, row by row.

use std::borrow::Cow;

use crate::columns::{Array, Kind, bit};
use crate::error::{Error, Result};

/// A column under construction.
#[derive(Debug)]
pub struct Builder {
    kind: Kind,
    rows: usize,
    /// There is one from the first `NULL` on.
    validity: Option<Vec<u8>>,
    offsets: Vec<u8>,
    values: Vec<u8>,
}

impl Builder {
    pub(super) fn new(kind: Kind, rows: usize) -> Self {
        let mut offsets = Vec::new();
        if kind.has_offsets() {
            offsets.reserve(4 * (rows + 1));
            offsets.extend(0_i32.to_le_bytes());
        }
        Self {
            kind,
            rows: 0,
            validity: None,
            offsets,
            values: Vec::with_capacity(rows * kind.width().unwrap_or(0)),
        }
    }

    /// A row of a fixed width.
    pub(super) fn push_fixed<const N: usize>(&mut self, bytes: [u8; N]) {
        self.values.extend_from_slice(&bytes);
        self.pushed(true);
    }

    /// A bit.
    pub(super) fn push_bit(&mut self, value: bool) {
        set(&mut self.values, self.rows, value);
        self.pushed(true);
    }

    /// A row of any length.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.values.extend_from_slice(bytes);
        let end = i32::try_from(self.values.len())
            .map_err(|_| Error::new("the values of one batch are longer than 2 GiB"))?;
        self.offsets.extend(end.to_le_bytes());
        self.pushed(true);
        Ok(())
    }

    /// `NULL`.
    pub(super) fn push_null(&mut self) {
        if self.validity.is_none() {
            let mut bits = vec![0xff; self.rows / 8];
            if !self.rows.is_multiple_of(8) {
                bits.push((1 << (self.rows % 8)) - 1);
            }
            self.validity = Some(bits);
        }
        match self.kind.width() {
            Some(width) => self.values.resize(self.values.len() + width, 0),
            None if self.kind == Kind::Bool => set(&mut self.values, self.rows, false),
            None => self
                .offsets
                .extend((self.values.len() as i32).to_le_bytes()),
        }
        self.pushed(false);
    }

    fn pushed(&mut self, is_valid: bool) {
        if let Some(validity) = &mut self.validity {
            set(validity, self.rows, is_valid);
        }
        self.rows += 1;
    }

    pub(super) fn finish(self) -> Array<'static> {
        Array {
            kind: self.kind,
            rows: self.rows,
            validity: self.validity.map(Cow::Owned),
            offsets: self.offsets.into(),
            values: self.values.into(),
        }
    }
}

/// Sets the bit of `row`, which is at most one behind the last.
fn set(bits: &mut Vec<u8>, row: usize, value: bool) {
    if row.is_multiple_of(8) {
        bits.push(0);
    }
    if let Some(last) = bits.last_mut() {
        *last |= u8::from(value) << (row % 8);
    }
}

/// Which rows have a value in all columns that do not take `NULL`; all rows, without a mask.
pub(super) fn mask(arrays: &[Array], nullable: &[bool]) -> Option<Vec<u8>> {
    let mut mask: Option<Vec<u8>> = None;
    for (array, nullable) in arrays.iter().zip(nullable) {
        let Some(validity) = array.validity.as_deref().filter(|_| !nullable) else {
            continue;
        };
        match &mut mask {
            Some(mask) => mask
                .iter_mut()
                .zip(validity)
                .for_each(|(mask, bits)| *mask &= bits),
            None => mask = Some(validity.to_vec()),
        }
    }
    mask
}

/// A call has not the columns that the function takes.
pub(super) fn wrong_number(columns: &[Array]) -> Error {
    let message = format!("a function cannot take {} columns", columns.len());
    Error::of("InternalError", message)
}

/// Whether a row of a mask is set.
pub(super) fn is_set(mask: Option<&[u8]>, row: usize) -> bool {
    mask.is_none_or(|mask| bit(mask, row))
}
