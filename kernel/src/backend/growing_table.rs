//! The table of a query with a memory sink, read again and again: of one on a cluster only what is new.

use std::sync::Arc;

use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Offset, Relation};
use tidebook_engine::{OutputMode, Rows};
use tokio::sync::Mutex;

use super::{Backend, Query};
use crate::error::Result;

/// A table that is read again and again. Cheap to clone; all clones read together.
#[derive(Clone)]
pub(crate) struct GrowingTable {
    backend: Backend,
    table: Arc<Relation>,
    /// What was read, if rows once there stay as they are and are far away.
    read: Option<Arc<Mutex<Option<Rows>>>>,
}

impl GrowingTable {
    /// The table that a query writes.
    pub(crate) fn new(backend: &Backend, table: Relation, query: &Query) -> Self {
        let grows = matches!(
            query.output_mode(),
            Some(OutputMode::Append | OutputMode::Update)
        );
        let is_kept = grows && backend.cluster().is_some();
        Self {
            backend: backend.clone(),
            table: Arc::new(table),
            read: is_kept.then(Arc::default),
        }
    }

    /// All its rows.
    pub(crate) async fn rows(&self) -> Result<Rows> {
        let Some(read) = &self.read else {
            return self.backend.collect(&self.table).await;
        };
        let mut read = read.lock().await;
        let known = read.as_ref().map_or(0, Rows::num_rows);
        let news = self.backend.collect(&self.behind(known)).await?;
        let all = read.get_or_insert_with(|| Rows {
            schema: Arc::clone(&news.schema),
            batches: Vec::new(),
        });
        all.batches.extend(news.batches);
        Ok(all.clone())
    }

    /// The rows behind the first ones.
    fn behind(&self, rows: usize) -> Relation {
        Relation {
            common: None,
            rel_type: Some(RelType::Offset(Box::new(Offset {
                input: Some(Box::new(Relation::clone(&self.table))),
                offset: i32::try_from(rows).unwrap_or(i32::MAX),
            }))),
        }
    }
}
