//! Sums that may leave the range of their type without failing, and sums and means of intervals.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, DecimalType, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::arguments::{argument, arguments};
use super::super::numbers::lengths::{as_longs, of_length};
use super::super::scalar::Returns;
use super::super::takes::Takes;
use super::aggregate::{AGGREGATE, Aggregate, Counts};
use super::statistic::{Statistic, added};
use super::sum::{overflow, sum_type};

/// The types of a [`Total`]'s state.
pub(super) const STATE: [DataType; 3] = [
    DataType::Decimal128(38, 0),
    DataType::Int64,
    DataType::Boolean,
];

/// What is summed, in messages.
const NAME: &str = "a sum or mean";

/// `try_sum`.
pub(super) const TABLE: &[Aggregate] = &[Aggregate {
    name: "try_sum",
    forms: &[&[Takes::Number], &[Takes::Interval]],
    returns: Returns::By(|inputs| Ok(sum_type(inputs.data_type(0)?))),
    counts: Counts::Own {
        state: |setup| match setup.returns {
            DataType::Float64 => vec![DataType::Float64; FRACTIONS.size],
            _ => STATE.to_vec(),
        },
        accumulator: |setup| match setup.returns {
            DataType::Float64 => Ok(FRACTIONS.one(DataType::Float64)),
            _ => Ok(Box::new(Total::new(
                setup.returns.clone(),
                Gives::Sum,
                true,
            ))),
        },
    },
    doc: "The sum, or NULL if it is out of the range of its type.",
    example: "SELECT try_sum(x) FROM VALUES (1), (2) AS t(x)",
    ..AGGREGATE
}];

static FRACTIONS: Statistic = Statistic {
    size: 2,
    update: |state, value, _| {
        if let [sum, count] = state {
            *sum += value;
            *count += 1.0;
        }
    },
    merge: added,
    value: |state| match state {
        [sum, count] if *count > 0.0 => Some(*sum),
        _ => None,
    },
};

/// What a [`Total`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Sum,
    Mean,
}

/// A sum of whole numbers, decimals or intervals.
#[derive(Debug)]
pub(super) struct Total {
    data_type: DataType,
    gives: Gives,
    /// Whether what is out of range is NULL.
    lenient: bool,
    total: i128,
    count: i64,
    is_too_large: bool,
}

impl Total {
    pub(super) fn new(data_type: DataType, gives: Gives, lenient: bool) -> Self {
        Self {
            data_type,
            gives,
            lenient,
            total: 0,
            count: 0,
            is_too_large: false,
        }
    }

    fn add(&mut self, total: i128, count: i64) {
        match self.total.checked_add(total) {
            Some(total) => self.total = total,
            None => self.is_too_large = true,
        }
        // A sum of decimals that has left its range does not come back.
        if let DataType::Decimal128(precision, scale) = self.data_type {
            let fits = Decimal128Type::validate_decimal_precision(self.total, precision, scale);
            self.is_too_large |= fits.is_err();
        }
        self.count += count;
    }

    fn value(&self) -> crate::error::Result<Option<ScalarValue>> {
        let is_sum_valid = of_length(self.total, &self.data_type);
        if let DataType::Decimal128(precision, scale) = self.data_type {
            let fits = Decimal128Type::validate_decimal_precision(self.total, precision, scale);
            let value = ScalarValue::Decimal128(Some(self.total), precision, scale);
            return Ok(fits.is_ok().then_some(value));
        }
        match self.gives {
            Gives::Sum => is_sum_valid,
            Gives::Mean if is_sum_valid?.is_none() => Ok(None),
            Gives::Mean => {
                // To the nearest; from the middle, away from zero.
                let count = i128::from(self.count);
                let twice = 2 * self.total.abs() + count;
                of_length(self.total.signum() * (twice / (2 * count)), &self.data_type)
            }
        }
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let values = argument(NAME, values, 0)?;
        if values.data_type().is_decimal() {
            for value in values.as_primitive::<Decimal128Type>().iter().flatten() {
                self.add(value, 1);
            }
            return Ok(());
        }
        for value in as_longs(values)?.iter().flatten() {
            self.add(i128::from(value), 1);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let [totals, counts, too_large] = arguments(NAME, states)?;
        let totals = totals.as_primitive::<Decimal128Type>();
        let counts = counts.as_primitive::<Int64Type>();
        let too_large = too_large.as_boolean();
        for row in 0..totals.len() {
            self.add(totals.value(row), counts.value(row));
            self.is_too_large |= too_large.value(row);
        }
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::Decimal128(Some(self.total), 38, 0),
            ScalarValue::Int64(Some(self.count)),
            ScalarValue::Boolean(Some(self.is_too_large)),
        ])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let value = match self.count == 0 || self.is_too_large {
            true => None,
            false => self.value()?,
        };
        match value {
            Some(value) => Ok(value),
            None if self.count > 0 && !self.lenient => Err(overflow().into()),
            None => ScalarValue::try_from(&self.data_type),
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        for value in as_longs(argument(NAME, values, 0)?)?.iter().flatten() {
            self.add(-i128::from(value), -1);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
