//! `foreachBatch`: functions that get every batch of a query.

use std::fmt::Display;
use std::sync::Arc;

use crate::callbacks;
use crate::dataframe::DataFrame;
use crate::error::{Error, Result};
use crate::plan::relation::Relation;
use crate::wire::{Call, Function};

/// A function of the user that gets every batch.
pub(super) type BatchFunction = dyn Fn(DataFrame, i64) -> Result<()> + Send + Sync;

/// What such a function returns: nothing, or a `Result` without a value.
#[diagnostic::on_unimplemented(
    message = "a function for `foreach_batch` cannot return `{Self}`",
    label = "must be `()` or `Result<(), E>`"
)]
pub trait BatchResult {
    /// As a result.
    fn into_result(self) -> Result<()>;
}

impl BatchResult for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Display> BatchResult for std::result::Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(|error| Error::new(error.to_string()))
    }
}

/// Makes the function known to the kernel, and gives its id.
pub(super) fn register(function: Arc<BatchFunction>) -> Result<String> {
    let serve = move |call, _: Vec<u8>| match call {
        Call::ForeachBatch { batch_id, view } => {
            function(
                DataFrame::new(Relation::table(&view, false), false),
                batch_id,
            )?;
            Ok(Vec::new())
        }
        other => Err(callbacks::unexpected(&other)),
    };
    callbacks::register("batch", Function::ForeachBatch, 1, Arc::new(serve))
}
