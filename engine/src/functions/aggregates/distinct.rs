//! DISTINCT: an aggregate that sees every row of arguments once.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::kept::{Kept, state_rows};

/// Gives the inner accumulator what it has not seen.
#[derive(Debug)]
pub(super) struct Distinct {
    inner: Box<dyn Accumulator>,
    /// How many columns there are: arguments, not what gives their order.
    arguments: usize,
    rows: Kept,
    known: KnownRows,
}

impl Distinct {
    /// For so many arguments, of the first of these types; the others are of what gives the order.
    pub(super) fn new(
        inner: Box<dyn Accumulator>,
        types: Vec<DataType>,
        arguments: usize,
    ) -> Result<Self> {
        let known = KnownRows::new(types.iter().take(arguments))?;
        Ok(Self {
            inner,
            arguments,
            rows: Kept::new(types),
            known,
        })
    }

    fn update(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (arguments, _) = values.split_at(self.arguments.min(values.len()));
        let new = self.known.add(arguments)?;
        let new = values.iter().map(|column| Ok(take(column, &new, None)?));
        let new = new.collect::<Result<Vec<ArrayRef>>>()?;
        self.rows.push(&new)?;
        self.inner.update_batch(&new)
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.update(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states.first().map_or(0, |state| state.len()) {
            if let Some(rows) = state_rows(states, row) {
                self.update(&rows)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.rows.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size() + self.rows.size() + self.known.size()
    }
}

/// Rows that were there before.
#[derive(Debug)]
pub(super) struct KnownRows {
    converter: RowConverter,
    rows: HashSet<OwnedRow>,
    size: usize,
}

impl KnownRows {
    /// For columns of these types.
    pub(super) fn new<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Result<Self> {
        let fields = types
            .into_iter()
            .map(|data_type| SortField::new(data_type.clone()));
        Ok(Self {
            converter: RowConverter::new(fields.collect())?,
            rows: HashSet::new(),
            size: 0,
        })
    }

    /// The places of the rows that were not.
    pub(super) fn add(&mut self, columns: &[ArrayRef]) -> Result<UInt32Array> {
        let rows = self.converter.convert_columns(columns)?;
        let mut new = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let row = row.owned();
            let length = row.as_ref().len();
            if self.rows.insert(row) {
                self.size += length;
                new.push(place as u32);
            }
        }
        Ok(new.into())
    }

    fn size(&self) -> usize {
        self.size + self.rows.capacity() * size_of::<OwnedRow>() + self.converter.size()
    }
}
