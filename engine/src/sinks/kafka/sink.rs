//! Topics as the sink of a stream.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use parking_lot::RwLock;
use uuid::Uuid;

use super::registry::KafkaSinkOptions;
use super::transactions::{Marker, Transactions, transactional_id};
use super::writer::Writer;
use crate::error::{Error, Result};
use crate::output_mode::OutputMode;
use crate::sinks::{Sink, drain};

/// Writes every batch as messages.
#[derive(Debug)]
pub(super) struct KafkaSink {
    options: KafkaSinkOptions,
    /// Made when a run begins: the query gives its transactions their name.
    run: RwLock<Option<Arc<Run>>>,
}

/// What one run writes with.
#[derive(Debug)]
struct Run {
    writer: Writer,
    transactions: Option<Transactions>,
}

impl KafkaSink {
    pub(super) fn new(options: KafkaSinkOptions) -> Self {
        Self {
            options,
            run: RwLock::default(),
        }
    }

    fn run(&self) -> Result<Arc<Run>> {
        let run = self.run.read().clone();
        run.ok_or_else(|| Error::internal("the Kafka sink is not open"))
    }
}

#[async_trait]
impl Sink for KafkaSink {
    fn description(&self) -> String {
        match self.options.layout.topic() {
            Some(topic) => format!("KafkaSink[{topic}]"),
            None => "KafkaSink".to_string(),
        }
    }

    async fn open(&self, query_id: Uuid, _run_id: Uuid) -> Result<()> {
        let layout = self.options.layout.clone();
        let run = match &self.options.transactions {
            None => {
                let writer = Writer::new(&self.options.settings, layout)?;
                writer.connect().await?;
                Run {
                    writer,
                    transactions: None,
                }
            }
            Some(with) => {
                let name = transactional_id(query_id);
                let settings = self.options.settings.transactional(&name);
                let writer = Writer::new(&settings, layout)?;
                writer.connect().await?;
                let topic = with.marker_topic.as_deref().unwrap_or_default();
                let marker = Marker::new(&with.marker_settings, query_id, topic)?;
                let transactions = Transactions::open(&writer, Some(marker)).await?;
                Run {
                    writer,
                    transactions: Some(transactions),
                }
            }
        };
        *self.run.write() = Some(Arc::new(run));
        Ok(())
    }

    fn latest_batch_id(&self) -> Option<i64> {
        self.run.read().as_ref()?.transactions.as_ref()?.latest()
    }

    /// A transaction shows its messages only when it ends, with the batch.
    fn takes_parts(&self) -> bool {
        self.options.transactions.is_none()
    }

    async fn add_batch(
        &self,
        batch_id: i64,
        _output_mode: OutputMode,
        rows: SendableRecordBatchStream,
    ) -> Result<Option<i64>> {
        let run = self.run()?;
        let Some(transactions) = &run.transactions else {
            return run.writer.write(rows).await.map(Some);
        };
        if transactions
            .latest()
            .is_some_and(|latest| batch_id <= latest)
        {
            return drain(rows).await.map(Some);
        }
        transactions.begin(&run.writer)?;
        let count = run.writer.write(rows).await?;
        transactions.commit(&run.writer, batch_id).await?;
        Ok(Some(count))
    }

    async fn abort(&self, _batch_id: i64) {
        if let Some(run) = &*self.run.read()
            && let Some(transactions) = &run.transactions
        {
            transactions.abort(&run.writer);
        }
    }

    async fn close(&self) {
        self.abort(0).await;
        self.run.write().take();
    }
}
