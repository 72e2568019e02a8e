//! Topics as a table. Which records it has is found out at every scan.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;

use super::batch::KafkaBatch;
use super::boundary::Boundary;
use super::columns::schema;
use super::consumer_pool::ConsumerPool;
use super::offset_reader::OffsetReader;
use super::options::{KafkaOptions, ReadBy};
use super::partition_reader::Reading;
use super::ranges::{OffsetRange, divided};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::PartitionOffsets;
use crate::options::OptionMap;
use crate::sources::{SourceBatch, TableProviderRef};

/// A table of what the options say. Everything that is wrong with them is an error now; nothing is
/// connected to.
pub(super) fn kafka_table(given: &OptionMap, defaults: &OptionMap) -> Result<TableProviderRef> {
    let options = KafkaOptions::new(given, defaults, ReadBy::Table)?;
    options.start.check_start_of_table()?;
    options.end.check_end_of_table()?;
    if let (Boundary::Offsets(start), Boundary::Offsets(end)) = (&options.start, &options.end) {
        check_order(start, end, "UNRESOLVED", ("specified", "end"), "")?;
    }
    Ok(Arc::new(KafkaTable { options }))
}

/// Refuses a start behind its end.
fn check_order(
    start: &PartitionOffsets,
    end: &PartitionOffsets,
    condition: &str,
    (kind, end_kind): (&str, &str),
    advice: &str,
) -> Result<()> {
    for (partition, start) in start {
        let Some(end) = end.get(partition).filter(|end| **end >= 0 && start > end) else {
            continue;
        };
        let message = format!(
            "The {kind} start offset {start} is greater than the {end_kind} offset {end} for topic {} partition {}.{advice}",
            partition.topic, partition.partition
        );
        return Err(Error::new(ErrorKind::IllegalArgument, message)
            .with_condition(format!("{condition}_START_OFFSET_GREATER_THAN_END_OFFSET"))
            .with_hint("let the table end after its beginning"));
    }
    Ok(())
}

#[derive(Debug)]
struct KafkaTable {
    options: KafkaOptions,
}

impl KafkaTable {
    /// What one scan reads.
    async fn batch(&self) -> Result<KafkaBatch> {
        let options = &self.options;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let offsets = OffsetReader::new(options, Arc::clone(&clock))?;
        let assigned: BTreeSet<_> = offsets.assigned().await?;
        let start = offsets.resolve(&options.start, &assigned).await?;
        let end = offsets.resolve(&options.end, &assigned).await?;
        const ADVICE: &str = "\nPlease investigate in this order:\n\
            1. Check whether start offset is set beyond the end offset or the latest available offset after resolution.\n\
            2. Check whether the Kafka topic-partition is deleted and re-created.";
        check_order(
            &start,
            &end,
            "RESOLVED",
            ("resolved", "resolved end"),
            ADVICE,
        )?;
        let ranges = assigned.iter().filter_map(|partition| {
            Some(OffsetRange {
                start: *start.get(partition)?,
                end: *end.get(partition)?,
                partition: partition.clone(),
            })
        });
        Ok(KafkaBatch {
            // As in Spark, only the number of parts counts for tables.
            ranges: divided(ranges.collect(), options.min_partitions, None),
            include_headers: options.include_headers,
            in_parts: options.min_partitions.is_some(),
            reading: Arc::new(Reading {
                pool: Arc::new(ConsumerPool::new(options)),
                offsets: Arc::new(offsets),
                fail_on_data_loss: options.fail_on_data_loss,
                poll_timeout: options.patience.poll_timeout,
                clock,
            }),
        })
    }
}

#[async_trait]
impl TableProvider for KafkaTable {
    fn schema(&self) -> SchemaRef {
        schema(self.options.include_headers)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema().fields().len()).collect();
        let projection = projection.cloned().unwrap_or_else(all);
        let schema = Arc::new(self.schema().project(&projection)?);
        let batch = Arc::new(self.batch().await?);
        let partitions = batch.partitions(session.config().target_partitions());
        let streams = (0..partitions).map(|partition| {
            Arc::new(KafkaPartition {
                batch: Arc::clone(&batch),
                partition,
                partitions,
                projection: projection.clone(),
                schema: Arc::clone(&schema),
            }) as Arc<dyn PartitionStream>
        });
        let streams = streams.collect();
        let scan = StreamingTableExec::try_new(schema.clone(), streams, None, None, false, limit)?;
        Ok(Arc::new(scan))
    }
}

#[derive(Debug)]
struct KafkaPartition {
    batch: Arc<KafkaBatch>,
    partition: usize,
    partitions: usize,
    projection: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for KafkaPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let opened = self
            .batch
            .open(self.partition, self.partitions, &self.projection);
        opened.unwrap_or_else(|error| {
            let failed = stream::iter([Err(DataFusionError::from(error))]);
            Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), failed))
        })
    }
}
