//! Aggregates that need all their values: they are kept, and made something of in the end.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_empty_array};
use arrow::compute::{SortColumn, concat, filter, is_not_null, lexsort_to_indices, take};
use arrow::datatypes::DataType;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::aggregate::Setup;
use crate::error::{Error, Result};

/// What is made of the columns that were kept, in order if there is one.
pub(in super::super) type Finish = fn(&Setup, &[ArrayRef]) -> Result<ScalarValue>;

/// So many pieces are made one.
const MAX_PIECES: usize = 64;

/// Rows that came piece by piece.
#[derive(Debug)]
pub(super) struct Kept {
    types: Vec<DataType>,
    /// The pieces of each column.
    columns: Vec<Vec<ArrayRef>>,
}

impl Kept {
    pub(super) fn new(types: Vec<DataType>) -> Self {
        let columns = vec![Vec::new(); types.len()];
        Self { types, columns }
    }

    /// Copies rows: a piece of a batch would keep the whole batch alive.
    pub(super) fn push(&mut self, rows: &[ArrayRef]) -> DataFusionResult<()> {
        let count = rows.first().map_or(0, |column| column.len());
        if count == 0 {
            return Ok(());
        }
        let all = UInt32Array::from_iter_values(0..count as u32);
        for (pieces, column) in self.columns.iter_mut().zip(rows) {
            pieces.push(take(column, &all, None)?);
            if pieces.len() > MAX_PIECES {
                *pieces = vec![joined(pieces)?];
            }
        }
        Ok(())
    }

    /// Every column as one array.
    pub(super) fn rows(&self) -> DataFusionResult<Vec<ArrayRef>> {
        let columns = self.columns.iter().zip(&self.types);
        let arrays = columns.map(|(pieces, data_type)| match pieces.is_empty() {
            true => Ok(new_empty_array(data_type)),
            false => joined(pieces),
        });
        arrays.collect()
    }

    /// Every column as a list.
    pub(super) fn state(&self) -> DataFusionResult<Vec<ScalarValue>> {
        let rows = self.rows()?.into_iter();
        Ok(rows
            .map(|column| SingleRowListArrayBuilder::new(column).build_list_scalar())
            .collect())
    }

    /// Adds what such states have.
    pub(super) fn merge(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        for row in 0..states.first().map_or(0, |state| state.len()) {
            if let Some(rows) = state_rows(states, row) {
                self.push(&rows)?;
            }
        }
        Ok(())
    }

    pub(super) fn size(&self) -> usize {
        let pieces = self.columns.iter().flatten();
        size_of_val(self)
            + pieces
                .map(|piece| piece.get_array_memory_size())
                .sum::<usize>()
    }
}

/// The rows of one state; none of a state that is NULL.
pub(super) fn state_rows(states: &[ArrayRef], row: usize) -> Option<Vec<ArrayRef>> {
    let columns = states.iter().map(|state| {
        let lists = state.as_list::<i32>();
        lists.is_valid(row).then(|| lists.value(row))
    });
    columns.collect()
}

fn joined(pieces: &[ArrayRef]) -> DataFusionResult<ArrayRef> {
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    Ok(concat(&pieces)?)
}

/// The accumulator of a [`Finish`] that needs these arguments.
pub(super) fn accumulator(
    finish: Finish,
    kept: &'static [usize],
    setup: Setup,
) -> Box<dyn Accumulator> {
    let (columns, types): (Vec<usize>, Vec<DataType>) = kept
        .iter()
        .filter_map(|index| Some((*index, setup.types.get(*index)?.clone())))
        .unzip();
    let orders = setup.orders.iter().map(|(data_type, _)| data_type.clone());
    let rows = Kept::new(types.into_iter().chain(orders).collect());
    Box::new(All {
        rows,
        columns,
        finish,
        setup,
    })
}

struct All {
    setup: Setup,
    columns: Vec<usize>,
    rows: Kept,
    finish: Finish,
}

impl std::fmt::Debug for All {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.setup.name)
    }
}

impl All {
    /// All rows, in their order.
    fn in_order(&self) -> DataFusionResult<Vec<ArrayRef>> {
        let mut rows = self.rows.rows()?;
        let keys = rows.split_off(self.columns.len());
        let count = keys.first().map_or(0, |values| values.len() as u32);
        if count == 0 {
            return Ok(rows);
        }
        let keys = keys.into_iter().zip(&self.setup.orders);
        let keys: Vec<SortColumn> = keys
            .map(|(values, (_, options))| SortColumn {
                values,
                options: Some(*options),
            })
            .collect();
        // A sort that leaves rows of one key as they came.
        let place: ArrayRef = Arc::new(UInt32Array::from_iter_values(0..count));
        let place = SortColumn {
            values: place,
            options: None,
        };
        let order = lexsort_to_indices(&[keys, vec![place]].concat(), None)?;
        let sorted = rows.iter().map(|column| Ok(take(column, &order, None)?));
        sorted.collect()
    }
}

impl Accumulator for All {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let (arguments, orders) = values.split_at(self.setup.types.len().min(values.len()));
        let orders = orders.iter().take(self.setup.orders.len());
        let Some(first) = self.columns.first().and_then(|index| arguments.get(*index)) else {
            return Ok(());
        };
        let kept = self
            .columns
            .iter()
            .map(|index| argument(self.setup.name, arguments, *index))
            .chain(orders.map(Ok));
        if first.logical_null_count() == 0 {
            let kept = kept.map(|column| column.map(Arc::clone));
            return self.rows.push(&kept.collect::<Result<Vec<_>>>()?);
        }
        let counts = is_not_null(first)?;
        let kept = kept.map(|column| Ok(filter(column?, &counts)?));
        self.rows
            .push(&kept.collect::<DataFusionResult<Vec<ArrayRef>>>()?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        self.rows.merge(states)
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        self.rows.state()
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok((self.finish)(&self.setup, &self.in_order()?)?)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.rows.size()
    }
}

/// A list as a value.
pub(super) fn list(values: ArrayRef) -> ScalarValue {
    SingleRowListArrayBuilder::new(values).build_list_scalar()
}

/// The value of a row.
pub(super) fn value_at(values: &ArrayRef, row: usize) -> Result<ScalarValue> {
    ScalarValue::try_from_array(values, row).map_err(crate::error::from_datafusion)
}

/// NULL of the type that an aggregate gives.
pub(super) fn null(setup: &Setup) -> Result<ScalarValue> {
    ScalarValue::try_from(&setup.returns).map_err(crate::error::from_datafusion)
}

/// An error of a kernel.
pub(super) fn failed(error: arrow::error::ArrowError) -> Error {
    crate::error::from_datafusion(error.into())
}
