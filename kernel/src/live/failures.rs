//! Which failed queries the user has been told of: each failure turns exactly one cell red.

use std::collections::HashSet;

use parking_lot::Mutex;
use tidebook_engine::Session;
use uuid::Uuid;

use crate::backend::{Connections, Query};
use crate::error::{CellError, Result};

/// The runs whose failure was reported.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    reported: Mutex<HashSet<Uuid>>,
}

impl Failures {
    /// Fails with the first failure that no cell has reported yet.
    pub(crate) fn check(&self, session: &Session, connections: &Connections) -> Result<()> {
        let runs = session.streams().runs().into_iter().map(Query::Here);
        runs.chain(connections.known_queries())
            .filter(|query| !self.reported.lock().contains(&query.run_id()))
            .try_for_each(|query| self.report(&query))
    }

    /// Fails if the query has failed; from then on the failure counts as reported.
    pub(crate) fn report(&self, query: &Query) -> Result<()> {
        match query.exception() {
            Some(exception) => {
                self.reported.lock().insert(query.run_id());
                Err(CellError::from(exception.into_streaming_query()))
            }
            None => Ok(()),
        }
    }
}
