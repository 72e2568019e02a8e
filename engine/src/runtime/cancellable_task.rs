//! Work that whoever waits for it can walk away from, although user code in it blocks.

use std::future::Future;

use datafusion::common::runtime::SpawnedTask;
use tokio::runtime::Handle;

use crate::cancellation::{CancelOnDrop, Cancellation};
use crate::error::{Error, Result};
use crate::user_functions::panic_message;

/// Runs `work` on a task of its own. If the returned future is dropped before it is done,
/// `cancellation` is cancelled and the task ends where it next waits.
pub(crate) async fn run_cancellable<T: Send + 'static>(
    runtime: &Handle,
    cancellation: &Cancellation,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let walks_away = CancelOnDrop::new(cancellation.clone());
    let task = {
        let _entered = runtime.enter();
        SpawnedTask::spawn(work)
    };
    let done = task.join().await;
    walks_away.disarm();
    done.unwrap_or_else(|error| {
        Err(match error.try_into_panic() {
            Ok(panic) => Error::internal(format!("the query panicked: {}", panic_message(&*panic))),
            Err(_) => Error::cancelled(),
        })
    })
}
