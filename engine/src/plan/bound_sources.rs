//! The sources of a query: a stream that is read in several places is one of them.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use super::streaming_relation::{StreamingRelation, scanned_stream};
use crate::operators::BatchContext;
use crate::sources::SourceDefinition;

/// What a plan reads, and where.
#[derive(Debug, Default)]
pub(crate) struct BoundSources {
    /// Each stream once: its position is the source's number.
    pub definitions: Vec<Arc<dyn SourceDefinition>>,
    /// The source that is read in each place where the plan reads one, in the plan's order.
    pub places: Vec<usize>,
}

impl BoundSources {
    /// Binds every scan of a stream in `plan` to a source. One stream is one source however often it is
    /// read, so that all places see the same of it in every batch.
    pub(super) fn bind(
        plan: LogicalPlan,
        context: &Arc<BatchContext>,
        partitions: usize,
    ) -> Result<(LogicalPlan, Self)> {
        let mut sources = Self::default();
        let bound = plan.transform_up_with_subqueries(|node| {
            let Some(provider) = scanned_stream(&node) else {
                return Ok(Transformed::no(node));
            };
            let (LogicalPlan::TableScan(mut scan), Some(relation)) =
                (node, provider.downcast_ref::<StreamingRelation>())
            else {
                return datafusion::common::internal_err!("a scanned stream is a table scan");
            };
            let source = sources.number(relation.spec());
            let bound = relation.bound(Arc::clone(context), source, partitions);
            scan.source = provider_as_source(Arc::new(bound));
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        })?;
        Ok((bound.data, sources))
    }

    /// The number of the source that another place reads.
    fn number(&mut self, definition: &Arc<dyn SourceDefinition>) -> usize {
        let mut definitions = self.definitions.iter();
        let known = definitions.position(|known| Arc::ptr_eq(known, definition));
        let number = known.unwrap_or_else(|| {
            self.definitions.push(Arc::clone(definition));
            self.definitions.len() - 1
        });
        self.places.push(number);
        number
    }
}
