//! `avg` and `try_avg`: DataFusion's, but the mean of decimals is rounded instead of cut, and
//! intervals have a mean.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::super::takes::{Takes, coerced};
use super::casting::Casting;
use super::distinct::Distinct;
use super::sum::{are_intervals, interval_state};
use super::total::{Gives, Total};

/// The mean of numbers or intervals.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SparkAvg {
    inner: Avg,
    /// Whether a sum out of range is NULL, which only one of intervals can be.
    lenient: bool,
    aliases: Vec<String>,
    signature: Signature,
}

impl SparkAvg {
    pub(super) fn new(lenient: bool) -> Self {
        Self {
            inner: Avg::new(),
            lenient,
            aliases: if lenient {
                Vec::new()
            } else {
                vec!["mean".into()]
            },
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SparkAvg {
    fn name(&self) -> &str {
        if self.lenient { "try_avg" } else { "avg" }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let types = coerced(self.name(), &[&[Takes::Number], &[Takes::Interval]], types)?;
        let types = types.into_iter().map(|data_type| match data_type {
            DataType::Decimal128(..) => data_type,
            other if are_intervals(&other) => other,
            _ => DataType::Float64,
        });
        Ok(types.collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [intervals, ..] if are_intervals(intervals) => Ok(intervals.clone()),
            _ => self.inner.return_type(types),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        if are_intervals(&data_type) {
            let total = Box::new(Total::new(data_type.clone(), Gives::Mean, self.lenient));
            return Ok(match args.is_distinct {
                true => Box::new(Distinct::new(total, vec![data_type], 1)?),
                false => total,
            });
        }
        let Some(finer) = one_digit_more(&data_type) else {
            return self.inner.accumulator(args);
        };
        let inner = self.inner.accumulator(AccumulatorArgs {
            return_field: finer,
            ..args
        })?;
        Ok(Box::new(Casting { inner, data_type }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        match are_intervals(args.return_type()) {
            true => Ok(interval_state(&args)),
            false => self.inner.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !are_intervals(args.return_type()) && self.inner.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_type().clone();
        let Some(finer) = one_digit_more(&data_type) else {
            return self.inner.create_groups_accumulator(args);
        };
        let args = AccumulatorArgs {
            return_field: finer,
            ..args
        };
        let inner = self.inner.create_groups_accumulator(args)?;
        Ok(Box::new(Casting { inner, data_type }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match are_intervals(args.return_type()) {
            true => self.accumulator(args),
            false => self.inner.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The digit behind the last one says all there is to know for rounding half up.
fn one_digit_more(data_type: &DataType) -> Option<FieldRef> {
    let DataType::Decimal128(precision, scale) = *data_type else {
        return None;
    };
    if scale >= DECIMAL128_MAX_SCALE {
        return None;
    }
    let precision = DECIMAL128_MAX_PRECISION.min(precision + 1);
    let finer = DataType::Decimal128(precision, scale + 1);
    Some(Arc::new(Field::new("avg", finer, true)))
}
