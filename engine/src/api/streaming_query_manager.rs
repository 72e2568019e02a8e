//! The queries of one session.

use std::sync::Arc;

use super::StreamingQuery;
use crate::error::Result;
use crate::streaming_query_listener::StreamingQueryListener;

/// The queries of one session.
#[derive(Debug)]
pub struct StreamingQueryManager {}

impl StreamingQueryManager {
    /// Queries that are running, by start.
    pub fn active(&self) -> Vec<StreamingQuery> {
        todo!()
    }

    /// All queries of the session that were started, ended ones included; of one name, the last.
    pub fn all(&self) -> Vec<StreamingQuery> {
        todo!()
    }

    /// The query of this name (the last one started), running or ended.
    /// An unknown name is an error that offers the nearest known one.
    pub fn get(&self, name: &str) -> Result<StreamingQuery> {
        todo!()
    }

    /// Adds a listener for the events of all queries.
    pub fn add_listener(&self, listener: Arc<dyn StreamingQueryListener>) {
        todo!()
    }

    /// Stops every running query and waits until each has ended.
    pub async fn stop_all(&self) -> Result<()> {
        todo!()
    }
}
