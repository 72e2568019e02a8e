//! The row of Kafka in the table of sources.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::options::{BOTH, STREAM, TABLE};
use super::source::KafkaDefinition;
use super::table::kafka_table;
use crate::error::{Error, Result};
use crate::sources::format::{Columns, SourceFormat, StreamRequest, TableRequest};
use crate::sources::{SourceDefinition, TableProviderRef};

/// Topics of a Kafka cluster.
pub(in crate::sources) const KAFKA: SourceFormat = SourceFormat {
    name: "kafka",
    doc: "topics of a Kafka cluster: columns key, value, topic, partition, offset, timestamp, timestampType, and headers if asked for",
    options: &[&BOTH, &STREAM, &TABLE],
    needs_path: false,
    columns: Columns::Fixed,
    stream: Some(define),
    table: Some(open),
};

fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    check_schema(request.schema.is_some())?;
    let definition = KafkaDefinition::new(&request.options, &request.defaults)?;
    Ok(Arc::new(definition))
}

fn open(request: TableRequest<'_>) -> BoxFuture<'_, Result<TableProviderRef>> {
    async move {
        check_schema(request.schema.is_some())?;
        kafka_table(request.options, &request.defaults)
    }
    .boxed()
}

fn check_schema(is_given: bool) -> Result<()> {
    if !is_given {
        return Ok(());
    }
    Err(
        Error::analysis("Kafka source has a fixed schema and cannot be set with a custom one")
            .with_hint(
                "leave the columns out, and parse the value: from_json(CAST(value AS STRING), 'a INT, b STRING')",
            ),
    )
}
