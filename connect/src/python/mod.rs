//! Functions that a client wrote in Python: each runs in a worker, a process of the server's own.
//!
//! A worker is told to run one function, then asked again and again to run it on something. It is a
//! client of the server too: the frame of a batch is one of the client's session.

mod udf;
mod worker;

use std::path::PathBuf;

use tidebook_engine::{Error, Result};

pub(crate) use udf::PythonFunctions;
pub(crate) use worker::Worker;

/// Finds the Python that runs functions, or says why there is none. It may block.
pub(crate) type FindPython = Box<dyn Fn() -> Result<PathBuf> + Send + Sync>;

/// What workers need of the server that starts them.
#[derive(Default)]
pub(crate) struct Host {
    /// Their Python.
    pub python: Option<FindPython>,
    /// The server's address for them.
    pub remote: Option<String>,
}

impl Host {
    /// The Python that runs functions; it may block.
    pub(crate) fn python(&self) -> Result<PathBuf> {
        match &self.python {
            Some(find) => find(),
            None => Err(
                Error::analysis("functions of Python cannot be run by this server")
                    .with_condition("UNSUPPORTED_FEATURE"),
            ),
        }
    }

    /// The address for workers.
    pub(crate) fn remote(&self) -> Result<&str> {
        let remote = self.remote.as_deref();
        remote.ok_or_else(|| Error::internal("the server does not know its address"))
    }
}
