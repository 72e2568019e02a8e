//! Compaction of chunks: those that are mostly garbage are written anew, and those of about one
//! size are merged when there are many of them.
//!
//! So there are logarithmically many chunks and about as much garbage as rows at most, and every
//! row is copied a logarithmic number of times, whatever the size of a batch. A chunk that has
//! become large is not merged any more: Arrow cannot put more than 2 GiB of text into one column,
//! and merging must not need the memory of the whole state.

use std::collections::BTreeMap;
use std::result::Result as StdResult;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::super::{arrow_error, split_columns};
use super::{Chunk, ColumnarState, Place};
use crate::error::Result;

/// Chunks up to this size count as of one size.
const SMALL_CHUNK_ROWS: usize = 256;

/// So many chunks of about one size are merged into one.
const FULL_CLASS: usize = 8;

/// Garbage in chunks up to this size is left for the next merge.
const TOLERATED_GARBAGE_ROWS: usize = 1024;

/// What a merged chunk holds at most.
#[derive(Debug, Clone, Copy)]
pub(in crate::state) struct ChunkLimits {
    pub(in crate::state) rows: usize,
    pub(in crate::state) bytes: usize,
}

impl Default for ChunkLimits {
    fn default() -> Self {
        Self {
            rows: 1 << 20,
            bytes: 256 << 20,
        }
    }
}

impl ColumnarState {
    /// Rewrites chunks that are mostly garbage, and merges those of about one size if there are many.
    pub(in crate::state) fn compact(&mut self) -> Result<()> {
        for index in 0..self.chunks.len() {
            if self.chunks.get(index).is_some_and(Chunk::is_mostly_garbage) {
                self.merge(&[index])?;
            }
        }
        for mut group in self.to_merge() {
            group.sort_unstable();
            self.merge(&group)?;
        }
        let filled = self.chunks.iter().rposition(|chunk| !chunk.is_empty());
        self.chunks.truncate(filled.map_or(0, |last| last + 1));
        Ok(())
    }

    /// If there are many chunks of about one size, these and all smaller ones, in groups each of
    /// which fits into one chunk.
    fn to_merge(&self) -> Vec<Vec<usize>> {
        let mut by_class: BTreeMap<u32, Vec<(usize, &Chunk)>> = BTreeMap::new();
        for (index, chunk) in self.chunks.iter().enumerate() {
            if !chunk.is_empty() && !chunk.is_full(&self.limits) {
                let class = chunk.live.max(SMALL_CHUNK_ROWS).ilog2();
                by_class.entry(class).or_default().push((index, chunk));
            }
        }
        let mut classes = by_class.iter().rev();
        let full = classes.find(|(_, chunks)| chunks.len() >= FULL_CLASS);
        let Some((&full, _)) = full else {
            return Vec::new();
        };
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for &(index, chunk) in by_class.range(..=full).flat_map(|(_, chunks)| chunks) {
            rows += chunk.live;
            bytes += chunk.live_bytes();
            match groups.last_mut() {
                Some(group) if rows <= self.limits.rows && bytes <= self.limits.bytes => {
                    group.push(index);
                }
                _ => {
                    groups.push(vec![index]);
                    (rows, bytes) = (chunk.live, chunk.live_bytes());
                }
            }
        }
        groups.retain(|group| group.len() > 1);
        groups
    }

    /// Moves the live rows of some chunks together, into the first of them if one can hold them.
    fn merge(&mut self, chunks: &[usize]) -> Result<()> {
        let live = chunks
            .iter()
            .flat_map(|&index| self.live_in(index).map(move |row| (index, row)));
        let (places, slots): (Vec<Place>, Vec<_>) = live
            .map(|(index, (row, slot))| ((index, row as usize), slot))
            .unzip();
        let parts = in_parts(&places, &|places| self.gather(places)).map_err(arrow_error)?;
        let keys = parts.iter().map(|rows| {
            let (keys, _) = split_columns(rows, self.encoder.columns())?;
            self.encoder.encode(keys)
        });
        let keys = keys.collect::<Result<Vec<_>>>()?;
        for &index in chunks {
            let rows = RecordBatch::new_empty(self.schema.clone());
            self.put(index, Chunk::new(rows, self.encoder.none(), Vec::new()));
        }
        let mut free = chunks.iter().copied();
        let mut slots = slots.into_iter();
        for (rows, keys) in parts.into_iter().zip(keys) {
            let index = free.next().unwrap_or(self.chunks.len());
            let slots: Vec<_> = slots.by_ref().take(rows.num_rows()).collect();
            for (row, &slot) in slots.iter().enumerate() {
                self.slots.moved(slot, (index, row));
            }
            self.put(index, Chunk::new(rows, keys, slots));
        }
        Ok(())
    }
}

impl Chunk {
    fn is_mostly_garbage(&self) -> bool {
        let rows = self.slots.len();
        let garbage = rows - self.live;
        garbage > 0 && (self.live == 0 || rows > TOLERATED_GARBAGE_ROWS && self.live * 2 < rows)
    }

    /// Two chunks that are not full fit into one.
    fn is_full(&self, limits: &ChunkLimits) -> bool {
        self.live * 2 > limits.rows || self.live_bytes() * 2 > limits.bytes
    }

    /// About how many bytes the live rows are.
    fn live_bytes(&self) -> usize {
        let share = self.row_bytes as u128 * self.live as u128;
        (share / self.slots.len().max(1) as u128) as usize
    }
}

/// What `gather` gives for `places`: one batch or, if that overflows because the rows are longer
/// than it was thought, several.
fn in_parts(
    places: &[Place],
    gather: &dyn Fn(&[Place]) -> StdResult<RecordBatch, ArrowError>,
) -> StdResult<Vec<RecordBatch>, ArrowError> {
    match gather(places) {
        Err(ArrowError::OffsetOverflowError(_)) if places.len() > 1 => {
            let (left, right) = places.split_at(places.len() / 2);
            let mut parts = in_parts(left, gather)?;
            parts.extend(in_parts(right, gather)?);
            Ok(parts)
        }
        rows => Ok(vec![rows?]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::UInt64Array;

    use super::*;

    #[test]
    fn rows_that_one_batch_cannot_hold_are_several() {
        let gather = |places: &[Place]| {
            if places.iter().map(|place| place.1).sum::<usize>() > 10 {
                return Err(ArrowError::OffsetOverflowError(11));
            }
            let rows = UInt64Array::from_iter_values(places.iter().map(|place| place.1 as u64));
            RecordBatch::try_from_iter([("row", Arc::new(rows) as _)])
        };
        let lengths = |lengths: &[usize]| {
            let places: Vec<Place> = lengths.iter().map(|&length| (0, length)).collect();
            let parts = in_parts(&places, &gather);
            parts.map(|parts| parts.iter().map(RecordBatch::num_rows).collect::<Vec<_>>())
        };
        assert_eq!(lengths(&[1, 2, 3, 4]).unwrap(), [4]);
        assert_eq!(lengths(&[9, 9, 1, 1, 1]).unwrap(), [1, 1, 3]);
        assert!(lengths(&[1, 11]).is_err(), "one row that is too long");
    }
}
