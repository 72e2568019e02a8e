//! What is the same for all our nodes: their part of DataFusion's `ExecutionPlan`, reading an input
//! to its end.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::TryStreamExt;

use crate::error::Error;

/// The rows of all partitions of `input`, in the order of the partitions; of each partition at most
/// the first `limit`, though all are read. `parallel` reads the partitions at once.
pub(super) async fn collect(
    input: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    parallel: bool,
    limit: usize,
) -> Result<Vec<RecordBatch>> {
    let parts = each_partition(input, context, parallel, move |rows| {
        first_rows(rows, limit)
    });
    Ok(parts.await?.concat())
}

/// What `read` makes of each partition of `input`, in their order. `parallel` does it at once.
pub(super) async fn each_partition<T, F>(
    input: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    parallel: bool,
    read: impl Fn(SendableRecordBatchStream) -> F,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let partitions = 0..input.output_partitioning().partition_count();
    let mut parts = Vec::with_capacity(partitions.len());
    if !parallel {
        for partition in partitions {
            let rows = input.execute(partition, Arc::clone(&context))?;
            parts.push(read(rows).await?);
        }
        return Ok(parts);
    }
    let tasks: Vec<_> = partitions
        .map(|partition| {
            let rows = input.execute(partition, Arc::clone(&context))?;
            Ok(SpawnedTask::spawn(read(rows)))
        })
        .collect::<Result<_>>()?;
    for task in tasks {
        parts.push(task.join_unwind().await.map_err(|error| {
            Error::internal(format!("a partition of the batch ended early: {error}"))
        })??);
    }
    Ok(parts)
}

/// What `work` makes of each item, in their order, each on a thread of its own.
pub(super) fn at_once<I: Send, T: Send>(
    items: impl Iterator<Item = I>,
    work: impl Fn(I) -> T + Sync,
) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.map(|item| scope.spawn(move || work(item))).collect();
        let done = threads.into_iter().map(|thread| thread.join());
        done.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

async fn first_rows(mut rows: SendableRecordBatchStream, limit: usize) -> Result<Vec<RecordBatch>> {
    let mut first = Vec::new();
    let mut left = limit;
    while let Some(batch) = rows.try_next().await? {
        if left > 0 {
            let kept = batch.slice(0, batch.num_rows().min(left));
            left -= kept.num_rows();
            first.push(kept);
        }
    }
    Ok(first)
}

/// Properties of a node that gives `partitions` partitions without any order.
pub(super) fn unordered(
    schema: SchemaRef,
    partitions: usize,
    emission: EmissionType,
) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        emission,
        Boundedness::Bounded,
    ))
}

/// The items of `ExecutionPlan` that say nothing about a node but how many inputs it has, and that it
/// has no expressions. `with_input`, or `with_inputs`, makes the node anew around other inputs.
macro_rules! plain_execution_plan {
    (leaf) => {
        fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
            Vec::new()
        }

        fn with_new_children(
            self: Arc<Self>,
            _children: Vec<Arc<dyn ExecutionPlan>>,
        ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
            Ok(self)
        }

        $crate::operators::exec::plain_execution_plan!(common);
    };
    (unary) => {
        fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
            vec![&self.input]
        }

        fn with_new_children(
            self: Arc<Self>,
            mut children: Vec<Arc<dyn ExecutionPlan>>,
        ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
            Ok(Arc::new(self.with_input(children.swap_remove(0))))
        }

        $crate::operators::exec::plain_execution_plan!(common);
    };
    (nary) => {
        fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
            self.inputs.iter().collect()
        }

        fn with_new_children(
            self: Arc<Self>,
            children: Vec<Arc<dyn ExecutionPlan>>,
        ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
            Ok(Arc::new(self.with_inputs(children)))
        }

        $crate::operators::exec::plain_execution_plan!(common);
    };
    (common) => {
        fn properties(&self) -> &Arc<PlanProperties> {
            &self.properties
        }

        fn apply_expressions(
            &self,
            _f: &mut dyn FnMut(
                &Arc<dyn datafusion::physical_plan::PhysicalExpr>,
            ) -> datafusion::error::Result<
                datafusion::common::tree_node::TreeNodeRecursion,
            >,
        ) -> datafusion::error::Result<datafusion::common::tree_node::TreeNodeRecursion> {
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        }
    };
}
pub(crate) use plain_execution_plan;
