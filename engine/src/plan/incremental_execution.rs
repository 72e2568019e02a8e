//! One streaming query, planned once and executed batch after batch.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::context::{QueryPlanner, SessionState};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{FetchType, LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use parking_lot::Mutex;

use super::bound_sources::BoundSources;
use super::current_time::{TimeSource, resolve_current_time};
use super::flat_map_groups_with_state::FlatMapGroupsWithStateNode;
use super::join_sides::with_streams_first;
use super::nodes::{Planning, Watermark, global_limit, plan_node, stateful_aggregate, stream_join};
use super::outer_joins::simpler_joins;
use super::rows_of_nodes::{rows_of_nodes, watermark_column};
use super::semi_joins::semi_joins_first;
use super::streaming_relation::{is_streaming, joins_streams};
use super::watermark_propagator::WatermarkPropagator;
use crate::error::{Error, Result, from_datafusion};
use crate::operators::{
    self, BatchContext, InputPart, StatefulOperator, WatermarkObserver, Watermarks,
};
use crate::output_mode::OutputMode;
use crate::why::NodeRows;

/// A plan that was accepted, with its streams, not yet bound to a run.
#[derive(Debug, Clone)]
pub(crate) struct StreamingPlan {
    /// The logical plan; windows resolved, nothing optimised.
    pub plan: LogicalPlan,
    /// Which rows a batch hands to the sink.
    pub output_mode: OutputMode,
}

/// The physical plan of one run of a query, and what lives as long as the run.
#[derive(Debug)]
pub(crate) struct IncrementalExecution {
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    optimized: LogicalPlan,
    /// What the plan's nodes learn about the batch.
    pub context: Arc<BatchContext>,
    /// What the plan reads.
    pub sources: BoundSources,
    /// The stateful operators, the one nearest the sink first; the position is the operator's id.
    pub operators: Vec<Arc<dyn StatefulOperator>>,
    propagator: WatermarkPropagator,
    /// The plan as the batch under way executes it.
    executed: Mutex<Option<Arc<dyn ExecutionPlan>>>,
    /// The watermarks, in the order of the plan.
    pub watermarks: Vec<Arc<WatermarkObserver>>,
    /// The mode it was planned for.
    pub output_mode: OutputMode,
}

impl IncrementalExecution {
    /// Plans `streaming` for execution; `partitions` is how many partitions large batches use.
    pub(crate) async fn try_new(
        session: &SessionState,
        streaming: &StreamingPlan,
        partitions: usize,
    ) -> Result<Self> {
        let context = Arc::new(BatchContext::default());
        let plan = make_limits_stateful(streaming.plan.clone(), streaming.output_mode)?;
        let plan = simpler_joins(semi_joins_first(plan, session)?, session)?;
        // An outer join that has become a simpler one lets more through.
        let plan = semi_joins_first(plan, session)?;
        let (plan, sources) =
            BoundSources::bind(plan, &context, partitions).map_err(from_datafusion)?;
        let plan = resolve_current_time(plan, &TimeSource::Batch(Arc::clone(&context)))
            .map_err(from_datafusion)?;
        let planned = Arc::new(Planned::default());
        let session = streaming_session(session, &context, streaming.output_mode, &planned);
        let optimized = session.optimize(&plan).map_err(from_datafusion)?;
        let stateful = make_stateful(optimized)?;
        let physical = session.query_planner();
        let plan = physical
            .create_physical_plan(&stateful, &session)
            .await
            .map_err(from_datafusion)?;
        let (propagator, operators) = WatermarkPropagator::new(&plan);
        let watermarks = std::mem::take(&mut *planned.watermarks.lock()).into_iter();
        let watermarks = watermarks.map(|(_, observer)| observer).collect();
        Ok(Self {
            plan,
            task: session.task_ctx(),
            optimized: stateful,
            context,
            sources,
            operators,
            propagator,
            executed: Mutex::default(),
            watermarks,
            output_mode: streaming.output_mode,
        })
    }

