//! An aggregate over a frame of rows that moves: rows come at its end and leave at its beginning.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::aggregate::{Aggregate, Setup};

/// Keeps the frame's rows and counts them anew.
pub(super) struct Sliding {
    row: &'static Aggregate,
    setup: Setup,
    pieces: VecDeque<Vec<ArrayRef>>,
}

impl std::fmt::Debug for Sliding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.setup.name)
    }
}

impl Sliding {
    pub(super) fn new(row: &'static Aggregate, setup: Setup) -> Self {
        Self {
            row,
            setup,
            pieces: VecDeque::new(),
        }
    }

    fn counted(&self) -> Result<Box<dyn Accumulator>> {
        let mut counted = self.row.counts.accumulator(&self.setup)?;
        for piece in &self.pieces {
            counted.update_batch(piece)?;
        }
        Ok(counted)
    }
}

fn length(piece: &[ArrayRef]) -> usize {
    piece.first().map_or(0, |column| column.len())
}

impl Accumulator for Sliding {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if length(values) > 0 {
            self.pieces.push_back(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut left = length(values);
        while let Some(piece) = self.pieces.front_mut() {
            let count = length(piece);
            if count > left {
                *piece = piece
                    .iter()
                    .map(|column| column.slice(left, count - left))
                    .collect();
                break;
            }
            left -= count;
            self.pieces.pop_front();
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        datafusion::common::internal_err!("a frame has no states")
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.counted()?.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.counted()?.evaluate()
    }

    fn size(&self) -> usize {
        let columns = self.pieces.iter().flatten();
        size_of_val(self)
            + columns
                .map(|column| column.get_array_memory_size())
                .sum::<usize>()
    }
}
