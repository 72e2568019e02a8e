//! Numbers and their times as rows, made when they are read.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;

use crate::error::{Error, Result};
use crate::sources::SourceBatch;
use crate::sources::tasks::Tasks;

/// So many rows are made at once.
const ROWS_AT_ONCE: usize = 8192;

/// `timestamp TIMESTAMP, value BIGINT`.
pub(super) fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("timestamp", time, true),
        Field::new("value", DataType::Int64, true),
    ]))
}

/// The times of the rows of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// The time of the first, in milliseconds since 1970.
    pub start_ms: i64,
    /// From one row to the next.
    pub step_ms: f64,
}

/// The numbers of one batch.
#[derive(Debug, Clone)]
pub(super) struct NumberBatch {
    pub values: Range<i64>,
    pub times: Times,
    pub tasks: Option<u64>,
}

impl SourceBatch for NumberBatch {
    fn partitions(&self, max_partitions: usize) -> usize {
        Tasks::partitions(self.len(), max_partitions)
    }

    fn open(
        &self,
        partition: usize,
        partitions: usize,
        projection: &[usize],
    ) -> Result<SendableRecordBatchStream> {
        let schema = Arc::new(schema().project(projection).map_err(wrong_columns)?);
        let mut indices = Tasks::new(self.len(), self.tasks, partition, partitions);
        let batch = self.clone();
        let own = Arc::clone(&schema);
        let columns: Vec<usize> = projection.to_vec();
        let batches = std::iter::from_fn(move || {
            let some: Vec<u64> = indices.by_ref().take(ROWS_AT_ONCE).collect();
            let rows = batch.rows(&some, &columns, Arc::clone(&own));
            (!some.is_empty()).then_some(rows)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            schema,
            stream::iter(batches),
        )))
    }
}

impl NumberBatch {
    fn len(&self) -> u64 {
        u64::try_from(self.values.end - self.values.start).unwrap_or(0)
    }

    fn rows(
        &self,
        indices: &[u64],
        projection: &[usize],
        schema: SchemaRef,
    ) -> datafusion::error::Result<RecordBatch> {
        let column = |index: &usize| -> ArrayRef {
            match index {
                0 => {
                    let times = indices.iter().map(|index| self.times.of(*index) * 1000);
                    Arc::new(
                        TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"),
                    )
                }
                _ => {
                    let values = indices
                        .iter()
                        .map(|index| self.values.start + *index as i64);
                    Arc::new(Int64Array::from_iter_values(values))
                }
            }
        };
        let columns = projection.iter().map(column).collect();
        let count = RecordBatchOptions::new().with_row_count(Some(indices.len()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &count)?)
    }
}

impl Times {
    /// The time of a row, in milliseconds, rounded.
    fn of(self, index: u64) -> i64 {
        self.start_ms + (index as f64 * self.step_ms).round() as i64
    }
}

fn wrong_columns(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("read columns of a rate source: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
    use futures::TryStreamExt;

    use super::*;

    async fn read(batch: &NumberBatch, partitions: usize) -> Vec<(i64, i64)> {
        let mut rows = Vec::new();
        for partition in 0..partitions {
            let opened = batch.open(partition, partitions, &[1, 0]).unwrap();
            for batch in opened.try_collect::<Vec<_>>().await.unwrap() {
                let values = batch.column(0).as_primitive::<Int64Type>();
                let times = batch.column(1).as_primitive::<TimestampMicrosecondType>();
                rows.extend(
                    values
                        .values()
                        .iter()
                        .copied()
                        .zip(times.values().iter().map(|us| us / 1000)),
                );
            }
        }
        rows
    }

    #[tokio::test]
    async fn rows_come_in_the_order_of_sparks_tasks() {
        let second = NumberBatch {
            values: 7..14,
            times: Times {
                start_ms: 52,
                step_ms: 1000.0 / 7.0,
            },
            tasks: Some(3),
        };
        // Recorded: 7 rows a second in 3 partitions.
        let wanted = [
            (7, 52),
            (10, 481),
            (13, 909),
            (8, 195),
            (11, 623),
            (9, 338),
            (12, 766),
        ];
        for partitions in [1, 2, 3, 5] {
            assert_eq!(
                read(&second, partitions).await,
                wanted,
                "{partitions} partitions"
            );
        }
    }

    #[tokio::test]
    async fn large_batches_are_read_on_all_cores_and_columns_may_be_left_out() {
        let batch = NumberBatch {
            values: 5..100_005,
            times: Times {
                start_ms: 0,
                step_ms: 0.0,
            },
            tasks: None,
        };
        assert_eq!(batch.partitions(8), 3);
        let rows = read(&batch, 3).await;
        assert!(rows.iter().map(|row| row.0).eq(5..100_005));
        let none = batch
            .open(1, 3, &[])
            .unwrap()
            .try_collect::<Vec<_>>()
            .await
            .unwrap();
        let count: usize = none.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(count, 33_333);
    }
}
