//! A stream as a table in a logical plan, before it is bound to a query.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::error::Error;
use crate::operators::{BatchContext, StreamingSourceExec};
use crate::sources::SourceDefinition;

/// A stream that is read: unbound in a view, bound to a source of a running query in a query.
#[derive(Debug)]
pub(crate) struct StreamingRelation {
    spec: Arc<dyn SourceDefinition>,
    binding: Option<Binding>,
}

#[derive(Debug)]
struct Binding {
    context: Arc<BatchContext>,
    source: usize,
    partitions: usize,
}

impl StreamingRelation {
    /// A stream that is not read yet.
    pub(crate) fn new(spec: Arc<dyn SourceDefinition>) -> Self {
        Self {
            spec,
            binding: None,
        }
    }

    /// The same stream as source number `source` of a query.
    pub(crate) fn bound(
        &self,
        context: Arc<BatchContext>,
        source: usize,
        partitions: usize,
    ) -> Self {
        Self {
            spec: Arc::clone(&self.spec),
            binding: Some(Binding {
                context,
                source,
                partitions,
            }),
        }
    }

    /// What the stream is.
    pub(crate) fn spec(&self) -> &Arc<dyn SourceDefinition> {
        &self.spec
    }
}

#[async_trait]
impl TableProvider for StreamingRelation {
    fn schema(&self) -> SchemaRef {
        self.spec.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(binding) = &self.binding else {
            return Err(Error::internal("a stream was planned outside a query").into());
        };
        let schema = self.spec.schema();
        let all = || (0..schema.fields().len()).collect();
        Ok(Arc::new(StreamingSourceExec::try_new(
            Arc::clone(&binding.context),
            binding.source,
            self.spec.description(),
            &schema,
            projection.cloned().unwrap_or_else(all),
            binding.partitions,
        )?))
    }
}

/// The streaming relation a plan node scans, if it is such a scan.
pub(super) fn scanned_stream(plan: &LogicalPlan) -> Option<Arc<dyn TableProvider>> {
    let LogicalPlan::TableScan(scan) = plan else {
        return None;
    };
    let provider = source_as_provider(&scan.source).ok()?;
    provider.is::<StreamingRelation>().then_some(provider)
}

/// Whether a plan reads a stream anywhere, subqueries included.
pub(crate) fn is_streaming(plan: &LogicalPlan) -> bool {
    !streaming_relations(plan).is_empty()
}

/// Whether a join has a stream on both sides.
pub(super) fn joins_streams(join: &Join) -> bool {
    is_streaming(&join.left) && is_streaming(&join.right)
}

/// The streams a plan reads, one entry per place where it does.
pub(crate) fn streaming_relations(plan: &LogicalPlan) -> Vec<Arc<dyn SourceDefinition>> {
    let mut found = Vec::new();
    let walked = plan.apply_with_subqueries(|node| {
        if let Some(provider) = scanned_stream(node)
            && let Some(relation) = provider.downcast_ref::<StreamingRelation>()
        {
            found.push(Arc::clone(relation.spec()));
        }
        Ok::<_, DataFusionError>(TreeNodeRecursion::Continue)
    });
    debug_assert!(walked.is_ok(), "the visitor does not fail");
    found
}