    /// The columns it gives.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// Executes the batch the context was set to.
    pub(crate) fn execute(&self) -> Result<SendableRecordBatchStream> {
        let plan = reset_plan_states(Arc::clone(&self.plan)).map_err(from_datafusion)?;
        *self.executed.lock() = Some(Arc::clone(&plan));
        execute_stream(plan, Arc::clone(&self.task)).map_err(from_datafusion)
    }

    /// Tells every operator its watermarks, now that a batch is executed whose watermark is
    /// `current_ms`, after one with `previous_ms`.
    pub(crate) fn set_watermarks(&self, previous_ms: i64, current_ms: i64) {
        let late = self.propagator.input_watermarks(previous_ms);
        let eviction = self.propagator.input_watermarks(current_ms);
        let watermarks = late.into_iter().zip(eviction);
        for (operator, (late_ms, eviction_ms)) in self.operators.iter().zip(watermarks) {
            operator.state().set_watermarks(Watermarks {
                late_ms,
                eviction_ms,
            });
        }
    }

    /// Whether a batch without new rows would still do something at `now_ms`, now that the watermark
    /// has moved from `used_ms` to `next_ms`.
    pub(crate) fn should_run_another_batch(&self, used_ms: i64, next_ms: i64, now_ms: i64) -> bool {
        let used = self.propagator.input_watermarks(used_ms);
        let next = self.propagator.input_watermarks(next_ms);
        let moved = used.into_iter().zip(next).map(|(used, next)| next > used);
        self.operators.iter().zip(moved).any(|(operator, moved)| {
            let state = operator.state();
            moved && state.follows_watermark() || state.has_expired(now_ms)
        })
    }

    /// Ends the batch that was executed last, which read `inputs`: what it held is freed. With
    /// `counted`, how many rows went through its nodes.
    pub(crate) fn finish(&self, inputs: &[Option<Arc<InputPart>>], counted: bool) -> Vec<NodeRows> {
        match self.executed.lock().take() {
            Some(plan) if counted => rows_of_nodes(&plan, inputs),
            _ => Vec::new(),
        }
    }

    /// The column of each watermark, and the sources that it looks at.
    pub(crate) fn watermark_columns(&self) -> Vec<(String, Vec<usize>)> {
        let observers = self.watermarks.iter();
        let columns = observers.map(|observer| watermark_column(&self.plan, observer));
        columns.map(Option::unwrap_or_default).collect()
    }

    /// The watermark of the query at which what operator `operator` reads has the watermark `wanted_ms`.
    pub(crate) fn origin_watermark(&self, operator: usize, wanted_ms: i64) -> i64 {
        let read = self.propagator.input_watermarks(wanted_ms);
        let read = read.get(operator).copied().unwrap_or(wanted_ms);
        // What lies between is an operator's delay, which does not depend on the time.
        wanted_ms.saturating_add(wanted_ms.saturating_sub(read))
    }

    /// Logical and physical plan as text.
    pub(crate) fn explain(&self) -> String {
        explained(&self.optimized, self.plan.as_ref())
    }
}

/// Logical and physical plan as text.
pub(crate) fn explained(optimized: &LogicalPlan, physical: &dyn ExecutionPlan) -> String {
    format!(
        "== Optimized Logical Plan ==\n{}\n\n== Physical Plan ==\n{}",
        optimized.display_indent(),
        displayable(physical).indent(false)
    )
}

/// What planning leaves behind.
#[derive(Debug, Default)]
struct Planned {
    watermarks: Mutex<Vec<Watermark>>,
}

