//! `sum`: a sum that leaves the range of its type fails, and begins again at its other end only where
//! ANSI mode is off.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowNativeTypeOp, AsArray, BooleanArray, PrimitiveArray};
use arrow::compute::kernels::boolean::not;
use arrow::compute::kernels::nullif::nullif;
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DecimalType, Field, FieldRef, Int64Type,
};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use datafusion::physical_expr::NullState;
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::takes::{Takes, coerced, list_of};
use super::distinct::Distinct;
use super::total::{Gives, STATE, Total};
use crate::error::{Error, ErrorKind};

/// `sum` of whole numbers (BIGINT), decimals, fractions and intervals.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SparkSum {
    inner: Sum,
    /// Whether a sum of whole numbers that leaves its range begins again at its other end.
    wraps: bool,
    signature: Signature,
}

impl SparkSum {
    pub(super) fn new(wraps: bool) -> Self {
        Self {
            inner: Sum::new(),
            wraps,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// The type of a sum of such values.
pub(super) fn sum_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal128(precision, scale) => {
            DataType::Decimal128(precision.saturating_add(10).min(38), *scale)
        }
        DataType::Duration(_) | DataType::Interval(_) => data_type.clone(),
        other if other.is_integer() => DataType::Int64,
        _ => DataType::Float64,
    }
}

/// The type as which such values are added.
fn added_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal128(..) => data_type.clone(),
        other => sum_type(other),
    }
}

/// Whether values are intervals.
pub(super) fn are_intervals(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(_) | DataType::Interval(_))
}

impl AggregateUDFImpl for SparkSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let types = coerced("sum", &[&[Takes::Number], &[Takes::Interval]], types)?;
        Ok(types.iter().map(added_type).collect())
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(sum_type(argument("sum", types, 0)?))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        if are_intervals(&data_type) {
            let total = Box::new(Total::new(data_type.clone(), Gives::Sum, false));
            return Ok(match args.is_distinct {
                true => Box::new(Distinct::new(total, vec![data_type], 1)?),
                false => total,
            });
        }
        if args.is_distinct {
            return self.inner.accumulator(args);
        }
        match data_type {
            DataType::Int64 if self.wraps => self.inner.accumulator(args),
            DataType::Int64 => Ok(Box::new(CheckedSum::<Int64Type>::new(data_type))),
            DataType::Decimal128(..) => Ok(Box::new(CheckedSum::<Decimal128Type>::new(data_type))),
            _ => self.inner.accumulator(args),
        }
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
        match args.return_type().clone() {
            DataType::Int64 if self.wraps => self.inner.create_groups_accumulator(args),
            data_type @ DataType::Int64 => Ok(Box::new(CheckedSums::<Int64Type>::new(data_type))),
            data_type @ DataType::Decimal128(..) => {
                Ok(Box::new(CheckedSums::<Decimal128Type>::new(data_type)))
            }
            _ => self.inner.create_groups_accumulator(args),
        }
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

/// The state of a sum or mean of intervals.
pub(super) fn interval_state(args: &StateFieldsArgs) -> Vec<FieldRef> {
    let types = match args.is_distinct {
        true => vec![list_of(args.return_type().clone())],
        false => STATE.to_vec(),
    };
    let fields = types.into_iter().enumerate().map(|(index, data_type)| {
        Arc::new(Field::new(
            format_state_name(args.name, &index.to_string()),
            data_type,
            true,
        ))
    });
    fields.collect()
}

/// A type whose sums can leave its range.
trait Summed: ArrowPrimitiveType {
    fn is_in_range(value: Self::Native, data_type: &DataType) -> bool;
}

impl Summed for Int64Type {
    fn is_in_range(_: i64, _: &DataType) -> bool {
        true
    }
}

impl Summed for Decimal128Type {
    fn is_in_range(value: i128, data_type: &DataType) -> bool {
        match data_type {
            DataType::Decimal128(precision, scale) => {
                Self::validate_decimal_precision(value, *precision, *scale).is_ok()
            }
            _ => true,
        }
    }
}

/// One sum.
#[derive(Debug)]
struct CheckedSum<T: Summed> {
    sum: Option<T::Native>,
    data_type: DataType,
}

impl<T: Summed> CheckedSum<T> {
    fn new(data_type: DataType) -> Self {
        Self {
            sum: None,
            data_type,
        }
    }
}

impl<T: Summed + Debug> Accumulator for CheckedSum<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = argument("sum", values, 0)?.as_primitive::<T>();
        if let Some(more) = arrow::compute::sum_checked(values).map_err(|_| overflow())? {
            let sum = self.sum.unwrap_or_default();
            self.sum = Some(sum.add_checked(more).map_err(|_| overflow())?);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self
            .sum
            .is_some_and(|sum| !T::is_in_range(sum, &self.data_type))
        {
            return Err(overflow().into());
        }
        ScalarValue::new_primitive::<T>(self.sum, &self.data_type)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sums of many groups.
struct CheckedSums<T: Summed> {
    sums: Vec<T::Native>,
    nulls: NullState,
    data_type: DataType,
}

impl<T: Summed> CheckedSums<T> {
    fn new(data_type: DataType) -> Self {
        Self {
            sums: Vec::new(),
            nulls: NullState::new(),
            data_type,
        }
    }
}

impl<T: Summed + Send> GroupsAccumulator for CheckedSums<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        let values = argument("sum", values, 0)?.as_primitive::<T>();
        self.sums.resize(num_groups, T::default_value());
        let sums = self.sums.as_mut_slice();
        let mut failed: Option<fn() -> Error> = None;
        let add = |group: usize, value: T::Native| match sums.get_mut(group) {
            Some(sum) => match sum.add_checked(value) {
                Ok(more) => *sum = more,
                Err(_) => failed = Some(overflow),
            },
            None => failed = Some(|| Error::internal("a sum has no such group")),
        };
        self.nulls
            .accumulate(groups, values, filter, num_groups, add);
        match failed {
            Some(error) => Err(error().into()),
            None => Ok(()),
        }
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        num_groups: usize,
    ) -> Result<()> {
        self.update_batch(states, groups, None, num_groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let nulls = self.nulls.build(emit_to);
        if sums
            .iter()
            .any(|sum| !T::is_in_range(*sum, &self.data_type))
        {
            return Err(overflow().into());
        }
        let sums = PrimitiveArray::<T>::new(sums.into(), nulls);
        Ok(Arc::new(sums.with_data_type(self.data_type.clone())))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let values = argument("sum", values, 0)?;
        let values = match filter {
            Some(filter) => nullif(values, &not(&prep_null_mask_filter(filter))?)?,
            None => Arc::clone(values),
        };
        let values = values.as_primitive::<T>().clone();
        Ok(vec![Arc::new(
            values.with_data_type(self.data_type.clone()),
        )])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<T::Native>() + self.nulls.size()
    }
}

/// The failure of a sum.
pub(super) fn overflow() -> Error {
    Error::new(ErrorKind::Runtime, "a sum is out of the range of its type")
        .with_condition("ARITHMETIC_OVERFLOW")
        .with_hint(
            "use try_sum(x) to get NULL instead, or sum a wider type: CAST(x AS DECIMAL(38, 0))",
        )
}
