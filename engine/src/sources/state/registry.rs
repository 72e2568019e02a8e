//! The rows of the state in the table of sources.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::options::{OPTIONS, PATH, StateOptions};
use super::table::StateTable;
use crate::error::{Error, Result, hint};
use crate::options::Options;
use crate::sources::TableProviderRef;
use crate::sources::format::{Columns, SourceFormat, TableRequest};
use crate::storage::{Location, Stores};

/// The rows of a store.
pub(in crate::sources) const STATE_STORE: SourceFormat = SourceFormat {
    name: "statestore",
    doc: "what a query remembers, read from its checkpoint: columns key, value, partition_id",
    options: &[&OPTIONS],
    needs_path: true,
    columns: Columns::Fixed,
    stream: None,
    table: Some(open_store),
};

/// Which stores there are.
pub(in crate::sources) const STATE_METADATA: SourceFormat = SourceFormat {
    name: "state-metadata",
    doc: "the stateful operators of a query and their stores, read from its checkpoint",
    options: &[&[PATH]],
    table: Some(open_metadata),
    ..STATE_STORE
};

fn open_store(request: TableRequest<'_>) -> BoxFuture<'_, Result<TableProviderRef>> {
    async move {
        let root = root(&request)?;
        let options = StateOptions::new(request.options)?;
        opened(move || StateTable::of_store(root, options)).await
    }
    .boxed()
}

fn open_metadata(request: TableRequest<'_>) -> BoxFuture<'_, Result<TableProviderRef>> {
    async move {
        let root = root(&request)?;
        Options::new(
            "source format 'state-metadata'",
            request.options,
            &[PATH],
            &[],
        )?;
        opened(move || StateTable::of_metadata(root)).await
    }
    .boxed()
}

async fn opened(
    open: impl FnOnce() -> Result<StateTable> + Send + 'static,
) -> Result<TableProviderRef> {
    let table = tokio::task::spawn_blocking(open).await;
    let table = table.map_err(|error| Error::internal(format!("opening a state ended: {error}")));
    Ok(Arc::new(table.and_then(|table| table)?))
}

/// The checkpoint.
fn root(request: &TableRequest<'_>) -> Result<Location> {
    let name = request.format;
    if request.schema.is_some() {
        let message = format!("the format {name} has columns of its own");
        return Err(Error::analysis(message).with_hint("leave the schema out"));
    }
    let mut options = request.options.iter();
    let option = options.find(|(name, _)| name.eq_ignore_ascii_case(PATH.name));
    let mut paths = request.paths.iter().chain(option.map(|(_, path)| path));
    match (paths.next(), paths.next()) {
        (Some(path), None) => Location::parse(path, &Stores::of(request.session), request.options),
        (None, _) => Err(Error::analysis(format!(
            "the format {name} needs the path of a checkpoint"
        ))
        .with_condition("STDS_REQUIRED_OPTION_UNSPECIFIED")
        .with_hint([
            hint::say("the checkpoint of a query is the folder that "),
            hint::checkpoint(),
            hint::say(" named"),
            hint::show_state(),
        ])),
        (Some(_), Some(_)) => Err(Error::analysis(format!(
            "the format {name} reads one checkpoint"
        ))
        .with_hint("read them one by one, and put them together with UNION ALL")),
    }
}
