//! The rows an aggregation over sessions reads, each a session of its own: the keys, the start, the end,
//! what the aggregates take, and whether they take it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::{
    AggregateExec, PhysicalGroupBy, aggregate_expressions, evaluate_group_by, evaluate_many,
};

use super::SessionKeys;

/// Makes them of what is below an aggregation.
#[derive(Debug)]
pub(super) struct SessionRows {
    groups: PhysicalGroupBy,
    /// Of each aggregate.
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    /// Of each aggregate.
    filters: Vec<Option<Arc<dyn PhysicalExpr>>>,
    /// Which keys come first, in this order.
    order: Vec<usize>,
    schema: SchemaRef,
}

/// What the aggregates take of some rows.
pub(super) struct Taken {
    /// The columns of each aggregate.
    pub arguments: Vec<Vec<ArrayRef>>,
    /// Which rows each aggregate takes, if not all.
    pub filters: Vec<Option<BooleanArray>>,
}

impl SessionRows {
    /// Those of `partial`; its keys that are no part of the session are `keys`, which have the types of
    /// the first fields of `key_fields`; those of start and end follow.
    pub(super) fn try_new(
        partial: &AggregateExec,
        keys: &[usize],
        session: SessionKeys,
        key_fields: &[Arc<Field>],
    ) -> DataFusionResult<Self> {
        let arguments = aggregate_expressions(partial.aggr_expr(), partial.mode(), 0)?;
        let filters = partial.filter_expr().to_vec();
        let input = partial.input_schema();
        let mut types = Vec::new();
        for argument in arguments.iter().flatten() {
            types.push(argument.data_type(&input)?);
        }
        types.extend(filters.iter().flatten().map(|_| DataType::Boolean));
        let taken = types.into_iter().enumerate();
        let taken = taken.map(|(number, kind)| Field::new(format!("taken{number}"), kind, true));
        let fields: Vec<Arc<Field>> = key_fields
            .iter()
            .cloned()
            .chain(taken.map(Arc::new))
            .collect();
        let order = keys.iter().copied().chain([session.start, session.end]);
        Ok(Self {
            groups: partial.group_expr().clone(),
            arguments,
            filters,
            order: order.collect(),
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// The columns of the rows.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Those of a batch of what is below.
    pub(super) fn of(&self, batch: &RecordBatch) -> DataFusionResult<RecordBatch> {
        let sets = evaluate_group_by(&self.groups, batch)?;
        let [keys] = sets.as_slice() else {
            return datafusion::common::internal_err!("sessions do not go with grouping sets");
        };
        let ordered = self.order.iter().filter_map(|&key| keys.get(key).cloned());
        let arguments = evaluate_many(&self.arguments, batch)?;
        let mut columns: Vec<ArrayRef> = ordered.chain(arguments.into_iter().flatten()).collect();
        for filter in self.filters.iter().flatten() {
            columns.push(filter.evaluate(batch)?.into_array(batch.num_rows())?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    /// What the aggregates take of rows.
    pub(super) fn taken(&self, rows: &RecordBatch) -> Taken {
        let mut columns = rows.columns().iter().skip(self.order.len()).cloned();
        let arguments = self.arguments.iter();
        let arguments = arguments.map(|of_one| columns.by_ref().take(of_one.len()).collect());
        let arguments = arguments.collect();
        let filters = self.filters.iter().map(|filter| {
            filter.as_ref()?;
            let column = columns.next()?;
            let filter = column.as_boolean_opt()?;
            Some(match filter.null_count() {
                0 => filter.clone(),
                _ => prep_null_mask_filter(filter),
            })
        });
        let filters = filters.collect();
        Taken { arguments, filters }
    }
}
