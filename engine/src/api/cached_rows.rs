//! Rows that a client refers to by an id: the frame of a batch, while a function works on it.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::datasource::MemTable;

use super::{Rows, Session};
use crate::connect::cached_name;
use crate::error::{Result, from_datafusion};

impl Session {
    /// Makes rows known to the relation `CachedRemoteRelation` of this id. No list of views has them.
    pub fn cache_rows(&self, id: &str, rows: Rows) -> Result<()> {
        let table = MemTable::try_new(rows.schema, vec![rows.batches]).map_err(from_datafusion)?;
        let context = &self.inner.context;
        let registered = context.register_table(reference(id), Arc::new(table));
        registered.map(drop).map_err(from_datafusion)
    }

    /// Forgets them; views that were made of them keep them.
    pub fn forget_rows(&self, id: &str) {
        if let Err(error) = self.inner.context.deregister_table(reference(id)) {
            tracing::warn!(%error, "cached rows could not be forgotten");
        }
    }
}

fn reference(id: &str) -> TableReference {
    TableReference::bare(cached_name(id))
}
