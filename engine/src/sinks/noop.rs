//! Rows read and thrown away: to run a query for its progress alone.

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;

use crate::error::Result;
use crate::output_mode::OutputMode;
use crate::sinks::{CreatedSink, Sink, SinkFormat, SinkRequest, Target, drain};

/// The row of the table of sinks.
pub(super) const NOOP: SinkFormat = SinkFormat {
    name: "noop",
    doc: "reads the rows and keeps none",
    output_modes: &OutputMode::ALL,
    options: &[],
    absent_options: &[],
    target: Target::None,
    temporary_checkpoint: true,
    forgets: false,
    needs_function: false,
    stream: create,
    batch: None,
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    request.format.checked_options(request.options)?;
    Ok(NoopSink.into())
}

/// Counts rows and keeps none.
#[derive(Debug, Default)]
pub struct NoopSink;

#[async_trait]
impl Sink for NoopSink {
    /// Spark's name of it.
    fn description(&self) -> String {
        "NoopTable".to_string()
    }

    fn takes_parts(&self) -> bool {
        true
    }

    async fn add_batch(
        &self,
        _batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        drain(rows).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::testing::rows_of;

    #[tokio::test]
    async fn rows_are_counted() {
        let written = NoopSink.add_batch(0, OutputMode::Append, rows_of(&[1, 2, 3]));
        assert_eq!(written.await.unwrap(), Some(3));
    }
}