fn streaming_session(
    session: &SessionState,
    context: &Arc<BatchContext>,
    output_mode: OutputMode,
    planned: &Arc<Planned>,
) -> SessionState {
    // The catalog is the session's own; building a state must not put an empty one in its place.
    let config = session.config().clone();
    let mut config = config.with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    // Partitions come from the source; exchanging small batches between tasks only costs time.
    options.optimizer.enable_round_robin_repartition = false;
    options.optimizer.repartition_aggregations = false;
    options.optimizer.repartition_joins = false;
    options.optimizer.repartition_windows = false;
    options.optimizer.repartition_sorts = false;
    // Nodes are executed again for every batch, which dynamic filters would not survive.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.execution.collect_statistics = false;
    // Partial aggregates of a batch must be one row per group.
    options
        .execution
        .skip_partial_aggregation_probe_ratio_threshold = 1.1;
    let planner = StreamingPlanner {
        context: Arc::clone(context),
        output_mode,
        planned: Arc::clone(planned),
    };
    SessionStateBuilder::new_from_existing(session.clone())
        .with_config(config)
        .with_query_planner(Arc::new(planner))
        .with_physical_optimizer_rules(with_streams_first(session.physical_optimizers().to_vec()))
        .build()
}

/// Makes every limit count over all batches, if what it limits only ever gets more rows. Done
/// before the optimizer would move a limit of each batch towards the sources.
fn make_limits_stateful(plan: LogicalPlan, mode: OutputMode) -> Result<LogicalPlan> {
    let stateful = plan.transform_up(|node| {
        let LogicalPlan::Limit(limit) = &node else {
            return Ok(Transformed::no(node));
        };
        if !is_streaming(&limit.input) || gives_whole_result(&limit.input, mode)? {
            return Ok(Transformed::no(node));
        }
        let rows = match limit.get_fetch_type()? {
            // The optimizer makes nothing of it, so that nothing is read.
            FetchType::Literal(None | Some(0)) => return Ok(Transformed::no(node)),
            FetchType::Literal(Some(rows)) => rows,
            FetchType::UnsupportedExpr => {
                return Err(Error::analysis("the limit of a stream must be a number").into());
            }
        };
        let input = LogicalPlan::clone(&limit.input);
        Ok(Transformed::yes(global_limit(input, rows)?))
    });
    Ok(stateful.map_err(from_datafusion)?.data)
}

/// Whether every batch gives all rows anew: in complete mode, above an aggregation.
fn gives_whole_result(plan: &LogicalPlan, mode: OutputMode) -> DataFusionResult<bool> {
    let is_aggregation = |node: &LogicalPlan| {
        matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_)) && is_streaming(node)
    };
    Ok(mode == OutputMode::Complete && plan.exists(|node| Ok(is_aggregation(node)))?)
}

/// Makes every aggregation of a stream and every join of two streams go on from batch to batch.
fn make_stateful(plan: LogicalPlan) -> Result<LogicalPlan> {
    let stateful = plan.transform_up(|node| match &node {
        LogicalPlan::Aggregate(_) if is_streaming(&node) => {
            Ok(Transformed::yes(stateful_aggregate(node)?))
        }
        LogicalPlan::Join(join) if joins_streams(join) => Ok(Transformed::yes(stream_join(join)?)),
        _ => Ok(Transformed::no(node)),
    });
    Ok(stateful.map_err(from_datafusion)?.data)
}

/// Plans our own logical nodes; everything else is DataFusion's.
#[derive(Debug, Clone)]
struct StreamingPlanner {
    context: Arc<BatchContext>,
    output_mode: OutputMode,
    planned: Arc<Planned>,
}

#[async_trait]
impl QueryPlanner for StreamingPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(self.clone())])
            .create_physical_plan(plan, session)
            .await
    }
}

#[async_trait]
impl ExtensionPlanner for StreamingPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> DataFusionResult<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(groups) = node.as_any().downcast_ref::<FlatMapGroupsWithStateNode>() {
            let (Some(logical), Some(input)) = (logical_inputs.first(), physical_inputs.first())
            else {
                return Ok(None);
            };
            let call = groups.call(logical.schema())?;
            let (context, input) = (Arc::clone(&self.context), Arc::clone(input));
            let exec = operators::flat_map_groups_with_state(context, input, call);
            return Ok(Some(Arc::new(exec)));
        }
        let planning = Planning {
            context: &self.context,
            output_mode: self.output_mode,
            watermarks: &self.planned.watermarks,
            schema: node.schema(),
            logical: logical_inputs,
            physical: physical_inputs,
            session,
            planning,
        };
        plan_node(node, &planning)
    }
}
