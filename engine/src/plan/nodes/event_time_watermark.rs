//! `withWatermark`: which column is the event time, and how long late rows are waited for.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, DFSchema, DFSchemaRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;

use super::{Planning, StreamingNode, StreamingOperation, find_column, first};
use crate::error::{Error, Result};
use crate::operators::EventTimeWatermarkExec;
use crate::plan::event_time::WATERMARK_DELAY_MS;
use crate::plan::streaming_relation::is_streaming;
use crate::type_names::sql_type;

/// Marks a column as the event time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(in crate::plan) struct EventTimeWatermark {
    event_time: Column,
    delay_ms: i64,
    identity: Identity,
}

/// Which `withWatermark` it is: a stream that stands twice in a query has one watermark all the same.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Identity(Arc<()>);

impl Identity {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.address().hash(state);
    }
}

impl PartialOrd for Identity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.address().partial_cmp(&other.address())
    }
}

/// Marks `event_time` of `input` as its event time, with a watermark `delay_ms` behind it.
pub(crate) fn with_watermark(
    input: LogicalPlan,
    event_time: &str,
    delay_ms: i64,
) -> Result<LogicalPlan> {
    let (column, field) = find_column(input.schema(), event_time, "the watermark")?;
    if !matches!(
        field.data_type(),
        DataType::Timestamp(TimeUnit::Microsecond, _)
    ) {
        let message = format!(
            "the event time '{event_time}' must be a TIMESTAMP, but it is {}",
            sql_type(field.data_type())
        );
        return Err(Error::analysis(message)
            .with_condition("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE")
            .with_parameter("eventName", format!("`{event_time}`"))
            .with_parameter("eventType", format!("\"{}\"", sql_type(field.data_type())))
            .with_hint(format!("declare the column as '{event_time} TIMESTAMP'")));
    }
    if !is_streaming(&input) {
        // As in Spark, a table is complete: nothing in it comes late.
        return Ok(input);
    }
    let watermark = EventTimeWatermark {
        event_time: column,
        delay_ms,
        identity: Identity(Arc::default()),
    };
    StreamingNode::plan(watermark, vec![input])
}

impl StreamingOperation for EventTimeWatermark {
    const NAME: &'static str = "EventTimeWatermark";

    fn columns(&self) -> Vec<Column> {
        vec![self.event_time.clone()]
    }

    fn with_columns(&self, columns: Vec<Column>) -> DataFusionResult<Self> {
        let Ok([event_time]) = <[Column; 1]>::try_from(columns) else {
            return datafusion::common::internal_err!("a watermark has one column");
        };
        Ok(Self {
            event_time,
            ..self.clone()
        })
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> DataFusionResult<DFSchemaRef> {
        let schema = first(inputs)?.schema();
        let marked = schema.index_of_column(&self.event_time)?;
        let fields = schema
            .iter()
            .enumerate()
            .map(|(index, (qualifier, field))| {
                let mut field = field.as_ref().clone();
                if index == marked {
                    let mut metadata = field.metadata().clone();
                    let delay = self.delay_ms.to_string();
                    metadata.insert(WATERMARK_DELAY_MS.to_string(), delay);
                    field = field.with_metadata(metadata);
                }
                (qualifier.cloned(), Arc::new(field))
            })
            .collect();
        let schema = DFSchema::new_with_metadata(fields, schema.metadata().clone())?;
        Ok(Arc::new(schema))
    }

    /// As in Spark, a filter may move below a watermark unless it looks at the event time: rows it
    /// removes then do not move the watermark.
    fn fixed_columns(&self, _schema: &DFSchema) -> HashSet<String> {
        HashSet::from([self.event_time.name.clone()])
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            event_time,
            delay_ms,
            ..
        } = self;
        write!(f, ": {event_time}, delay {delay_ms} ms")
    }

    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let (logical, input) = planning.input()?;
        let observer = planning.observer(&self.identity, self.delay_ms);
        let column = logical.schema().index_of_column(&self.event_time)?;
        let schema = Arc::clone(planning.schema.inner());
        let node = EventTimeWatermarkExec::new(input, observer, column, schema);
        Ok(Arc::new(node))
    }
}
