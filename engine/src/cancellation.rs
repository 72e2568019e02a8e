//! How the work of a query learns that nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells user code that its query was asked to stop, or that whoever ran a batch query has gone.
/// Code that waits looks at it now and then and returns, with any error. All clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Nothing is cancelled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the value is not wanted any more. Never goes back.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// From now on it is not wanted.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(Option<Cancellation>);

impl CancelOnDrop {
    pub(crate) fn new(cancellation: Cancellation) -> Self {
        Self(Some(cancellation))
    }

    /// Does not cancel after all.
    pub(crate) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(cancellation) = &self.0 {
            cancellation.cancel();
        }
    }
}
