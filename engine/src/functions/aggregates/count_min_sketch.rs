//! `count_min_sketch`: how often values are there, in a table of a fixed size, as the bytes that
//! Spark's `CountMinSketch` reads.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::scalar::Returns;
use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::kept::failed;
use crate::error::{Error, Result};

const NAME: &str = "count_min_sketch";

/// The aggregate.
pub(super) const TABLE: &[Aggregate] = &[Aggregate {
    name: NAME,
    forms: &[
        &[Takes::Whole, Takes::Double, Takes::Double, Takes::Long],
        &[Takes::Bytes, Takes::Double, Takes::Double, Takes::Long],
    ],
    returns: Returns::Binary,
    counts: Counts::Own {
        state: |_| vec![DataType::Binary],
        accumulator: Sketch::made,
    },
    doc: "How often values are there, more or less: an error and how sure it is are given.",
    example: "SELECT count_min_sketch(x, 0.5D, 0.5D, 1) FROM VALUES (1), (2) AS t(x)",
    ..AGGREGATE
}];

/// The prime that hashes of numbers are taken by.
const PRIME: i64 = (1 << 31) - 1;

#[derive(Debug)]
struct Sketch {
    total: i64,
    width: usize,
    /// The factor of each row.
    factors: Vec<i64>,
    counts: Vec<i64>,
}

impl Sketch {
    fn made(setup: &Setup) -> Result<Box<dyn Accumulator>> {
        let fraction = |index| match setup.constant(index, &DataType::Float64)? {
            Some(ScalarValue::Float64(Some(value))) if value > 0.0 => Ok(value),
            _ => Err(Error::analysis(format!(
                "argument {} of {} must be more than 0",
                index + 1,
                setup.name
            ))
            .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with_hint("give a fraction: 0.01D")),
        };
        let width = (2.0 / fraction(1)?).ceil() as usize;
        let depth = (-(1.0 - fraction(2)?).ln() / std::f64::consts::LN_2)
            .ceil()
            .max(1.0) as usize;
        let mut random = JavaRandom::new(setup.integer(3)?.unwrap_or_default());
        let factors = (0..depth).map(|_| random.below_max()).collect();
        Ok(Box::new(Self {
            total: 0,
            width,
            factors,
            counts: vec![0; depth * width],
        }))
    }

    fn add(&mut self, place: impl Fn(usize, i64) -> usize) {
        let rows = self.counts.chunks_exact_mut(self.width).zip(&self.factors);
        for (row, (counts, factor)) in rows.enumerate() {
            // Places are remainders of the width.
            if let Some(count) = counts.get_mut(place(row, *factor)) {
                *count += 1;
            }
        }
        self.total += 1;
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(1_i32.to_be_bytes());
        bytes.extend(self.total.to_be_bytes());
        bytes.extend((self.factors.len() as i32).to_be_bytes());
        bytes.extend((self.width as i32).to_be_bytes());
        let numbers = self.factors.iter().chain(&self.counts);
        bytes.extend(numbers.flat_map(|number| number.to_be_bytes()));
        bytes
    }
}

impl Accumulator for Sketch {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let width = self.width;
        let values = argument(NAME, values, 0)?;
        if values.data_type().is_integer() {
            let longs = cast(values, &DataType::Int64)?;
            for value in longs.as_primitive::<Int64Type>().iter().flatten() {
                self.add(|_, factor| {
                    let hash = factor.wrapping_mul(value);
                    let hash = hash.wrapping_add(hash >> 32) & PRIME;
                    hash as usize % width
                });
            }
            return Ok(());
        }
        let bytes = cast(values, &DataType::Binary).map_err(failed)?;
        for value in bytes.as_binary::<i32>().iter().flatten() {
            let first = murmur(value, 0);
            let second = murmur(value, first);
            self.add(|row, _| {
                let hash = first.wrapping_add(second.wrapping_mul(row as i32));
                (hash % width as i32).unsigned_abs() as usize
            });
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let long = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).unwrap_or_default();
        let head = 20 + self.factors.len() * 8;
        for state in argument(NAME, states, 0)?
            .as_binary::<i32>()
            .iter()
            .flatten()
        {
            self.total += state.get(4..12).map_or(0, long);
            let counts = state.get(head..).unwrap_or_default().chunks(8);
            self.counts
                .iter_mut()
                .zip(counts)
                .for_each(|(count, other)| *count += long(other));
        }
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bytes())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.factors.len() + self.counts.len()) * size_of::<i64>()
    }
}

/// Java's generator of random numbers.
struct JavaRandom(i64);

impl JavaRandom {
    const FACTOR: i64 = 0x5_DEEC_E66D;
    const MASK: i64 = (1 << 48) - 1;

    fn new(seed: i64) -> Self {
        Self((seed ^ Self::FACTOR) & Self::MASK)
    }

    /// A number from 0 to the greatest INT, without that.
    fn below_max(&mut self) -> i64 {
        loop {
            self.0 = self.0.wrapping_mul(Self::FACTOR).wrapping_add(0xB) & Self::MASK;
            let bits = self.0 >> 17;
            if bits < i64::from(i32::MAX) {
                return bits;
            }
        }
    }
}

/// Spark's MurmurHash3 of bytes: those behind the last four count one by one.
fn murmur(bytes: &[u8], seed: i32) -> i32 {
    let mix = |hash: u32, word: u32| {
        let word = word
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593);
        (hash ^ word)
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    };
    let (words, rest) = bytes.split_at(bytes.len() / 4 * 4);
    let words = words.chunks(4).map(|word| {
        word.iter()
            .rev()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
    });
    let hash = words.fold(seed.cast_unsigned(), mix);
    let rest = rest
        .iter()
        .map(|byte| i32::from(byte.cast_signed()).cast_unsigned());
    let hash = rest.fold(hash, mix) ^ bytes.len() as u32;
    let hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16).cast_signed()
}
