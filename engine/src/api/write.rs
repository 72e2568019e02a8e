//! `df.write`: where the rows of a batch query go.

use std::sync::Arc;

use super::Session;
use crate::cancellation::Cancellation;
use crate::connect::proto::WriteOperation;
use crate::connect::proto::write_operation::{SaveMode as ProtoSaveMode, SaveType};
use crate::error::{Error, Result, from_datafusion};
use crate::options::OptionMap;
use crate::runtime::run_cancellable;
use crate::sinks::{BatchRequest, SaveMode, create_batch_sink, sink_format};

/// Spark's default, `spark.sql.sources.default`.
const DEFAULT_FORMAT: &str = "parquet";

/// Runs a query and writes its rows.
pub(super) async fn write(session: &Session, write: &WriteOperation) -> Result<()> {
    check_complete(write)?;
    let mode = match write.mode() {
        ProtoSaveMode::Append => SaveMode::Append,
        ProtoSaveMode::Overwrite => SaveMode::Overwrite,
        ProtoSaveMode::Ignore => SaveMode::Ignore,
        ProtoSaveMode::Unspecified | ProtoSaveMode::ErrorIfExists => SaveMode::ErrorIfExists,
    };
    let input = write.input.as_ref();
    let input = input.ok_or_else(|| Error::illegal_argument("the write has no input"))?;
    let plan = session.plan(input).await?;
    let cancellation = Cancellation::new();
    let frame = session.batch_frame(plan, &cancellation)?;
    let format = write.source.as_deref().unwrap_or(DEFAULT_FORMAT);
    let sink = create_batch_sink(BatchRequest {
        format: sink_format(format)?,
        options: &options(write),
        defaults: session.inner.format_defaults.get(),
        stores: Arc::clone(&session.inner.stores),
        schema: frame.schema().inner(),
        partition_by: &write.partitioning_columns,
    })?;
    if !sink.wants_rows(mode)? {
        return Ok(());
    }
    let written = async move {
        let rows = frame.execute_stream().await.map_err(from_datafusion)?;
        sink.write(mode, rows).await
    };
    let written = run_cancellable(&session.inner.runtime, &cancellation, written).await;
    // A failed write may have left user code behind that computes rows nobody wants.
    cancellation.cancel();
    written
}

/// The options as given, the destination among them as `path`.
fn options(write: &WriteOperation) -> OptionMap {
    let mut options: OptionMap = write.options.clone().into_iter().collect();
    if let Some(SaveType::Path(path)) = &write.save_type
        && !path.is_empty()
    {
        options.retain(|name, _| !name.eq_ignore_ascii_case("path"));
        options.insert("path".to_string(), path.clone());
    }
    options
}

/// Refuses what this version cannot do.
fn check_complete(write: &WriteOperation) -> Result<()> {
    check_absent(&[
        (!write.sort_column_names.is_empty(), "sortBy"),
        (!write.clustering_columns.is_empty(), "clusterBy"),
        (write.bucket_by.is_some(), "bucketBy"),
    ])?;
    match &write.save_type {
        Some(SaveType::Table(table)) => Err(Error::analysis(format!(
            "a table cannot be written in this version, so neither can '{}'",
            table.table_name
        ))
        .with_hint("save to a path, or register the frame as a view")),
        _ => Ok(()),
    }
}

/// Refuses the first feature that was asked for. All of those named are absent from this version.
pub(super) fn check_absent(features: &[(bool, &str)]) -> Result<()> {
    match features.iter().find(|(asked_for, _)| *asked_for) {
        None => Ok(()),
        Some((_, name)) => Err(Error::analysis(format!(
            "{name} is not supported in this version"
        ))),
    }
}
