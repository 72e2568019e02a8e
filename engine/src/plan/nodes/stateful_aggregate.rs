//! Makes the aggregation below it go on from batch to batch.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::Result;
use crate::operators::{self, EventTimeColumn, SessionKeys};
use crate::plan::event_time::{SessionBound, session_bound_of, the_event_time, window_duration_us};

/// The whole of an aggregation, state and result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct StatefulAggregate;

/// Makes `aggregate` stateful.
pub(in crate::plan) fn stateful_aggregate(aggregate: LogicalPlan) -> Result<LogicalPlan> {
    StreamingNode::plan(StatefulAggregate, vec![aggregate])
}

impl StreamingOperation for StatefulAggregate {
    const NAME: &'static str = "StatefulAggregate";

    fn other_columns(&self, _input: &DFSchema) -> Option<Vec<usize>> {
        None
    }

    /// DataFusion has planned the aggregation in two halves, partial and final; the state takes
    /// the place of the final half.
    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (logical, input) = planning.input()?;
        let LogicalPlan::Aggregate(aggregate) = logical else {
            return datafusion::common::internal_err!("StatefulAggregate needs an aggregation");
        };
        let halves = input.downcast_ref::<AggregateExec>();
        let partial = halves.map(AggregateExec::input);
        let Some((partial, exec)) =
            partial.and_then(|partial| Some((partial, partial.downcast_ref::<AggregateExec>()?)))
        else {
            return Err(DataFusionError::Internal(
                "an aggregation was not planned in two halves".into(),
            ));
        };
        let keys = grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter();
        let keys = keys.map(|key| Ok(key.to_field(aggregate.input.schema())?.1));
        let keys = keys.collect::<DataFusionResult<Vec<_>>>()?;
        let event_time = the_event_time(&keys)?;
        let context = Arc::clone(planning.context);
        let (partial, mode, schema) = (Arc::clone(partial), planning.output_mode, input.schema());
        let bound = |bound| {
            keys.iter()
                .position(|key| session_bound_of(key) == Some(bound))
        };
        let bounds = (bound(SessionBound::Start), bound(SessionBound::End));
        if let (Some(start), Some(end)) = bounds {
            let session = SessionKeys {
                start,
                end,
                has_watermark: event_time.is_some(),
            };
            let node = operators::session_window(context, exec, session, mode, schema)?;
            return Ok(Arc::new(node));
        }
        let event_time = event_time.map(|(column, _)| match keys.get(column) {
            Some(key) => Ok(EventTimeColumn {
                column,
                duration_us: window_duration_us(key),
            }),
            None => datafusion::common::internal_err!("the event time is no key"),
        });
        let event_time = event_time.transpose()?;
        let node = operators::stateful_aggregate(context, exec, partial, event_time, mode, schema);
        Ok(Arc::new(node))
    }
}
