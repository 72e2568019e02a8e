//! How the work of a query learns that nobody waits for it any more.
//!
//! A query's [`Cancellation`] reaches the functions it calls as an extension of the options that
//! its expressions are planned with and its plan is executed with.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::context::SessionState;

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

/// The state with which one query is planned and executed.
pub(crate) fn cancellable_state(
    mut state: SessionState,
    cancellation: &Cancellation,
) -> SessionState {
    let extension = CancellationExtension(cancellation.clone());
    let options = state.config_mut().options_mut();
    options.extensions.insert(extension);
    // Expressions see the options as they were at this call.
    state.mark_start_execution();
    state
}

/// The cancellation of the query that was planned with `options`.
pub(crate) fn cancellation_of(options: &ConfigOptions) -> Cancellation {
    let extension = options.extensions.get::<CancellationExtension>();
    extension.map(|found| found.0.clone()).unwrap_or_default()
}

#[derive(Debug)]
struct CancellationExtension(Cancellation);

impl ConfigExtension for CancellationExtension {
    const PREFIX: &'static str = "tidebook_cancellation";
}

impl ExtensionOptions for CancellationExtension {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    /// The same cancellation: all parts of a query share it.
    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(Self(self.0.clone()))
    }

    fn set(&mut self, key: &str, _value: &str) -> DataFusionResult<()> {
        datafusion::common::config_err!("there is no option '{key}' to set here")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
