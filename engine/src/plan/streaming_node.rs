//! The nodes that only streams have, as extensions of DataFusion's logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::{Column, DFSchema, DFSchemaRef, TableReference};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, LogicalPlanBuilder, UserDefinedLogicalNodeCore,
};

use super::event_time::{WATERMARK_DELAY_MS, watermark_delay_ms};
use super::streaming_relation::is_streaming;
use crate::error::{Error, Result, from_datafusion};
use crate::type_names::sql_type;

/// A node that only streams have.
#[derive(Debug, Clone)]
pub struct StreamingNode {
    kind: NodeKind,
    input: LogicalPlan,
    schema: DFSchemaRef,
}

/// What such a node does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub(super) enum NodeKind {
    /// `withWatermark`.
    EventTimeWatermark { event_time: Column, delay_ms: i64 },
    /// `dropDuplicates`, `dropDuplicatesWithinWatermark`.
    Deduplicate {
        keys: Vec<Column>,
        within_watermark: bool,
    },
    /// Makes the aggregation below it stateful.
    StatefulAggregate,
    /// Lets the first `limit` rows of the query pass, over all batches.
    GlobalLimit { limit: usize },
    /// `sample`, which is refused when the query starts.
    Sample,
}

/// Marks `event_time` of `input` as its event time, with a watermark `delay_ms` behind it.
pub fn with_watermark(input: LogicalPlan, event_time: &str, delay_ms: i64) -> Result<LogicalPlan> {
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
            .with_hint(format!("declare the column as '{event_time} TIMESTAMP'")));
    }
    if !is_streaming(&input) {
        // As in Spark, a table is complete: nothing in it comes late.
        return Ok(input);
    }
    let kind = NodeKind::EventTimeWatermark {
        event_time: column,
        delay_ms,
    };
    StreamingNode::plan(kind, input)
}

/// Keeps the first row per combination of `keys`.
pub fn deduplicate(
    input: LogicalPlan,
    keys: Vec<Column>,
    within_watermark: bool,
) -> Result<LogicalPlan> {
    if !is_streaming(&input) {
        return deduplicate_table(input, keys, within_watermark);
    }
    let kind = NodeKind::Deduplicate {
        keys,
        within_watermark,
    };
    StreamingNode::plan(kind, input)
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

/// Makes `aggregate` stateful.
pub(super) fn stateful_aggregate(aggregate: LogicalPlan) -> Result<LogicalPlan> {
    StreamingNode::plan(NodeKind::StatefulAggregate, aggregate)
}

/// The first `limit` rows that `input` ever gives.
pub(super) fn global_limit(input: LogicalPlan, limit: usize) -> Result<LogicalPlan> {
    StreamingNode::plan(NodeKind::GlobalLimit { limit }, input)
}

/// Some rows of `input`, which no streaming query may ask for.
pub fn sample(input: LogicalPlan) -> Result<LogicalPlan> {
    StreamingNode::plan(NodeKind::Sample, input)
}

/// Finds a column by name, whatever its case.
fn find_column(schema: &DFSchema, name: &str, wanted_by: &str) -> Result<(Column, FieldRef)> {
    let matches = |field: &str| field.eq_ignore_ascii_case(name);
    let found = schema.iter().find(|(_, field)| matches(field.name()));
    let Some((qualifier, field)) = found else {
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        return Err(crate::error::unresolved_column(name, &names)
            .context(format!("{wanted_by} needs a column of the stream")));
    };
    let qualifier: Option<TableReference> = qualifier.cloned();
    Ok((Column::new(qualifier, field.name()), Arc::clone(field)))
}

impl StreamingNode {
    fn plan(kind: NodeKind, input: LogicalPlan) -> Result<LogicalPlan> {
        let node = Self::try_new(kind, input)
            .map_err(|error| Error::internal(error.to_string()).with_source(error))?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    fn try_new(kind: NodeKind, input: LogicalPlan) -> DataFusionResult<Self> {
        let schema = match &kind {
            NodeKind::EventTimeWatermark {
                event_time,
                delay_ms,
            } => mark_event_time(input.schema(), event_time, *delay_ms)?,
            NodeKind::Deduplicate { .. }
            | NodeKind::StatefulAggregate
            | NodeKind::GlobalLimit { .. }
            | NodeKind::Sample => Arc::clone(input.schema()),
        };
        Ok(Self {
            kind,
            input,
            schema,
        })
    }

    pub(super) fn kind(&self) -> &NodeKind {
        &self.kind
    }

    pub(super) fn input(&self) -> &LogicalPlan {
        &self.input
    }

    fn columns(&self) -> Vec<Column> {
        match &self.kind {
            NodeKind::EventTimeWatermark { event_time, .. } => vec![event_time.clone()],
            NodeKind::Deduplicate { keys, .. } => keys.clone(),
            NodeKind::StatefulAggregate | NodeKind::GlobalLimit { .. } | NodeKind::Sample => {
                Vec::new()
            }
        }
    }
}

fn mark_event_time(
    schema: &DFSchema,
    event_time: &Column,
    delay_ms: i64,
) -> DataFusionResult<DFSchemaRef> {
    let marked = schema.index_of_column(event_time)?;
    let fields = schema
        .iter()
        .enumerate()
        .map(|(index, (qualifier, field))| {
            let mut field = field.as_ref().clone();
            if index == marked {
                let mut metadata = field.metadata().clone();
                metadata.insert(WATERMARK_DELAY_MS.to_string(), delay_ms.to_string());
                field = field.with_metadata(metadata);
            }
            (qualifier.cloned(), Arc::new(field))
        })
        .collect();
    let schema = DFSchema::new_with_metadata(fields, schema.metadata().clone())?;
    Ok(Arc::new(schema))
}

impl PartialEq for StreamingNode {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.input == other.input
    }
}

impl Eq for StreamingNode {}

impl Hash for StreamingNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for StreamingNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.kind.partial_cmp(&other.kind) {
            Some(Ordering::Equal) => self.input.partial_cmp(&other.input),
            unequal => unequal,
        }
    }
}

