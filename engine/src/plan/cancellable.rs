//! How a query's [`Cancellation`] reaches the functions it calls: as an extension of the options
//! that its expressions are planned with and its plan is executed with.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::Result;
use datafusion::execution::context::SessionState;

use crate::cancellation::Cancellation;

/// The state with which one query is planned and executed.
pub fn cancellable_state(mut state: SessionState, cancellation: &Cancellation) -> SessionState {
    let extension = CancellationExtension(cancellation.clone());
    let options = state.config_mut().options_mut();
    options.extensions.insert(extension);
    // Expressions see the options as they were at this call.
    state.mark_start_execution();
    state
}

/// The cancellation of the query that was planned with `options`.
pub fn cancellation_of(options: &ConfigOptions) -> Cancellation {
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

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        datafusion::common::config_err!("there is no option '{key}' to set here")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
