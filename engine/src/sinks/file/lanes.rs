//! Writes the rows of one batch. **Many rows are written by all cores, each to files of its own**;
//! few are written by one, to one file.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::files_writer::{FilesWriter, WrittenFile};
use super::layout::Layout;
use crate::error::{Error, Result};
use crate::sinks::failed;
use crate::storage::Location;

/// So many rows are few.
const FEW_ROWS: usize = 64 * 1024;
/// More writers than that do not make a disk faster.
const MAX_LANES: usize = 8;

/// A writer, or what it is doing.
enum Lane {
    Idle(Box<FilesWriter>),
    Writing(JoinHandle<Result<Box<FilesWriter>>>),
}

/// Writes all rows to files below `directory`. Without rows there is a file only if `or_empty`.
pub(super) async fn write_rows(
    directory: &Location,
    layout: &Arc<Layout>,
    mut rows: SendableRecordBatchStream,
    or_empty: bool,
) -> Result<Vec<WrittenFile>> {
    let id = Uuid::new_v4();
    let writer = |part| FilesWriter::new(directory.clone(), Arc::clone(layout), id, part);
    let mut first = writer(0);
    let mut count = 0;
    // A store makes whoever asks it wait.
    let is_local = directory.local().is_some();
    while count < FEW_ROWS && is_local {
        let Some(batch) = rows.try_next().await.map_err(failed)? else {
            if count == 0 && or_empty {
                first.write_empty()?;
            }
            return first.finish();
        };
        count += batch.num_rows();
        first.write(&batch)?;
    }
    let lanes = std::thread::available_parallelism().map_or(1, usize::from);
    let mut lanes: Vec<Option<Lane>> = (1..lanes.min(MAX_LANES))
        .map(|part| Some(Lane::Idle(Box::new(writer(part)))))
        .collect();
    lanes.insert(0, Some(Lane::Idle(Box::new(first))));
    let mut next = 0;
    while let Some(batch) = rows.try_next().await.map_err(failed)? {
        count += batch.num_rows();
        let lane = lanes.get_mut(next);
        let lane = lane.ok_or_else(|| Error::internal("there is nothing that writes"))?;
        let mut writer = idle(lane).await?;
        let writing = tokio::task::spawn_blocking(move || {
            writer.write(&batch)?;
            Ok(writer)
        });
        *lane = Some(Lane::Writing(writing));
        next = (next + 1) % lanes.len();
    }
    let mut endings = Vec::new();
    for (index, lane) in lanes.iter_mut().enumerate() {
        let mut writer = idle(lane).await?;
        let is_empty = index == 0 && count == 0 && or_empty;
        endings.push(tokio::task::spawn_blocking(move || {
            if is_empty {
                writer.write_empty()?;
            }
            writer.finish()
        }));
    }
    let mut written = Vec::new();
    for ending in endings {
        written.extend(ending.await.map_err(broken)??);
    }
    Ok(written)
}

/// Waits until a writer has done what it does.
async fn idle(lane: &mut Option<Lane>) -> Result<Box<FilesWriter>> {
    match lane.take() {
        Some(Lane::Idle(writer)) => Ok(writer),
        Some(Lane::Writing(writing)) => writing.await.map_err(broken)?,
        None => Err(Error::internal("a writer is gone")),
    }
}

fn broken(error: tokio::task::JoinError) -> Error {
    Error::internal(format!("a file was not written: {error}"))
}
