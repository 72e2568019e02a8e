//! The first or the last value of every group at once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::super::arguments::{argument, arguments};
use crate::error::Error;

/// What arguments and states are checked for.
const NAME: &str = "first";

/// So many chunks become one: what was replaced in them is forgotten then.
const CHUNKS: usize = 64;

/// Where the value of a group is: chunk, and row in it.
type Place = (u32, u32);

/// Of a group without a value: the first chunk is one NULL.
const NOWHERE: Place = (0, 0);

#[derive(Debug)]
pub(super) struct ChoiceGroups {
    is_last: bool,
    ignore_nulls: bool,
    /// One NULL, then values that were chosen, some of which have been replaced.
    chunks: Vec<ArrayRef>,
    /// Of each group.
    places: Vec<Place>,
}

impl ChoiceGroups {
    /// Chooses among values of a type; `ignore_nulls` leaves NULLs out.
    pub(super) fn new(data_type: &DataType, is_last: bool, ignore_nulls: bool) -> Self {
        Self {
            is_last,
            ignore_nulls,
            chunks: vec![new_null_array(data_type, 1)],
            places: Vec::new(),
        }
    }

    /// Chooses among rows that count.
    fn choose(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        counts: impl Fn(usize) -> bool,
        total: usize,
    ) -> DataFusionResult<()> {
        self.places.resize(total, NOWHERE);
        let chunk = self.chunks.len() as u32;
        let mut chosen: Vec<u32> = Vec::new();
        for (row, &group) in groups.iter().enumerate() {
            let place = self.places.get_mut(group);
            let place =
                place.ok_or_else(|| Error::internal(format!("there is no group {group}")))?;
            let is_open = self.is_last || *place == NOWHERE;
            if !is_open || !counts(row) {
                continue;
            }
            match chosen.get_mut(place.1 as usize) {
                Some(replaced) if place.0 == chunk => *replaced = row as u32,
                _ => {
                    *place = (chunk, chosen.len() as u32);
                    chosen.push(row as u32);
                }
            }
        }
        if !chosen.is_empty() {
            let chosen = UInt32Array::from(chosen);
            self.chunks.push(take(values, &chosen, None)?);
        }
        if self.chunks.len() > CHUNKS {
            self.compact()?;
        }
        Ok(())
    }

    /// Puts the values that groups have into one chunk.
    fn compact(&mut self) -> DataFusionResult<()> {
        let mut held: Vec<Place> = Vec::with_capacity(self.places.len());
        for place in self.places.iter_mut().filter(|place| **place != NOWHERE) {
            let row = held.len() as u32;
            held.push(std::mem::replace(place, (1, row)));
        }
        let values = self.gather(&held)?;
        self.chunks.truncate(1);
        self.chunks.push(values);
        Ok(())
    }

    fn gather(&self, places: &[Place]) -> DataFusionResult<ArrayRef> {
        let chunks: Vec<&dyn Array> = self.chunks.iter().map(AsRef::as_ref).collect();
        let places = places.iter();
        let places: Vec<(usize, usize)> = places
            .map(|&(chunk, row)| (chunk as usize, row as usize))
            .collect();
        Ok(interleave(&chunks, &places)?)
    }

    fn emit(&mut self, emit_to: EmitTo) -> DataFusionResult<(ArrayRef, Vec<Place>)> {
        let places = emit_to.take_needed(&mut self.places);
        let values = self.gather(&places)?;
        if self.places.is_empty() {
            self.chunks.truncate(1);
        }
        Ok((values, places))
    }
}

impl GroupsAccumulator for ChoiceGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> DataFusionResult<()> {
        let values = argument(NAME, values, 0)?;
        let counts = counting(values, filter, self.ignore_nulls);
        self.choose(values, groups, counts, total)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        total: usize,
    ) -> DataFusionResult<()> {
        let [values, is_chosen] = arguments(NAME, states)?;
        let is_chosen = is_chosen.as_boolean();
        let counts = |row| is_chosen.is_valid(row) && is_chosen.value(row);
        self.choose(values, groups, counts, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> DataFusionResult<ArrayRef> {
        Ok(self.emit(emit_to)?.0)
    }

    fn state(&mut self, emit_to: EmitTo) -> DataFusionResult<Vec<ArrayRef>> {
        let (values, places) = self.emit(emit_to)?;
        let is_chosen = places.iter().map(|place| Some(*place != NOWHERE));
        let is_chosen: BooleanArray = is_chosen.collect();
        Ok(vec![values, Arc::new(is_chosen)])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> DataFusionResult<Vec<ArrayRef>> {
        let values = argument(NAME, values, 0)?;
        let counts = counting(values, filter, self.ignore_nulls);
        let is_chosen: BooleanArray = (0..values.len()).map(|row| Some(counts(row))).collect();
        Ok(vec![Arc::clone(values), Arc::new(is_chosen)])
    }

    fn size(&self) -> usize {
        let chunks = self
            .chunks
            .iter()
            .map(|chunk| chunk.get_array_memory_size());
        chunks.sum::<usize>() + self.places.capacity() * size_of::<Place>()
    }
}

/// Which rows count.
fn counting(
    values: &ArrayRef,
    filter: Option<&BooleanArray>,
    ignore_nulls: bool,
) -> impl Fn(usize) -> bool {
    move |row| {
        let is_taken = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        is_taken && (!ignore_nulls || values.is_valid(row))
    }
}
