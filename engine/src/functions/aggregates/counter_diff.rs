//! `counter_diff`: how much a counter that only grows has grown from row to row.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array, make_comparator};
use arrow::compute::kernels::numeric;
use arrow::compute::{SortOptions, cast, take};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::takes::{Takes, coerced};
use crate::error::Error;

const NAME: &str = "counter_diff";

/// The function itself.
pub(super) fn counter_diff() -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(CounterDiff(
        Signature::user_defined(Volatility::Immutable),
    )))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CounterDiff(Signature);

impl WindowUDFImpl for CounterDiff {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let forms: &[&[Takes]] = &[&[Takes::Number], &[Takes::Number, Takes::Time]];
        Ok(coerced(self.name(), forms, types)?)
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Differences))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let data_type = args
            .input_fields()
            .first()
            .map(|field| field.data_type().clone());
        Ok(Arc::new(Field::new(
            args.name(),
            data_type.unwrap_or(DataType::Null),
            true,
        )))
    }
}

#[derive(Debug)]
struct Differences;

impl PartitionEvaluator for Differences {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let counts = argument(NAME, values, 0)?;
        let before = previous(counts, values.get(1), rows)?;
        let before = take(counts, &before, None)?;
        Ok(cast(
            &numeric::sub_wrapping(counts, &before)?,
            counts.data_type(),
        )?)
    }
}

/// The row that each is compared with; none after the counter began anew.
fn previous(counts: &ArrayRef, starts: Option<&ArrayRef>, rows: usize) -> Result<UInt32Array> {
    let options = SortOptions::default();
    let compare = make_comparator(counts, counts, options)?;
    let zero = ScalarValue::new_zero(counts.data_type())?.to_array()?;
    let with_zero = make_comparator(counts, &zero, options)?;
    let starts = match starts {
        Some(starts) => Some((starts, make_comparator(starts, starts, options)?)),
        None => None,
    };
    let mut last: Option<usize> = None;
    let mut before = Vec::with_capacity(rows);
    for row in 0..rows {
        if counts.is_null(row) {
            before.push(None);
            continue;
        }
        if with_zero(row, 0) == Ordering::Less {
            return Err(Error::runtime("a counter is negative").into());
        }
        let grown = last.filter(|last| compare(row, *last) != Ordering::Less);
        let start = match (&starts, last) {
            (Some((starts, compare)), Some(last))
                if starts.is_valid(row) && starts.is_valid(last) =>
            {
                compare(row, last)
            }
            _ => Ordering::Equal,
        };
        if start == Ordering::Less {
            return Err(Error::runtime("the time at which a counter began went back").into());
        }
        before.push(
            grown
                .filter(|_| start == Ordering::Equal)
                .map(|last| last as u32),
        );
        last = Some(row);
    }
    Ok(before.into())
}
