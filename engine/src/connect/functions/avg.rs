//! `avg`: DataFusion's, but the average of decimals is rounded instead of cut.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DataType, Field, FieldRef};
use arrow::util::display::FormatOptions;
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};
use datafusion::scalar::ScalarValue;

/// `avg` of numbers.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SparkAvg(Avg);

impl SparkAvg {
    pub(super) fn new() -> Self {
        Self(Avg::new())
    }
}

impl AggregateUDFImpl for SparkAvg {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let Some(finer) = one_digit_more(args.return_type()) else {
            return self.0.accumulator(args);
        };
        let data_type = args.return_type().clone();
        let inner = self.0.accumulator(AccumulatorArgs {
            return_field: finer,
            ..args
        })?;
        Ok(Box::new(Rounded { inner, data_type }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let Some(finer) = one_digit_more(args.return_type()) else {
            return self.0.create_groups_accumulator(args);
        };
        let data_type = args.return_type().clone();
        let inner = self.0.create_groups_accumulator(AccumulatorArgs {
            return_field: finer,
            ..args
        })?;
        Ok(Box::new(Rounded { inner, data_type }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
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

/// An accumulator whose results are rounded to `data_type`.
#[derive(Debug)]
struct Rounded<A> {
    inner: A,
    data_type: DataType,
}

const EXACT: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: FormatOptions::new(),
};

impl Accumulator for Rounded<Box<dyn Accumulator>> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(values)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner
            .evaluate()?
            .cast_to_with_options(&self.data_type, &EXACT)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

impl GroupsAccumulator for Rounded<Box<dyn GroupsAccumulator>> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(values, groups, filter, num_groups)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        groups: &[usize],
        num_groups: usize,
    ) -> Result<()> {
        self.inner.merge_batch(states, groups, num_groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let values = self.inner.evaluate(emit_to)?;
        Ok(cast_with_options(&values, &self.data_type, &EXACT)?)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
