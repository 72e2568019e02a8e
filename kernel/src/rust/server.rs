//! The unix socket that user code, its relay and its compiler connect to.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tidebook::wire::{Failure, Hello, Reply, Request, Role};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;

use super::{RustCells, frames};
use crate::error::CellError;

/// The socket's folder, which only its owner may enter. Removed when dropped.
#[derive(Debug)]
pub(super) struct Server {
    folder: TempDir,
    accepting: AbortHandle,
}

impl Server {
    /// Binds a socket and serves it. Must be called on the engine's threads.
    pub(super) fn start(cells: &Arc<RustCells>) -> Result<Self> {
        // tempfile makes folders that are closed to others (0700).
        let folder = TempDir::with_prefix("tidebook-")?;
        let listener = UnixListener::bind(folder.path().join("kernel.sock"))
            .context("bind the socket of the Rust cells")?;
        let cells = Arc::downgrade(cells);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some(cells) = cells.upgrade() else { break };
                tokio::spawn(async move {
                    if let Err(error) = serve(&cells, stream).await {
                        tracing::debug!(%error, "a connection of user code has ended");
                    }
                });
            }
        });
        Ok(Self {
            folder,
            accepting: accepting.abort_handle(),
        })
    }

    /// Where to connect.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("kernel.sock")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Who sends requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The code of a cell, or a thread of its own: an interrupt ends what it waits for.
    Cell,
    /// A function that a query has called.
    Function,
}

async fn serve(cells: &Arc<RustCells>, mut stream: UnixStream) -> Result<()> {
    let hello = frames::read::<Hello>(&mut stream).await?;
    match hello.map(|(hello, _)| hello.role) {
        Some(Role::Session) => answer(cells, stream, Caller::Cell).await,
        Some(Role::Callback) => answer(cells, stream, Caller::Function).await,
        Some(Role::Function { id }) => {
            cells.functions.add_connection(&id, stream);
            Ok(())
        }
        Some(Role::Compiler { protocol }) => {
            cells.connected(stream, protocol);
            Ok(())
        }
        Some(Role::Relay) => {
            let (from, to) = stream.into_split();
            cells.child.serve(from, to).await;
            Ok(())
        }
        None => Ok(()),
    }
}

/// Answers the requests of one connection, one after the other.
async fn answer(cells: &Arc<RustCells>, mut stream: UnixStream, caller: Caller) -> Result<()> {
    while let Some((request, body)) = frames::read::<Request>(&mut stream).await? {
        let asked = tokio::spawn({
            let cells = Arc::clone(cells);
            async move { cells.answer(request, &body, caller).await }
        });
        let reply = match asked.await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => Reply::Failed(cells.failed(&error)),
            Err(panic) => Reply::Failed(internal(&panic)),
        };
        stream.write_all(&frames::encode(&reply, &[])?).await?;
    }
    Ok(())
}

fn internal(panic: &tokio::task::JoinError) -> Failure {
    Failure {
        ename: "InternalException".to_owned(),
        condition: None,
        message: format!("the kernel panicked while it answered: {panic}"),
        hint: None,
    }
}

impl RustCells {
    /// An error as user code gets it; remembered, because the cell may pass it on with `?`.
    fn failed(&self, error: &CellError) -> Failure {
        let error = error.clone().in_rust();
        let failure = failure(&error);
        *self.last_failure.lock() = Some(error);
        failure
    }
}

/// An error as it travels: condition and sentence apart.
pub(super) fn failure(error: &CellError) -> Failure {
    Failure {
        ename: error.ename.clone(),
        condition: error.condition().map(str::to_owned),
        message: error.sentence().to_owned(),
        hint: error.hint.clone(),
    }
}
