//! Which rows of one side match which of the other.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{filter, filter_record_batch, take_record_batch};
use arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::physical_plan::PhysicalExpr;
use hashbrown::HashSet;

use super::super::errors::arrow_error;
use super::side::{Side, satisfied};
use crate::error::{Error, Result};
use crate::state::StateShard;

/// So many rows look for matches at once: all their candidates are held in memory.
const ROWS_AT_ONCE: usize = 1024;

/// What makes two rows of the same key match.
#[derive(Debug)]
pub(super) struct Matching {
    /// The columns of both sides.
    pairs: SchemaRef,
    condition: Option<Arc<dyn PhysicalExpr>>,
    is_semi: bool,
}

/// Rows that look for matches.
#[derive(Clone, Copy)]
pub(super) struct Probe<'a> {
    pub(super) rows: &'a RecordBatch,
    pub(super) keys: &'a [ArrayRef],
    pub(super) is_left: bool,
}

/// Matches of some rows.
pub(super) struct Matches {
    /// For each match, the number of the row that looked for it.
    pub(super) numbers: Vec<u32>,
    /// The rows of both sides, side by side.
    pub(super) pairs: RecordBatch,
}

impl Matching {
    pub(super) fn new(
        pairs: SchemaRef,
        condition: Option<Arc<dyn PhysicalExpr>>,
        is_semi: bool,
    ) -> Self {
        Self {
            pairs,
            condition,
            is_semi,
        }
    }

    /// Gives the matches of `probe` among the state of `other` to `found`, and notes in that state
    /// what has matched. A left row of a semi join matches once, and then leaves the state: how many
    /// did so.
    pub(super) fn find(
        &self,
        probe: Probe<'_>,
        other: &Side,
        shard: &mut StateShard,
        mut found: impl FnMut(Matches) -> Result<()>,
    ) -> Result<i64> {
        let mut removed = 0;
        if shard.is_empty() {
            return Ok(removed);
        }
        for from in (0..probe.rows.num_rows()).step_by(ROWS_AT_ONCE) {
            let count = ROWS_AT_ONCE.min(probe.rows.num_rows() - from);
            let keys = probe.keys.iter().map(|key| key.slice(from, count));
            let keys: Vec<ArrayRef> = keys.collect();
            let rows = probe.rows.slice(from, count);
            let once = self.is_semi && !probe.is_left;
            let candidates = self.candidates(&rows, &keys, probe.is_left, other, shard)?;
            let (mut matches, state_rows) = self.kept(candidates, other, once)?;
            if once {
                removed += other.remove(shard, &state_rows)?;
            } else if other.is_outer() {
                let new = first_matches(&state_rows, other)?;
                if new.num_rows() > 0 {
                    other.mark_matched(shard, &new)?;
                }
            }
            if matches.numbers.is_empty() {
                continue;
            }
            matches
                .numbers
                .iter_mut()
                .for_each(|number| *number += from as u32);
            found(matches)?;
        }
        Ok(removed)
    }

    /// The rows with the same key, and their rows in the state.
    fn candidates(
        &self,
        rows: &RecordBatch,
        keys: &[ArrayRef],
        is_left: bool,
        other: &Side,
        shard: &StateShard,
    ) -> Result<(Matches, RecordBatch)> {
        let held = shard.sharing(&shard.shared_encoder()?.encode(keys)?)?;
        let own = UInt32Array::from(held.numbers);
        let own_rows = take_record_batch(rows, &own).map_err(arrow_error)?;
        let other_rows = other.rows(&held.rows)?;
        let (left, right) = match is_left {
            true => (own_rows, other_rows),
            false => (other_rows, own_rows),
        };
        let columns = left.columns().iter().chain(right.columns());
        let pairs = RecordBatch::try_new(Arc::clone(&self.pairs), columns.cloned().collect());
        let matches = Matches {
            numbers: own.values().to_vec(),
            pairs: pairs.map_err(|error| Error::internal(format!("pairs of rows: {error}")))?,
        };
        Ok((matches, held.rows))
    }

    /// Those candidates that match; `once`: each state row once.
    fn kept(
        &self,
        (candidates, state_rows): (Matches, RecordBatch),
        other: &Side,
        once: bool,
    ) -> Result<(Matches, RecordBatch)> {
        if self.condition.is_none() && !once {
            return Ok((candidates, state_rows));
        }
        let mut fits = match &self.condition {
            Some(condition) => satisfied(condition, &candidates.pairs)?,
            None => BooleanArray::from(vec![true; candidates.numbers.len()]),
        };
        if once {
            let indices = other.indices_of(&state_rows);
            let mut seen = HashSet::new();
            fits = (0..fits.len())
                .map(|row| Some(fits.value(row) && seen.insert(indices.value(row))))
                .collect();
        }
        let numbers = UInt32Array::from(candidates.numbers);
        let numbers = filter(&numbers, &fits).map_err(arrow_error)?;
        let numbers = arrow::array::AsArray::as_primitive::<UInt32Type>(&numbers);
        let matches = Matches {
            numbers: numbers.values().to_vec(),
            pairs: filter_record_batch(&candidates.pairs, &fits).map_err(arrow_error)?,
        };
        let state_rows = filter_record_batch(&state_rows, &fits).map_err(arrow_error)?;
        Ok((matches, state_rows))
    }
}

/// The state rows that match for the first time, each once.
fn first_matches(state_rows: &RecordBatch, side: &Side) -> Result<RecordBatch> {
    let matched = Side::matched(state_rows);
    let indices = side.indices_of(state_rows);
    let mut seen = HashSet::new();
    let is_new: BooleanArray = (0..state_rows.num_rows())
        .map(|row| Some(!matched.value(row) && seen.insert(indices.value(row))))
        .collect();
    filter_record_batch(state_rows, &is_new).map_err(arrow_error)
}
