//! The nodes that only streams have, as extensions of DataFusion's logical plan: what is the same for
//! all of them. One node, one file.

mod deduplicate;
mod event_time_watermark;
mod global_limit;
mod sample;
mod stateful_aggregate;
mod stream_join;
mod transform_with_state;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, DFSchemaRef, TableReference};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use parking_lot::Mutex;

pub(super) use self::deduplicate::Deduplicate;
pub(crate) use self::deduplicate::deduplicate;
pub(crate) use self::event_time_watermark::with_watermark;
pub(super) use self::event_time_watermark::{EventTimeWatermark, Identity};
pub(super) use self::global_limit::{GlobalLimit, global_limit};
pub(super) use self::sample::Sample;
pub(crate) use self::sample::sample;
pub(super) use self::stateful_aggregate::{StatefulAggregate, stateful_aggregate};
pub(super) use self::stream_join::{StreamJoin, stream_join};
pub(super) use self::transform_with_state::Processor;
pub(crate) use self::transform_with_state::{KeyedRows, TransformWithState, transform_with_state};
use crate::error::Result;
use crate::operators::{BatchContext, WatermarkObserver};
use crate::output_mode::OutputMode;

/// What a node that only streams have does with its inputs.
pub(super) trait StreamingOperation:
    fmt::Debug + Clone + Eq + Hash + PartialOrd + Send + Sync + 'static
{
    /// The node's name in plans.
    const NAME: &'static str;

    /// Columns of its input that it looks at.
    fn columns(&self) -> Vec<Column> {
        Vec::new()
    }

    /// The same, looking at other columns in their places.
    fn with_columns(&self, columns: Vec<Column>) -> DataFusionResult<Self> {
        match columns.is_empty() {
            true => Ok(self.clone()),
            false => datafusion::common::internal_err!("{} has no columns", Self::NAME),
        }
    }

    /// The columns of its rows.
    fn schema(&self, inputs: &[LogicalPlan]) -> DataFusionResult<DFSchemaRef> {
        Ok(Arc::clone(first(inputs)?.schema()))
    }

    /// The columns at which a condition has to stay above the node.
    fn fixed_columns(&self, schema: &DFSchema) -> HashSet<String> {
        let fields = schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    /// Columns of its input that it needs besides those it looks at; `None` if it needs all.
    fn other_columns(&self, _input: &DFSchema) -> Option<Vec<usize>> {
        Some(Vec::new())
    }

    /// Says behind the name what the node was made with.
    fn describe(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    /// The physical node.
    fn plan(&self, planning: &Planning<'_>) -> DataFusionResult<Arc<dyn ExecutionPlan>>;
}

/// The input of a node that has one, or the first of several.
fn first(inputs: &[LogicalPlan]) -> DataFusionResult<&LogicalPlan> {
    match inputs {
        [input, ..] => Ok(input),
        [] => datafusion::common::internal_err!("the node has an input"),
    }
}

/// What a physical node is made of.
pub(super) struct Planning<'a> {
    /// What nodes learn about the batch.
    pub(super) context: &'a Arc<BatchContext>,
    /// The mode of the query.
    pub(super) output_mode: OutputMode,
    /// The watermarks of the query, in the order of the plan.
    pub(super) watermarks: &'a Mutex<Vec<Watermark>>,
    /// The columns of the node's rows.
    pub(super) schema: &'a DFSchemaRef,
    /// The inputs.
    pub(super) logical: &'a [&'a LogicalPlan],
    /// The same, planned.
    pub(super) physical: &'a [Arc<dyn ExecutionPlan>],
    pub(super) session: &'a dyn Session,
    pub(super) planning: &'a PhysicalPlanningContext,
}

/// A watermark of a query: which `withWatermark` it is, and what that sees.
pub(super) type Watermark = (Identity, Arc<WatermarkObserver>);

impl Planning<'_> {
    /// What sees the event times of a `withWatermark`.
    fn observer(&self, identity: &Identity, delay_ms: i64) -> Arc<WatermarkObserver> {
        let mut watermarks = self.watermarks.lock();
        if let Some((_, known)) = watermarks.iter().find(|(known, _)| known == identity) {
            return Arc::clone(known);
        }
        let observer = Arc::new(WatermarkObserver::new(delay_ms));
        watermarks.push((identity.clone(), Arc::clone(&observer)));
        observer
    }

    /// The input of a node that has one.
    pub(super) fn input(&self) -> DataFusionResult<(&LogicalPlan, Arc<dyn ExecutionPlan>)> {
        match (self.logical, self.physical) {
            ([logical], [physical]) => Ok((logical, Arc::clone(physical))),
            _ => datafusion::common::internal_err!("the node has one input"),
        }
    }

    /// An expression of columns of `schema`.
    pub(super) fn expression(
        &self,
        expr: &Expr,
        schema: &DFSchema,
    ) -> DataFusionResult<Arc<dyn PhysicalExpr>> {
        let properties = self.session.execution_props();
        datafusion::physical_expr::create_physical_expr(expr, schema, properties, self.planning)
    }
}

