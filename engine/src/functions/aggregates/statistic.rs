//! Aggregates of numbers that need only a few numbers, such as a variance: one group after another,
//! or all groups at once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use crate::error::Error;

/// How the numbers change, and what they give.
pub(in super::super) struct Statistic {
    /// How many numbers there are; all are 0 in the beginning.
    pub size: usize,
    /// Takes one row: its two arguments, or one and 0.
    pub update: fn(&mut [f64], f64, f64),
    /// Takes the numbers of other rows.
    pub merge: fn(&mut [f64], &[f64]),
    /// None is NULL.
    pub value: fn(&[f64]) -> Option<f64>,
}

/// Adds the numbers of other rows.
pub(super) fn added(state: &mut [f64], other: &[f64]) {
    for (number, other) in state.iter_mut().zip(other) {
        *number += other;
    }
}

impl Statistic {
    pub(super) fn one(&'static self, returns: DataType) -> Box<dyn Accumulator> {
        Box::new(One(self.all_groups(returns, 1)))
    }

    pub(super) fn groups(&'static self, returns: DataType) -> Box<dyn GroupsAccumulator> {
        Box::new(self.all_groups(returns, 0))
    }

    fn all_groups(&'static self, returns: DataType, groups: usize) -> Groups {
        Groups {
            statistic: self,
            returns,
            numbers: vec![0.0; groups * self.size],
        }
    }
}

struct Groups {
    statistic: &'static Statistic,
    returns: DataType,
    /// Those of the first group, then those of the second, and so on.
    numbers: Vec<f64>,
}

impl Groups {
    fn group(&mut self, group: usize) -> Result<&mut [f64]> {
        let mut groups = self.numbers.chunks_exact_mut(self.statistic.size);
        let numbers = groups.nth(group);
        Ok(numbers.ok_or_else(|| Error::internal(format!("there is no group {group}")))?)
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: impl Iterator<Item = usize>,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let columns = values.iter().map(|column| cast(column, &DataType::Float64));
        let columns = columns.collect::<std::result::Result<Vec<ArrayRef>, _>>()?;
        let columns: Vec<&Float64Array> = columns
            .iter()
            .map(|column| column.as_primitive::<Float64Type>())
            .collect();
        let update = self.statistic.update;
        let Some((first, others)) = columns.split_first() else {
            return Ok(());
        };
        for (row, group) in (0..first.len()).zip(groups) {
            let is_chosen = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if is_chosen && columns.iter().all(|column| column.is_valid(row)) {
                let other = others.first().map_or(0.0, |column| column.value(row));
                update(self.group(group)?, first.value(row), other);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: impl Iterator<Item = usize>) -> Result<()> {
        let merge = self.statistic.merge;
        let columns: Vec<&Float64Array> = states
            .iter()
            .map(|column| column.as_primitive::<Float64Type>())
            .collect();
        let rows = 0..columns.first().map_or(0, |column| column.len());
        for (row, group) in rows.zip(groups) {
            let other: Vec<f64> = columns.iter().map(|column| column.value(row)).collect();
            merge(self.group(group)?, &other);
        }
        Ok(())
    }

    fn columns(&self, numbers: &[f64]) -> Vec<ArrayRef> {
        let size = self.statistic.size;
        let column = |index| {
            numbers
                .iter()
                .skip(index)
                .step_by(size)
                .copied()
                .collect::<Vec<f64>>()
        };
        (0..size)
            .map(|index| Arc::new(Float64Array::from(column(index))) as ArrayRef)
            .collect()
    }

    fn values(&self, numbers: &[f64]) -> Result<ArrayRef> {
        let groups = numbers.chunks(self.statistic.size);
        let values: Float64Array = groups.map(self.statistic.value).collect();
        Ok(cast(&values, &self.returns)?)
    }

    fn emitted(&mut self, emit_to: EmitTo) -> Vec<f64> {
        match emit_to {
            EmitTo::All => std::mem::take(&mut self.numbers),
            EmitTo::First(groups) => {
                let rest = self.numbers.split_off(groups * self.statistic.size);
                std::mem::replace(&mut self.numbers, rest)
            }
        }
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.numbers.resize(num_groups * self.statistic.size, 0.0);
        self.update(values, groups.iter().copied(), filter)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        num_groups: usize,
    ) -> Result<()> {
        self.numbers.resize(num_groups * self.statistic.size, 0.0);
        self.merge(states, groups.iter().copied())
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let numbers = self.emitted(emit_to);
        Ok(self.columns(&numbers))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let numbers = self.emitted(emit_to);
        self.values(&numbers)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut each = self.statistic.all_groups(self.returns.clone(), rows);
        each.update(values, 0.., filter)?;
        Ok(each.columns(&each.numbers))
    }

    fn size(&self) -> usize {
        self.numbers.capacity() * size_of::<f64>()
    }
}

/// The only group.
struct One(Groups);

impl std::fmt::Debug for One {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.numbers.fmt(f)
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values, std::iter::repeat(0), None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, std::iter::repeat(0))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self
            .0
            .numbers
            .iter()
            .copied()
            .map(ScalarValue::from)
            .collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.0.values(&self.0.numbers)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.size()
    }
}
