//! The columns of one object: of a record, or of a STRUCT inside of it.

use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use arrow::error::ArrowError;

use super::column::{Column, Fit};
use super::parser::{Parser, SyntaxError};
use super::time::Zone;
use crate::error::Result;

/// Why a record could not be read to its end.
#[derive(Debug)]
pub(super) enum Reject {
    /// It is no JSON.
    Syntax(SyntaxError),
    /// An object has two values for one column; the record must be read with the last of them.
    DuplicateName,
    /// It is neither an object nor an array of objects.
    NoObject,
}

impl From<SyntaxError> for Reject {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// Columns that are filled by name. A name that no column has is passed over; a column whose name
/// does not come gets NULL.
#[derive(Debug)]
pub(super) struct Object {
    fields: Fields,
    columns: Vec<Column>,
    len: usize,
}

impl Object {
    /// Empty columns for `fields`.
    pub(super) fn new(fields: &Fields, zone: Zone, rows: usize) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| Column::new(field.name(), field.data_type(), zone, rows))
            .collect::<Result<_>>()?;
        Ok(Self {
            fields: fields.clone(),
            columns,
            len: 0,
        })
    }

    /// Number of complete objects.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Reads an object. Never [`Fit::None`]: a value that does not fit is NULL in it.
    pub(super) fn read(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        let mut fit = Fit::Whole;
        let mut expected = 0;
        let mut filled = 0;
        let mut next = json.first_name()?;
        while let Some(name) = next {
            match self.position(name, expected) {
                Some(index) => {
                    let column = &mut self.columns[index];
                    if column.len() > self.len {
                        return Err(Reject::DuplicateName);
                    }
                    let first = json.peek()?;
                    if column.read(json, first)? != Fit::Whole {
                        fit = Fit::Partial;
                    }
                    filled += 1;
                    expected = index + 1;
                }
                None => json.skip()?,
            }
            next = json.next_name()?;
        }
        self.len += 1;
        if filled < self.columns.len() {
            for column in &mut self.columns {
                if column.len() < self.len {
                    column.append_null();
                }
            }
        }
        Ok(fit)
    }

    /// Appends an object without values.
    pub(super) fn append_nulls(&mut self) {
        self.len += 1;
        for column in &mut self.columns {
            column.append_null();
        }
    }

    /// See [`Column::reach`].
    pub(super) fn reach(&self) -> usize {
        let columns = self.columns.iter().map(Column::reach);
        columns.max().unwrap_or_default().max(self.len)
    }

    /// See [`Column::settle`].
    pub(super) fn settle(&mut self, len: usize) {
        self.len = len;
        for column in &mut self.columns {
            column.settle(len);
        }
    }

    /// Takes the values out.
    pub(super) fn finish(&mut self) -> std::result::Result<(Fields, Vec<ArrayRef>), ArrowError> {
        self.len = 0;
        let columns = self.columns.iter_mut().map(Column::finish);
        Ok((
            self.fields.clone(),
            columns.collect::<std::result::Result<_, _>>()?,
        ))
    }

    /// Records mostly name their fields in one order: try the one that comes next first.
    fn position(&self, name: &str, expected: usize) -> Option<usize> {
        match self.fields.get(expected) {
            Some(field) if field.name() == name => Some(expected),
            _ => self.fields.iter().position(|field| field.name() == name),
        }
    }
}