/// A node that only streams have.
#[derive(Debug, Clone)]
pub(super) struct StreamingNode<O> {
    operation: O,
    inputs: Vec<LogicalPlan>,
    schema: DFSchemaRef,
}

impl<O: StreamingOperation> StreamingNode<O> {
    /// The plan that does `operation` with `inputs`.
    pub(super) fn plan(operation: O, inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
        let node = Self::try_new(operation, inputs).map_err(crate::error::from_datafusion)?;
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
    }

    fn try_new(operation: O, inputs: Vec<LogicalPlan>) -> DataFusionResult<Self> {
        Ok(Self {
            schema: operation.schema(&inputs)?,
            operation,
            inputs,
        })
    }

    /// The node, if `plan` is one that does an `O`.
    pub(super) fn of(plan: &LogicalPlan) -> Option<&Self> {
        let LogicalPlan::Extension(extension) = plan else {
            return None;
        };
        extension.node.as_any().downcast_ref()
    }

    /// What it does.
    pub(super) fn operation(&self) -> &O {
        &self.operation
    }

    /// What it does it with.
    pub(super) fn inputs(&self) -> &[LogicalPlan] {
        &self.inputs
    }
}

/// The physical node of `node`, if it is one of ours. `planning` knows all but the schema.
pub(super) fn plan_node(
    node: &dyn UserDefinedLogicalNode,
    planning: &Planning<'_>,
) -> DataFusionResult<Option<Arc<dyn ExecutionPlan>>> {
    fn plan<O: StreamingOperation>(
        node: &dyn UserDefinedLogicalNode,
        planning: &Planning<'_>,
    ) -> Option<DataFusionResult<Arc<dyn ExecutionPlan>>> {
        let node = node.as_any().downcast_ref::<StreamingNode<O>>()?;
        Some(node.operation.plan(planning))
    }
    let planners = [
        plan::<EventTimeWatermark>,
        plan::<Deduplicate>,
        plan::<StatefulAggregate>,
        plan::<GlobalLimit>,
        plan::<Sample>,
        plan::<StreamJoin>,
        plan::<Processor>,
    ];
    let planned = planners.iter().find_map(|plan| plan(node, planning));
    planned.transpose()
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

impl<O: StreamingOperation> PartialEq for StreamingNode<O> {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation && self.inputs == other.inputs
    }
}

impl<O: StreamingOperation> Eq for StreamingNode<O> {}

impl<O: StreamingOperation> Hash for StreamingNode<O> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operation.hash(state);
        self.inputs.hash(state);
    }
}

impl<O: StreamingOperation> PartialOrd for StreamingNode<O> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.operation.partial_cmp(&other.operation) {
            Some(Ordering::Equal) => self.inputs.partial_cmp(&other.inputs),
            unequal => unequal,
        }
    }
}

impl<O: StreamingOperation> UserDefinedLogicalNodeCore for StreamingNode<O> {
    fn name(&self) -> &str {
        O::NAME
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let columns = self.operation.columns().into_iter();
        columns.map(Expr::Column).collect()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.operation.fixed_columns(&self.schema)
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", O::NAME)?;
        self.operation.describe(f)
    }

    fn with_exprs_and_inputs(
        &self,
        exprs: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> DataFusionResult<Self> {
        let columns = exprs.into_iter().map(|expr| match expr.unalias() {
            Expr::Column(column) => Ok(column),
            other => datafusion::common::internal_err!("{other} is not a column"),
        });
        let columns = columns.collect::<DataFusionResult<_>>()?;
        Self::try_new(self.operation.with_columns(columns)?, inputs)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let [input] = self.inputs.as_slice() else {
            return None;
        };
        let mut needed = self.operation.other_columns(input.schema())?;
        needed.extend_from_slice(output_columns);
        for column in self.operation.columns() {
            needed.push(input.schema().index_of_column(&column).ok()?);
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
