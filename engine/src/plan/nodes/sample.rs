//! `sample`, which is refused when the query starts.

use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::Result;

/// Some rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct Sample;

/// Some rows of `input`, which no streaming query may ask for.
pub(crate) fn sample(input: LogicalPlan) -> Result<LogicalPlan> {
    StreamingNode::plan(Sample, vec![input])
}

impl StreamingOperation for Sample {
    const NAME: &'static str = "Sample";

    fn plan(&self, _planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        datafusion::common::internal_err!("a sample of a stream was not refused")
    }
}
