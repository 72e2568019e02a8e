//! A limit that counts the rows of the whole query.

use std::fmt;
use std::sync::Arc;

use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::Result;
use crate::operators::streaming_global_limit;

/// Lets the first rows of the query pass, over all batches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct GlobalLimit {
    rows: usize,
}

/// The first `rows` rows that `input` ever gives.
pub(in crate::plan) fn global_limit(input: LogicalPlan, rows: usize) -> Result<LogicalPlan> {
    StreamingNode::plan(GlobalLimit { rows }, vec![input])
}

impl StreamingOperation for GlobalLimit {
    const NAME: &'static str = "GlobalLimit";

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": {}", self.rows)
    }

    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (_, input) = planning.input()?;
        let context = Arc::clone(planning.context);
        Ok(Arc::new(streaming_global_limit(context, input, self.rows)))
    }
}
