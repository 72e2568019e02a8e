//! A session: its views, its settings, its queries.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{StreamingQuery, StreamingQueryManager};
use crate::connect::proto;
use crate::error::Result;

/// Rows of a batch query, already computed.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Their schema, also when there are none.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Rows {
    /// How many rows.
    pub fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What a SQL statement gave.
#[derive(Debug, Clone)]
pub enum SqlOutput {
    /// A query: its rows.
    Rows(Rows),
    /// A statement without rows (`CREATE TEMPORARY VIEW …`, `DROP VIEW …`): one sentence on what it did.
    Done(String),
}

/// What a command gave.
#[derive(Debug, Clone)]
pub enum CommandOutput {
    /// A view was registered.
    View(ViewInfo),
    /// A streaming query was started.
    Query(StreamingQuery),
}

/// One name that SQL can select from.
#[derive(Debug, Clone)]
pub struct ViewInfo {
    /// Its name.
    pub name: String,
    /// Whether it is a stream (`%%stream` reads it) or a table (`%%sql` reads it).
    pub is_streaming: bool,
    /// Its columns.
    pub schema: SchemaRef,
}

/// A session. Cheap to clone; all clones are the same session.
#[derive(Debug, Clone)]
pub struct Session {}

impl Session {
    /// An empty session. Must be called inside a tokio runtime.
    pub fn new() -> Self {
        todo!()
    }

    /// Runs one SQL statement as a batch. Refuses to select from a stream, naming it.
    pub async fn sql(&self, text: &str) -> Result<SqlOutput> {
        todo!()
    }

    /// Runs a batch relation and collects its rows.
    pub async fn collect(&self, relation: &proto::Relation) -> Result<Rows> {
        todo!()
    }

    /// Runs a command: `CreateDataframeView`, `WriteStreamOperationStart`.
    pub async fn execute(&self, command: &proto::Command) -> Result<CommandOutput> {
        todo!()
    }

    /// The schema a relation would have; plans it, runs nothing.
    pub fn schema(&self, relation: &proto::Relation) -> Result<SchemaRef> {
        todo!()
    }

    /// All views, memory tables included, by name.
    pub fn views(&self) -> Vec<ViewInfo> {
        todo!()
    }

    /// The session's queries.
    pub fn streams(&self) -> &StreamingQueryManager {
        todo!()
    }
}
