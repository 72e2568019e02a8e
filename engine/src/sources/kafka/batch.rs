//! The rows of one batch: ranges of partitions, which are read at once or one after the other.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use tokio::sync::mpsc::Sender;

use super::columns::Rows;
use super::partition_reader::{Output, RangeReader, Reading};
use super::ranges::OffsetRange;
use crate::error::{Error, Result};
use crate::sources::SourceBatch;

/// Fewer records than this are not worth a second reader.
const MIN_RECORDS: i64 = 16 * 1024;
/// How many batches are read ahead of whoever takes them.
const AHEAD: usize = 2;

/// Ranges in order of topic, partition and offset.
#[derive(Debug)]
pub(super) struct KafkaBatch {
    pub reading: Arc<Reading>,
    pub ranges: Vec<OffsetRange>,
    pub include_headers: bool,
    /// Whether the user has said in how many parts to read.
    pub in_parts: bool,
}

impl SourceBatch for KafkaBatch {
    fn partitions(&self, max_partitions: usize) -> usize {
        let records: i64 = self.ranges.iter().map(OffsetRange::size).sum();
        match records < MIN_RECORDS && !self.in_parts {
            true => 1,
            false => self.ranges.len().clamp(1, max_partitions.max(1)),
        }
    }

    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream> {
        // Neighbours stay together, so that rows come in the order of the partitions.
        let bound = |partition: usize| self.ranges.len() * partition / partitions;
        let ranges = self.ranges.get(bound(partition)..bound(partition + 1));
        let no_such = || Error::internal(format!("there is no part {partition} of {partitions}"));
        let ranges = ranges.ok_or_else(no_such)?.to_vec();
        let rows = Rows::new(self.include_headers, projection)?;
        let reading = Arc::clone(&self.reading);
        let mut stream = RecordBatchReceiverStream::builder(rows.schema(), AHEAD);
        let output = Channel(stream.tx());
        stream.spawn(async move { read(reading, ranges, rows, output).await });
        Ok(stream.build())
    }
}

async fn read(
    reading: Arc<Reading>,
    ranges: Vec<OffsetRange>,
    mut rows: Rows,
    mut output: Channel,
) -> DataFusionResult<()> {
    for range in &ranges {
        let mut reader = RangeReader::new(&reading, range)?;
        reader.read(&mut rows, &mut output).await?;
    }
    if let Some(batch) = rows.take()? {
        output.give(batch).await;
    }
    Ok(())
}

struct Channel(Sender<Result<RecordBatch, DataFusionError>>);

impl Output for Channel {
    async fn give(&mut self, batch: RecordBatch) -> bool {
        self.0.send(Ok(batch)).await.is_ok()
    }
}
