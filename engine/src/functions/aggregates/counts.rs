//! `count` and `count_if`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::filter;
use arrow::compute::kernels::boolean::{and, is_not_null};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::functions_aggregate::count::Count;
use datafusion::logical_expr::expr::{AggregateFunctionParams, WindowFunctionParams};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
    StatisticsArgs,
};
use datafusion::scalar::ScalarValue;

use super::super::scalar::Returns;
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts};
use super::distinct::Distinct;
use super::statistic::{Statistic, added};

/// The count of no rows.
pub(super) const ZERO: fn(&DataType) -> DataFusionResult<ScalarValue> =
    |_| Ok(ScalarValue::Int64(Some(0)));

/// `count_if`.
pub(super) const TABLE: &[Aggregate] = &[Aggregate {
    name: "count_if",
    forms: &[&[Takes::Boolean]],
    returns: Returns::Long,
    counts: Counts::Statistic(&Statistic {
        size: 1,
        update: |state, truth, _| added(state, &[truth]),
        merge: added,
        value: |state| state.first().copied(),
    }),
    empty: Some(ZERO),
    doc: "How many rows a condition holds for.",
    example: "SELECT count_if(x > 1) FROM VALUES (1), (2), (3) AS t(x)",
    ..AGGREGATE
}];

/// `count`: DataFusion's, but distinct rows of several values are counted too.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SparkCount(Count);

impl SparkCount {
    pub(super) fn new() -> Self {
        Self(Count::new())
    }
}

impl AggregateUDFImpl for SparkCount {
    fn name(&self) -> &str {
        "count"
    }

    fn schema_name(&self, params: &AggregateFunctionParams) -> DataFusionResult<String> {
        self.0.schema_name(params)
    }

    fn window_function_schema_name(
        &self,
        params: &WindowFunctionParams,
    ) -> DataFusionResult<String> {
        self.0.window_function_schema_name(params)
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        self.0.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn Accumulator>> {
        match args.is_distinct && args.exprs.len() > 1 {
            true => {
                let types = args
                    .expr_fields
                    .iter()
                    .map(|field| field.data_type().clone());
                let count = args.exprs.len();
                Ok(Box::new(Distinct::new(
                    Box::new(CountRows(0)),
                    types.collect(),
                    count,
                )?))
            }
            false => self.0.accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DataFusionResult<Vec<FieldRef>> {
        if !args.is_distinct || args.input_fields.len() < 2 {
            return self.0.state_fields(args);
        }
        let columns = args.input_fields.iter().enumerate().map(|(index, field)| {
            let name = format_state_name(args.name, &index.to_string());
            Arc::new(Field::new(name, list_of(field.data_type().clone()), true))
        });
        Ok(columns.collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        self.0.create_groups_accumulator(args)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, data_type: &DataType) -> DataFusionResult<ScalarValue> {
        ZERO(data_type)
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs) -> Option<ScalarValue> {
        self.0.value_from_stats(statistics)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.set_monotonicity(data_type)
    }
}

/// Counts rows in which nothing is NULL.
#[derive(Debug)]
struct CountRows(i64);

impl Accumulator for CountRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut counts = BooleanArray::from(vec![true; rows]);
        for column in values {
            counts = and(&counts, &is_not_null(column)?)?;
        }
        self.0 += filter(&counts, &counts)?.len() as i64;
        Ok(())
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> DataFusionResult<()> {
        datafusion::common::internal_err!("distinct rows are counted by what they are")
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.0)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
