//! Topics as what a batch query is written to.

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use uuid::Uuid;

use super::registry::KafkaSinkOptions;
use super::transactions::{Transactions, transactional_id};
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::sinks::{BatchSink, SaveMode};

/// Writes the rows of one query as messages.
#[derive(Debug)]
pub(super) struct KafkaBatchSink {
    options: KafkaSinkOptions,
}

impl KafkaBatchSink {
    pub(super) fn new(options: KafkaSinkOptions) -> Self {
        Self { options }
    }
}

#[async_trait]
impl BatchSink for KafkaBatchSink {
    fn wants_rows(&self, mode: SaveMode) -> Result<bool> {
        match mode {
            SaveMode::Append | SaveMode::ErrorIfExists => Ok(true),
            SaveMode::Overwrite | SaveMode::Ignore => Err(Error::analysis(format!(
                "Save mode {mode:?} not allowed for Kafka. Allowed save modes are Append and ErrorIfExists (default)."
            ))
            .with_hint("use mode append")),
        }
    }

    async fn write(&self, _: SaveMode, rows: SendableRecordBatchStream) -> Result<()> {
        let layout = self.options.layout.clone();
        if self.options.transactions.is_none() {
            let writer = Writer::new(&self.options.settings, layout)?;
            writer.connect().await?;
            return writer.write(rows).await.map(drop);
        }
        let name = transactional_id(Uuid::new_v4());
        let settings = self.options.settings.transactional(&name);
        let writer = Writer::new(&settings, layout)?;
        writer.connect().await?;
        // All rows in one transaction: there is nothing to settle afterwards.
        let transactions = Transactions::open(&writer, None).await?;
        transactions.begin(&writer)?;
        let written = match writer.write(rows).await {
            Ok(_) => transactions.commit(&writer, 0).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            transactions.abort(&writer);
        }
        written
    }
}
