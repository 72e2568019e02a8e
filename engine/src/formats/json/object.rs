//! The columns of one object: of a record, or of a STRUCT inside of it.

use arrow::array::ArrayRef;
use arrow::datatypes::Fields;
use arrow::error::ArrowError;

use super::column::{Column, Fit};
use super::parser::{Parser, SyntaxError};
use crate::datetime::TimeFormats;
use crate::error::{Error, Result};

/// Why a record could not be read to its end.
#[derive(Debug)]
pub(super) enum Reject {
    /// It is no JSON.
    Syntax(SyntaxError),
    /// An object has two values for one column: the record must be read with
    /// [`Parser::with_duplicates`].
    DuplicateName,
    /// It is neither an object nor an array of objects.
    NoObject,
    /// The columns cannot be made.
    Failed(Error),
}

impl From<SyntaxError> for Reject {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

/// Columns that are filled by name. A name that no column has is passed over; a column whose name
/// does not come gets NULL.
#[derive(Debug)]
pub(in crate::formats) struct Object {
    fields: Fields,
    columns: Vec<Column>,
    times: TimeFormats,
    plain_names: Vec<Option<Box<str>>>,
    len: usize,
}

impl Object {
    /// Empty columns for `fields`.
    pub(super) fn new(fields: &Fields, times: &TimeFormats, rows: usize) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| Column::new(field.name(), field.data_type(), times, rows))
            .collect::<Result<_>>()?;
        Ok(Self {
            plain_names: fields
                .iter()
                .map(|field| plain_name(field.name()))
                .collect(),
            fields: fields.clone(),
            columns,
            times: times.clone(),
            len: 0,
        })
    }

    /// Number of complete objects.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Reads an object. Never [`Fit::None`]: a value that does not fit is NULL in it.
    pub(super) fn read(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        if json.has_duplicates() {
            return self.read_chosen(json);
        }
        let mut fit = Fit::Whole;
        let mut expected = 0;
        let mut filled = 0;
        let mut more = json.enter_object()?;
        while more {
            let index = self.next_column(json, expected)?;
            match index.and_then(|index| Some((index, self.columns.get_mut(index)?))) {
                Some((index, column)) => {
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
            more = json.next_field()?;
        }
        self.end_object(filled);
        Ok(fit)
    }

    /// Reads an object in which a name may come twice: the last of the values that fit stays, and
    /// one that does not fit counts all the same.
    fn read_chosen(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        let mut fit = Fit::Whole;
        let mut chosen = vec![None; self.columns.len()];
        let mut more = json.enter_object()?;
        while more {
            let index = self.next_column(json, usize::MAX)?;
            match index.and_then(|index| self.fields.get(index).zip(chosen.get_mut(index))) {
                Some((field, chosen)) => {
                    let first = json.peek()?;
                    let position = json.position();
                    let mut trial = Column::new(field.name(), field.data_type(), &self.times, 1)
                        .map_err(Reject::Failed)?;
                    let fits = trial.read(json, first)?;
                    if fits != Fit::Whole {
                        fit = Fit::Partial;
                    }
                    if fits != Fit::None || chosen.is_none() {
                        *chosen = Some(position);
                    }
                }
                None => json.skip()?,
            }
            more = json.next_field()?;
        }
        let end = json.position();
        for (column, position) in self.columns.iter_mut().zip(&chosen) {
            if let Some(position) = *position {
                json.rewind(position);
                let first = json.peek()?;
                column.read(json, first)?;
            }
        }
        json.rewind(end);
        self.end_object(chosen.iter().flatten().count());
        Ok(fit)
    }

    /// An object was read, with values for so many columns.
    fn end_object(&mut self, filled: usize) {
        self.len += 1;
        if filled < self.columns.len() {
            for column in &mut self.columns {
                if column.len() < self.len {
                    column.append_null();
                }
            }
        }
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

    /// Reads a name and finds its column. Records mostly name their fields in one order, so the
    /// one that comes next is tried first.
    #[inline]
    fn next_column(
        &self,
        json: &mut Parser<'_>,
        expected: usize,
    ) -> std::result::Result<Option<usize>, Reject> {
        if let Some(name) = self.plain_names.get(expected).and_then(Option::as_deref)
            && json.eat_name(name)?
        {
            return Ok(Some(expected));
        }
        let name = json.name()?;
        Ok(self.fields.iter().position(|field| field.name() == name))
    }
}

/// The name as JSON writes it, if that is without escapes.
fn plain_name(name: &str) -> Option<Box<str>> {
    let plain = !name.contains(|character: char| matches!(character, '"' | '\\' | '\0'..' '));
    plain.then(|| name.into())
}
