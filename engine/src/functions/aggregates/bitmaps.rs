//! Bitmaps of 32 768 bits that come of numbers or of other bitmaps.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::scalar::Returns;
use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts};
use crate::error::{Error, Result};

/// The bytes of a bitmap.
const BYTES: usize = 4_096;

/// All of them, in messages.
const NAME: &str = "an aggregate of bitmaps";

/// Aggregates that give a bitmap.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        counts: Counts::Own {
            state: |_| vec![DataType::Binary],
            accumulator: |_| Ok(Box::new(Bitmap::full())),
        },
        doc: "The bits that all bitmaps have.",
        example: "SELECT hex(bitmap_and_agg(x)) FROM VALUES (X'03'), (X'01') AS t(x)",
        ..bitmap("bitmap_and_agg", &[&[Takes::Binary]])
    },
    Aggregate {
        counts: Counts::Own {
            state: |_| vec![DataType::Binary],
            accumulator: |_| Ok(Box::new(Bitmap::empty())),
        },
        doc: "A bitmap with bits at these positions.",
        example: "SELECT hex(bitmap_construct_agg(bitmap_bit_position(x))) FROM VALUES (1), (2) AS t(x)",
        ..bitmap("bitmap_construct_agg", &[&[Takes::Long]])
    },
    Aggregate {
        counts: Counts::Own {
            state: |_| vec![DataType::Binary],
            accumulator: |_| Ok(Box::new(Bitmap::empty())),
        },
        doc: "The bits that any of some bitmaps has.",
        example: "SELECT hex(bitmap_or_agg(x)) FROM VALUES (X'02'), (X'01') AS t(x)",
        ..bitmap("bitmap_or_agg", &[&[Takes::Binary]])
    },
];

const fn bitmap(name: &'static str, forms: &'static [&'static [Takes]]) -> Aggregate {
    Aggregate {
        name,
        forms,
        returns: Returns::Binary,
        ..AGGREGATE
    }
}

#[derive(Debug)]
struct Bitmap {
    bytes: Vec<u8>,
    /// Whether bits are those of all, not of any.
    is_and: bool,
}

impl Bitmap {
    fn empty() -> Self {
        Self {
            bytes: vec![0; BYTES],
            is_and: false,
        }
    }

    fn full() -> Self {
        Self {
            bytes: vec![u8::MAX; BYTES],
            is_and: true,
        }
    }

    fn combine(&mut self, other: &[u8]) {
        let other = other.iter().copied().chain(std::iter::repeat(0));
        for (byte, other) in self.bytes.iter_mut().zip(other) {
            *byte = if self.is_and {
                *byte & other
            } else {
                *byte | other
            };
        }
    }

    fn set(&mut self, position: i64) -> Result<()> {
        let place = usize::try_from(position).ok();
        let byte = place.and_then(|place| self.bytes.get_mut(place / 8));
        let byte = byte.ok_or_else(|| {
            Error::runtime(format!("a bitmap has no position {position}"))
                .with_condition("INVALID_BITMAP_POSITION")
                .with_hint("use bitmap_bit_position(x) to get a position")
        })?;
        *byte |= 1 << (position % 8);
        Ok(())
    }
}

impl Accumulator for Bitmap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let given = argument(NAME, values, 0)?;
        if given.data_type() == &DataType::Int64 {
            let mut positions = given.as_primitive::<Int64Type>().iter().flatten();
            return Ok(positions.try_for_each(|position| self.set(position))?);
        }
        self.merge_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        argument(NAME, states, 0)?
            .as_binary::<i32>()
            .iter()
            .flatten()
            .for_each(|bytes| self.combine(bytes));
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bytes.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes.capacity()
    }
}
