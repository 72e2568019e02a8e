//! A join of two streams.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef, JoinType};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, build_join_schema};
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::Result;
use crate::operators::{self, JoinSide, StateWatermark};
use crate::plan::event_time::the_event_time;
use crate::plan::join_condition::JoinCondition;

/// What two streams are joined by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct StreamJoin {
    join_type: JoinType,
    condition: JoinCondition,
}

/// The join of two streams that `join` asks for.
pub(in crate::plan) fn stream_join(join: &Join) -> Result<LogicalPlan> {
    let operation = StreamJoin {
        join_type: join.join_type,
        condition: JoinCondition::of(join),
    };
    let inputs = [&join.left, &join.right].map(|input| input.as_ref().clone());
    StreamingNode::plan(operation, inputs.to_vec())
}

impl StreamingOperation for StreamJoin {
    const NAME: &'static str = "StreamJoin";

    fn schema(&self, inputs: &[LogicalPlan]) -> DataFusionResult<DFSchemaRef> {
        let [left, right] = inputs else {
            return datafusion::common::internal_err!("a join has two inputs");
        };
        let schema = build_join_schema(left.schema(), right.schema(), &self.join_type)?;
        Ok(Arc::new(schema))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": {} on {}", self.join_type, self.condition)
    }

    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (&[left, right], [left_input, right_input]) = (planning.logical, planning.physical)
        else {
            return datafusion::common::internal_err!("a join has two inputs");
        };
        let (left, right) = (left.schema(), right.schema());
        let (on_left, on_right, on_both) = self.condition.by_side(left, right);
        let both = left.join(right)?;
        let condition = conjunction(on_both);
        let condition = condition.map(|condition| planning.expression(&condition, &both));
        let (left_keys, right_keys) = self.condition.keys.iter().map(|(l, r)| (l, r)).unzip();
        let key = self.condition.watermark_key(left, right);
        let join = operators::StreamJoin {
            join_type: self.join_type,
            left: self.side(planning, key, left_keys, on_left, (left, right))?,
            right: self.side(planning, key, right_keys, on_right, (right, left))?,
            condition: condition.transpose()?,
            condition_text: self.condition.as_typed(),
        };
        Ok(Arc::new(operators::stream_join(
            Arc::clone(planning.context),
            Arc::clone(left_input),
            Arc::clone(right_input),
            join,
            Arc::clone(planning.schema.inner()),
        )?))
    }
}

impl StreamJoin {
    /// One side, of which `own` are the columns; `filter` are the conditions on it alone.
    fn side(
        &self,
        planning: &Planning<'_>,
        watermark_key: Option<usize>,
        keys: Vec<&Expr>,
        filter: Vec<Expr>,
        (own, other): (&DFSchema, &DFSchema),
    ) -> DataFusionResult<JoinSide> {
        let event_time = the_event_time(own.fields())?;
        let keys = keys.into_iter().map(|key| planning.expression(key, own));
        let filter = conjunction(filter).map(|filter| planning.expression(&filter, own));
        let state_watermark = match watermark_key {
            Some(key) => Some(StateWatermark::Key(key)),
            None => event_time.and_then(|(column, _)| {
                let bounds = self.condition.bounds(own, other);
                (!bounds.is_empty()).then_some(StateWatermark::Value { column, bounds })
            }),
        };
        Ok(JoinSide {
            keys: keys.collect::<DataFusionResult<_>>()?,
            filter: filter.transpose()?,
            event_time: event_time.map(|(column, _)| column),
            state_watermark,
        })
    }
}
