//! The states of aggregates: merged, and turned into results. Always with fresh accumulators, which
//! consume what they return.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use super::errors::datafusion_error;
use crate::error::{Error, Result};

/// The aggregates of an aggregation.
#[derive(Debug)]
pub(super) struct AggregateStates(Vec<Arc<AggregateFunctionExpr>>);

impl AggregateStates {
    pub(super) fn new(aggregates: &[Arc<AggregateFunctionExpr>]) -> Self {
        Self(aggregates.to_vec())
    }

    /// Whether there is nothing else than counts.
    pub(super) fn are_counts(&self) -> bool {
        let mut names = self.0.iter().map(|aggregate| aggregate.fun().name());
        !self.0.is_empty() && names.all(|name| name == "count")
    }

    /// Merges states, the columns of all aggregates one after the other, into one row per group.
    pub(super) fn merge(
        &self,
        states: &[ArrayRef],
        group_of_row: &[usize],
        groups: usize,
    ) -> Result<Vec<ArrayRef>> {
        self.each(states, |accumulator, states| {
            // One call with every group in it: accumulators take a call without NULLs as having
            // seen all groups.
            accumulator.merge_batch(states, group_of_row, groups)?;
            accumulator.state(EmitTo::All)
        })
    }

    /// The states of rows, of which each belongs to a group: `arguments` are the columns of each aggregate,
    /// `filters` say which rows it takes.
    pub(super) fn update(
        &self,
        arguments: &[Vec<ArrayRef>],
        filters: &[Option<BooleanArray>],
        group_of_row: &[usize],
        groups: usize,
    ) -> Result<Vec<ArrayRef>> {
        let mut states = Vec::new();
        for (aggregate, (arguments, filter)) in self.0.iter().zip(arguments.iter().zip(filters)) {
            let mut accumulator = accumulator(aggregate)?;
            let updated =
                accumulator.update_batch(arguments, group_of_row, filter.as_ref(), groups);
            let state = updated.and_then(|()| accumulator.state(EmitTo::All));
            states.extend(state.map_err(datafusion_error)?);
        }
        Ok(states)
    }

    /// The results of states, one column per aggregate.
    pub(super) fn evaluate(&self, states: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>> {
        let groups: Vec<usize> = (0..rows).collect();
        self.each(states, |accumulator, states| {
            accumulator.merge_batch(states, &groups, rows)?;
            Ok(vec![accumulator.evaluate(EmitTo::All)?])
        })
    }

    fn each(
        &self,
        states: &[ArrayRef],
        work: impl Fn(&mut dyn GroupsAccumulator, &[ArrayRef]) -> DataFusionResult<Vec<ArrayRef>>,
    ) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::new();
        let mut rest = states;
        for aggregate in &self.0 {
            let width = aggregate.state_fields().map_err(datafusion_error)?.len();
            let (own, behind) = rest
                .split_at_checked(width)
                .ok_or_else(|| Error::internal("an aggregate lacks columns of its state"))?;
            rest = behind;
            let mut accumulator = accumulator(aggregate)?;
            let result = work(accumulator.as_mut(), own);
            columns.extend(result.map_err(datafusion_error)?);
        }
        Ok(columns)
    }
}

fn accumulator(aggregate: &Arc<AggregateFunctionExpr>) -> Result<Box<dyn GroupsAccumulator>> {
    if aggregate.groups_accumulator_supported() {
        return aggregate
            .create_groups_accumulator()
            .map_err(datafusion_error);
    }
    let aggregate = Arc::clone(aggregate);
    let adapter = GroupsAccumulatorAdapter::new(move || aggregate.create_accumulator());
    Ok(Box::new(adapter))
}
