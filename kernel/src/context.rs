//! What a running cell works on, whichever language it is written in.

use std::sync::Arc;

use parking_lot::Mutex;
use tidebook_engine::Session;

use crate::backend::{Backend, Connections};
use crate::door::NotebookDoor;
use crate::error::Result;
use crate::kafka::Kafka;
use crate::live::{Failures, Live, Tally};
use crate::outputs::Outputs;
use crate::python::PythonCells;
use crate::scratch::Scratch;
use crate::sockets::Stdin;

/// What a running cell works on.
pub(crate) struct Context {
    /// Views and queries of the engine in this process.
    pub session: Session,
    /// Where statements and queries go instead, if the notebook is connected to a cluster.
    pub connections: Arc<Connections>,
    /// Rows and batches per run of a query.
    pub tally: Arc<Tally>,
    /// Displays that go on after the cell.
    pub live: Live,
    /// Which failed queries were reported.
    pub failures: Arc<Failures>,
    /// The lesson's broker, and the one that is used.
    pub kafka: Arc<Kafka>,
    /// Where clients of Spark Connect come in.
    pub door: Arc<NotebookDoor>,
    /// Where cells of Python run.
    pub python: Arc<PythonCells>,
    /// Where the user is asked.
    pub stdin: Arc<Stdin>,
    /// Folders that live as long as the kernel.
    pub scratch: Arc<Scratch>,
    /// What Rust cells have defined.
    pub known: Arc<Mutex<Known>>,
    /// What the cell says.
    pub outputs: Outputs,
    /// Whether nobody watches: a batch run, whose outputs must be final when their cell ends.
    pub batch: bool,
}

impl Context {
    /// Where statements and queries go.
    pub(crate) async fn backend(&self) -> Result<Backend> {
        self.connections.backend(&self.session).await
    }
}

/// The names that Rust cells have defined: what there was after the last one, for questions that
/// come while another one runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Name and type of every variable, by name.
    pub variables: Vec<(String, String)>,
    /// Names of functions, types and other items.
    pub items: Vec<String>,
}

impl Known {
    /// The type of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.variables.iter();
        let found = variables.find(|(other, _)| other == name)?;
        Some(&found.1)
    }
}
