//! `dropDuplicates` and `dropDuplicatesWithinWatermark`.

use std::fmt;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation};
use crate::error::{Error, Result, from_datafusion};
use crate::operators::{self, DedupKind};
use crate::plan::event_time::{event_time_columns, the_event_time, watermark_delay_ms};
use crate::plan::streaming_relation::is_streaming;

/// Keeps the first row per key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct Deduplicate {
    keys: Vec<Column>,
    /// `dropDuplicatesWithinWatermark`.
    pub(in crate::plan) within_watermark: bool,
}

impl Deduplicate {
    /// Whether it forgets keys by their event time.
    pub(in crate::plan) fn is_by_event_time(&self, inputs: &[LogicalPlan]) -> bool {
        let is_event_time = |input: &LogicalPlan, key: &Column| {
            let schema = input.schema();
            let index = schema.index_of_column(key);
            index.is_ok_and(|index| watermark_delay_ms(schema.field(index)).is_some())
        };
        let any_is = |input| self.keys.iter().any(|key| is_event_time(input, key));
        self.within_watermark || inputs.iter().any(any_is)
    }
}

/// Keeps the first row per combination of `keys`.
pub(crate) fn deduplicate(
    input: LogicalPlan,
    keys: Vec<Column>,
    within_watermark: bool,
) -> Result<LogicalPlan> {
    if !is_streaming(&input) {
        return deduplicate_table(input, keys, within_watermark);
    }
    let deduplicate = Deduplicate {
        keys,
        within_watermark,
    };
    StreamingNode::plan(deduplicate, vec![input])
}

fn deduplicate_table(
    input: LogicalPlan,
    keys: Vec<Column>,
    within_watermark: bool,
) -> Result<LogicalPlan> {
    if within_watermark {
        let message = "dropDuplicatesWithinWatermark is for streams only";
        return Err(Error::analysis(message).with_hint("use dropDuplicates"));
    }
    let columns = input.schema().columns();
    let builder = LogicalPlanBuilder::from(input);
    let distinct = if keys.len() == columns.len() {
        builder.distinct()
    } else {
        let expressions = |columns: Vec<Column>| columns.into_iter().map(Expr::Column).collect();
        builder.distinct_on(expressions(keys), expressions(columns), None)
    };
    let distinct = distinct.and_then(LogicalPlanBuilder::build);
    distinct.map_err(from_datafusion)
}

impl StreamingOperation for Deduplicate {
    const NAME: &'static str = "Deduplicate";

    fn columns(&self) -> Vec<Column> {
        self.keys.clone()
    }

    fn with_columns(&self, keys: Vec<Column>) -> DataFusionResult<Self> {
        Ok(Self {
            keys,
            ..self.clone()
        })
    }

    fn other_columns(&self, input: &DFSchema) -> Option<Vec<usize>> {
        Some(event_time_columns(input).map(|(index, _)| index).collect())
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(Column::flat_name).collect();
        let within = match self.within_watermark {
            true => "WithinWatermark",
            false => "",
        };
        write!(f, "{within}: [{}]", keys.join(", "))
    }

    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (logical, input) = planning.input()?;
        let schema = logical.schema();
        let keys = self.keys.iter().map(|key| schema.index_of_column(key));
        let keys = keys.collect::<DataFusionResult<Vec<_>>>()?;
        let event_time = the_event_time(schema.fields())?;
        let kind = match (self.within_watermark, event_time) {
            (true, Some((_, delay_ms))) => DedupKind::WithinWatermark { delay_ms },
            _ => DedupKind::Plain,
        };
        let event_time = event_time.map(|(index, _)| index);
        let context = Arc::clone(planning.context);
        Ok(Arc::new(operators::dedup(
            context, input, keys, event_time, kind,
        )))
    }
}