impl UserDefinedLogicalNodeCore for StreamingNode {
    fn name(&self) -> &str {
        match self.kind {
            NodeKind::EventTimeWatermark { .. } => "EventTimeWatermark",
            NodeKind::Deduplicate { .. } => "Deduplicate",
            NodeKind::StatefulAggregate => "StatefulAggregate",
            NodeKind::GlobalLimit { .. } => "GlobalLimit",
            NodeKind::Sample => "Sample",
        }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.columns().into_iter().map(Expr::Column).collect()
    }

    /// As in Spark, a filter may move below a watermark unless it looks at the event time: rows it
    /// removes then do not move the watermark.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        match &self.kind {
            NodeKind::EventTimeWatermark { event_time, .. } => {
                HashSet::from([event_time.name.clone()])
            }
            NodeKind::Deduplicate { .. }
            | NodeKind::StatefulAggregate
            | NodeKind::GlobalLimit { .. }
            | NodeKind::Sample => {
                let fields = self.schema.fields().iter();
                fields.map(|field| field.name().clone()).collect()
            }
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::EventTimeWatermark {
                event_time,
                delay_ms,
            } => write!(f, "EventTimeWatermark: {event_time}, delay {delay_ms} ms"),
            NodeKind::Deduplicate {
                keys,
                within_watermark,
            } => {
                let keys: Vec<String> = keys.iter().map(Column::flat_name).collect();
                let within = if *within_watermark {
                    "WithinWatermark"
                } else {
                    ""
                };
                write!(f, "Deduplicate{within}: [{}]", keys.join(", "))
            }
            NodeKind::StatefulAggregate => write!(f, "StatefulAggregate"),
            NodeKind::GlobalLimit { limit } => write!(f, "GlobalLimit: {limit}"),
            NodeKind::Sample => write!(f, "Sample"),
        }
    }

    fn with_exprs_and_inputs(
        &self,
        exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        let mut columns = exprs.into_iter().map(|expr| match expr.unalias() {
            Expr::Column(column) => Ok(column),
            other => datafusion::common::internal_err!("{other} is not a column"),
        });
        let kind = match &self.kind {
            NodeKind::EventTimeWatermark { delay_ms, .. } => NodeKind::EventTimeWatermark {
                event_time: columns.next().unwrap_or_else(|| {
                    datafusion::common::internal_err!("a watermark without a column")
                })?,
                delay_ms: *delay_ms,
            },
            NodeKind::Deduplicate {
                within_watermark, ..
            } => NodeKind::Deduplicate {
                keys: columns.collect::<DataFusionResult<_>>()?,
                within_watermark: *within_watermark,
            },
            unchanged @ (NodeKind::StatefulAggregate
            | NodeKind::GlobalLimit { .. }
            | NodeKind::Sample) => unchanged.clone(),
        };
        Self::try_new(kind, inputs.swap_remove(0))
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut needed: Vec<usize> = output_columns.to_vec();
        for column in self.columns() {
            needed.push(self.input.schema().index_of_column(&column).ok()?);
        }
        if matches!(self.kind, NodeKind::Deduplicate { .. }) {
            let fields = self.input.schema().fields().iter().enumerate();
            let event_times = fields.filter(|(_, field)| watermark_delay_ms(field).is_some());
            needed.extend(event_times.map(|(index, _)| index));
        }
        needed.sort_unstable();
        needed.dedup();
        match self.kind {
            NodeKind::StatefulAggregate => None,
            _ => Some(vec![needed]),
        }
    }
}
